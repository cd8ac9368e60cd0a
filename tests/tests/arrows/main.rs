//! Which crate, layer and file may use which.
//!
//! Three rules: a crate depends only on those that `CRATES` lists for it; a file of the trainer imports only from its own
//! layer or from one below (`LAYERS`); and no imports between files of one crate form a circle.
//!
//! An import is an arrow from the file with the `use`, or with the path in its code, to the file that defines the name.
//! Re-exports are followed: a `pub use` is a façade and no arrow. Code for tests is exempt.

mod examples;
mod names;
mod rules;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rules::Layer;
use toml::Table;

/// Each package, where it lies, and the packages of this project that it may depend on.
const CRATES: [(&str, &str, &[&str]); 10] = [
    ("edgemix-format", "format", &[]),
    ("edgemix-runtime", "runtime", &["edgemix-format"]),
    ("edgemix", "trainer", &["edgemix-format", "edgemix-runtime"]),
    ("edgemix-c", "c-api", &["edgemix-runtime"]),
    ("edgemix-python", "python", &["edgemix", "edgemix-runtime"]),
    ("edgemix-tests", "tests", &["edgemix", "edgemix-format", "edgemix-runtime"]),
    ("xtask", "xtask", &[]),
    // The build script of its update example makes and signs the models of the test.
    ("firmware-example", "firmware-example", &["edgemix-format", "edgemix-runtime"]),
    ("bench-firmware", "bench/firmware", &["edgemix-format", "edgemix-runtime"]),
    ("edgemix-fuzz", "fuzz", &["edgemix-format", "edgemix-runtime"]),
];

/// The layers of the trainer, from below.
const LAYERS: [Layer; 12] = [
    ("base", &["base"]),
    ("data", &["data"]),
    ("front end", &["front_end"]),
    ("networks and mixtures", &["nn", "mixture", "trained", "divergence"]),
    ("import", &["import"]),
    ("training", &["training"]),
    ("methods", &["methods", "device"]),
    ("quantisation and assessment", &["quantize", "assessment"]),
    ("run", &["run"]),
    ("workflow", &["workflow"]),
    ("report", &["report"]),
    ("program", &["cli", "lib", "main"]),
];

/// Folders whose circles are still to be untied: none may be added.
const TO_UNTIE: [&str; 0] = [];

/// Imports from above that are still to be mended: none may be added.
const TO_MEND: [&str; 0] = [];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The arrows between the files of the crate in a folder.
fn arrows_of(folder: &str, file: &str) -> names::Arrows {
    let files = sources::read(&root().join(folder).join("src"));
    names::arrows(sources::modules(&files, file))
}

/// The dependencies in a manifest that are packages of this project; those of its tests aside.
fn dependencies(manifest: &Table) -> BTreeSet<&str> {
    let targets = manifest.get("target").and_then(|targets| targets.as_table());
    let tables =
        std::iter::once(manifest).chain(targets.into_iter().flatten().filter_map(|(_, table)| table.as_table()));
    let sections = tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|section| table.get(section)));
    let names = sections.flatten().filter_map(|section| section.as_table()).flat_map(|section| section.keys());
    names.map(String::as_str).filter(|name| CRATES.iter().any(|(package, ..)| package == name)).collect()
}

#[test]
fn a_crate_depends_only_on_those_below() {
    for (package, folder, allowed) in CRATES {
        let path = root().join(folder).join("Cargo.toml");
        let manifest: Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(package), "{}", path.display());
        let mut found = dependencies(&manifest);
        if package == "edgemix-tests" {
            // All that it has are tests.
            found.extend(manifest["dev-dependencies"].as_table().unwrap().keys().map(String::as_str));
            found.retain(|name| CRATES.iter().any(|(package, ..)| package == name));
        }
        found.retain(|name| !allowed.contains(name));
        assert!(found.is_empty(), "{package} may not depend on {found:?}: see `CRATES` in {}", file!());
    }
}

#[test]
fn no_files_import_from_each_other_in_a_circle() {
    let crates = [
        ("format", "lib.rs"),
        ("runtime", "lib.rs"),
        ("trainer", "lib.rs"),
        ("python", "lib.rs"),
        ("xtask", "main.rs"),
    ];
    let mut circles = vec![];
    for (folder, file) in crates {
        let arrows = arrows_of(folder, file);
        assert!(arrows.len() > 10, "{folder}: hardly any imports were found");
        circles.extend(rules::circles(&arrows).into_iter().map(|circle| format!("{folder}/src:\n{circle}")));
    }
    for circle in &circles {
        println!("{circle}");
    }
    circles.retain(|circle| {
        let (folder, first) = circle.split_once(":\n  ").unwrap();
        !TO_UNTIE.iter().any(|known| format!("{folder}/{first}").starts_with(known))
    });
    assert!(circles.is_empty(), "move what both files need to a third file:\n{}", circles.join("\n"));
}

#[test]
fn no_file_of_the_trainer_imports_from_a_layer_above() {
    let files = sources::read(&root().join("trainer/src"));
    let homeless: Vec<&PathBuf> = files.keys().filter(|file| rules::layer_of(&LAYERS, file).is_none()).collect();
    assert!(homeless.is_empty(), "these files belong to no layer in {}: {homeless:?}", file!());
    let mut upward = rules::upward(&names::arrows(sources::modules(&files, "lib.rs")), &LAYERS);
    for line in &upward {
        println!("{line}");
    }
    upward.retain(|line| !TO_MEND.iter().any(|known| line.trim_start().starts_with(known)));
    assert!(upward.is_empty(), "imports from layers above:\n{}", upward.join("\n"));
}
