//! The sources of one crate as modules, and who imports what from whom.
//!
//! Read are `mod`, `use` and every path in code, in macros and in the texts of attributes (`with = "crate::cbor::date"`).
//! A name is followed through the `pub use` of the modules on its way: whoever imports a name ties themself to the module
//! that hands it on and to the one that defines it.
//!
//! Left out: what stands under `#[cfg(test)]`, documentation, and what needs types to be seen (methods of an `impl` that
//! stands elsewhere). Naming a module is no tie, only what is taken from it is.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Where a module stands among its tree's.
pub(super) type ModuleId = usize;

/// Re-exports that are followed for one name at most: a name that leads round in a circle must end.
const REEXPORTS_MAX: usize = 16;

/// One module, inline or with a file of its own.
#[derive(Debug)]
pub(super) struct Module {
    /// The file that it is written in.
    pub(super) file: String,
    /// `None`: the crate's root.
    pub(super) parent: Option<ModuleId>,
    /// Declared without `pub` of any width.
    pub(super) is_private: bool,
    /// Folder of the files of its children.
    folder: String,
    children: BTreeMap<String, ModuleId>,
    defined: BTreeSet<String>,
    /// Names that `use` brings in, and where from.
    aliases: BTreeMap<String, Vec<String>>,
    /// What `use …::*` names.
    globs: Vec<Vec<String>>,
    /// Every path that is written in it.
    written: BTreeSet<Vec<String>>,
}

/// A name that one module takes from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tie {
    /// Who takes it.
    pub(super) from: ModuleId,
    /// From whom.
    pub(super) to: ModuleId,
    /// What it is called there.
    pub(super) name: String,
}

/// The modules of one crate.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// A parent stands before its children.
    pub(super) modules: Vec<Module>,
}

impl Tree {
    /// Reads a crate from its root file on. `source` gives a file's text, or `None` where there is no such file.
    pub(super) fn read(root: &str, source: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let folder = root.rsplit_once('/').map_or(String::new(), |(folder, _)| String::from(folder));
        let mut tree = Self::default();
        let text = source(root).ok_or_else(|| format!("{root} is not there"))?;
        let id = tree.add(None, root, &folder, false);
        tree.file(id, &text, source)?;
        Ok(tree)
    }

    fn add(&mut self, parent: Option<ModuleId>, file: &str, folder: &str, is_private: bool) -> ModuleId {
        self.modules.push(Module {
            file: String::from(file),
            parent,
            is_private,
            folder: String::from(folder),
            children: BTreeMap::new(),
            defined: BTreeSet::new(),
            aliases: BTreeMap::new(),
            globs: Vec::new(),
            written: BTreeSet::new(),
        });
        self.modules.len() - 1
    }

    fn file(&mut self, id: ModuleId, text: &str, source: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("{}: {error}", self.modules[id].file))?;
        Reader { tree: self, source }.walk(id, tokens, Level::Items)
    }

    /// The module itself and those around it, innermost first.
    pub(super) fn lineage(&self, id: ModuleId) -> Vec<ModuleId> {
        std::iter::successors(Some(id), |id| self.modules[*id].parent).collect()
    }

    /// Every name that a module takes from another one.
    pub(super) fn ties(&self) -> BTreeSet<Tie> {
        let mut ties = BTreeSet::new();
        for (from, module) in self.modules.iter().enumerate() {
            for path in &module.written {
                let taken = self.taken(from, path, REEXPORTS_MAX).into_iter().filter(|(to, _)| *to != from);
                ties.extend(taken.map(|(to, name)| Tie { from, to, name }));
            }
        }
        ties
    }

    /// From which modules of this crate a path takes which name: who hands it on, and who defines it.
    fn taken(&self, from: ModuleId, path: &[String], reexports_max: usize) -> Vec<(ModuleId, String)> {
        let Some(less) = reexports_max.checked_sub(1) else { return Vec::new() };
        let Some((mut at, mut rest)) = self.begin(from, path) else {
            // A name that `use` brought in: what follows it may lead further.
            let Some((first, rest)) = path.split_first() else { return Vec::new() };
            let module = &self.modules[from];
            let Some(alias) = module.aliases.get(first).filter(|alias| alias.first() != Some(first)) else {
                return Vec::new();
            };
            return self.taken(from, &[alias, rest].concat(), less);
        };
        while let Some(child) = rest.first().and_then(|name| self.modules[at].children.get(name)) {
            (at, rest) = (*child, &rest[1..]);
        }
        let Some((name, rest)) = rest.split_first() else { return Vec::new() };
        let mut taken = vec![(at, name.clone())];
        let there = &self.modules[at];
        if let Some(alias) = there.aliases.get(name) {
            taken.extend(self.taken(at, &[alias, rest].concat(), less));
        } else if !there.defined.contains(name) && name != "*" {
            for glob in &there.globs {
                let path = [glob.as_slice(), std::slice::from_ref(name), rest].concat();
                taken.extend(self.taken(at, &path, less).into_iter().filter(|(to, name)| self.has(*to, name)));
            }
        }
        taken
    }

    fn has(&self, id: ModuleId, name: &str) -> bool {
        let module = &self.modules[id];
        module.defined.contains(name) || module.aliases.contains_key(name)
    }

    /// The module that a path begins in, and the rest of the path.
    fn begin<'p>(&self, from: ModuleId, path: &'p [String]) -> Option<(ModuleId, &'p [String])> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => 0,
            "self" => from,
            "super" => self.modules[from].parent?,
            name => *self.modules[from].children.get(name)?,
        };
        while let Some(("super", after)) = rest.split_first().map(|(next, after)| (next.as_str(), after)) {
            (at, rest) = (self.modules[at].parent?, after);
        }
        Some((at, rest))
    }
}

/// Whether names are defined here for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Of a module.
    Items,
    /// Of a body, a list, a macro's argument.
    Inside,
}

struct Reader<'t> {
    tree: &'t mut Tree,
    source: &'t dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn walk(&mut self, id: ModuleId, tokens: TokenStream, level: Level) -> Result<(), String> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut is_private = true;
        while let Some(token) = rest.first() {
            let was_private = std::mem::replace(&mut is_private, true);
            rest = match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let (is_test, after) = self.attribute(id, &rest[1..]);
                    // What stands in front of `pub` says nothing about it.
                    is_private = was_private;
                    if is_test { after_item(after) } else { after }
                }
                TokenTree::Punct(punct) if punct.as_char() == '.' => after_dot(&rest[1..]),
                TokenTree::Punct(_) | TokenTree::Literal(_) => &rest[1..],
                TokenTree::Group(group) => {
                    self.walk(id, group.stream(), Level::Inside)?;
                    &rest[1..]
                }
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "pub" => {
                        is_private = false;
                        after_visibility(&rest[1..])
                    }
                    "mod" => self.module(id, &rest[1..], was_private)?,
                    "use" => self.imports(id, &rest[1..]),
                    "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" => {
                        if let (Level::Items, Some(TokenTree::Ident(name))) = (level, rest.get(1)) {
                            self.tree.modules[id].defined.insert(name.to_string());
                        }
                        &rest[1..]
                    }
                    _ => self.path(id, rest),
                },
            };
        }
        Ok(())
    }

    /// What follows `#`: whether the item is for tests only, and what comes after the attribute.
    fn attribute<'k>(&mut self, id: ModuleId, rest: &'k [TokenTree]) -> (bool, &'k [TokenTree]) {
        let rest = if is_punct(rest.first(), '!') { &rest[1..] } else { rest };
        let Some((TokenTree::Group(group), after)) = rest.split_first() else { return (false, rest) };
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let [TokenTree::Ident(name), inside @ ..] = tokens.as_slice() else { return (false, after) };
        match (name.to_string().as_str(), inside) {
            ("doc", _) => (false, after),
            ("cfg", [TokenTree::Group(of)]) => (is_test_only(of), after),
            _ => {
                self.attribute_paths(id, group);
                (false, after)
            }
        }
    }

    /// Paths in an attribute: derives, and texts that read as a path.
    fn attribute_paths(&mut self, id: ModuleId, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some(token) = rest.first() {
            rest = match token {
                TokenTree::Group(group) => {
                    self.attribute_paths(id, group);
                    &rest[1..]
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let path = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
                    let words: Vec<String> = path.split("::").map(String::from).collect();
                    if words.len() > 1 && words.iter().all(|word| is_word(word)) {
                        self.tree.modules[id].written.insert(words);
                    }
                    &rest[1..]
                }
                TokenTree::Ident(_) => self.path(id, rest),
                TokenTree::Punct(_) => &rest[1..],
            };
        }
    }

    /// What follows `mod`.
    fn module<'k>(&mut self, id: ModuleId, rest: &'k [TokenTree], is_private: bool) -> Result<&'k [TokenTree], String> {
        let [TokenTree::Ident(name), body, after @ ..] = rest else { return Ok(rest) };
        let name = name.to_string();
        let (file, folder) = (self.tree.modules[id].file.clone(), self.tree.modules[id].folder.clone());
        let own_folder = format!("{folder}/{name}");
        if let TokenTree::Group(body) = body {
            let child = self.tree.add(Some(id), &file, &own_folder, is_private);
            self.tree.modules[id].children.insert(name, child);
            self.walk(child, body.stream(), Level::Items)?;
            return Ok(after);
        }
        let places = [format!("{own_folder}.rs"), format!("{own_folder}/mod.rs")];
        let found = places.iter().find_map(|place| Some((place, (self.source)(place)?)));
        let Some((place, text)) = found else { return Err(format!("{file}: `mod {name};` is in neither {places:?}")) };
        let child = self.tree.add(Some(id), place, &own_folder, is_private);
        self.tree.modules[id].children.insert(name, child);
        self.tree.file(child, &text, self.source)?;
        Ok(after)
    }

    /// What follows `use`, up to its semicolon.
    fn imports<'k>(&mut self, id: ModuleId, rest: &'k [TokenTree]) -> &'k [TokenTree] {
        let end = rest.iter().position(|token| is_punct(Some(token), ';')).unwrap_or(rest.len());
        self.import(id, &[], &rest[..end]);
        rest.get(end + 1..).unwrap_or_default()
    }

    /// One branch of a `use`, below the words before it.
    fn import(&mut self, id: ModuleId, before: &[String], branch: &[TokenTree]) {
        let mut path = before.to_vec();
        let mut renamed = None;
        let mut rest = branch;
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token {
                TokenTree::Ident(word) if word == "as" => renamed = after.first().map(ToString::to_string),
                TokenTree::Ident(_) if renamed.is_some() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    let module = &mut self.tree.modules[id];
                    module.globs.push(path.clone());
                    module.written.insert([path, vec![String::from("*")]].concat());
                    return;
                }
                TokenTree::Group(group) => {
                    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
                        self.import(id, &path, branch);
                    }
                    return;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        // `{self}` names what stands before it.
        if path.len() > 1 && path.last().is_some_and(|word| word == "self") {
            path.pop();
        }
        let Some(last) = path.last().cloned() else { return };
        let module = &mut self.tree.modules[id];
        module.aliases.insert(renamed.unwrap_or(last), path.clone());
        module.written.insert(path);
    }

    /// Words joined by `::` in code.
    fn path<'k>(&mut self, id: ModuleId, rest: &'k [TokenTree]) -> &'k [TokenTree] {
        let mut path = Vec::new();
        let mut rest = rest;
        while let Some((TokenTree::Ident(word), after)) = rest.split_first() {
            path.push(word.to_string());
            rest = after;
            match after {
                [colon, second, TokenTree::Ident(_), ..]
                    if is_punct(Some(colon), ':') && is_punct(Some(second), ':') =>
                {
                    rest = &after[2..];
                }
                _ => break,
            }
        }
        if path.len() > 1 {
            self.tree.modules[id].written.insert(path);
        }
        rest
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// `test`, or `all(test, …)`: what holds in other builds too is read.
fn is_test_only(of: &Group) -> bool {
    let tokens: Vec<TokenTree> = of.stream().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(of)] if word == "all" => {
            of.stream().into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "test"))
        }
        _ => false,
    }
}

/// `pub` has been read: a width in brackets belongs to it, anything else does not.
fn after_visibility(rest: &[TokenTree]) -> &[TokenTree] {
    let is_width = |group: &Group| {
        let first = group.stream().into_iter().next();
        let is_known = |word: &str| ["crate", "super", "self", "in"].contains(&word);
        let is_short = group.stream().into_iter().nth(1).is_none();
        match first {
            Some(TokenTree::Ident(word)) => word == "in" || (is_short && is_known(&word.to_string())),
            _ => false,
        }
    };
    match rest.first() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis && is_width(group) => &rest[1..],
        _ => rest,
    }
}

/// `.` has been read: behind one stands a field or a method, behind two the end of a range, where a path may begin.
fn after_dot(rest: &[TokenTree]) -> &[TokenTree] {
    let more = rest.iter().take_while(|token| is_punct(Some(token), '.')).count();
    if more == 0 && matches!(rest.first(), Some(TokenTree::Ident(_))) { &rest[1..] } else { &rest[more..] }
}

/// What follows an item, a field or an arm that is for tests only.
fn after_item(rest: &[TokenTree]) -> &[TokenTree] {
    let mut rest = rest;
    while is_punct(rest.first(), '#') {
        rest = rest.get(2..).unwrap_or_default();
    }
    let word = |place: usize| match rest.get(place) {
        Some(TokenTree::Ident(word)) => word.to_string(),
        _ => String::new(),
    };
    let first = usize::from(word(0) == "pub");
    let first = first + usize::from(first == 1 && matches!(rest.get(1), Some(TokenTree::Group(_))));
    let is_value = matches!(word(first).as_str(), "use" | "static" | "let" | "type")
        || (word(first) == "const" && !matches!(word(first + 1).as_str(), "fn" | "unsafe" | "async" | "extern"));
    let is_item = matches!(
        word(first).as_str(),
        "fn" | "async" | "impl" | "mod" | "struct" | "enum" | "trait" | "union" | "unsafe" | "extern" | "const"
    );
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(punct) if punct.as_char() == ';' => true,
        TokenTree::Punct(punct) => punct.as_char() == ',' && !is_item && !is_value,
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_value,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let end = rest.iter().position(ends).unwrap_or(rest.len());
    rest.get(end + 1..).unwrap_or_default()
}
