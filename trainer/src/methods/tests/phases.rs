//! Phases follow their settings.

use burn::backend::{Autodiff, Flex};

use super::setup::{GROUPS, Log, blobs, config, fitted};
use crate::methods::{FitConfig, MethodConfig};
use crate::nn::Optimizer;
use crate::trained::Head;
use crate::training::{EpochReport, Epochs, FitError, Fitted, Interval, Observer, PhaseSettings, RateSchedule};

fn run(config: &FitConfig, observer: &mut dyn Observer) -> Fitted {
    fitted::<Autodiff<Flex>>(&Default::default(), &blobs(), config, &mut (), observer).unwrap()
}

#[test]
fn descent_with_momentum_and_a_stepped_rate_learns() {
    for name in ["idec", "k-dae", "depict"] {
        let sgd = |epochs, rate| PhaseSettings {
            epochs: Epochs::Exactly(epochs),
            learning_rate: Some(rate),
            optimizer: Optimizer::Sgd { momentum: 0.9 },
            schedule: RateSchedule::Steps { every: Interval::Epochs(8), factor: 0.3 },
            ..PhaseSettings::default()
        };
        let config = FitConfig { reconstruction: sgd(12, 1e-2), clustering: sgd(4, 1e-4), ..config(name) };
        let mut log = Log::default();
        let fitted = run(&config, &mut log);
        let of = |phase: &str| log.0.iter().filter(|r| r.phase == phase).map(|r| r.losses[0].1).collect::<Vec<_>>();
        let losses = of("reconstruct");
        assert!(losses[11] < 0.5 * losses[0], "{name}: {losses:?}");
        assert!(fitted.trained.head.n_clusters() >= GROUPS);
    }
}

#[test]
fn optimisers_schedules_and_rates_of_a_phase_change_what_is_learned_in_it() {
    let base = config("abc");
    let whole = run(&base, &mut ());
    let with = |clustering: PhaseSettings| FitConfig { clustering, ..base.clone() };
    let others = [
        PhaseSettings { optimizer: Optimizer::Sgd { momentum: 0.5 }, ..base.clustering },
        PhaseSettings { schedule: RateSchedule::Constant {}, ..base.clustering },
        PhaseSettings { learning_rate: Some(1e-4), ..base.clustering },
        PhaseSettings { batch_size: Some(7), ..base.clustering },
    ];
    for other in others {
        let mut log = Log::default();
        assert_ne!(run(&with(other), &mut log).trained, whole.trained, "{other:?}");
        // The phase before it is unchanged.
        let mut before = Log::default();
        run(&base, &mut before);
        assert_eq!(log.0[..12], before.0[..12]);
    }
    // A setting that repeats the default changes nothing.
    let said = PhaseSettings { batch_size: Some(32), learning_rate: Some(3e-3), ..base.clustering };
    assert_eq!(run(&with(said), &mut ()).trained, whole.trained);
}

/// Counts the batches of each phase's epochs.
#[derive(Default)]
struct Batches(Vec<(String, usize)>);

impl Observer for Batches {
    fn phase(&mut self, name: &str, _: usize, _: usize) {
        self.0.push((name.into(), 0));
    }

    fn batch(&mut self, _: usize, batches: usize) {
        self.0.last_mut().unwrap().1 = batches;
    }

    fn epoch(&mut self, _: &EpochReport) {}
}

#[test]
fn each_phase_has_its_own_batch_size() {
    let mut config = config("abc");
    config.clustering.batch_size = Some(100);
    let mut batches = Batches::default();
    run(&config, &mut batches);
    // 240 samples by 32 and by 100.
    assert_eq!(batches.0, [("reconstruct".into(), 8), ("cluster".into(), 3)]);
}

#[test]
fn a_phase_of_no_epochs_is_skipped() {
    for &name in MethodConfig::NAMES {
        let mut config = config(name);
        config.clustering.epochs = Epochs::Exactly(0);
        let mut log = Log::default();
        let fitted = run(&config, &mut log);
        let phases: Vec<&str> = log.1.iter().map(|(phase, ..)| phase.as_str()).collect();
        assert!(!phases.iter().any(|phase| ["cluster", "classify", "mixture"].contains(phase)), "{name}: {phases:?}");
        assert!(fitted.trained.head.n_clusters() >= 1, "{name}");
    }
    let mut config = config("abc");
    config.reconstruction.epochs = Epochs::Exactly(0);
    let mut log = Log::default();
    let fitted = run(&config, &mut log);
    assert_eq!(log.1, [("cluster".into(), 0, 5)]);
    assert!(matches!(fitted.trained.head, Head::Mixture(_)));
}

#[test]
fn settings_of_a_phase_that_cannot_be_are_refused_by_name() {
    let refused = |change: fn(&mut FitConfig)| {
        let mut config = config("abc");
        change(&mut config);
        match config.check(&blobs()) {
            Err(FitError::Setting { setting, .. }) => setting,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|c| c.clustering.batch_size = Some(0)), "clustering.batch-size");
    assert_eq!(refused(|c| c.reconstruction.learning_rate = Some(-1.0)), "reconstruction.learning-rate");
    assert_eq!(refused(|c| c.clustering.optimizer = Optimizer::Sgd { momentum: 1.0 }), "clustering.optimizer.momentum");
    assert_eq!(
        refused(|c| c.reconstruction.schedule = RateSchedule::Steps { every: Interval::Epochs(0), factor: 0.1 }),
        "reconstruction.schedule"
    );
}

#[test]
fn a_misspelt_or_unfitting_key_of_a_phase_is_refused() {
    for table in [
        "optimizer = { name = \"sgd\", momentom = 0.7 }",
        "optimizer = { name = \"adam\", momentum = 0.9 }",
        "schedule = { name = \"steps\", evry = 3 }",
        "schedule = { name = \"constant\", every = 3 }",
        "schedule = { name = \"cosine\", every = 3 }",
        "epoch = 3",
    ] {
        assert!(toml::from_str::<PhaseSettings>(table).is_err(), "{table}");
    }
    for table in ["optimizer.name = \"adam\"", "schedule.name = \"constant\"", "schedule = { name = \"cosine\" }"] {
        assert!(toml::from_str::<PhaseSettings>(table).is_ok(), "{table}");
    }
}

/// The latents that are kept are those of the encoder, and the last ones are those of the model but for their standardisation.
#[test]
fn latents_are_kept_at_a_few_moments_of_each_phase() {
    let fitted = |name: &str| {
        super::setup::fitted::<Autodiff<Flex>>(&Default::default(), &blobs(), &config(name), &mut (), &mut ()).unwrap()
    };
    let found = fitted("idec");
    let history = found.latent_history().unwrap();
    assert!(history.is_whole() && history.rows.len() == blobs().n_samples());
    let moments: Vec<(&str, usize)> =
        history.moments.iter().map(|moment| (moment.phase.as_str(), moment.epoch)).collect();
    let reconstruct = [1, 4, 8, 12].map(|epoch| ("reconstruct", epoch));
    let cluster = [1, 3, 5].map(|epoch| ("cluster", epoch));
    assert_eq!(moments, [&reconstruct[..], &cluster[..]].concat());
    let (last, z) = (history.moments.last().unwrap(), found.trained.encode(&blobs()).unwrap());
    for d in 0..last.dims {
        let column =
            |values: &[f32]| values.iter().skip(d).step_by(last.dims).map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (a, b) = (column(&last.latents), column(&z));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let product = |x: &[f64], y: &[f64]| {
            let (m, n) = (mean(x), mean(y));
            x.iter().zip(y).map(|(x, y)| (x - m) * (y - n)).sum::<f64>()
        };
        let correlation = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
        assert!(correlation > 0.999, "{d}: {correlation}");
    }
    // Members have latent spaces of their own; the phases before them have not.
    let phases = |name: &str| -> Vec<String> {
        let history = fitted(name).latent_history().cloned().unwrap_or_default();
        let mut phases: Vec<String> = history.moments.into_iter().map(|moment| moment.phase).collect();
        phases.dedup();
        phases
    };
    assert_eq!(phases("k-dvae"), ["reconstruct", "cluster"]);
    assert!(phases("dpm").is_empty());
}
