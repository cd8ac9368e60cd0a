//! Fits that start from the autoencoder of another fit.

use std::path::PathBuf;

use burn::backend::{Autodiff, Flex};

use super::setup::{Log, Memory, blobs, config, fit, variational};
use crate::data::Samples;
use crate::methods::FitConfig;
use crate::nn::Architecture;
use crate::trained::Trained;
use crate::training::{CheckpointMismatch, FitError};

/// The settings, with an autoencoder to start from.
fn starting(config: FitConfig) -> FitConfig {
    FitConfig { start_from: Some(PathBuf::from("another run")), ..config }
}

fn fit_with(config: &FitConfig, samples: &Samples, store: &mut Memory, log: &mut Log) -> Result<Trained, FitError> {
    fit::<Autodiff<Flex>>(&Default::default(), samples, config, store, log)
}

/// The autoencoder that a method keeps.
fn kept(config: &FitConfig) -> Vec<u8> {
    let mut store = Memory::default();
    fit_with(config, &blobs(), &mut store, &mut Log::default()).unwrap();
    store.autoencoder.unwrap()
}

#[test]
fn a_fit_from_its_own_autoencoder_is_the_same_without_a_reconstruction() {
    let names = ["ae-gmm", "grow", "idec", "dcn", "dcan", "adaptive-gmm", "vade", "depict", "k-dvae"];
    for config in names.map(config) {
        let name = config.method.name();
        let (mut whole, mut epochs) = (Memory::default(), Log::default());
        let expected = fit_with(&config, &blobs(), &mut whole, &mut epochs).unwrap();
        assert!(epochs.0.iter().any(|report| report.phase == "reconstruct"), "{name}");
        let mut store = Memory { autoencoder: whole.autoencoder, ..Memory::default() };
        let mut log = Log::default();
        assert_eq!(fit_with(&starting(config), &blobs(), &mut store, &mut log).unwrap(), expected, "{name}");
        assert!(log.0.iter().all(|report| report.phase != "reconstruct"), "{name}");
    }
}

#[test]
fn methods_start_from_each_others_autoencoders_variational_or_not() {
    let plain = kept(&config("ae-kmeans"));
    let wide = kept(&variational("alpha-jsd"));
    for (autoencoder, names) in [(&plain, ["vade", "kld", "grow"]), (&wide, ["idec", "ae-gmm", "depict"])] {
        for name in names {
            let mut store = Memory { autoencoder: Some(autoencoder.clone()), ..Memory::default() };
            let mut log = Log::default();
            let trained = fit_with(&starting(config(name)), &blobs(), &mut store, &mut log).unwrap();
            assert_eq!(trained.head.n_dims(), 3, "{name}");
            assert!(log.0.iter().all(|report| report.phase != "reconstruct"), "{name}");
        }
    }
    // What was learned is what a fit without epochs of its own has.
    let mut store = Memory { autoencoder: Some(plain), ..Memory::default() };
    let started = fit_with(&starting(config("ae-kmeans")), &blobs(), &mut store, &mut Log::default()).unwrap();
    let learned = fit_with(&config("ae-kmeans"), &blobs(), &mut Memory::default(), &mut Log::default()).unwrap();
    assert_eq!(started, learned);
}

#[test]
fn autoencoders_of_other_samples_or_layers_and_damaged_ones_are_refused() {
    let autoencoder = kept(&config("abc"));
    let refused = |config: &FitConfig, samples: &Samples, autoencoder: Option<Vec<u8>>| {
        let mut store = Memory { autoencoder, ..Memory::default() };
        match fit_with(&starting(config.clone()), samples, &mut store, &mut Log::default()) {
            Err(FitError::Mismatch(mismatch)) => mismatch,
            other => panic!("{other:?}"),
        }
    };
    let other = FitConfig { encoder: Architecture::dense(&[17, 3]), ..config("grow") };
    let mismatch = refused(&other, &blobs(), Some(autoencoder.clone()));
    assert_eq!(mismatch.to_string(), "its encoder has the layers 6-16-3, this one has 6-17-3");
    let mut others = blobs().all().unwrap().into_owned();
    others[0] += 1.0;
    let others = Samples::new("blobs", others, blobs().n_features());
    assert!(matches!(refused(&config("grow"), &others, Some(autoencoder.clone())), CheckpointMismatch::Samples));
    assert!(matches!(refused(&config("grow"), &blobs(), None), CheckpointMismatch::Missing));
    for at in (0..autoencoder.len()).step_by(499) {
        let mut damaged = autoencoder.clone();
        damaged[at] ^= 1;
        assert!(matches!(refused(&config("grow"), &blobs(), Some(damaged)), CheckpointMismatch::Damaged));
    }
    let features_alone = FitConfig { encoder: Architecture::default(), ..config("dpm") };
    let error = fit_with(&starting(features_alone), &blobs(), &mut Memory::default(), &mut Log::default());
    assert!(matches!(error, Err(FitError::Setting { setting, .. }) if setting == "start-from"));
}
