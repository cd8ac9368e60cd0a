//! The program with a backend for GPUs.

use anyhow::{Result, ensure};

use crate::process::cargo;

/// The backends, and the features of the trainer that have them.
const BACKENDS: [&str; 2] = ["cuda", "wgpu"];

/// Builds the program with a backend.
pub(super) fn build(backend: &str) -> Result<()> {
    ensure!(BACKENDS.contains(&backend), "there is no backend `{backend}`: give {}", BACKENDS.join(" or "));
    cargo(&["build", "--release", "-p", "edgemix", "--features", &format!("{backend},unfused")])
}
