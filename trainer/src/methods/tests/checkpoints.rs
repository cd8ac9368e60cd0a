//! Stopping, resuming, and the checkpoints that are refused.

use burn::backend::{Autodiff, Flex};

use super::setup::{FEATURES, GROUPS, Log, Memory, blobs, config, fit, fitted, searching, variational};
use crate::data::Samples;
use crate::methods::FitConfig;
use crate::nn::Architecture;
use crate::stop::StopFlag;
use crate::training::{CheckpointMismatch, EpochReport, FitError, Observer};

#[test]
fn a_run_stopped_anywhere_goes_on_to_the_same_bits() {
    let names = ["alpha-jsd", "kld", "abc", "idec", "dcn", "dcan", "adaptive-gmm", "vade", "depict", "k-dvae", "k-dae"];
    for config in names.map(config).into_iter().chain([variational("alpha-jsd"), searching()]) {
        let (mut all, mut epochs) = (Memory::default(), Log::default());
        let whole = fitted::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut all, &mut epochs).unwrap();
        // Checkpoints are written at every second epoch and at the end of a phase.
        for stop_after in 1..all.saves {
            let mut store = Memory { stop_after: Some(stop_after), ..Memory::default() };
            let go = |store: &mut Memory, log: &mut Log| {
                fitted::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, store, log)
            };
            let stopped = go(&mut store, &mut Log::default());
            assert!(matches!(stopped, Err(FitError::Checkpoint { doing: "written", .. })));
            store.stop_after = None;
            let mut log = Log::default();
            let resumed = go(&mut store, &mut log).unwrap();
            assert_eq!(resumed.trained, whole.trained, "{} after {stop_after}", config.method.name());
            assert_eq!(resumed.latent_history(), whole.latent_history(), "{} after {stop_after}", config.method.name());
            assert!(log.0.len() < epochs.0.len(), "epochs before the checkpoint were trained again");
        }
    }
}

/// Raises its flag when a search for clusters begins.
#[derive(Default)]
struct StopsSearch(StopFlag);

impl Observer for StopsSearch {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochReport) {}
    fn activity(&mut self, name: &str) {
        if name == "finding clusters" || name == "last fit of the clusters" {
            self.0.raise();
        }
    }
    fn stop_flag(&self) -> StopFlag {
        self.0.clone()
    }
}

#[test]
fn a_search_that_was_cut_short_is_made_again_to_the_same_bits() {
    let go = |store: &mut Memory, observer: &mut dyn Observer| {
        fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config("grow"), store, observer)
    };
    let whole = go(&mut Memory::default(), &mut ()).unwrap();
    let mut store = Memory::default();
    assert!(matches!(go(&mut store, &mut StopsSearch::default()), Err(FitError::Stopped(_))));
    // Nothing that the search had found so far was kept.
    assert_eq!(go(&mut store, &mut ()).unwrap(), whole);
    // The checkpoint is now the one before the last fit.
    assert!(matches!(go(&mut store, &mut StopsSearch::default()), Err(FitError::Stopped(_))));
    assert_eq!(go(&mut store, &mut ()).unwrap(), whole);
}

#[test]
fn checkpoints_of_other_runs_and_damaged_ones_are_refused() {
    let config = config("abc");
    let mut store = Memory { stop_after: Some(2), ..Memory::default() };
    let device = Default::default();
    assert!(fit::<Autodiff<Flex>>(&device, &blobs(), &config, &mut store, &mut ()).is_err());
    let refused = |config: &FitConfig, samples: &Samples, kept: Vec<u8>| {
        let mut store = Memory { kept: Some(kept), ..Memory::default() };
        match fit::<Autodiff<Flex>>(&device, samples, config, &mut store, &mut ()) {
            Err(FitError::Mismatch(mismatch)) => mismatch,
            other => panic!("{other:?}"),
        }
    };
    let kept = store.kept.unwrap();
    let wider = FitConfig { encoder: Architecture::dense(&[17, 3]), ..config.clone() };
    assert!(matches!(refused(&wider, &blobs(), kept.clone()), CheckpointMismatch::Settings));
    let mut others = blobs().all().unwrap().into_owned();
    others[0] += 1.0;
    let others = Samples::new("blobs", others, FEATURES);
    assert!(matches!(refused(&config, &others, kept.clone()), CheckpointMismatch::Samples));
    for at in (0..kept.len()).step_by(997) {
        let mut damaged = kept.clone();
        damaged[at] ^= 1;
        assert!(matches!(refused(&config, &blobs(), damaged), CheckpointMismatch::Damaged));
        assert!(matches!(refused(&config, &blobs(), kept[..at].to_vec()), CheckpointMismatch::Damaged));
    }
    // A checkpoint is accepted by a run that writes checkpoints at another interval.
    let mut store = Memory { kept: Some(kept), ..Memory::default() };
    let rarer = FitConfig { checkpoint_every: 7, ..config };
    assert!(fit::<Autodiff<Flex>>(&device, &blobs(), &rarer, &mut store, &mut ()).is_ok());
}

/// The weights of sticks before pruning are kept, even if the run is resumed after they were found.
#[test]
fn sticks_are_those_before_pruning() {
    let sticks = |config: &FitConfig, store: &mut Memory| {
        fitted::<Autodiff<Flex>>(&Default::default(), &blobs(), config, store, &mut ())
            .map(|fitted| fitted.stick_weights().map(<[f64]>::to_vec))
    };
    for name in ["alpha-jsd", "dpm"] {
        let weights = sticks(&config(name), &mut Memory::default()).unwrap().unwrap();
        assert!(weights.len() >= GROUPS, "{name}");
        assert!(weights.iter().sum::<f64>() < 1.0 && weights.iter().all(|&w| w > 0.0), "{name}");
    }
    assert!(sticks(&config("abc"), &mut Memory::default()).unwrap().is_none());
    // Seven checkpoints of reconstruction, one of the second epoch with clusters.
    let mut stopped = Memory { stop_after: Some(7), ..Memory::default() };
    assert!(sticks(&config("alpha-jsd"), &mut stopped).is_err());
    stopped.stop_after = None;
    assert_eq!(
        sticks(&config("alpha-jsd"), &mut stopped).unwrap(),
        sticks(&config("alpha-jsd"), &mut Memory::default()).unwrap()
    );
}
