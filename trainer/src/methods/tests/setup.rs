//! Samples, settings and a store of checkpoints for the tests of the methods.

use std::io;

use burn::tensor::backend::AutodiffBackend;

use crate::data::Samples;
use crate::methods::{FitConfig, MethodConfig};
use crate::nn::Architecture;
use crate::random::{normal, stream};
use crate::trained::Trained;
use crate::training::{self, CheckpointStore, EpochReport, FitError, Fitted, Observer, PhaseSettings};

pub(super) const GROUPS: usize = 4;
pub(super) const FEATURES: usize = 6;

/// 60 samples around each of four corners of a hypercube, in order.
pub(super) fn blobs() -> Samples {
    let noise = normal(60 * GROUPS * FEATURES, &mut stream(11, "blobs", 0));
    let centered = noise.chunks(FEATURES).enumerate().flat_map(|(i, row)| {
        let group = i / 60;
        row.iter().enumerate().map(move |(d, x)| 0.3 * x + if d % GROUPS == group { 6.0 } else { 0.0 })
    });
    Samples::new("blobs", centered.collect(), FEATURES)
}

pub(super) fn config(method: &str) -> FitConfig {
    let mut method = MethodConfig::named(method).unwrap();
    match &mut method {
        MethodConfig::AlphaJsd(method) => method.mixture.truncation = 8,
        MethodConfig::Dpm(method) => method.mixture.truncation = 8,
        other => other.set_n_clusters(GROUPS),
    }
    // Blobs that lie apart in the noise of a variational autoencoder need more epochs.
    let epochs = if matches!(method, MethodConfig::VaeKMeans(_)) { 40 } else { 12 };
    FitConfig {
        encoder: Architecture::dense(&[16, 3]),
        batch_size: 32,
        learning_rate: 3e-3,
        checkpoint_every: 2,
        reconstruction: PhaseSettings::with_epochs(epochs),
        clustering: PhaseSettings::with_epochs(5),
        method,
        ..FitConfig::default()
    }
}

pub(super) fn fitted<B: AutodiffBackend>(
    device: &B::Device,
    samples: &Samples,
    config: &FitConfig,
    store: &mut dyn CheckpointStore,
    observer: &mut dyn Observer,
) -> Result<Fitted, FitError> {
    let checked = config.check(samples)?;
    training::fit::<B>(device, samples, &checked.plan, &checked.method, store, observer)
}

pub(super) fn fit<B: AutodiffBackend>(
    device: &B::Device,
    samples: &Samples,
    config: &FitConfig,
    store: &mut dyn CheckpointStore,
    observer: &mut dyn Observer,
) -> Result<Trained, FitError> {
    Ok(fitted::<B>(device, samples, config, store, observer)?.trained)
}

/// A configuration that searches for clusters several times while the encoder learns.
pub(super) fn searching() -> FitConfig {
    let mut config = config("grow");
    if let MethodConfig::Grow(method) = &mut config.method {
        method.searches = 3;
    }
    config
}

pub(super) fn variational(name: &str) -> FitConfig {
    let mut config = config(name);
    match &mut config.method {
        MethodConfig::AlphaJsd(method) => method.vae = true,
        MethodConfig::Kld(method) => method.vae = true,
        _ => {}
    }
    config
}

pub(super) fn run<B: AutodiffBackend>(config: &FitConfig) -> Trained {
    fit::<B>(&Default::default(), &blobs(), config, &mut (), &mut ()).unwrap()
}

/// A store that fails after `stop_after` checkpoints, as if the run were killed there.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) kept: Option<Vec<u8>>,
    pub(super) autoencoder: Option<Vec<u8>>,
    pub(super) saves: usize,
    pub(super) stop_after: Option<usize>,
}

impl CheckpointStore for Memory {
    fn save(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.stop_after == Some(self.saves) {
            return Err(io::Error::other("stopped"));
        }
        self.saves += 1;
        self.kept = Some(bytes.to_vec());
        Ok(())
    }

    fn load(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.kept.clone())
    }

    fn save_autoencoder(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.autoencoder = Some(bytes.to_vec());
        Ok(())
    }

    fn load_autoencoder(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.autoencoder.clone())
    }
}

#[derive(Default)]
pub(super) struct Log(pub(super) Vec<EpochReport>, pub(super) Vec<(String, usize, usize)>);

impl Observer for Log {
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize) {
        self.1.push((name.into(), epoch, epochs));
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.0.push(report.clone());
    }
}

/// Whether no cluster has samples of two blobs.
pub(super) fn tells_blobs_apart(trained: &Trained) -> bool {
    let found = trained.assign(&blobs()).unwrap();
    let group = |cluster: u16| -> Vec<usize> {
        let members = (0..found.len()).filter(|&i| found[i] == cluster);
        let mut groups: Vec<usize> = members.map(|i| i / 60).collect();
        groups.dedup();
        groups
    };
    (0..trained.head.n_clusters() as u16).all(|c| group(c).len() <= 1)
}
