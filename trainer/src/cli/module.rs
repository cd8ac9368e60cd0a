//! `edgemix export --rust`: a model as a module of a firmware.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use edgemix_format::write::AlignedBytes;

use super::{CliError, evaluate, inspect};
use crate::data::Samples;
use crate::run::write_whole;

/// Refuses names that are not one for each cluster.
pub(super) fn check_names(names: &[String], n_clusters: usize) -> Result<(), CliError> {
    if names.is_empty() || names.len() == n_clusters {
        return Ok(());
    }
    let found = names.len();
    Err(CliError::Use(format!("--names: {found} names for {n_clusters} clusters: there must be one for each")))
}

/// Writes `model.rs` beside the `model.emx` that lies in `folder`.
pub(super) fn write(folder: &Path, names: &[String]) -> Result<(), CliError> {
    let path = folder.join("model.emx");
    let bytes = evaluate::model_bytes(&path)?;
    let model = evaluate::model(&path, &bytes)?;
    let n_clusters = model.n_clusters();
    let (name, method) = (&model.file().name, &model.file().method);
    let (flash, ram, macs) = (bytes.len(), model.arena_len(), inspect::macs(model.file()));
    let n_inputs = model.input_len();
    let mut text = format!(
        "//! {name:?}: {n_clusters} clusters by {method}, exported by edgemix {version}; not to be edited.
//!
//! {flash} bytes of flash, {ram} bytes of RAM, {macs} multiply-accumulates a sample.
#![allow(dead_code)] // Not every firmware needs all of it.

/// The model; `edgemix_runtime::Model::from_bytes` checks it, once.
pub static MODEL: &[u8] = edgemix_runtime::include_model!(\"model.emx\");

/// Values in a sample.
pub const INPUT_LEN: usize = {n_inputs};

/// Bytes of the workspace.
pub const ARENA: usize = {ram};

/// Number of clusters.
pub const N_CLUSTERS: usize = {n_clusters};
",
        version = env!("CARGO_PKG_VERSION"),
    );
    if !names.is_empty() {
        // Writing to a String can't fail.
        let _ = write!(text, "\n/// The clusters' names.\npub const NAMES: [&str; N_CLUSTERS] = {names:?};\n");
    }
    text.push_str(
        "
// A model.emx that was replaced by another one is noticed here.
const _: () = assert!(edgemix_runtime::arena_len(MODEL) == ARENA && edgemix_runtime::input_len(MODEL) == INPUT_LEN);
",
    );
    let path = folder.join("model.rs");
    write_whole(&path, text.as_bytes()).map_err(CliError::io(&path))
}

/// Writes `samples.rs`: `n` samples, evenly from all, or all if there are fewer, as raw counts, and the clusters that the
/// host's integers find. How many they are.
pub(super) fn write_samples(folder: &Path, samples: &Samples, n: usize) -> Result<usize, CliError> {
    let path = folder.join("model.emx");
    let bytes = evaluate::model_bytes(&path)?;
    let model = evaluate::model(&path, &bytes)?;
    let mut workspace = AlignedBytes::zeroed(model.arena_len());
    let (mut rows, mut clusters) = (String::new(), vec![]);
    let n = n.min(samples.n_samples());
    let every: Vec<usize> = (0..n).map(|i| i * samples.n_samples() / n).collect();
    for sample in samples.select(&every)?.chunks(1) {
        let sample = sample?;
        let raw: Vec<i16> = sample.iter().map(|x| (x / model.file().input.count).round() as i16).collect();
        let found = model.assign_raw(&raw, &mut workspace);
        clusters.push(found.map_err(|error| CliError::Use(format!("{}: {error}", path.display())))?.cluster);
        // Writing to a String can't fail.
        let _ = writeln!(rows, "    {raw:?},");
    }
    let text = format!(
        "//! Samples of {name:?} in raw counts, and what they are on the host; not to be edited.

/// Raw counts, as the sensor gives them.
pub static SAMPLES: [[i16; {inputs}]; {n}] = [
{rows}];

/// Each one's cluster.
pub static CLUSTERS: [u16; {n}] = {clusters:?};
",
        name = samples.name(),
        inputs = model.input_len(),
        n = clusters.len(),
    );
    let path = folder.join("samples.rs");
    write_whole(&path, text.as_bytes()).map_err(CliError::io(&path))?;
    Ok(n)
}

/// The folder, made if it is not there.
pub(super) fn folder(path: &Path) -> Result<(), CliError> {
    fs::create_dir_all(path).map_err(CliError::io(path))
}
