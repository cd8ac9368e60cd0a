//! How probable samples are, given what a decoder makes of their latents.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::nn::{Latent, softplus};

/// The distribution of a sample given its reconstruction.
///
/// ```
/// use edgemix::methods::{KAutoencoders, Likelihood};
///
/// let settings: KAutoencoders = toml::from_str("likelihood = \"bernoulli\"")?;
/// assert_eq!(settings.likelihood, Likelihood::Bernoulli);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Gaussian, with one variance for all members and features: the mean squared error of the last epoch.
    #[default]
    Gaussian,
    /// Gaussian, with a variance for each feature of each member: its mean squared errors of the last epoch.
    PerFeature,
    /// Bernoulli, for samples from 0 to 1; the decoder gives the logits. The paper has it for discrete samples.
    Bernoulli,
}

/// The least variance of a feature, relative to the variance of the samples: features that are the same in all samples of
/// a member would outweigh all others.
const LEAST_VARIANCE: f64 = 0.01;

/// The noise of a member's decoder, where each feature has its own variance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FeatureNoise {
    pub(super) variances: Vec<f64>,
    least: f64,
    /// The sums of this epoch's squared errors, and the number of samples.
    errors: Vec<f64>,
    count: usize,
}

impl FeatureNoise {
    /// The same first variance for all features of samples with this variance.
    pub(super) fn new(of_samples: f64, first: f64, n_features: usize) -> Self {
        let least = (of_samples * LEAST_VARIANCE).max(1e-6);
        Self { variances: vec![first.max(least); n_features], least, errors: vec![0.0; n_features], count: 0 }
    }

    /// Adds the squared errors of so many samples, summed over them.
    pub(super) fn add(&mut self, count: usize, squares: &[f64]) {
        self.count += count;
        self.errors.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
    }

    /// Sets the variances to the mean squared errors of the last epoch, which maximises the bound.
    pub(super) fn update(&mut self) {
        if self.count > 0 {
            let n = self.count as f64;
            self.variances = self.errors.iter().map(|sum| (sum / n).max(self.least)).collect();
        }
        self.errors.fill(0.0);
        self.count = 0;
    }
}

/// `-ln N(x; y, s^2)` of each row up to a constant, with a variance for each feature, `1 x features`.
pub(super) fn gaussian_loss<B: Backend>(y: Tensor<B, 2>, x: Tensor<B, 2>, variance: Tensor<B, 2>) -> Tensor<B, 1> {
    let errors = (y - x).square() / variance.clone();
    (errors + variance.log()).sum_dim(1).squeeze_dim::<1>(1) * 0.5
}

/// `-ln Ber(x; sigmoid y)` of each row.
pub(super) fn bernoulli_loss<B: Backend>(y: Tensor<B, 2>, x: Tensor<B, 2>) -> Tensor<B, 1> {
    (softplus(y.clone()) - x * y).sum_dim(1).squeeze_dim::<1>(1)
}

/// `ln p(z|x) - ln p(z)` of each row at the mean `z`, which the paper's equation 8 has instead of the divergence from the
/// prior; `None` for a plain autoencoder.
pub(super) fn printed_prior<B: Backend>(latent: &Latent<B>) -> Option<Tensor<B, 1>> {
    let log_variance = latent.log_variance.clone()?;
    Some((latent.mean.clone().square() - log_variance).sum_dim(1).squeeze_dim::<1>(1) * 0.5)
}
