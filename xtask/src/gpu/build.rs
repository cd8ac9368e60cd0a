//! The program with a backend for GPUs.

use anyhow::{Result, ensure};

use crate::process::cargo;

/// The backends, and the features of the trainer that have them.
const BACKENDS: [&str; 2] = ["cuda", "wgpu"];

/// Builds the program with a backend. Where nothing is timed, its own code is compiled without optimisations, which takes
/// less than half the time.
pub(super) fn build(backend: &str, is_timed: bool) -> Result<()> {
    ensure!(BACKENDS.contains(&backend), "there is no backend `{backend}`: give {}", BACKENDS.join(" or "));
    let features = format!("{backend},unfused");
    let mut arguments = ["build", "--release", "-p", "edgemix", "--features", &features].map(str::to_owned).to_vec();
    if !is_timed {
        for setting in ["opt-level=0", "debug=false"] {
            arguments.extend(["--config".to_owned(), format!("profile.release.package.edgemix.{setting}")]);
        }
    }
    cargo(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}
