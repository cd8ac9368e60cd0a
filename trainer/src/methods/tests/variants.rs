//! The forms of methods that papers print, and what the corrected ones mend.

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};

use super::setup::{GROUPS, Log, blobs, config, fitted, run, tells_blobs_apart};
use crate::methods::{Export, FitConfig, KDvae, Kld, Likelihood, MethodConfig, StartClusters};
use crate::mixture::Mixture;
use crate::mixture::gmm::Gmm;
use crate::trained::{Head, Trained};
use crate::training::FitError;
use crate::variant::Variant;

fn printed(name: &str) -> FitConfig {
    let mut config = config(name);
    assert!(config.method.set_variant(Variant::Paper), "{name}");
    config
}

fn mixture(trained: &Trained) -> &Mixture {
    match &trained.head {
        Head::Mixture(mixture) => mixture,
        other => panic!("{other:?}"),
    }
}

/// The losses of a method's clustering phase.
fn losses(config: &FitConfig) -> Vec<String> {
    let mut log = Log::default();
    fitted::<Autodiff<Flex>>(&Default::default(), &blobs(), config, &mut (), &mut log).unwrap();
    let last = log.0.last().unwrap();
    assert_eq!(last.phase, "cluster");
    last.losses.iter().map(|(name, _)| name.clone()).collect()
}

#[test]
fn the_printed_divergence_is_trained_alone_and_its_components_are_clusters() {
    assert_eq!(losses(&printed("alpha-jsd")), ["cluster"]);
    assert_eq!(losses(&config("alpha-jsd")), ["reconstruction", "cluster"]);
    let trained = run::<Autodiff<Flex>>(&printed("alpha-jsd"));
    let mixture = mixture(&trained);
    assert_eq!(mixture.clusters, (0..mixture.n_components() as u16).collect::<Vec<_>>());
}

#[test]
fn the_printed_adversary_is_trained_alone_with_spherical_clusters() {
    assert_eq!(losses(&printed("dcan")), ["cluster"]);
    assert!(matches!(
        mixture(&run::<Autodiff<Flex>>(&printed("dcan"))).covariance,
        crate::mixture::Covariance::Spherical(_)
    ));
}

/// What is exported belongs to the encoder that is exported, not to the one before its last epoch.
#[test]
fn exported_mixtures_are_fitted_to_the_exported_latents() {
    for name in ["dcan", "kld", "ae-gmm"] {
        let trained = run::<Autodiff<Flex>>(&config(name));
        let found = mixture(&trained);
        let z = trained.encode(&blobs()).unwrap();
        let z = Tensor::<Flex, 2>::from_data(TensorData::new(z, [60 * GROUPS, 3]), &Default::default());
        let likelihood = |mixture: &Mixture| {
            let scores = mixture.log_density(&z).unwrap();
            let most = scores.clone().max_dim(1);
            let sum = (scores - most.clone()).exp().sum_dim(1).log() + most;
            sum.mean().into_scalar()
        };
        let covariance = found.covariance.covariance_type();
        let settings = match &config(name).method {
            MethodConfig::Kld(Kld { mixture, .. }) => *mixture,
            _ => Gmm { n_components: GROUPS, covariance, ..Gmm::default() },
        };
        let gained = likelihood(&settings.refine(&z, found.clone()).unwrap()) - likelihood(found);
        assert!(gained.abs() < 1e-3, "{name}: another fit gains {gained}");
    }
}

/// Choosing the form that a method already has leaves its settings as they are.
#[test]
fn the_form_that_is_already_chosen_changes_nothing() {
    let mut settings: Vec<MethodConfig> =
        MethodConfig::NAMES.iter().map(|&name| MethodConfig::named(name).unwrap()).collect();
    for method in &mut settings {
        match method {
            MethodConfig::AlphaJsd(method) => method.lambda = 0.2,
            MethodConfig::AdaptiveGmm(method) => method.refit = crate::mixture::CovarianceType::Spherical,
            _ => {}
        }
        let mut same = method.clone();
        same.set_variant(Variant::Corrected);
        assert_eq!(*method, same);
        let is_other = same.set_variant(Variant::Paper);
        assert_eq!(is_other, *method != same);
    }
}

/// Every likelihood, the printed form, and the paper's start.
#[test]
fn forms_of_k_dvae_tell_blobs_apart() {
    let with = |likelihood, variant, start: &str| {
        let mut config = config("k-dvae");
        if let MethodConfig::KDvae(KDvae(method)) = &mut config.method {
            (method.likelihood, method.variant) = (likelihood, variant);
            method.start_encoder = start.parse().unwrap();
            method.start_clusters = StartClusters::KMeans;
        }
        config
    };
    for (likelihood, variant, start) in [
        (Likelihood::Gaussian, Variant::Paper, "24-4"),
        (Likelihood::PerFeature, Variant::Corrected, "24-4"),
        (Likelihood::PerFeature, Variant::Paper, "16-3"),
    ] {
        let trained = run::<Autodiff<Flex>>(&with(likelihood, variant, start));
        assert!(tells_blobs_apart(&trained), "{likelihood:?} {variant:?}");
    }
    // Blobs are standardised, and Bernoulli's distribution needs numbers from 0 to 1.
    let refused = |config: FitConfig| match config.check(&blobs()) {
        Err(FitError::Setting { setting, .. }) => setting,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(with(Likelihood::Bernoulli, Variant::Corrected, "16-3")), "method.likelihood");
    assert_eq!(refused(with(Likelihood::Gaussian, Variant::Corrected, "none")), "method.start-encoder");
    for (likelihood, variant) in [(Likelihood::PerFeature, Variant::Corrected), (Likelihood::Gaussian, Variant::Paper)]
    {
        let mut config = with(likelihood, variant, "16-3");
        if let MethodConfig::KDvae(KDvae(method)) = &mut config.method {
            method.export = Export::Full;
        }
        assert_eq!(refused(config), "method.export");
    }
}

#[test]
fn small_components_are_dropped_if_asked_for() {
    let with = |prune_share| {
        let mut config = config("kld");
        if let MethodConfig::Kld(method) = &mut config.method {
            method.mixture.n_components = 9;
            method.prune_share = prune_share;
        }
        run::<Autodiff<Flex>>(&config)
    };
    let (all, pruned) = (with(0.0), with(0.12));
    assert_eq!(mixture(&all).n_components(), 9);
    assert!((GROUPS..9).contains(&mixture(&pruned).n_components()));
    assert!(tells_blobs_apart(&pruned));
}
