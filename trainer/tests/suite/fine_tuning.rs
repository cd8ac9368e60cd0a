//! Encoders of other programs that are trained further, together with their clusters.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use edgemix::assessment::inference;
use edgemix::data::{Dataset, Source, digits};
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::metrics::agreement;
use edgemix::run::RunFile;
use edgemix::training::{EpochReport, FitError, Observer, PhaseSettings};
use edgemix::workflow::{
    EncoderFile, EncoderPlan, ExistingRun, Export, FineTuning, FitOptions, WorkflowError, evaluate_run, fit_import,
    start, start_import,
};

use crate::encoders::{encoders, file};

const OPTIONS: FitOptions = FitOptions {
    device: edgemix::device::Device::Cpu,
    allow_disagreement: true,
    level: edgemix::trained::LevelChoice::Trained,
};

fn encoder_file(name: &str) -> EncoderFile {
    EncoderFile { path: file(&format!("{name}.onnx")), ..EncoderFile::default() }
}

/// A few epochs of a method.
fn config(method: &str, decoder: usize, clusters: usize) -> FitConfig {
    let mut config = FitConfig { method: MethodConfig::named(method).unwrap(), ..FitConfig::default() };
    config.reconstruction = PhaseSettings::with_epochs(decoder);
    config.clustering = PhaseSettings::with_epochs(clusters);
    config.method.set_n_clusters(4);
    config
}

/// The greatest distance of a dimension of latents from the line through the same dimension of others, in deviations.
fn farthest_from_affine(found: &[f32], expected: &[f32], dims: usize) -> f64 {
    let column =
        |values: &[f32], d: usize| -> Vec<f64> { values[d..].iter().step_by(dims).map(|&x| f64::from(x)).collect() };
    let standard = |values: Vec<f64>| -> Vec<f64> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        values.iter().map(|x| (x - mean) / deviation).collect()
    };
    let distance = |d: usize| {
        let pairs = standard(column(found, d)).into_iter().zip(standard(column(expected, d)));
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    (0..dims).map(distance).fold(0.0, f64::max)
}

/// While the decoder learns, the encoder stays as it is, whatever scaling the trainer chooses for the samples.
#[test]
fn a_fine_tuning_begins_with_the_latents_of_the_encoder() {
    for (name, samples, _) in encoders() {
        let dataset = Dataset { samples, labels: None, groups: None };
        for (method, epochs) in [("idec", 0), ("kld", 0), ("idec", 2)] {
            let config = config(method, 2, epochs);
            let plan = EncoderPlan::fine_tuned(&encoder_file(name), &Source::new(name), &dataset, config).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let run = start_import(folder.path(), &plan, ExistingRun::Refuse).unwrap();
            let summary = fit_import(&run, &plan, &OPTIONS, &mut ()).unwrap();
            let found = summary.trained.encode(&dataset.samples).unwrap();
            let encoder = plan.encoder();
            let expected = encoder.encode(&dataset.samples.all().unwrap());
            let farthest = farthest_from_affine(&found, &expected, encoder.n_dims());
            let is_same = farthest < 1e-3;
            assert_eq!(is_same, epochs == 0, "{name} by {method}, {epochs} epochs: {farthest}");
        }
    }
}

#[test]
fn every_method_that_trains_an_encoder_with_its_clusters_trains_an_imported_one() {
    let dataset = digits();
    let source = Source::new("digits");
    let mut refused = vec![];
    for &name in MethodConfig::NAMES {
        let config = config(name, 1, 1);
        let plan = match EncoderPlan::fine_tuned(&encoder_file("conv2d"), &source, &dataset, config) {
            Ok(plan) => plan,
            Err(error) => {
                assert!(error.to_string().contains("does not train a given encoder"), "{error}");
                refused.push(name);
                continue;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let run = start_import(folder.path(), &plan, ExistingRun::Refuse).unwrap();
        let summary = fit_import(&run, &plan, &OPTIONS, &mut ()).unwrap();
        assert_eq!(summary.trained.method, name);
        assert_eq!(summary.trained.encoder.len(), plan.encoder().layers().len(), "{name}");
        let model = summary.run.model().unwrap();
        let found = inference::assign_samples(&model.model().unwrap(), &dataset.samples).unwrap();
        let integers: Vec<u16> = found.iter().map(|found| found.cluster).collect();
        let share = agreement(&summary.trained.assign(&dataset.samples).unwrap(), &integers);
        assert!(share > 0.9, "{name}: {share}");
    }
    let others = ["dpm", "kmeans", "gmm", "ae-kmeans", "ae-gmm", "vae-kmeans", "depict", "k-dvae", "k-dae"];
    assert_eq!(refused, others);
}

/// Fails at the end of an epoch, as a program does that is killed there.
struct Killed {
    epoch: usize,
    seen: usize,
}

impl Observer for Killed {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}

    fn epoch(&mut self, _: &EpochReport) {
        self.seen += 1;
    }

    fn failure(&mut self) -> Option<io::Error> {
        (self.seen == self.epoch).then(|| ErrorKind::Interrupted.into())
    }
}

fn model_of(folder: &Path) -> Vec<u8> {
    fs::read(folder.join(RunFile::Model.to_string())).unwrap()
}

#[test]
fn a_fine_tuning_that_was_interrupted_ends_with_the_same_bits() {
    let (name, samples, _) = encoders().into_iter().next_back().unwrap();
    let (source, dataset) = (Source::new(name), Dataset { samples, labels: None, groups: None });
    let config = FitConfig { checkpoint_every: 1, ..config("adaptive-gmm", 4, 4) };
    let plan = EncoderPlan::fine_tuned(&encoder_file(name), &source, &dataset, config.clone()).unwrap();
    let whole = tempfile::tempdir().unwrap();
    let run = start_import(whole.path(), &plan, ExistingRun::Refuse).unwrap();
    fit_import(&run, &plan, &OPTIONS, &mut ()).unwrap();
    for epoch in [2, 6] {
        let folder = tempfile::tempdir().unwrap();
        let run = start_import(folder.path(), &plan, ExistingRun::Refuse).unwrap();
        let stopped = fit_import(&run, &plan, &OPTIONS, &mut Killed { epoch, seen: 0 });
        assert!(matches!(stopped, Err(WorkflowError::Fit(FitError::Stopped(_)))), "{stopped:?}");
        drop(run);
        // Neither training anew nor another encoder goes on from there.
        let trained = start(folder.path(), plan.plan(), ExistingRun::Resume);
        assert!(matches!(trained, Err(WorkflowError::FineTuned { .. })), "{trained:?}");
        let frozen = EncoderPlan::new(&encoder_file(name), &source, &dataset, FitConfig::default()).unwrap();
        let other = start_import(folder.path(), &frozen, ExistingRun::Resume);
        assert!(matches!(other, Err(WorkflowError::OtherImport { .. })), "{other:?}");
        let again = EncoderPlan::fine_tuned(&moved(folder.path(), name), &source, &dataset, config.clone()).unwrap();
        let run = start_import(folder.path(), &again, ExistingRun::Resume).unwrap();
        fit_import(&run, &again, &OPTIONS, &mut ()).unwrap();
        assert!(model_of(folder.path()) == model_of(whole.path()), "{epoch}");
    }
}

/// The same encoder in another place, which changes nothing.
fn moved(folder: &Path, name: &str) -> EncoderFile {
    let path: PathBuf = folder.join("moved.onnx");
    fs::copy(file(&format!("{name}.onnx")), &path).unwrap();
    EncoderFile { path, ..EncoderFile::default() }
}

/// The run of an encoder that was trained further is like any other.
#[test]
fn a_fine_tuned_encoder_is_used_like_a_trained_one() {
    let dataset = digits();
    let source = Source::new("digits");
    let mut config = config("adaptive-gmm", 40, 40);
    config.method.set_n_clusters(10);
    let plan = EncoderPlan::fine_tuned(&encoder_file("mlp"), &source, &dataset, config).unwrap();
    assert!(plan.is_fine_tuned() && plan.plan().config().encoder.to_string() == "32-8");
    let folder = tempfile::tempdir().unwrap();
    let run = start_import(folder.path(), &plan, ExistingRun::Refuse).unwrap();
    let summary = fit_import(&run, &plan, &FitOptions::default(), &mut ()).unwrap();
    let found = FineTuning::compare(&plan, &summary.trained, &OPTIONS, &mut ()).unwrap();
    assert_eq!((found.before_by, found.before.clusters, found.after.clusters), ("ae-gmm", 10, 10));
    assert!(found.before.scores.unwrap().nmi > 0.7 && found.after.scores.unwrap().nmi > 0.7, "{found:?}");
    assert!((0.5..0.99).contains(&found.agreement), "{found:?}");
    let run = summary.run;
    assert!(run.import_record().unwrap().unwrap().fine_tuned);
    assert!(evaluate_run(&run, &source, &dataset).unwrap().agreement.unwrap() > 0.985);
    let copy = folder.path().join("copy.emx");
    Export::new(&run, &source, &dataset, None).unwrap().write(&copy, false).unwrap();
    assert!(fs::read(&copy).unwrap() == model_of(folder.path()));
}
