//! The folder that is carried to a machine with a GPU.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::build::build;
use crate::process::{program, root, run};

/// What runs the set from the folder.
const SCRIPT: &str = r#"#!/usr/bin/env bash
# Runs everything that must hold on this machine's GPU, within 10 minutes; the results are in OUT (default: ./results).
# Usage: ./run.sh [OUT [SECONDS]]
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
samples=(); [ -f "$here/samples.npz" ] && samples=(--samples "$here/samples.npz")
exec "$here/xtask" gpu-run BACKEND --program "$here/edgemix" --pytorch "$here/pytorch.py" --out "${1:-results}" \
    --seconds "${2:-600}" "${samples[@]}"
"#;

/// `cargo xtask gpu-bundle`: builds the programs and puts them and the samples into a folder.
pub(crate) fn bundle(backend: &str, folder: &Path, samples: Option<&Path>) -> Result<()> {
    ensure!(!folder.exists(), "{}: this is there already: give a new folder", folder.display());
    if let Some(samples) = samples {
        ensure!(samples.is_file(), "{}: there is no such file", samples.display());
    }
    build(backend, true)?;
    // Beside the folder first, so that a folder that is there is whole.
    let unfinished = PathBuf::from(format!("{}.unfinished", folder.display()));
    fs::create_dir_all(&unfinished).with_context(|| unfinished.display().to_string())?;
    let copy = |from: &Path, name: &str| {
        let to = unfinished.join(name);
        fs::copy(from, &to).with_context(|| format!("{} to {}", from.display(), to.display())).map(|_| to)
    };
    for (from, name) in [(root().join("target/release/edgemix"), "edgemix"), (std::env::current_exe()?, "xtask")] {
        let to = copy(&from, name)?;
        run(program("strip", &[]).arg(to.canonicalize()?))?;
    }
    copy(&root().join("bench/pytorch.py"), "pytorch.py")?;
    if let Some(samples) = samples {
        copy(samples, "samples.npz")?;
    }
    let script = unfinished.join("run.sh");
    fs::write(&script, SCRIPT.replace("BACKEND", backend)).with_context(|| script.display().to_string())?;
    run(program("chmod", &["+x"]).arg(script.canonicalize()?))?;
    fs::rename(&unfinished, folder).with_context(|| folder.display().to_string())?;
    println!("carry {} to the machine with the GPU, and run run.sh there", folder.display());
    Ok(())
}
