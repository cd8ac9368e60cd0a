//! Every method in the training loop, on blobs that are easy to separate.

use burn::backend::{Autodiff, Flex};
use burn_ndarray::NdArray;

use super::setup::{FEATURES, GROUPS, blobs, config, fit, run, searching, tells_blobs_apart, variational};
use crate::data::{InputRange, Source};
use crate::methods::{FitConfig, HeadStart, KAutoencoders, KDae, MethodConfig, TargetRule};
use crate::quantize::{Provenance, quantize};
use crate::trained::Trained;
use crate::training::FitError;

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
fn a_prior_of_unequal_clusters_and_other_starts_of_depict_tell_blobs_apart() {
    let mut config = FitConfig { input_range: InputRange::Symmetric, ..config("depict") };
    if let MethodConfig::Depict(method) = &mut config.method {
        method.shares = vec![1.0, 1.1, 0.9, 1.0];
        method.head = HeadStart::Centroids;
    }
    let trained = run::<Autodiff<Flex>>(&config);
    assert!(tells_blobs_apart(&trained), "{:?}", trained.assign(&blobs()));
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
    for (shares, target) in [
        (vec![0.5, 0.5], TargetRule::Sqrt),
        (vec![0.4, 0.4, 0.2, 0.0], TargetRule::Exact),
        (vec![0.4, 0.4, 0.2, f64::NAN], TargetRule::Exact),
        (vec![0.25; GROUPS], TargetRule::Dec),
    ] {
        let mut config = config("depict");
        if let MethodConfig::Depict(method) = &mut config.method {
            (method.shares, method.target) = (shares, target);
        }
        assert_eq!(refused(config), "method.shares");
    }
}
