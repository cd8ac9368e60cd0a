//! Every method in the loop, on blobs that any of them tells apart.

use std::io;

use burn::backend::{Autodiff, Flex, NdArray};
use burn::tensor::backend::AutodiffBackend;

use crate::data::{Samples, Source};
use crate::methods::{FitConfig, KAutoencoders, KDae, MethodConfig};
use crate::nn::Architecture;
use crate::quantize::{Provenance, quantize};
use crate::random::{normal, stream};
use crate::trained::Trained;
use crate::training::{
    self, CheckpointMismatch, CheckpointStore, EpochReport, FitError, Fitted, Observer, PhaseSettings,
};

pub(super) const GROUPS: usize = 4;
const FEATURES: usize = 6;

/// 60 samples about each of four corners of a cube's hull, in order.
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
    FitConfig {
        encoder: Architecture::dense(&[16, 3]),
        batch_size: 32,
        learning_rate: 3e-3,
        checkpoint_every: 2,
        reconstruction: PhaseSettings::with_epochs(12),
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

fn fit<B: AutodiffBackend>(
    device: &B::Device,
    samples: &Samples,
    config: &FitConfig,
    store: &mut dyn CheckpointStore,
    observer: &mut dyn Observer,
) -> Result<Trained, FitError> {
    Ok(fitted::<B>(device, samples, config, store, observer)?.trained)
}

/// Clusters are found again while the encoder learns.
fn searching() -> FitConfig {
    let mut config = config("grow");
    if let MethodConfig::Grow(method) = &mut config.method {
        method.searches = 3;
    }
    config
}

fn variational(name: &str) -> FitConfig {
    let mut config = config(name);
    match &mut config.method {
        MethodConfig::AlphaJsd(method) => method.vae = true,
        MethodConfig::Kld(method) => method.vae = true,
        _ => {}
    }
    config
}

fn run<B: AutodiffBackend>(config: &FitConfig) -> Trained {
    fit::<B>(&Default::default(), &blobs(), config, &mut (), &mut ()).unwrap()
}

/// Fails to keep the checkpoint after the one that it was asked to stop at, as if the run were killed there.
#[derive(Default)]
struct Memory {
    kept: Option<Vec<u8>>,
    saves: usize,
    stop_after: Option<usize>,
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

/// Each blob in one cluster, and no cluster with samples of two.
fn tells_blobs_apart(trained: &Trained) -> bool {
    let found = trained.assign(&blobs()).unwrap();
    let group = |cluster: u16| -> Vec<usize> {
        let members = (0..found.len()).filter(|&i| found[i] == cluster);
        let mut groups: Vec<usize> = members.map(|i| i / 60).collect();
        groups.dedup();
        groups
    };
    (0..trained.head.n_clusters() as u16).all(|c| group(c).len() <= 1)
}

#[test]
fn every_method_tells_blobs_apart() {
    for &name in MethodConfig::NAMES {
        let trained = run::<Autodiff<Flex>>(&config(name));
        assert_eq!(trained.method, name);
        assert!(tells_blobs_apart(&trained), "{name}: {:?}", trained.assign(&blobs()));
        assert!(trained.head.n_clusters() >= GROUPS, "{name}");
    }
}

#[test]
fn clusters_that_are_found_again_keep_their_numbers() {
    let [once, again] = [config("grow"), searching()].map(|config| run::<Autodiff<Flex>>(&config));
    assert_ne!(once, again);
    assert!(tells_blobs_apart(&again));
    assert_eq!(once.assign(&blobs()).unwrap(), again.assign(&blobs()).unwrap());
}

#[test]
fn an_encoder_that_learns_rounded_tells_blobs_apart_too() {
    for name in ["grow", "idec", "alpha-jsd"] {
        let config = FitConfig { fake_quantization: true, ..config(name) };
        let trained = run::<Autodiff<Flex>>(&config);
        assert!(tells_blobs_apart(&trained), "{name}");
        assert_ne!(trained, run::<Autodiff<Flex>>(&FitConfig { fake_quantization: false, ..config }), "{name}");
    }
}

#[test]
fn latents_come_out_standardised() {
    let trained = run::<Autodiff<Flex>>(&config("abc"));
    let z = trained.encode(&blobs()).unwrap();
    for d in 0..3 {
        let column: Vec<f64> = z.chunks(3).map(|row| f64::from(row[d])).collect();
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64;
        assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3, "{d}: {mean} {variance}");
    }
}

#[test]
fn one_seed_gives_the_same_bits_and_another_gives_others() {
    for config in [config("alpha-jsd"), variational("alpha-jsd"), variational("kld")] {
        let first = run::<Autodiff<Flex>>(&config);
        assert_eq!(first, run::<Autodiff<Flex>>(&config));
        assert_ne!(first, run::<Autodiff<Flex>>(&FitConfig { seed: 1, ..config }));
    }
}

#[test]
fn both_cpu_backends_learn_the_same_clusters() {
    // Clusters are numbered by their shares, and blobs are equally large: the same parts, whatever their numbers.
    let on = |trained: Trained| {
        let found = trained.assign(&blobs()).unwrap();
        let first = |cluster| found.iter().position(|&other| other == cluster);
        found.iter().map(|&cluster| first(cluster)).collect::<Vec<_>>()
    };
    for name in ["alpha-jsd", "kld"] {
        let config = config(name);
        assert_eq!(on(run::<Autodiff<Flex>>(&config)), on(run::<Autodiff<NdArray>>(&config)), "{name}");
    }
}

#[test]
fn a_run_stopped_anywhere_goes_on_to_the_same_bits() {
    let names = ["alpha-jsd", "kld", "abc", "idec", "dcn", "dcan", "adaptive-gmm", "vade", "depict", "k-dvae", "k-dae"];
    for config in names.map(config).into_iter().chain([variational("alpha-jsd"), searching()]) {
        let (mut all, mut epochs) = (Memory::default(), Log::default());
        let whole = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut all, &mut epochs).unwrap();
        // Checkpoints stand at every second epoch and at a phase's end.
        for stop_after in 1..all.saves {
            let mut store = Memory { stop_after: Some(stop_after), ..Memory::default() };
            let go = |store: &mut Memory, log: &mut Log| {
                fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, store, log)
            };
            let stopped = go(&mut store, &mut Log::default());
            assert!(matches!(stopped, Err(FitError::Checkpoint { doing: "written", .. })));
            store.stop_after = None;
            let mut log = Log::default();
            assert_eq!(go(&mut store, &mut log).unwrap(), whole, "{} after {stop_after}", config.method.name());
            assert!(log.0.len() < epochs.0.len(), "the epochs before the checkpoint are not trained again");
        }
    }
}

#[test]
fn every_method_learns_the_same_bits_from_samples_that_stay_in_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blobs.npy");
    let values = blobs().all().unwrap().into_owned();
    let array = ndarray::Array2::from_shape_vec((60 * GROUPS, FEATURES), values).unwrap();
    ndarray_npy::write_npy(&path, &array).unwrap();
    let read = |memory| Source::new(path.to_str().unwrap()).read_within(memory).unwrap().samples;
    let (held, stored) = (read(crate::data::MemoryLimit(1 << 20)), read(crate::data::MemoryLimit(0)));
    assert!(held.are_in_memory() && !stored.are_in_memory() && held == stored);
    for &name in MethodConfig::NAMES {
        let config = config(name);
        let fit = |samples| fit::<Autodiff<Flex>>(&Default::default(), samples, &config, &mut (), &mut ()).unwrap();
        let (a, b) = (fit(&held), fit(&stored));
        assert!(a == b, "{name}");
        let provenance = Provenance { name: name.into(), config: [0; 32], seed: 0 };
        let bytes = |trained, samples| quantize(trained, samples, None, &provenance).unwrap();
        assert!(*bytes(&a, &held) == *bytes(&b, &stored), "{name}");
    }
}

#[test]
fn a_file_that_is_cut_off_while_it_is_learned_from_is_an_error() {
    let path = tempfile::NamedTempFile::with_suffix(".npy").unwrap();
    let array = ndarray::Array2::from_shape_fn((100, FEATURES), |(i, d)| ((i * 7 + d * 3) % 11) as f32 + 0.5);
    ndarray_npy::write_npy(path.path(), &array).unwrap();
    let samples = Source::new(path.path().to_str().unwrap()).read_within(crate::data::MemoryLimit(0)).unwrap().samples;
    path.as_file().set_len(1000).unwrap();
    let failed = fit::<Autodiff<Flex>>(&Default::default(), &samples, &config("abc"), &mut (), &mut ());
    assert!(matches!(failed, Err(FitError::Data(_))), "{failed:?}");
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
    // How often checkpoints are kept is no reason to refuse one.
    let mut store = Memory { kept: Some(kept), ..Memory::default() };
    let rarer = FitConfig { checkpoint_every: 7, ..config };
    assert!(fit::<Autodiff<Flex>>(&device, &blobs(), &rarer, &mut store, &mut ()).is_ok());
}

#[test]
fn a_loss_that_is_no_number_names_its_term_and_place() {
    let config = FitConfig { learning_rate: 1e25, ..config("abc") };
    let failed = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut (), &mut ());
    match failed {
        Err(FitError::Diverged { term: "reconstruction", phase: "reconstruct", epoch: 1, value }) => {
            assert!(!value.is_finite());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_observer_sees_phases_losses_and_clusters() {
    let mut log = Log::default();
    fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config("alpha-jsd"), &mut (), &mut log).unwrap();
    let Log(reports, phases) = log;
    assert_eq!(phases, [("reconstruct".into(), 0, 12), ("cluster".into(), 0, 5)]);
    assert_eq!(reports.len(), 17);
    assert!(reports[11].losses[0].1 < 0.5 * reports[0].losses[0].1, "the reconstruction is learned");
    let names = |report: &EpochReport| report.losses.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!((names(&reports[0]), reports[0].clusters), (vec!["reconstruction".into()], None));
    assert_eq!(names(&reports[16]), ["reconstruction", "cluster"]);
    assert!(reports[16].clusters.is_some_and(|k| (GROUPS..=8).contains(&k)));
}

/// Asks for a stop after so many epochs, or has had enough after so many batches.
#[derive(Default)]
struct Impatient {
    epochs: Option<usize>,
    batches: Option<usize>,
    seen: Vec<(usize, usize)>,
    activities: Vec<String>,
    log: Log,
}

impl Observer for Impatient {
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize) {
        self.log.phase(name, epoch, epochs);
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.log.epoch(report);
    }

    fn activity(&mut self, name: &str) {
        self.activities.push(name.into());
    }

    fn batch(&mut self, done: usize, batches: usize) {
        self.seen.push((done, batches));
    }

    fn failure(&mut self) -> Option<io::Error> {
        self.batches.filter(|&most| self.seen.len() >= most).map(|_| io::Error::other("enough"))
    }

    fn is_asked_to_stop(&mut self) -> bool {
        self.epochs == Some(self.log.0.len())
    }
}

#[test]
fn who_asks_for_a_stop_finds_the_epoch_that_was_over_and_ends_with_the_same_bits() {
    let config = FitConfig { checkpoint_every: 100, ..config("alpha-jsd") };
    let whole = run::<Autodiff<Flex>>(&config);
    for epochs in [5, 12, 14, 17] {
        let mut store = Memory::default();
        let mut observer = Impatient { epochs: Some(epochs), ..Impatient::default() };
        let stopped = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut store, &mut observer);
        assert!(matches!(stopped, Err(FitError::Stopped(_))), "{epochs}");
        let mut log = Log::default();
        let resumed = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut store, &mut log).unwrap();
        assert_eq!(log.0.len(), 17 - epochs, "an epoch was lost or trained again");
        assert!(resumed == whole, "{epochs}");
    }
}

#[test]
fn the_observer_sees_batches_and_activities_and_can_stop_between_batches() {
    let config = config("alpha-jsd");
    let mut all = Impatient::default();
    fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut (), &mut all).unwrap();
    let expected: Vec<(usize, usize)> = (0..17).flat_map(|_| (1..=8).map(|done| (done, 8))).collect();
    assert_eq!(all.seen, expected);
    let [first, found, .., last] = &all.activities[..] else { panic!("{:?}", all.activities) };
    assert_eq!([first, found, last], ["preparing", "finding clusters", "last fit of the clusters"]);
    assert_eq!(all.activities[2..7], ["fitting the clusters"; 5]);

    let mut some = Impatient { batches: Some(20), ..Impatient::default() };
    let stopped = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut (), &mut some);
    assert!(matches!(stopped, Err(FitError::Stopped(_))));
    assert_eq!((some.seen.len(), some.log.0.len()), (20, 2));
}

/// Sticks that were there before pruning are kept, also by a run that is resumed after they were found.
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

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused =
        |config: FitConfig| match fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut (), &mut ()) {
            Err(FitError::Setting { setting, .. }) => setting,
            other => panic!("{other:?}"),
        };
    assert_eq!(refused(FitConfig { batch_size: 0, ..config("abc") }), "batch-size");
    assert_eq!(refused(FitConfig { encoder: "conv:8k3,3".parse().unwrap(), ..config("abc") }), "encoder");
    assert_eq!(refused(FitConfig { learning_rate: f64::NAN, ..config("abc") }), "learning-rate");
    let student = KAutoencoders { student: "conv:8k3,3".parse().unwrap(), ..KAutoencoders::default() };
    assert_eq!(refused(FitConfig { method: MethodConfig::KDae(KDae(student)), ..config("abc") }), "student");
    assert_eq!(refused(FitConfig { fake_quantization: true, ..config("depict") }), "fake-quantization");
}
