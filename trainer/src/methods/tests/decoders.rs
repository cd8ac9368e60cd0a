//! The decoders that trained models keep.

use burn::backend::{Autodiff, Flex};

use super::setup::{FEATURES, GROUPS, blobs, config, fit, run, variational};
use crate::data::{ImageShape, InputRange, Layout, Samples};
use crate::methods::{Export, FitConfig, KAutoencoders, KDae, KDvae, Likelihood, MethodConfig};
use crate::random::stream;
use crate::trained::{Decoders, DrawError, Trained};
use crate::training::{Epochs, PhaseSettings};
use crate::variant::Variant;

/// A configuration that reconstructs blobs well.
fn patient(name: &str) -> FitConfig {
    FitConfig { reconstruction: PhaseSettings::with_epochs(80), ..config(name) }
}

/// The mean squared error of samples whose features have been standardised: encoded, decoded, and in the unit of the data.
fn error_of_reconstruction(trained: &Trained, samples: &Samples) -> f64 {
    let values = samples.all().unwrap();
    let clusters = trained.assign(samples).unwrap();
    let latents = trained.encode(samples).unwrap();
    let dims = latents.len() / samples.n_samples();
    let rows = latents.chunks(dims).zip(values.chunks(FEATURES)).zip(&clusters);
    let error = |((z, x), &cluster): ((&[f32], &[f32]), &u16)| {
        let decoded = trained.decode(cluster.into(), z).unwrap();
        decoded.iter().zip(x).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
    };
    rows.map(error).sum::<f64>() / values.len() as f64
}

/// The mean squared distance of the blobs from the mean of all.
fn variance() -> f64 {
    let values = blobs().all().unwrap().into_owned();
    let mean = |d: usize| values.iter().skip(d).step_by(FEATURES).map(|&x| f64::from(x)).sum::<f64>() / 240.0;
    let means: Vec<f64> = (0..FEATURES).map(mean).collect();
    let squares =
        values.chunks(FEATURES).flat_map(|row| row.iter().zip(&means)).map(|(&x, m)| (f64::from(x) - m).powi(2));
    squares.sum::<f64>() / values.len() as f64
}

/// DEC and the printed forms train the encoder on without its decoder; the others have no encoder.
const WITHOUT: [&str; 4] = ["dec", "dpm", "kmeans", "gmm"];

#[test]
fn methods_keep_the_decoder_that_learned_with_the_encoder() {
    for &name in MethodConfig::NAMES {
        let trained = run::<Autodiff<Flex>>(&patient(name));
        assert_eq!(trained.decoder.is_none(), WITHOUT.contains(&name), "{name}");
        let Some(decoder) = &trained.decoder else { continue };
        if matches!(decoder.networks, Decoders::Shared(_)) {
            let error = error_of_reconstruction(&trained, &blobs());
            assert!(error < 0.3 * variance(), "{name}: {error} of {}", variance());
        }
    }
    for name in ["alpha-jsd", "dcan", "adaptive-gmm"] {
        let mut config = config(name);
        config.method.set_variant(Variant::Paper);
        config.clustering.epochs = Epochs::Exactly(1);
        assert!(run::<Autodiff<Flex>>(&config).decoder.is_none(), "{name} as printed trains no decoder");
    }
}

/// Each cluster's mean sample, and samples drawn from it, are assigned to it.
fn check_samples_of(trained: &Trained, samples: &Samples, name: &str) {
    let (latents, clusters) = (trained.encode(samples).unwrap(), trained.assign(samples).unwrap());
    let means = trained.mean_samples(&latents, &clusters).unwrap();
    for (cluster, mean) in means.into_iter().enumerate().filter(|(k, _)| clusters.contains(&(*k as u16))) {
        let found = trained.assign(&Samples::new("mean", mean.unwrap(), samples.n_features())).unwrap();
        assert_eq!(found, [cluster as u16], "{name}: the mean sample");
    }
    let drawn = match trained.draw(50, &mut stream(0, "drawn", 0)) {
        Ok(drawn) => drawn,
        Err(DrawError::NotGenerative { method }) => return assert_eq!(method, trained.method),
        Err(error) => panic!("{name}: {error}"),
    };
    assert_eq!(drawn, trained.draw(50, &mut stream(0, "drawn", 0)).unwrap());
    assert_ne!(drawn, trained.draw(50, &mut stream(1, "drawn", 0)).unwrap());
    let found = trained.assign(&Samples::new("drawn", drawn.values, samples.n_features())).unwrap();
    let own = found.iter().zip(&drawn.clusters).filter(|(a, b)| a == b).count();
    assert!(own * 10 >= found.len() * 8, "{name}: {own} of {} are in their cluster", found.len());
}

#[test]
fn clusters_are_decoded_to_samples_of_their_own() {
    for &name in MethodConfig::NAMES {
        let trained = run::<Autodiff<Flex>>(&patient(name));
        if trained.decoder.is_some() {
            check_samples_of(&trained, &blobs(), name);
        }
    }
    // What is exported whole has the decoders in its head.
    let whole = || KAutoencoders { export: Export::Full, ..KAutoencoders::default() };
    for mut method in [MethodConfig::KDvae(KDvae(whole())), MethodConfig::KDae(KDae(whole()))] {
        method.set_n_clusters(GROUPS);
        let trained = run::<Autodiff<Flex>>(&FitConfig { method, ..patient("k-dvae") });
        assert_eq!(trained.decoder.as_ref().unwrap().networks, Decoders::OfHead);
        check_samples_of(&trained, &blobs(), &trained.method);
    }
}

#[test]
fn samples_can_be_drawn_from_variational_methods_alone() {
    let draws = |config: &FitConfig| run::<Autodiff<Flex>>(config).draw(1, &mut stream(0, "drawn", 0)).is_ok();
    for &name in MethodConfig::NAMES {
        let is_variational = ["vade", "vae-kmeans", "k-dvae"].contains(&name);
        assert_eq!(draws(&config(name)), is_variational, "{name}");
    }
    for name in ["alpha-jsd", "kld"] {
        assert!(draws(&variational(name)), "{name}");
    }
}

/// Columns that never change come back, and images have the range of the data, whatever that of the inputs is.
#[test]
fn decoded_samples_have_the_unit_of_the_data() {
    let values = blobs().all().unwrap().chunks(FEATURES).flat_map(|row| [row, &[-7.5]].concat()).collect();
    let samples = Samples::new("blobs", values, FEATURES + 1);
    let trained = fit::<Autodiff<Flex>>(&Default::default(), &samples, &config("vade"), &mut (), &mut ()).unwrap();
    let drawn = trained.draw(3, &mut stream(0, "drawn", 0)).unwrap().values;
    assert!(drawn.chunks(FEATURES + 1).all(|row| row[FEATURES] == -7.5), "{drawn:?}");

    let pixels = blobs().all().unwrap().iter().map(|x| (x * 30.0).clamp(0.0, 255.0).round()).collect();
    let shape = ImageShape { channels: 1, height: 2, width: 3 };
    let images = Samples::new("images", pixels, FEATURES).with_layout(Layout::Images(shape)).with_count(1.0);
    let greatest = images.greatest();
    for input_range in [InputRange::Auto, InputRange::Symmetric] {
        for likelihood in [Likelihood::Gaussian, Likelihood::Bernoulli] {
            let members = KAutoencoders { likelihood, ..KAutoencoders::default() };
            let mut method = MethodConfig::KDvae(KDvae(members));
            method.set_n_clusters(GROUPS);
            let config = FitConfig { input_range, method, ..patient("k-dvae") };
            let trained = fit::<Autodiff<Flex>>(&Default::default(), &images, &config, &mut (), &mut ()).unwrap();
            let picture = trained.decoder.as_ref().unwrap().picture.unwrap();
            assert!(picture.black.abs() < 1e-4 && (picture.white - greatest).abs() < 1e-3, "{picture:?}");
            let means = trained.mean_samples(&[], &[]).unwrap();
            let brightest = means.iter().flatten().flatten().fold(0.0f32, |most, x| most.max(*x));
            assert!(
                (0.5 * greatest..1.3 * greatest).contains(&brightest),
                "{input_range:?} {likelihood:?}: {brightest}"
            );
            if likelihood == Likelihood::Bernoulli {
                assert!(means.iter().flatten().flatten().all(|x| (-0.01..=greatest + 0.01).contains(x)), "{means:?}");
            }
        }
    }
}
