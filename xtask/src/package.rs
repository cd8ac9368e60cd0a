//! `cargo xtask package`: the crates that can be published.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process::{cargo, root};

/// Where the packages are made and compiled.
const TARGET: &str = "target/packaging";

/// Packages format, runtime and trainer as they would be published, and compiles the first two from their packages. The
/// trainer's package is not compiled, because that would compile burn once more.
pub(crate) fn check() -> Result<()> {
    forget_earlier_packages()?;
    // Cargo has fetched all that it needs for the build.
    let package = ["package", "--quiet", "--locked", "--offline", "--allow-dirty", "--target-dir", TARGET];
    let package = [&package[..], &["-p", "edgemix-format", "-p", "edgemix-runtime"]].concat();
    cargo(&package)?;
    cargo(&[&package[..], &["-p", "edgemix", "--no-verify"]].concat())?;
    println!("format, runtime and trainer can be packaged; format and runtime compile from their packages");
    Ok(())
}

/// Removes what an earlier check left. Cargo takes a package of a registry to be the same for ever, so that it would
/// compile the runtime against the format of the day when this version was first packaged: it keeps the builds, and in
/// its home the unpacked sources.
fn forget_earlier_packages() -> Result<()> {
    remove(&root().join(TARGET))?;
    let home = env::var_os("CARGO_HOME").map(Into::into).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let sources = home.context("cargo's home is not known: set CARGO_HOME")?.join("registry/src");
    let registries = match fs::read_dir(&sources) {
        Ok(registries) => registries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| sources.display().to_string()),
    };
    for registry in registries {
        let registry = registry?.path();
        for name in ["edgemix-format", "edgemix-runtime"] {
            remove(&registry.join(format!("{name}-{}", env!("CARGO_PKG_VERSION"))))?;
        }
    }
    Ok(())
}

/// Removes a folder if it exists.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}
