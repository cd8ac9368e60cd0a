//! Presets have their papers' numbers, and train.

use toml::{Table, Value};

use super::Preset;
use crate::data::{Samples, digits};
use crate::device::Device;
use crate::methods::{FitConfig, MethodConfig};
use crate::training::Epochs;

/// What each paper prints, by the paths of the settings, as the papers themselves say it. What is not among these is settled.
const PRINTED: [(&str, &[(&str, &str)]); 12] = [
    (
        "alpha-jsd",
        &[
            ("encoder", "'384-256-128'"),
            ("learning-rate", "0.01"),
            ("method.alpha", "0.65"),
            ("method.lambda", "1.0"),
            ("method.mixture.variant", "'paper'"),
            ("method.mixture.truncation", "50"),
            ("method.mixture.concentration", "2000.0"),
            ("method.mixture.shape", "1.25"),
            ("method.mixture.rate", "0.25"),
            ("method.mixture.mean-strength", "0.5"),
        ],
    ),
    ("kld", &[("encoder", "'384-256-128'"), ("learning-rate", "0.01"), ("method.variant", "'paper'")]),
    (
        "dpm",
        &[
            ("encoder", "'none'"),
            ("method.mixture.variant", "'paper'"),
            ("method.mixture.truncation", "50"),
            ("method.mixture.concentration", "2000.0"),
            ("method.mixture.shape", "1.25"),
            ("method.mixture.rate", "0.25"),
            ("method.mixture.mean-strength", "0.5"),
        ],
    ),
    (
        "dcan",
        &[
            ("encoder", "'384-256'"),
            ("activation", "'tanh'"),
            ("batch-size", "16"),
            ("learning-rate", "0.001"),
            ("clustering.epochs", "'500 steps'"),
            ("clustering.optimizer.name", "'sgd'"),
            ("method.variant", "'paper'"),
            ("method.hidden", "16"),
        ],
    ),
    (
        "adaptive-gmm",
        &[
            ("encoder", "'500-500-2000-10'"),
            ("learning-rate", "0.01"),
            ("reconstruction.epochs", "'40000 steps'"),
            ("reconstruction.batch-size", "256"),
            ("reconstruction.schedule.every", "'10000 steps'"),
            ("reconstruction.schedule.factor", "0.1"),
            ("clustering.epochs", "'50000 steps'"),
            ("clustering.batch-size", "128"),
            ("clustering.optimizer.name", "'sgd'"),
            ("method.variant", "'paper'"),
            ("method.mixture.covariance", "'diagonal'"),
            ("method.refit", "'diagonal'"),
            ("method.lambda", "1.0"),
        ],
    ),
    (
        "vade",
        &[
            ("encoder", "'500-500-2000-10'"),
            ("batch-size", "100"),
            ("clustering.learning-rate", "0.002"),
            ("clustering.optimizer.name", "'adam'"),
            ("clustering.schedule.every", "10"),
            ("clustering.schedule.factor", "0.9"),
        ],
    ),
    (
        "k-dvae",
        &[
            ("encoder", "'500-100-10'"),
            ("method.variant", "'paper'"),
            ("method.start-encoder", "'500-500-2000-10'"),
            ("method.start-clusters", "'k-means'"),
        ],
    ),
    ("k-dae", &[("encoder", "'500-100-10'"), ("method.export", "'full'")]),
    (
        "dec",
        &[
            ("encoder", "'500-500-2000-10'"),
            ("batch-size", "256"),
            ("reconstruction.epochs", "'100000 steps'"),
            ("reconstruction.schedule.every", "'20000 steps'"),
            ("reconstruction.schedule.factor", "0.1"),
            ("clustering.learning-rate", "0.01"),
            ("clustering.schedule.name", "'constant'"),
            ("method.kmeans.n-init", "20"),
        ],
    ),
    (
        "idec",
        &[
            ("encoder", "'500-500-2000-10'"),
            ("batch-size", "256"),
            ("clustering.learning-rate", "0.001"),
            ("clustering.optimizer.name", "'adam'"),
            ("method.gamma", "0.1"),
            ("method.kmeans.n-init", "20"),
        ],
    ),
    (
        "dcn",
        &[
            ("encoder", "'500-500-2000-10'"),
            ("reconstruction.epochs", "50"),
            ("clustering.epochs", "50"),
            ("method.lambda", "0.05"),
        ],
    ),
    (
        "depict",
        &[
            ("encoder", "'conv:50k4s2,50k5s2p2,10'"),
            ("batch-size", "100"),
            ("learning-rate", "0.0001"),
            ("reconstruction.optimizer.name", "'adam'"),
            ("clustering.optimizer.name", "'adam'"),
            ("method.target", "'sqrt'"),
            ("method.start", "'k-means'"),
            ("method.head", "'centroids'"),
            ("input-range", "'symmetric'"),
            ("method.hidden", "1.0"),
            ("method.dropout", "0.1"),
            ("method.kmeans.n-init", "40"),
        ],
    ),
];

/// Papers whose images are moved at random.
const AUGMENTED: [&str; 1] = ["adaptive-gmm"];

fn preset(name: &str) -> FitConfig {
    Preset::Paper.settings(&MethodConfig::named(name).unwrap()).unwrap()
}

/// The value of a setting by its path.
fn at<'t>(table: &'t Table, path: &str) -> &'t Value {
    let mut names = path.split('.');
    let first = table.get(names.next().unwrap());
    names.fold(first, |value, name| value?.get(name)).unwrap_or_else(|| panic!("there is no {path}"))
}

#[test]
fn presets_have_the_numbers_that_the_papers_print() {
    let mut named: Vec<&str> = PRINTED.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    let mut known = Preset::Paper.methods();
    known.sort_unstable();
    assert_eq!(named, known);
    for (name, printed) in PRINTED {
        let settings = Table::try_from(preset(name)).unwrap();
        for (path, value) in printed {
            let expected: Table = toml::from_str(&format!("x = {value}")).unwrap();
            assert_eq!(at(&settings, path), &expected["x"], "{name}: {path}");
        }
        let moved = |what| at(&settings, &format!("augmentation.{what}")).as_float().unwrap();
        let expected = if AUGMENTED.contains(&name) { (0.1, 10.0) } else { (0.0, 0.0) };
        if name != "dpm" {
            assert_eq!((moved("shift"), moved("rotation")), expected, "{name}");
        }
    }
}

/// 100 of the digits.
fn handful() -> Samples {
    let digits = digits().samples;
    let values = digits.all().unwrap()[..100 * digits.n_features()].to_vec();
    Samples::new("digits", values, digits.n_features()).with_layout(digits.layout())
}

#[test]
fn every_preset_trains() {
    for name in Preset::Paper.methods() {
        let mut config = preset(name);
        let once = |epochs: &mut Epochs| {
            if *epochs != Epochs::Exactly(0) {
                *epochs = Epochs::Exactly(1);
            }
        };
        once(&mut config.reconstruction.epochs);
        once(&mut config.clustering.epochs);
        let fitted = Device::Cpu.fit(&handful(), &config, &mut (), &mut ());
        let trained = fitted.unwrap_or_else(|error| panic!("{name}: {error}")).trained;
        assert!(trained.head.n_clusters() >= 1, "{name}");
        assert_eq!(trained.assign(&handful()).unwrap().len(), 100, "{name}");
    }
}
