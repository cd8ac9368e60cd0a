//! Building the static library.

use std::path::PathBuf;

use anyhow::Result;

use crate::cores::Core;
use crate::process::{program, root, run};
use crate::setup;

/// Which kinds of models the library can run.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Features {
    /// All.
    All,
    /// Dense layers with ReLUs, and spherical or diagonal mixtures.
    None,
    /// The same, with a function that can panic.
    ReachablePanic,
}

const NAME: &str = "libedgemix_c.a";
const BUILD: [&str; 5] = ["rustc", "--locked", "--package=edgemix-c", "--crate-type=staticlib", "--quiet"];

/// The library for a core.
pub(super) fn for_core(core: &Core, features: Features) -> Result<PathBuf> {
    let mut cargo = setup::cargo()?;
    // With the flags of the benchmark's firmware, which a static library has no use for, both share one build of `core`.
    cargo.current_dir(root().join("bench/firmware")).args(BUILD);
    cargo.args(["--manifest-path=../../c-api/Cargo.toml", "--profile=small", "--target", core.target]);
    match features {
        Features::All => cargo.args(["--features", core.features]),
        Features::None => cargo.arg("--no-default-features"),
        Features::ReachablePanic => cargo.args(["--no-default-features", "--features", "reachable-panic"]),
    };
    run(&mut cargo)?;
    Ok(root().join("target/firmware").join(core.target).join("small").join(NAME))
}

/// The library for the host, with checks of overflow and debug assertions.
pub(super) fn for_host() -> Result<PathBuf> {
    run(program("cargo", &BUILD).arg("--profile=dev"))?;
    Ok(root().join("target/debug").join(NAME))
}
