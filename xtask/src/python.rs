//! The Python package: its wheel, built here and tested where nothing of this checkout is.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::build_graph::PYTHON;
use crate::process::{cargo, exists, output, program, root, run};

/// The oldest Python that the wheel is for, as `python/pyproject.toml` says.
const OLDEST: (u32, u32) = (3, 11);

/// `cargo xtask python`: builds the wheel, installs it into a fresh environment, and runs its tests and its example there.
pub(crate) fn run_all() -> Result<()> {
    check_python()?;
    // What the tests compare with. Both share one build of the trainer.
    cargo(&["build", "--release", "-p", "edgemix", "--bins"])?;
    let folder = root().join("target/python");
    let wheel = wheel(&folder)?;

    // First without scikit-learn, which the package does not need.
    let fresh = Environment::new(&folder.join("fresh"))?;
    fresh.install(&[wheel.as_os_str(), OsStr::new("numpy")])?;
    fresh.python(&["-I", "-W", "error", "python/tests/alone.py"])?;
    fresh.install(&["scikit-learn", "onnxruntime", "pytest"])?;
    fresh.python(&["-m", "pytest", "--rootdir", "python", "python/tests"])?;
    // The scripts that make image sets need Python alone, but numpy reads what they write.
    fresh.python(&["-m", "pytest", "--rootdir", "bench", "bench"])?;
    fresh.python(&["-I", "python/examples/digits.py"])?;
    println!("{}: installed, tested, and its example run", wheel.display());
    Ok(())
}

/// Builds the wheel.
fn wheel(folder: &Path) -> Result<PathBuf> {
    let tools = Environment::new(&folder.join("tools"))?;
    tools.install(&["maturin"])?;
    let wheels = folder.join("wheels");
    if wheels.exists() {
        fs::remove_dir_all(&wheels).with_context(|| wheels.display().to_string())?;
    }
    // Of cargo's arguments for the module, maturin gives the package and the library itself.
    ensure!(PYTHON.contains(&"--release"), "the wheel is built as `cargo xtask build-graph` expects");
    let mut maturin = program(&tools.path("maturin"), &["build", "--release", "--locked", "--strip"]);
    maturin.args(["--manifest-path", "python/Cargo.toml", "--out"]).arg(&wheels);
    run(maturin.env("CARGO_TARGET_DIR", root().join("target")))?;
    let mut found = vec![];
    for entry in fs::read_dir(&wheels).with_context(|| wheels.display().to_string())? {
        found.push(entry?.path());
    }
    let [wheel] = &found[..] else { anyhow::bail!("{} has {} wheels", wheels.display(), found.len()) };
    Ok(wheel.clone())
}

/// A virtual environment, made anew.
struct Environment(PathBuf);

impl Environment {
    fn new(folder: &Path) -> Result<Self> {
        run(program("python3", &["-m", "venv", "--clear"]).arg(folder))?;
        Ok(Self(folder.to_owned()))
    }

    fn path(&self, name: &str) -> String {
        self.0.join("bin").join(name).display().to_string()
    }

    /// Installs packages in the versions of `python/pinned.txt`.
    fn install(&self, packages: &[impl AsRef<OsStr>]) -> Result<()> {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "python/pinned.txt"];
        run(program(&self.path("python"), &pip).args(packages))
    }

    /// Runs Python. `-I` and `--rootdir` keep the package of the checkout, which has no extension module, out of its sight.
    fn python(&self, arguments: &[&str]) -> Result<()> {
        let binary = root().join("target/release/edgemix");
        run(program(&self.path("python"), arguments).env("EDGEMIX_PROGRAM", binary))
    }
}

/// Checks that Python is there, and not too old.
fn check_python() -> Result<()> {
    let advice = format!("install Python {}.{} or newer, with its module venv", OLDEST.0, OLDEST.1);
    ensure!(exists("python3"), "python3 cannot be started: {advice}");
    let version = output(&mut program("python3", &["-c", "import sys, venv; print(*sys.version_info[:2])"]));
    let version = version.with_context(|| advice.clone())?;
    let found = parse(&version).with_context(|| format!("python3 says `{}` of its version", version.trim()))?;
    ensure!(found >= OLDEST, "python3 is {}.{}: {advice}", found.0, found.1);
    Ok(())
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse("3 11\n"), Some((3, 11)));
        assert!(parse("3 9").unwrap() < OLDEST && parse("3 100").unwrap() > OLDEST);
        assert_eq!(parse("three"), None);
    }

    #[test]
    fn the_package_says_which_python_it_is_for() {
        let text = fs::read_to_string(root().join("python/pyproject.toml")).unwrap();
        assert!(text.contains(&format!("requires-python = \">={}.{}\"", OLDEST.0, OLDEST.1)));
        let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(workspace.contains(&format!("abi3-py{}{}", OLDEST.0, OLDEST.1)));
    }
}
