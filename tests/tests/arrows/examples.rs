//! Small made-up crates, to show that the rules notice what they forbid and allow the rest.

use std::path::PathBuf;

use crate::names::{self, Arrows};
use crate::rules::{self, Layer};
use crate::sources::{self, Files};

const LAYERS: [Layer; 2] = [("low", &["low"]), ("high", &["high", "lib"])];

fn arrows(files: &[(&str, &str)]) -> Arrows {
    let files: Files = files.iter().map(|(path, text)| (PathBuf::from(path), text.to_string())).collect();
    names::arrows(sources::modules(&files, "lib.rs"))
}

/// Holds the arrows of a crate to the expected ones, each written as `from -> to: names`.
#[track_caller]
fn expect(files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = arrows(files)
        .iter()
        .map(|((from, to), names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{} -> {}: {}", from.display(), to.display(), names.join(", "))
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_arrow_leads_to_the_file_that_defines_the_name() {
    let facade = ("high/mod.rs", "mod inner; pub use inner::{Inner as Renamed, *}; pub fn own() {}");
    let inner = ("high/inner.rs", "pub struct Inner; pub fn other() {}");
    let root = ("lib.rs", "pub mod low; pub mod high; pub use high::Renamed;");
    let named = ("low.rs", "use crate::high::{Renamed, own}; use crate::Renamed as R; use std::fmt;");
    expect(&[root, facade, inner, named], &["low.rs -> high/inner.rs: Renamed", "low.rs -> high/mod.rs: own"]);
    let namesake = ("high/mod.rs", "pub mod inner; pub fn inner() {}");
    let within = ("low.rs", "use crate::high::inner::Inner;");
    expect(&[("lib.rs", "mod low; mod high;"), namesake, inner, within], &["low.rs -> high/inner.rs: Inner"]);
    let by_star = ("low.rs", "use super::high::*; fn f() { other() }");
    expect(&[root, facade, inner, by_star], &["low.rs -> high/inner.rs: other"]);
}

#[test]
fn paths_in_the_code_are_arrows_too() {
    let root = ("lib.rs", "mod low; mod high;");
    let high = ("high.rs", "pub const N: usize = 1; pub enum E { A } written! { Generated }");
    let arrow = |code: &str, name: &str| {
        let low = ("low.rs", code);
        expect(&[root, high, low], &[&format!("low.rs -> high.rs: {name}")]);
    };
    arrow("fn f() -> usize { crate::high::N }", "N");
    arrow("use crate::high; fn f() -> usize { high::N }", "N");
    arrow("fn f() { use crate::high as h; let _ = h::E::A; }", "E");
    arrow("fn f() { println!(\"{}\", 1 + crate::high::N); }", "N");
    arrow("struct S(Vec<super::high::E>);", "E");
    arrow("mod within { pub fn f(_: super::super::high::E) {} }", "E");
    arrow("use crate::high::Generated;", "Generated");
    arrow("impl crate::high::E { fn f(&self) {} }", "E");
}

#[test]
fn facades_tests_and_other_crates_make_no_arrow() {
    let high = ("high.rs", "pub struct High;");
    let none = |low: &str| expect(&[("lib.rs", "pub mod low; mod high;"), high, ("low.rs", low)], &[]);
    none("pub use crate::high::High;");
    none("pub(crate) use crate::high::High;");
    none("use crate::high;");
    none("use ::high::High; use high::High as Other;");
    none("#[cfg(test)] mod tests { use crate::high::High; fn f(_: crate::high::High) {} }");
    none("#[cfg(test)] use crate::high::High;");
    none("#[cfg(all(test, unix))] fn f(_: crate::high::High) {}");
    none("/// Unlike [`crate::high::High`].\npub struct Low;");
    // A local name that is also a module's.
    none("fn f(high: usize) -> usize { high }");
}

#[test]
fn circles_are_found_and_printed() {
    let root = ("lib.rs", "mod a; mod b; mod c; mod d;");
    let chain = [("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "use crate::c::C; pub struct B;")];
    let d = ("d.rs", "use crate::{a::A, b::B};");
    let closed = [root, chain[0], chain[1], ("c.rs", "pub struct C; fn f() { crate::a::A }"), d];
    let found = rules::circles(&arrows(&closed));
    let lines = ["a.rs -> b.rs: B", "b.rs -> c.rs: C", "c.rs -> a.rs: A"];
    assert_eq!(found.len(), 1);
    assert!(lines.iter().all(|line| found[0].contains(line)), "{}", found[0]);
    assert!(!found[0].contains("d.rs"), "{}", found[0]);
    let open = [root, chain[0], chain[1], ("c.rs", "pub struct C;"), d];
    assert!(rules::circles(&arrows(&open)).is_empty());
}

#[test]
fn a_module_whose_own_code_uses_its_children_is_a_circle_only_if_they_use_it() {
    let root = ("lib.rs", "mod high;");
    let parent = ("high/mod.rs", "mod child; use child::Child; pub struct Shared(Child);");
    let using = ("high/child.rs", "use super::Shared; pub struct Child;");
    assert_eq!(rules::circles(&arrows(&[root, parent, using])).len(), 1);
    assert!(rules::circles(&arrows(&[root, parent, ("high/child.rs", "pub struct Child;")])).is_empty());
    assert!(rules::circles(&arrows(&[root, ("high/mod.rs", "mod child; pub struct Shared;"), using])).is_empty());
}

#[test]
fn imports_from_above_are_found() {
    let root = ("lib.rs", "mod low; mod high;");
    let low = ("low/mod.rs", "mod part; pub struct Low;");
    let files = [root, low, ("low/part.rs", "use crate::high::High;"), ("high.rs", "pub struct High;")];
    let found = rules::upward(&arrows(&files), &LAYERS);
    assert_eq!(found, ["  low/part.rs -> high.rs: High    (low is below high)"]);
    let files = [root, low, ("low/part.rs", "use super::Low;"), ("high.rs", "use crate::low::Low;")];
    assert!(rules::upward(&arrows(&files), &LAYERS).is_empty());
}
