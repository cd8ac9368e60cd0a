//! A crate's modules, read from its source files, and the names that each module defines or imports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// Source files by their path below `src`, such as `mixture/gmm.rs`.
pub(crate) type Files = BTreeMap<PathBuf, String>;

/// What a name stands for in a module.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    /// An item of this module.
    Item,
    /// The module with this index.
    Module(usize),
    /// Whatever this path leads to.
    Import(Vec<String>),
}

/// A path that a private `use` imports, the name that it gets, and whether it ends in `*`.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    pub(crate) name: String,
    pub(crate) is_glob: bool,
}

/// A module: a file, or a `mod` with a body within one.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) parent: Option<usize>,
    /// A name may stand for several things, such as a function and a module.
    pub(crate) names: BTreeMap<String, Vec<Meaning>>,
    pub(crate) globs: Vec<Vec<String>>,
    /// The private imports: these make arrows, those with a visibility are façades.
    pub(crate) imports: Vec<Import>,
    /// The items, but for modules, imports and whatever is compiled for tests only.
    pub(crate) code: Vec<Item>,
}

/// The Rust files below `source`.
pub(crate) fn read(source: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.insert(path.strip_prefix(source).unwrap().to_owned(), text);
            }
        }
    }
    files
}

/// The modules of the crate whose root is the file `root`; the first of them is the root.
pub(crate) fn modules(files: &Files, root: &str) -> Vec<Module> {
    let mut modules = vec![];
    add_file(&mut modules, files, PathBuf::from(root), Path::new(""), None);
    modules
}

/// Adds the module that is the file `file`, and those below it, whose files are in the folder `below`.
fn add_file(modules: &mut Vec<Module>, files: &Files, file: PathBuf, below: &Path, parent: Option<usize>) -> usize {
    let text = files.get(&file).unwrap_or_else(|| panic!("{} is missing", file.display()));
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    add(modules, files, parsed.items, file, below, parent)
}

fn add(
    modules: &mut Vec<Module>,
    files: &Files,
    items: Vec<Item>,
    file: PathBuf,
    below: &Path,
    parent: Option<usize>,
) -> usize {
    let index = modules.len();
    let (names, globs, imports, code) = Default::default();
    modules.push(Module { file: file.clone(), parent, names, globs, imports, code });
    for item in items.into_iter().filter(|item| !is_for_tests(attributes(item))) {
        match item {
            Item::Mod(item) => {
                let name = item.ident.to_string();
                assert!(!item.attrs.iter().any(|a| a.path().is_ident("path")), "`#[path]` of {name} is not followed");
                let folder = below.join(&name);
                let child = match item.content {
                    Some((_, items)) => add(modules, files, items, file.clone(), &folder, Some(index)),
                    None => {
                        let (flat, nested) = (folder.with_extension("rs"), folder.join("mod.rs"));
                        let path = if files.contains_key(&flat) { flat } else { nested };
                        add_file(modules, files, path, &folder, Some(index))
                    }
                };
                modules[index].names.entry(name).or_default().push(Meaning::Module(child));
            }
            Item::Use(item) => modules[index].import(&item),
            item => {
                if let Some(name) = name(&item) {
                    modules[index].names.entry(name).or_default().push(Meaning::Item);
                }
                modules[index].code.push(item);
            }
        }
    }
    index
}

impl Module {
    /// Takes in a `use`, of the module or of a block within it.
    pub(crate) fn import(&mut self, item: &ItemUse) {
        // `use ::name` always means another crate.
        if item.leading_colon.is_some() {
            return;
        }
        let mut imports = vec![];
        flatten(&item.tree, &mut vec![], &mut imports);
        for import in &imports {
            if import.is_glob {
                self.globs.push(import.path.clone());
            } else {
                let meaning = Meaning::Import(import.path.clone());
                self.names.entry(import.name.clone()).or_default().push(meaning);
            }
        }
        if matches!(item.vis, Visibility::Inherited) {
            self.imports.extend(imports);
        }
    }
}

/// The single imports of a tree of them.
fn flatten(tree: &UseTree, path: &mut Vec<String>, imports: &mut Vec<Import>) {
    let mut leaf = |path: &[String], name: String, is_glob| imports.push(Import { path: path.to_vec(), name, is_glob });
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            flatten(&tree.tree, path, imports);
            path.pop();
        }
        UseTree::Name(tree) if tree.ident == "self" => leaf(path, path.last().cloned().unwrap_or_default(), false),
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            leaf(&[&path[..], std::slice::from_ref(&name)].concat(), name, false);
        }
        UseTree::Rename(tree) if tree.ident == "self" => leaf(path, tree.rename.to_string(), false),
        UseTree::Rename(tree) => {
            leaf(&[&path[..], &[tree.ident.to_string()]].concat(), tree.rename.to_string(), false);
        }
        UseTree::Glob(_) => leaf(path, "*".into(), true),
        UseTree::Group(tree) => tree.items.iter().for_each(|tree| flatten(tree, path, imports)),
    }
}

/// The name that an item defines.
fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, ...))]` is among the attributes.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition: Vec<String> = list.tokens.to_string().split_whitespace().map(str::to_owned).collect();
        let condition = condition.concat();
        condition == "test" || condition.starts_with("all(test,")
    })
}
