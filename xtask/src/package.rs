//! `cargo xtask package`: the crates that can be published.

use anyhow::Result;

use crate::process::cargo;

/// Packages format, runtime and trainer as they would be published, and compiles the first two from their packages. The
/// trainer's package is not compiled, because that would compile burn once more.
pub(crate) fn check() -> Result<()> {
    // Cargo has fetched all that it needs for the build.
    let package = [
        "package",
        "--quiet",
        "--locked",
        "--offline",
        "--allow-dirty",
        "-p",
        "edgemix-format",
        "-p",
        "edgemix-runtime",
    ];
    cargo(&package)?;
    cargo(&[&package[..], &["-p", "edgemix", "--no-verify"]].concat())?;
    println!("format, runtime and trainer can be packaged; format and runtime compile from their packages");
    Ok(())
}
