//! Files of one crate stand on floors: no file imports, straight or round about, a file that imports it.
//!
//! The rule is asked at every level of the tree of modules. The children of a module, each together with everything below
//! it, import each other in one direction only, so that folders form floors as files do. A module's own file stands among
//! its children, with one exception: a *private* child may take what it needs from the modules that it is a part of, for
//! the two are one idea. A public child may not, and no file may take from the root of its crate what the root's own
//! imports lead back to.
//!
//! From this follows that no circle of files is left but inside one idea.

mod read;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use read::{ModuleId, Tie, Tree};

/// Who is seen as one at a level: a child of its module with everything below it, or the module's own file.
type Group = ModuleId;

/// What one file takes from another: its names by (who takes, from whom).
type Names = BTreeMap<(String, String), BTreeSet<String>>;

/// The imports between the groups of one level.
#[derive(Default)]
struct Level {
    arrows: BTreeMap<(Group, Group), Names>,
}

impl Level {
    /// Groups that can be come to from this one, round about too.
    fn reach(&self, from: Group) -> BTreeSet<Group> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            let next = self.arrows.keys().filter(|(from, _)| *from == at).map(|(_, to)| *to);
            open.extend(next.filter(|to| reached.insert(*to)));
        }
        reached
    }

    /// Groups that lead to each other, for each circle.
    fn circles(&self) -> BTreeSet<BTreeSet<Group>> {
        let groups: BTreeSet<Group> = self.arrows.keys().flat_map(|(from, to)| [*from, *to]).collect();
        let reach: BTreeMap<Group, BTreeSet<Group>> =
            groups.into_iter().map(|group| (group, self.reach(group))).collect();
        let back = |from: Group, to: &Group| reach.get(to).is_some_and(|reached| reached.contains(&from));
        let circles = reach.iter().map(|(from, to)| to.iter().copied().filter(|to| back(*from, to)).collect());
        circles.filter(|circle: &BTreeSet<Group>| !circle.is_empty()).collect()
    }
}

/// Every circle of a crate, in words: who is in it, and a line for each file that takes something of another one in it.
fn circles(tree: &Tree) -> String {
    let mut levels: BTreeMap<ModuleId, Level> = BTreeMap::new();
    for tie in tree.ties().into_iter().filter(|tie| !is_one_idea(tree, tie)) {
        let files = [tie.from, tie.to].map(|end| tree.modules[end].file.clone());
        let [from, to] = files;
        if from != to {
            let (level, groups) = meet(tree, &tie);
            let names = levels.entry(level).or_default().arrows.entry(groups).or_default();
            names.entry((from, to)).or_default().insert(tie.name);
        }
    }
    let mut told = String::new();
    for level in levels.values() {
        for circle in level.circles() {
            let files: Vec<&str> = circle.iter().map(|group| tree.modules[*group].file.as_str()).collect();
            told.push_str(&format!("a circle of {}:\n", files.join(", ")));
            let inside = level.arrows.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
            for ((from, to), names) in inside.flat_map(|(_, names)| names) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                told.push_str(&format!("    {from} takes from {to}: {}\n", names.join(", ")));
            }
        }
    }
    told
}

/// Whether a private part takes something from what it is a part of.
fn is_one_idea(tree: &Tree, tie: &Tie) -> bool {
    let lineage = tree.lineage(tie.from);
    let Some(below) = lineage.iter().position(|id| *id == tie.to) else { return false };
    let is_private = lineage.iter().take(below).all(|id| tree.modules[*id].is_private);
    is_private && tree.modules[tie.to].parent.is_some()
}

/// The innermost module that holds both ends, and which of its groups each end belongs to.
fn meet(tree: &Tree, tie: &Tie) -> (ModuleId, (Group, Group)) {
    let (from, to) = (tree.lineage(tie.from), tree.lineage(tie.to));
    let shared = from.iter().rev().zip(to.iter().rev()).take_while(|(one, other)| one == other).count();
    let group = |lineage: &[ModuleId]| lineage[lineage.len().saturating_sub(shared + 1)];
    (from[from.len() - shared], (group(&from), group(&to)))
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every crate, and every binary that stands beside its library.
fn trees() -> Vec<Tree> {
    let source = |file: &str| std::fs::read_to_string(crates().join(file)).ok();
    let roots = crate::MAY_USE.iter().flat_map(|(name, _)| ["lib", "main"].map(|root| format!("{name}/src/{root}.rs")));
    let known = roots.filter(|root| source(root).is_some());
    known.map(|root| Tree::read(&root, &source).expect("sources that can be read")).collect()
}

#[test]
fn files_of_each_crate_form_floors() {
    let told: String = trees().iter().map(circles).collect();
    assert!(told.is_empty(), "files that import each other; what both need belongs below both.\n{told}");
}

/// A file that the reader never comes to would keep its circles.
#[test]
fn no_file_is_overlooked() {
    let read: BTreeSet<String> =
        trees().iter().flat_map(|tree| &tree.modules).map(|module| module.file.clone()).collect();
    let mut open: Vec<PathBuf> = crate::MAY_USE.iter().map(|(name, _)| crates().join(name).join("src")).collect();
    let mut overlooked = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("readable").path();
            let file = path.strip_prefix(crates()).expect("below").to_str().expect("UTF-8").to_owned();
            // Tests import whom they test.
            let is_test = path.file_stem().is_some_and(|stem| {
                let stem = stem.to_string_lossy();
                stem.starts_with("test") || stem.ends_with("_tests")
            });
            if path.is_dir() && !is_test {
                open.push(path);
            } else if file.ends_with(".rs") && !is_test && !read.contains(&file) {
                overlooked.push(file);
            }
        }
    }
    assert!(overlooked.is_empty(), "no root leads to {overlooked:?}");
}
