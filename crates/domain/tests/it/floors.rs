//! Files of one crate stand on floors: no file imports, straight or round about, a file that imports it.
//!
//! The rule is asked at every level of the tree of modules. The children of a module, each together with everything
//! below it, import each other in one direction only. A module's own file stands among them, with one exception: a
//! *private* child may take what it needs from the modules that it is a part of, for the two are one idea. A public child
//! may not, and nobody may take anything from the root of a crate.
//!
//! From this follows that no circle of files is left but inside one idea.

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use read::{ModuleId, Tie, Tree};

/// Who may be seen as one at a level: a child with everything below it, or the module itself.
type Group = ModuleId;

/// Two groups of a level and what ties them, in the words of a report: file → file: names.
type Arrows = BTreeMap<(Group, Group), BTreeMap<(String, String), BTreeSet<String>>>;

/// One line for each arrow of each circle; none where files stand on floors.
fn circles(tree: &Tree) -> Vec<String> {
    let mut levels: BTreeMap<ModuleId, Arrows> = BTreeMap::new();
    for tie in tree.ties().iter().filter(|tie| !is_one_idea(tree, tie)) {
        let (level, groups) = meet(tree, tie);
        let files = (tree.modules[tie.from].file.clone(), tree.modules[tie.to].file.clone());
        if files.0 != files.1 {
            let arrow = levels.entry(level).or_default().entry(groups).or_default();
            arrow.entry(files).or_default().insert(tie.name.clone());
        }
    }
    levels.values().flat_map(level_circles).collect()
}

/// Whether a private part takes something from what it is a part of.
fn is_one_idea(tree: &Tree, tie: &Tie) -> bool {
    let lineage = tree.lineage(tie.from);
    let inside = lineage.iter().position(|id| *id == tie.to).unwrap_or_default();
    let is_part = inside > 0 && lineage[..inside].iter().all(|id| tree.modules[*id].is_private);
    is_part && tree.modules[tie.to].parent.is_some()
}

/// The innermost module that holds both ends, and which of its groups each end belongs to.
fn meet(tree: &Tree, tie: &Tie) -> (ModuleId, (Group, Group)) {
    let (from, to) = (tree.lineage(tie.from), tree.lineage(tie.to));
    let shared = from.iter().rev().zip(to.iter().rev()).take_while(|(one, other)| one == other).count();
    let group = |lineage: &[ModuleId]| lineage[lineage.len().saturating_sub(shared + 1)];
    let level = from[from.len() - shared];
    (level, (group(&from), group(&to)))
}

/// The arrows of a level that lead back to where they begin.
fn level_circles(arrows: &Arrows) -> Vec<String> {
    let reach = |start: Group| {
        let mut reached = BTreeSet::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            let next = arrows.keys().filter(|(from, _)| *from == at).map(|(_, to)| *to);
            open.extend(next.filter(|to| reached.insert(*to)));
        }
        reached
    };
    let closed = arrows.iter().filter(|((from, to), _)| reach(*to).contains(from));
    let lines = closed.flat_map(|(_, files)| files);
    lines.map(|((from, to), names)| format!("{from} -> {to}: {}", names.iter().cloned().collect::<Vec<_>>().join(", "))).collect()
}

#[test]
fn files_of_each_crate_form_floors() {
    let crates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let source = |file: &str| std::fs::read_to_string(crates.join(file)).ok();
    let mut found = Vec::new();
    for (name, _) in crate::MAY_USE {
        for root in ["lib.rs", "main.rs"].map(|root| format!("{name}/src/{root}")) {
            if source(&root).is_some() {
                found.extend(circles(&Tree::read(&root, &source).expect("sources that can be read")));
            }
        }
    }
    assert!(found.is_empty(), "these imports lead round in a circle:\n{}", found.join("\n"));
}
