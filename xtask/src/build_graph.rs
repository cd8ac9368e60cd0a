//! `cargo run --release` and `cargo xtask test` compile every crate once.
//!
//! Cargo chooses the features of a dependency for each command, from the packages that the command selects and from the
//! dependencies of their tests. Where two commands disagree about one feature of one package, everything that depends on
//! that package is compiled twice, including burn. Cargo's unit graph lists what a command would compile, without
//! compiling it; two units are one compilation if they and everything below them are equal.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::{output, program};

/// The packages whose tests need burn, and their features. The tests of format and runtime are another command: they ask
/// for generated models, which would compile the trainer again.
pub(crate) const TRAINER_TESTS: &[&str] =
    &["--release", "-p", "edgemix", "-p", "edgemix-tests", "--features", "edgemix-tests/emulator"];

/// The example of the library.
pub(crate) const EXAMPLE: &[&str] = &["--release", "-p", "edgemix", "--example", "own_data"];

/// The extension module of the Python package.
pub(crate) const PYTHON: &[&str] = &["--release", "-p", "edgemix-python", "--lib"];

/// The commands that must not compile what the tests have compiled. A program is built from the same units as it is run
/// from, and only `cargo build` prints them.
const OTHERS: [(&str, &[&str]); 3] = [
    ("cargo run --release", &["--release", "--bins"]),
    ("cargo run --release -p edgemix --example own_data", EXAMPLE),
    ("cargo xtask python", PYTHON),
];

/// A crate to compile: a library, a build script, or the run of one.
struct Unit {
    /// The package's identifier, such as `registry+https://...#burn@0.21.0`.
    package: String,
    /// Kind, name, mode and platform: what a package has several units of.
    role: String,
    /// What two commands may disagree about.
    settings: String,
    /// A digest of the unit and of all units that it depends on.
    digest: u64,
}

/// `cargo xtask build-graph`: compares the unit graphs.
pub(crate) fn check() -> Result<()> {
    let tests = units("test", TRAINER_TESTS)?;
    let mut complaints = vec![];
    for (name, arguments) in OTHERS {
        let other = units("build", arguments)?;
        let again = compiled_again(&tests, &other);
        if again.is_empty() {
            let own = other.iter().filter(|unit| !is_known(&tests, unit)).count();
            println!(
                "`{name}` and `cargo xtask test` share {} of the former's {} units",
                other.len() - own,
                other.len()
            );
        } else {
            complaints.push(format!("`{name}` compiles {} of its {} units again:", again.len(), other.len()));
            complaints.extend(disagreements(&tests, &again));
        }
    }
    ensure!(
        complaints.is_empty(),
        "{}\nlet trainer/Cargo.toml ask for the features that differ, as it does for byteorder",
        complaints.join("\n")
    );
    Ok(())
}

/// The units that cargo would compile for a command.
fn units(command: &str, arguments: &[&str]) -> Result<Vec<Unit>> {
    let mut cargo = program("cargo", &[command]);
    cargo.args(arguments);
    // The unit graph is an unstable option. Nothing is compiled, so the variable reaches no compiler.
    cargo.args(["--unit-graph", "-Z", "unstable-options"]).env("RUSTC_BOOTSTRAP", "1");
    parse(&serde_json::from_str(&output(&mut cargo)?)?)
}

fn parse(graph: &Value) -> Result<Vec<Unit>> {
    let units = graph["units"].as_array().context("cargo's unit graph has no units")?;
    let mut digests = vec![None; units.len()];
    let mut parsed = vec![];
    for (index, unit) in units.iter().enumerate() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let role = [&unit["target"]["kind"], &unit["target"]["name"], &unit["mode"], &unit["platform"]];
        parsed.push(Unit {
            package: text(&unit["pkg_id"]),
            role: role.map(Value::to_string).join(" "),
            settings: settings(unit),
            digest: digest(units, index, &mut digests)?,
        });
    }
    Ok(parsed)
}

/// Features and the profile without its name, which alone does not make another compilation.
fn settings(unit: &Value) -> String {
    let mut profile = unit["profile"].clone();
    if let Some(profile) = profile.as_object_mut() {
        profile.remove("name");
    }
    format!("features {}, profile {profile}", unit["features"])
}

/// The digest of a unit, from those of its dependencies; `known` has those that were taken before.
fn digest(units: &[Value], index: usize, known: &mut [Option<u64>]) -> Result<u64> {
    if let Some(digest) = known[index] {
        return Ok(digest);
    }
    let unit = &units[index];
    let mut below = vec![];
    for dependency in unit["dependencies"].as_array().context("a unit without a list of dependencies")? {
        let index = dependency["index"].as_u64().context("a dependency without an index")? as usize;
        ensure!(index < units.len(), "a dependency that is not in the graph");
        below.push(digest(units, index, known)?);
    }
    below.sort_unstable();
    let mut hasher = DefaultHasher::new();
    (below, unit["pkg_id"].as_str(), unit["target"].to_string()).hash(&mut hasher);
    (unit["mode"].to_string(), unit["platform"].to_string(), settings(unit)).hash(&mut hasher);
    known[index] = Some(hasher.finish());
    Ok(hasher.finish())
}

/// Whether `first` has a unit of this package, however it is compiled there.
fn is_known(first: &[Unit], unit: &Unit) -> bool {
    first.iter().any(|known| known.package == unit.package)
}

/// The units of `other` that `first` has in another way. What is of packages that `first` does not have at all is compiled once.
fn compiled_again<'a>(first: &[Unit], other: &'a [Unit]) -> Vec<&'a Unit> {
    let digests: BTreeSet<u64> = first.iter().map(|unit| unit.digest).collect();
    other.iter().filter(|unit| !digests.contains(&unit.digest) && is_known(first, unit)).collect()
}

/// A line for each unit that is compiled again on its own account, not only because of what it depends on.
fn disagreements(first: &[Unit], again: &[&Unit]) -> Vec<String> {
    let mut settings: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for unit in first {
        settings.entry((&unit.package, &unit.role)).or_default().insert(&unit.settings);
    }
    let mut lines = vec![];
    for unit in again {
        let there = settings.get(&(&*unit.package, &*unit.role));
        if !there.is_some_and(|there| there.contains(&*unit.settings)) {
            let there = there.map_or_else(Vec::new, |there| there.iter().copied().collect());
            let there = if there.is_empty() { "not compiled".to_owned() } else { there.join("; ") };
            let package = unit.package.rsplit('#').next().unwrap_or(&unit.package);
            lines.push(format!("  {package} {}: {}\n    for the tests: {there}", unit.role, unit.settings));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// burn, which depends on serde with these features.
    fn graph(features: &[&str]) -> Vec<Unit> {
        let unit = |name: &str, features: &[&str], dependencies: Value| {
            json!({
                "pkg_id": format!("registry+index#{name}@1.0.0"), "target": { "kind": ["lib"], "name": name },
                "profile": { "name": "release", "opt_level": "3" }, "platform": null, "mode": "build",
                "features": features, "dependencies": dependencies,
            })
        };
        let burn = unit("burn", &[], json!([{ "index": 1 }]));
        parse(&json!({ "units": [burn, unit("serde", features, json!([]))] })).unwrap()
    }

    #[test]
    fn equal_graphs_are_compiled_once() {
        assert!(compiled_again(&graph(&["std"]), &graph(&["std"])).is_empty());
        // What only the other one compiles is compiled once, too.
        assert!(compiled_again(&graph(&["std"])[1..], &graph(&["std"])).is_empty());
    }

    #[test]
    fn another_feature_of_a_dependency_compiles_its_dependents_again() {
        let (tests, run) = (graph(&["alloc", "std"]), graph(&["std"]));
        let again = compiled_again(&tests, &run);
        assert_eq!(again.len(), 2);
        let lines = disagreements(&tests, &again);
        assert_eq!(lines.len(), 1, "burn itself is as it was");
        assert!(lines[0].contains("serde@1.0.0") && lines[0].contains(r#"["alloc","std"]"#), "{}", lines[0]);
    }
}
