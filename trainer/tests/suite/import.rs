//! Models of other programs: the clusters of the other program, in floating point and in integers.
//!
//! `import/scikit.py` wrote the models and the figures of scikit-learn.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use edgemix::assessment::inference;
use edgemix::data::{Dataset, Samples, Source};
use edgemix::import::{ImportedClusters, has_clusters, read_onnx_clustering, read_scikit};
use edgemix::metrics::agreement;
use edgemix::random::stream;
use edgemix::run::RunFile;
use edgemix::workflow::{
    ExistingRun, Export, FitOptions, ImportOptions, ImportPlan, WorkflowError, evaluate_run, import, start,
};
use ndarray::{Array1, ArrayD, IxDyn};
use ndarray_npy::{NpzReader, NpzWriter};
use rand::RngExt;

/// A unit and an offset for each feature.
const UNITS: [[i64; 2]; 6] = [[1, 0], [3, 40], [1, 0], [9, -200], [2, 0], [1, 1000]];

/// The samples of `scikit.py`.
fn samples() -> Samples {
    let mut state = 1i64;
    let mut draw = |below: i64| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        (state >> 8) % below
    };
    let mut values = vec![];
    for _ in 0..10_000 {
        let (group, mut before) = (draw(5), 0i64);
        for (feature, [unit, offset]) in (0..).zip(UNITS) {
            let noise = (0..4).map(|_| draw(60)).sum::<i64>() - 118;
            let centre = (group * (feature + 3) % 5 - 2) * 55;
            // Python rounds down.
            before = (noise * (2 + group)).div_euclid(3) + before.div_euclid(2);
            values.push((unit * (centre + before) + offset) as f32);
        }
    }
    Samples::new("groups", values, UNITS.len()).with_count(1.0)
}

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/suite/import/scikit/{name}.npz"))
}

/// The clusters that scikit-learn predicts.
fn predicted(name: &str) -> Vec<u16> {
    let mut archive = NpzReader::new(File::open(model(name)).unwrap()).unwrap();
    let predicted: Array1<u8> = archive.by_name("predicted").unwrap();
    predicted.iter().map(|&cluster| cluster.into()).collect()
}

/// The documentation's function wrote the files of these tests.
#[test]
fn the_function_of_the_documentation_is_the_one_that_is_tested() {
    let page = include_str!("../../../docs/import.md");
    let function = page.split("def save").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    assert!(function.lines().count() > 5 && include_str!("import/scikit.py").contains(function), "{function}");
}

#[test]
fn clusters_are_those_of_scikit_learn() {
    let samples = samples();
    // A quarter of the samples calibrates the integers.
    let dataset = Dataset { samples: samples.thinned(2500), labels: None, groups: None };
    let source = Source::new("groups");
    // The least share of the samples that the integers put into the cluster of scikit-learn: what was found, rounded down.
    for (name, of_integers) in [
        ("kmeans", 0.999),
        ("kmeans-pca", 0.997),
        ("full-raw", 0.999),
        ("full", 0.997),
        ("tied", 0.997),
        ("diag", 0.997),
        ("spherical", 0.996),
        ("process", 0.999),
        ("distribution", 0.989),
        ("process-tied", 0.999),
        ("process-spherical", 0.999),
    ] {
        let plan = ImportPlan::new(&model(name), &source, &dataset, &ImportOptions::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let summary = import(folder.path(), &plan, false, &FitOptions::default()).unwrap();
        let numbers = &plan.clustering().numbers;
        let in_scikit = |clusters: Vec<u16>| -> Vec<u16> {
            clusters.into_iter().map(|cluster| numbers[usize::from(cluster)] as u16).collect()
        };
        let expected = predicted(name);
        let found = agreement(&expected, &in_scikit(summary.trained.assign(&samples).unwrap()));
        let file = summary.run.model().unwrap();
        let assigned = inference::assign_samples(&file.model().unwrap(), &samples).unwrap();
        let integers = agreement(&expected, &in_scikit(assigned.iter().map(|found| found.cluster).collect()));
        println!("{name}: {} clusters, f32 {found:.4}, integers {integers:.4}", numbers.len());
        assert!(found >= 0.999, "{name}: {found} in f32");
        assert!(integers >= of_integers, "{name}: {integers} in integers");
    }
}

/// The same pipelines as skl2onnx writes them, in f32.
#[test]
fn clusters_from_onnx_are_those_of_scikit_learn() {
    let samples = samples();
    for name in [
        "kmeans",
        "kmeans-pca",
        "full-raw",
        "full",
        "tied",
        "diag",
        "spherical",
        "process",
        "distribution",
        "process-tied",
        "process-spherical",
    ] {
        let path = model(name).with_extension("onnx");
        assert!(has_clusters(&path).unwrap());
        let clustering = read_onnx_clustering(&path, None).unwrap();
        let same = read_scikit(&model(name), Some(0.0)).unwrap();
        assert_eq!(
            (clustering.n_features(), clustering.n_clusters()),
            (same.n_features(), same.n_clusters()),
            "{name}"
        );
        let found = agreement(&predicted(name), &clustering.trained(&samples).unwrap().assign(&samples).unwrap());
        println!("{name}: {} clusters from ONNX, f32 {found:.4}", clustering.n_clusters());
        assert!(found >= 0.999, "{name}: {found}");
        let (own, other) = (&clustering.clusters, &same.clusters);
        if let (ImportedClusters::Mixture(own), ImportedClusters::Mixture(other)) = (own, other) {
            assert_eq!(own.covariance.covariance_type(), other.covariance.covariance_type(), "{name}");
        }
    }
    // And on to the integers.
    let dataset = Dataset { samples: samples.thinned(2500), labels: None, groups: None };
    let path = model("full").with_extension("onnx");
    let plan = ImportPlan::new(&path, &Source::new("groups"), &dataset, &ImportOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = import(folder.path(), &plan, false, &FitOptions::default()).unwrap().run;
    let assigned = inference::assign_samples(&run.model().unwrap().model().unwrap(), &samples).unwrap();
    let found: Vec<u16> = assigned.iter().map(|found| found.cluster).collect();
    assert!(agreement(&predicted("full"), &found) >= 0.997);
    // An encoder has no clusters.
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/import/encoders/mlp.onnx");
    assert!(!has_clusters(&encoder).unwrap());
    let refused = read_onnx_clustering(&encoder, None).unwrap_err().to_string();
    assert!(refused.ends_with("mlp.onnx: it has no ArgMax or ArgMin, so that it is no clustering"), "{refused}");
}

#[test]
fn an_imported_run_is_used_like_a_trained_one() {
    let dataset = Dataset { samples: samples().thinned(600), labels: None, groups: None };
    let source = Source::new("groups");
    let plan = |name: &str| ImportPlan::new(&model(name), &source, &dataset, &ImportOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
    let run = import(folder.path(), &plan("process"), false, &options).unwrap().run;
    assert_eq!(run.import_record().unwrap().unwrap().model, "BayesianGaussianMixture (scikit-learn)");
    // The last of its eight components has no weight.
    assert_eq!(run.import_record().unwrap().unwrap().numbers, [0, 1, 2, 3, 4, 5, 6]);
    let heavy = read_scikit(&model("process"), Some(0.1)).unwrap();
    assert_eq!(heavy.numbers, [0, 1, 3, 4, 5]);

    let written = fs::read(run.file(RunFile::Model)).unwrap();
    let copy = folder.path().join("copy.emx");
    Export::new(&run, &source, &dataset, None).unwrap().write(&copy, true).unwrap();
    assert!(fs::read(&copy).unwrap() == written, "another export gives another file");
    assert!(evaluate_run(&run, &source, &dataset).unwrap().agreement.unwrap() > 0.98);

    let model = run.file(RunFile::Model);
    drop(run);
    // Neither trained further nor overwritten without being asked.
    let resumed = start(folder.path(), plan("kmeans").plan(), ExistingRun::Resume);
    assert!(matches!(resumed, Err(WorkflowError::Imported { .. })), "{resumed:?}");
    let again = import(folder.path(), &plan("kmeans"), false, &options);
    assert!(matches!(again, Err(WorkflowError::AlreadyStarted { .. })));
    assert!(fs::read(&model).unwrap() == written);
    let run = import(folder.path(), &plan("kmeans"), true, &options).unwrap().run;
    assert_eq!(run.import_record().unwrap().unwrap().model, "KMeans (scikit-learn)");
    assert!(fs::read(run.file(RunFile::Model)).unwrap() != written);

    // A damaged record is named, and not overlooked by a training.
    for damage in [&b"path = 3"[..], b"numbers = [-1]", b"\xff", b"model = \"x\"\nmore = 1"] {
        fs::write(run.file(RunFile::Import), damage).unwrap();
        let error = run.import_record().unwrap_err().to_string();
        assert!(error.contains("import.toml: "), "{error}");
    }
}

/// The arrays of a file.
type Arrays = Vec<(String, ArrayD<f64>)>;

fn array(shape: &[usize], value: impl Fn(usize) -> f64) -> ArrayD<f64> {
    let values = (0..shape.iter().product()).map(value).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

/// A pipeline of a scaler, principal axes and a mixture: three features, two dimensions, two components.
fn pipeline() -> (serde_json::Value, Arrays) {
    let steps = serde_json::json!([
        { "class": "StandardScaler", "with_mean": true, "with_std": true },
        { "class": "PCA", "whiten": false },
        { "class": "GaussianMixture", "covariance_type": "full" },
    ]);
    let covariance = |i: usize| if matches!(i % 4, 0 | 3) { 1.0 } else { 0.1 };
    let arrays = [
        ("0.mean_", array(&[3], |i| i as f64)),
        ("0.scale_", array(&[3], |_| 2.0)),
        ("1.components_", array(&[2, 3], |i| i as f64 - 2.0)),
        ("1.mean_", array(&[3], |_| 0.0)),
        ("1.explained_variance_", array(&[2], |_| 1.0)),
        ("2.means_", array(&[2, 2], |i| i as f64)),
        ("2.weights_", array(&[2], |_| 0.5)),
        ("2.covariances_", array(&[2, 2, 2], covariance)),
    ];
    (steps, arrays.map(|(name, array)| (name.to_owned(), array)).into())
}

fn write(path: &Path, steps: Option<&[u8]>, arrays: &Arrays) {
    let mut archive = NpzWriter::new(File::create(path).unwrap());
    if let Some(steps) = steps {
        archive.add_array("steps", &Array1::from_vec(steps.to_vec())).unwrap();
    }
    arrays.iter().for_each(|(name, array)| archive.add_array(name, array).unwrap());
    archive.finish().unwrap();
}

#[test]
fn what_is_wrong_with_a_pipeline_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npz");
    let answer = |steps: Option<&[u8]>, arrays: &Arrays| {
        write(&path, steps, arrays);
        read_scikit(&path, None).map(|model| model.n_features()).map_err(|error| error.to_string())
    };
    let (steps, arrays) = pipeline();
    let text = serde_json::to_vec(&steps).unwrap();
    assert_eq!(answer(Some(&text), &arrays), Ok(3));

    // Other descriptions.
    let mixture = |covariance: &str| format!(r#"[{{"class": "GaussianMixture", "covariance_type": "{covariance}"}}]"#);
    for (steps, expected) in [
        (None, "it has no array `steps`, which describes the estimators: write the file with the function in"),
        (Some(""), "its array `steps` does not describe estimators (EOF"),
        (Some("{}"), "does not describe estimators (invalid type"),
        (Some("[]"), "does not describe estimators (it lists none)"),
        (Some(r#"[{"class": "DBSCAN"}]"#), "step 0 is a DBSCAN: expected KMeans, MiniBatchKMeans, GaussianMixture"),
        (
            Some(r#"[{"class": "Normalizer"}, {"class": "KMeans"}]"#),
            "step 0 is a Normalizer: expected StandardScaler, MinMaxScaler, PCA",
        ),
        (Some(r#"[{"class": "StandardScaler"}, {"class": "PCA"}]"#), "step 1 is a PCA: expected KMeans"),
        (Some(r#"[{"class": "StandardScaler"}]"#), "step 0 is a StandardScaler: expected KMeans"),
        (Some(r#"[{"class": "KMeans"}]"#), "the array 0.cluster_centers_ is missing: fit the estimator"),
        (
            Some(r#"[{"class": "StandardScaler", "with_mean": "yes"}, {"class": "KMeans"}]"#),
            "step 0, a StandardScaler, has with_mean=\"yes\": expected true or false",
        ),
        (
            Some(r#"[{"class": "MinMaxScaler", "clip": true}, {"class": "KMeans"}]"#),
            "step 0, a MinMaxScaler, has clip=true: expected false",
        ),
        (Some(&*mixture("full")), "the array 0.means_ is missing"),
    ] {
        let error = answer(steps.map(str::as_bytes), &arrays).unwrap_err();
        assert!(error.contains(expected) && error.contains("m.npz: "), "{error}");
    }
    for (covariance, expected) in [
        ("tied", "the array 2.covariances_ has shape [2, 2, 2]: expected 2 x 2"),
        ("diag", "the array 2.covariances_ has shape [2, 2, 2]: expected 2 x 2"),
        ("spherical", "the array 2.covariances_ has shape [2, 2, 2]: expected 2"),
        ("round", "step 2, a GaussianMixture, has covariance_type=\"round\": expected full, tied, diag or spherical"),
    ] {
        let mut steps = steps.clone();
        steps[2]["covariance_type"] = covariance.into();
        let error = answer(Some(&serde_json::to_vec(&steps).unwrap()), &arrays).unwrap_err();
        assert!(error.ends_with(expected), "{error}");
    }

    // Other arrays.
    for (name, replacement, expected) in [
        ("0.mean_", None, "the array 0.mean_ is missing: fit the estimator before it is written"),
        ("2.weights_", None, "the array 2.weights_ is missing"),
        ("0.mean_", Some(array(&[3], |_| f64::NAN)), "the array 0.mean_ contains NaN: expected finite numbers"),
        ("0.mean_", Some(array(&[0], |_| 0.0)), "the array 0.mean_ has shape [0]: expected any number"),
        ("0.scale_", Some(array(&[3], |i| i as f64)), "the array 0.scale_ contains 0: expected positive numbers"),
        ("0.scale_", Some(array(&[4], |_| 1.0)), "the array 0.scale_ has shape [4]: expected 3"),
        ("1.components_", Some(array(&[2, 4], |_| 1.0)), "has shape [2, 4]: expected any number x 3"),
        ("1.components_", Some(array(&[3], |_| 1.0)), "has shape [3]: expected any number x 3"),
        ("1.components_", Some(array(&[0, 3], |_| 1.0)), "has shape [0, 3]: expected any number x 3"),
        ("1.mean_", Some(array(&[2], |_| 0.0)), "the array 1.mean_ has shape [2]: expected 3"),
        ("2.means_", Some(array(&[2, 3], |_| 0.0)), "has shape [2, 3]: expected any number x 2"),
        ("2.means_", Some(array(&[2, 2], |_| f64::INFINITY)), "the array 2.means_ contains inf: expected finite"),
        ("2.weights_", Some(array(&[3], |_| 0.5)), "the array 2.weights_ has shape [3]: expected 2"),
        ("2.weights_", Some(array(&[2], |_| -0.5)), "contains -0.5: expected numbers that are not negative"),
        ("2.weights_", Some(array(&[2], |_| 0.0)), "no component has a weight of at least 0: lower --min-weight"),
        ("2.covariances_", Some(array(&[2, 2], |_| 1.0)), "has shape [2, 2]: expected 2 x 2 x 2"),
        (
            "2.covariances_",
            Some(array(&[2, 2, 2], |_| 1.0)),
            "the covariance of component 0 is not positive definite: fit the mixture with a greater reg_covar",
        ),
    ] {
        let mut arrays = arrays.clone();
        arrays.retain(|(own, _)| own != name);
        arrays.extend(replacement.map(|array| (name.to_owned(), array)));
        let error = answer(Some(&text), &arrays).unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
    fs::write(&path, "no archive").unwrap();
    assert!(read_scikit(&path, None).unwrap_err().to_string().contains("m.npz: not an NPZ archive"));
    let samples = Dataset { samples: samples().thinned(100), labels: None, groups: None };
    write(&path, Some(&text), &arrays);
    let refused = ImportPlan::new(&path, &Source::new("groups"), &samples, &ImportOptions::default()).unwrap_err();
    assert_eq!(refused.to_string(), "the model takes 3 features, groups has 6");
}

/// A file that was changed is refused, or read as another model.
#[test]
fn no_archive_makes_the_reader_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npz");
    let random = &mut stream(0, "archives", 0);
    let (steps, arrays) = pipeline();
    write(&path, Some(&serde_json::to_vec(&steps).unwrap()), &arrays);
    let whole = [fs::read(&path).unwrap(), fs::read(model("distribution")).unwrap()];
    let mut read = 0;
    for round in 0..2000 {
        let mut bytes = whole[round % 2].clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes.truncate(at.max(1)),
                1 => _ = bytes.remove(at),
                2 => bytes[at] = random.random(),
                _ => bytes[at] ^= 1 << random.random_range(0..8),
            }
        }
        fs::write(&path, bytes).unwrap();
        read += usize::from(read_scikit(&path, None).is_ok());
    }
    assert!(read < 1000, "{read}");
}

/// The same of graphs, whose sizes are also changed to great ones.
#[test]
fn no_graph_of_a_clustering_makes_the_reader_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let random = &mut stream(0, "clusterings", 0);
    let whole = ["kmeans", "full", "diag"].map(|name| fs::read(model(name).with_extension("onnx")).unwrap());
    let mut read = 0;
    for round in 0..1500 {
        let mut bytes = whole[round % 3].clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes.truncate(at.max(1)),
                1 => _ = bytes.remove(at),
                2 => bytes[at] = random.random(),
                _ => bytes[at] ^= 1 << random.random_range(0..8),
            }
        }
        fs::write(&path, bytes).unwrap();
        read += usize::from(read_onnx_clustering(&path, None).is_ok());
    }
    assert!((1..1400).contains(&read), "{read}");
    // The input is stated to have more features than the weights.
    let size = whole[0].windows(4).rposition(|bytes| bytes == [0x0a, 2, 8, 6]).unwrap();
    let mut bytes = whole[0].clone();
    bytes[size + 3] = 0x7f;
    fs::write(&path, bytes).unwrap();
    let error = read_onnx_clustering(&path, None).unwrap_err().to_string();
    assert!(error.contains("node Ge_Gemm (Gemm): tensor Ge_Gemmcst has sizes [7, 6]"), "{error}");
}
