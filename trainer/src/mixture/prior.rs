//! The priors of components, under which splits and merges are judged.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::niw::{NormalInverseWishart, Statistics};
use super::shared::SharedVariances;

/// How much the covariances of components have in common. The less it is, the more samples each component needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariances {
    /// The most probable of the others for up to 1,000 samples; `Own` for more.
    Auto,
    /// Each component has a full covariance of its own.
    Own,
    /// Each component has a full covariance of its own, which is drawn to a sphere that all have in common.
    Shrunken,
    /// All components have the same variances along the axes.
    Shared,
}

/// What is known of components before their samples are seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Prior {
    /// Each component has a full covariance of its own.
    Own(NormalInverseWishart),
    /// All components have the same variances along the axes.
    Shared(SharedVariances),
}

impl Prior {
    /// The log marginal likelihood of a component's samples.
    pub(super) fn log_marginal(&self, of: &Statistics) -> f64 {
        match self {
            Self::Own(prior) => prior.log_marginal(of),
            Self::Shared(prior) => prior.log_marginal(of),
        }
    }

    /// The posterior mean, D, and the expected covariance, `D x D`.
    pub(super) fn posterior(&self, of: &Statistics) -> (Vec<f64>, Array2<f64>) {
        match self {
            Self::Own(prior) => prior.posterior(of),
            Self::Shared(prior) => prior.posterior(of),
        }
    }
}

/// The least variance of the samples: enough for factors and inverses of equal samples' covariances to be finite.
const LEAST_VARIANCE: f64 = 1e-100;
/// The number of samples that a prior covariance is worth which is hardly known.
const WEAK: f64 = 2.0;
/// The number of samples that the common sphere is worth to each component.
const STRONG: f64 = 30.0;
/// The least number of samples that the prior mean is worth where covariances are drawn to a sphere: ten deviations about the mean
/// of all. A wider prior would cost components of a few samples more than they gain.
const KNOWN_MEAN: f64 = 0.01;

impl Covariances {
    /// Whether a component's covariance depends on its own samples alone.
    pub(super) fn are_own(self) -> bool {
        matches!(self, Self::Auto | Self::Own)
    }

    /// The number of values of a prior in D dimensions that are estimated from the components.
    pub(super) fn n_estimated(self, dims: usize) -> usize {
        if self == Self::Shared { 2 * dims } else { 1 }
    }

    /// The prior under which components are most probable (type II maximum likelihood). A scatter of a given `scale` in units of
    /// the samples' variance replaces the most probable one, unless it is 0.
    pub(super) fn most_probable(self, components: &[Statistics], mean_strength: f64, scale: f64) -> Prior {
        let total = components.iter().skip(1).fold(components[0].clone(), |all, other| all.with(other));
        let variance = total.variance().max(LEAST_VARIANCE);
        let (kappa, extra) = match self {
            Self::Auto | Self::Own => (mean_strength, WEAK),
            Self::Shrunken => (mean_strength.max(KNOWN_MEAN), STRONG),
            Self::Shared => return Prior::Shared(SharedVariances::of(components, LEAST_VARIANCE)),
        };
        let prior = |scale: f64| NormalInverseWishart { kappa, extra, psi: scale * variance };
        if scale > 0.0 {
            return Prior::Own(prior(scale));
        }
        let evidence = |log_scale: f64| -> f64 {
            let prior = prior(log_scale.exp());
            components.iter().map(|own| prior.log_marginal(own)).sum()
        };
        let most = (2.0 * total.mean().len() as f64).ln() + (extra / WEAK).ln();
        Prior::Own(prior(position_of_maximum(evidence, most - 20.0, most).exp()))
    }
}

/// The position of the only maximum of a function between two positions, by golden section search.
fn position_of_maximum(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    while high - low > 0.01 {
        if at_a > at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - golden * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + golden * (high - low);
            at_b = f(b);
        }
    }
    0.5 * (low + high)
}
