//! What both targets do with their input: load it as a firmware would and, if it is a model, assign samples.

use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;

/// Bytes of RAM and number of operations above which a model is loaded but not run, to leave the time to the loader.
const MOST_RAM: usize = 1 << 16;
const MOST_SCORES: usize = 1 << 20;

/// Loads the bytes and assigns samples. Returns whether the bytes are a model.
pub fn exercise(bytes: &AlignedBytes) -> bool {
    let Ok(model) = Model::from_bytes(bytes) else { return false };
    let cost = model.n_components().saturating_mul(model.latent_len());
    let (file, most) = (model.file(), MOST_SCORES);
    if model.arena_len() > MOST_RAM || model.input_len() > MOST_RAM || cost > most || file.header.macs > most as u64 {
        return true;
    }
    let mut arena = AlignedBytes::zeroed(model.arena_len());
    // Two samples of extremes and one of the model's own bytes.
    let own: Vec<i16> = bytes.iter().map(|&b| i16::from(b) << 8).cycle().take(model.input_len()).collect();
    for raw in [vec![i16::MIN; model.input_len()], vec![i16::MAX; model.input_len()], own] {
        if let Ok(found) = model.assign_raw(&raw, &mut arena) {
            let cluster = found.cluster;
            assert!(usize::from(cluster) < model.n_clusters() && usize::from(found.component) < model.n_components());
            assert!((0.0..=1.01).contains(&found.posterior(cluster)));
        }
        let sample: Vec<f32> = raw.iter().map(|&x| f32::from(x) * 1e-2).collect();
        // Any result is fine here, as long as nothing panics.
        let _ = model.assign(&sample, &mut arena);
    }
    true
}
