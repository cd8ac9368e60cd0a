//! Which file defines a name, and the arrows between files that follow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::sources::{Meaning, Module};

/// From a file to another one that defines what it imports, with the imported names.
pub(crate) type Arrows = BTreeMap<(PathBuf, PathBuf), BTreeSet<String>>;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Module(usize),
    /// An item that this module's file defines.
    Item(usize),
}

/// The arrows of a crate's files: from each private `use` and each path in the code to the file that defines the name.
pub(crate) fn arrows(mut modules: Vec<Module>) -> Arrows {
    for module in &mut modules {
        let mut local = LocalImports(vec![]);
        module.code.iter().for_each(|item| local.visit_item(item));
        local.0.iter().for_each(|item| module.import(item));
    }
    let mut arrows = Arrows::new();
    for index in 0..modules.len() {
        let mut paths = Paths(vec![]);
        modules[index].code.iter().for_each(|item| paths.visit_item(item));
        paths.0.extend(modules[index].imports.iter().map(|import| import.path.clone()));
        for path in paths.0 {
            for found in resolve(&modules, index, &path, &mut BTreeSet::new()) {
                // A module's name alone is no use of what is in it.
                let Found::Item(target) = found else { continue };
                let (from, to) = (&modules[index].file, &modules[target].file);
                if from != to {
                    let name = item_name(&modules, index, &path);
                    arrows.entry((from.clone(), to.clone())).or_default().insert(name.to_owned());
                }
            }
        }
    }
    arrows
}

/// The first name in a path that is an item's, such as `Shape` in `super::Shape::new`.
fn item_name<'a>(modules: &[Module], from: usize, path: &'a [String]) -> &'a str {
    let is_item = |end: &usize| {
        let found = resolve(modules, from, &path[..*end], &mut BTreeSet::new());
        !found.is_empty() && found.iter().all(|found| matches!(found, Found::Item(_)))
    };
    let end = (1..path.len()).find(is_item).unwrap_or(path.len());
    &path[end - 1]
}

/// Where a path leads that stands in a module: nowhere if into another crate or to a local name.
fn resolve(modules: &[Module], from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> Vec<Found> {
    let Some((first, rest)) = path.split_first() else { return vec![] };
    let parent = |index: usize| modules[index].parent.unwrap_or(0);
    let start = match first.as_str() {
        "crate" => vec![Found::Module(0)],
        "self" => vec![Found::Module(from)],
        "super" => vec![Found::Module(parent(from))],
        name => look_up(modules, from, name, seen),
    };
    let mut found = start;
    for name in rest {
        // A function may have the name of a module, but nothing is within it.
        if found.iter().any(|found| matches!(found, Found::Module(_))) {
            found.retain(|found| matches!(found, Found::Module(_)));
        }
        let mut next = vec![];
        for found in found {
            match found {
                Found::Module(index) if name == "super" => next.push(Found::Module(parent(index))),
                Found::Module(index) => {
                    let meanings = look_up(modules, index, name, seen);
                    // What no item says by name, a macro of that module has written.
                    next.extend(if meanings.is_empty() { vec![Found::Item(index)] } else { meanings });
                }
                // A variant, or what an `impl` adds.
                item => next.push(item),
            }
        }
        next.sort();
        next.dedup();
        found = next;
    }
    found
}

/// What a name stands for in a module.
fn look_up(modules: &[Module], index: usize, name: &str, seen: &mut BTreeSet<(usize, String)>) -> Vec<Found> {
    // Modules may import each other's names with `*`.
    if !seen.insert((index, name.to_owned())) {
        return vec![];
    }
    let module = &modules[index];
    let mut found = vec![];
    for meaning in module.names.get(name).into_iter().flatten() {
        match meaning {
            Meaning::Item => found.push(Found::Item(index)),
            Meaning::Module(child) => found.push(Found::Module(*child)),
            Meaning::Import(path) => found.extend(resolve(modules, index, path, seen)),
        }
    }
    if found.is_empty() {
        for path in &module.globs {
            for glob in resolve(modules, index, path, seen) {
                if let Found::Module(other) = glob {
                    found.extend(look_up(modules, other, name, seen));
                }
            }
        }
    }
    seen.remove(&(index, name.to_owned()));
    found
}

/// The `use` items within functions.
struct LocalImports(Vec<syn::ItemUse>);

impl<'ast> Visit<'ast> for LocalImports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.0.push(item.clone());
    }
}

/// Every path in the code, those within the arguments of macros as well.
struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }

    /// Neither conditions nor documentation.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

impl Paths {
    /// Adds what reads as `name::name`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = vec![];
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 || path.is_empty() => path.push(ident.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => self.end(std::mem::replace(&mut path, vec![ident.to_string()])),
                TokenTree::Group(group) => {
                    self.end(std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                _ => self.end(std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.end(path);
    }

    fn end(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.0.push(path);
        }
    }
}
