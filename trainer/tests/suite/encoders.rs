//! Encoders of other programs: their latents in floating point, and the clusters of the integers.
//!
//! `import/encoders.py` and, by PyTorch itself, `import/pytorch.py` wrote the encoders and the latents of onnxruntime.

use std::fs;
use std::path::{Path, PathBuf};

use edgemix::assessment::inference;
use edgemix::data::{Dataset, Layout, Samples, Scaling, Source, digits};
use edgemix::import::{onnx_file, read_onnx, read_onnx_clustering};
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::metrics::agreement;
use edgemix::run::RunFile;
use edgemix::trained::Trained;
use edgemix::workflow::{
    EncoderFile, EncoderPlan, ExistingRun, Export, FitOptions, WorkflowError, evaluate_run, fit_import, start,
    start_import,
};
use ndarray::Array2;

/// The windows of `encoders.py`, instant by instant.
fn windows() -> Samples {
    let mut state = 1i64;
    let mut draw = |below: i64| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        (state >> 8) % below
    };
    let mut values = vec![];
    for _ in 0..600 {
        let (period, phase) = (6 + 4 * draw(4), draw(64));
        for t in 0..32 {
            let wave = (2 * ((t + phase) % period) - period).abs() * 60 / period;
            for value in [wave * 8, (wave - 30).pow(2) / 2, 380 - wave * 3] {
                values.push((value + draw(21) + draw(21) - 20) as f32);
            }
        }
    }
    Samples::new("windows", values, 96).with_layout(Layout::Windows { channels: 3 })
}

pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/import/encoders").join(name)
}

/// The encoders, with samples for each and a number of clusters.
pub(crate) fn encoders() -> [(&'static str, Samples, usize); 3] {
    [("mlp", digits().samples, 10), ("conv2d", digits().samples, 10), ("conv1d", windows(), 4)]
}

fn config(clusters: usize) -> FitConfig {
    let mut config = FitConfig { method: MethodConfig::named("ae-gmm").unwrap(), ..FitConfig::default() };
    config.method.set_n_clusters(clusters);
    config
}

fn encoder_file(name: &str) -> EncoderFile {
    EncoderFile { path: file(&format!("{name}.onnx")), ..EncoderFile::default() }
}

#[test]
fn latents_are_those_of_onnxruntime() {
    for (name, samples, _) in encoders() {
        let expected: Array2<f32> = ndarray_npy::read_npy(file(&format!("{name}.npy"))).unwrap();
        let encoder = read_onnx(&file(&format!("{name}.onnx")), &samples, None).unwrap();
        let found = encoder.encode(&samples.chunk(0..expected.nrows()).unwrap());
        assert_eq!(found.len(), expected.len(), "{name}");
        let farthest =
            found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
        println!("{name}: {} layers, at most {farthest:.1e} from onnxruntime", encoder.layers().len());
        assert!(farthest < 1e-4, "{name}: {farthest}");
        assert!(expected.iter().any(|latent| latent.abs() > 0.5));
    }
}

#[test]
fn integers_find_the_clusters_of_the_latents() {
    for (name, samples, clusters) in encoders() {
        let dataset = Dataset { samples, labels: None, groups: None };
        let plan = EncoderPlan::new(&encoder_file(name), &Source::new(name), &dataset, config(clusters)).unwrap();
        let share = agreement_of_integers(&plan);
        println!("{name}: {:.2} % of the samples in the same cluster by the integers", 100.0 * share);
        assert!(share >= 0.985, "{name}: {share}");
    }
}

#[test]
fn an_imported_encoder_is_used_like_a_trained_one() {
    let (name, samples, clusters) = encoders().into_iter().next_back().unwrap();
    let dataset = Dataset { samples, labels: None, groups: None };
    let source = Source::new(name);
    let plan = EncoderPlan::new(&encoder_file(name), &source, &dataset, config(clusters)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = start_import(folder.path(), &plan, ExistingRun::Refuse).unwrap();
    let run = fit_import(&run, &plan, &FitOptions::default(), &mut ()).unwrap().run;
    let record = run.import_record().unwrap().unwrap();
    assert_eq!((&*record.model, record.numbers.len()), ("encoder (ONNX)", 0));
    let written = fs::read(run.file(RunFile::Model)).unwrap();
    let copy = folder.path().join("copy.emx");
    Export::new(&run, &source, &dataset, None).unwrap().write(&copy, false).unwrap();
    assert!(fs::read(&copy).unwrap() == written, "another export gives another file");
    assert!(evaluate_run(&run, &source, &dataset).unwrap().agreement.unwrap() > 0.985);
    drop(run);
    let resumed = start(folder.path(), plan.plan(), ExistingRun::Resume);
    assert!(matches!(resumed, Err(WorkflowError::Imported { .. })), "{resumed:?}");
    // A method that would train the encoder.
    let dec = FitConfig { method: MethodConfig::named("dec").unwrap(), ..FitConfig::default() };
    let refused = EncoderPlan::new(&encoder_file(name), &source, &dataset, dec).unwrap_err().to_string();
    assert!(refused.contains("dec trains its encoder itself; an imported encoder takes one of dpm, "), "{refused}");
}

/// The files of PyTorch's own exporters: that of TorchScript, and the newer one, whose weights are in a second file.
#[test]
fn latents_and_clusters_are_those_of_pytorchs_own_files() {
    for (name, samples, clusters) in encoders() {
        let path = |exporter: &str| file(&format!("../pytorch/{name}-{exporter}.onnx"));
        let expected: Array2<f32> = ndarray_npy::read_npy(file(&format!("../pytorch/{name}.npy"))).unwrap();
        for exporter in ["script", "dynamo"] {
            let encoder = read_onnx(&path(exporter), &samples, None).unwrap();
            let found = encoder.encode(&samples.chunk(0..expected.nrows()).unwrap());
            assert_eq!(found.len(), expected.len(), "{name} {exporter}");
            let distances = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs());
            let farthest = distances.fold(0.0, f32::max);
            println!("{name} {exporter}: {} layers, at most {farthest:.1e} from onnxruntime", encoder.layers().len());
            assert!(farthest < 1e-4, "{name} {exporter}: {farthest}");
        }
        let dataset = Dataset { samples, labels: None, groups: None };
        let encoder = EncoderFile { path: path("dynamo"), ..EncoderFile::default() };
        let plan = EncoderPlan::new(&encoder, &Source::new(name), &dataset, config(clusters)).unwrap();
        let share = agreement_of_integers(&plan);
        println!("{name}: {:.2} % of the samples in the same cluster by the integers", 100.0 * share);
        assert!(share >= 0.985, "{name}: {share}");
    }
}

/// The share of the samples that the integers put into the cluster of the model in f32.
fn agreement_of_integers(plan: &EncoderPlan) -> f64 {
    let samples = &plan.plan().dataset().samples;
    let folder = tempfile::tempdir().unwrap();
    let run = start_import(folder.path(), plan, ExistingRun::Refuse).unwrap();
    let summary = fit_import(&run, plan, &FitOptions::default(), &mut ()).unwrap();
    let exact = summary.trained.assign(samples).unwrap();
    let file = summary.run.model().unwrap();
    let assigned = inference::assign_samples(&file.model().unwrap(), samples).unwrap();
    let integers: Vec<u16> = assigned.iter().map(|found| found.cluster).collect();
    let wanted = summary.trained.head.n_clusters();
    let found = (0..wanted as u16).filter(|cluster| exact.contains(cluster)).count();
    assert_eq!(found, wanted);
    agreement(&exact, &integers)
}

/// A decoder after the latent is left out, and the latent may be any value.
#[test]
fn the_latent_is_the_value_that_was_named() {
    let samples = digits().samples;
    let read = |latent: &str| read_onnx(&file("mlp.onnx"), &samples, Some(latent));
    let hidden = read("/encoder.1/Relu_output_0").unwrap();
    assert_eq!((hidden.n_dims(), hidden.encode(&samples.chunk(0..2).unwrap()).len()), (32, 64));
    let error = read("z").unwrap_err().to_string();
    assert!(error.contains("mlp.onnx: no node writes z: expected one of /encoder.3/Gemm_output_0, "), "{error}");
}

/// What is written as ONNX is read again, with the latents and clusters of the model.
#[test]
fn an_exported_graph_is_the_model() {
    let folder = tempfile::tempdir().unwrap();
    for (name, samples, clusters) in encoders() {
        let dataset = Dataset { samples, labels: None, groups: None };
        let samples = &dataset.samples;
        let source = Source::new(name);
        let plan = EncoderPlan::new(&encoder_file(name), &source, &dataset, config(clusters)).unwrap();
        let run = start_import(&folder.path().join(name), &plan, ExistingRun::Refuse).unwrap();
        let run = fit_import(&run, &plan, &FitOptions::default(), &mut ()).unwrap().run;
        let path = folder.path().join("m.onnx");
        let export = Export::new(&run, &source, &dataset, None).unwrap();
        export.write_onnx(&path).unwrap();
        let again = read_onnx(&path, samples, Some("latent")).unwrap();
        let trained = export.trained();
        let (expected, found) = (trained.encode(samples).unwrap(), again.encode(&samples.all().unwrap()));
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{name}: {found} {expected}");
        }
        // The same bytes each time.
        let bytes = fs::read(&path).unwrap();
        export.write_onnx(&path).unwrap();
        assert!(fs::read(&path).unwrap() == bytes);

        // The mixture alone, whose graph is a clustering.
        let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
        let alone = Trained { encoder: vec![], scaling, ..trained.clone() };
        fs::write(&path, onnx_file(&alone, &[]).unwrap().unwrap()).unwrap();
        let latents = Samples::new("latents", expected, trained.head.n_dims());
        let again = read_onnx_clustering(&path, None).unwrap().trained(&latents).unwrap();
        let share = agreement(&trained.assign(samples).unwrap(), &again.assign(&latents).unwrap());
        assert!(share >= 0.999, "{name}: {share}");
    }
}
