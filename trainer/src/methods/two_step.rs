//! Autoencoder first, clustering afterwards: the baselines AE + k-means and AE + GMM.
//!
//! **Objective**: reconstruction. **Schedule**: one stage; then the standardised latents are clustered once.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latent::Objective;
use crate::mixture::gmm::Gmm;
use crate::mixture::kmeans::KMeans;
use crate::mixture::{Mixture, NotPositiveDefinite};

/// Settings of autoencoder and k-means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AeKMeans {
    /// The clustering.
    pub kmeans: KMeans,
}

/// Settings of autoencoder and Gaussian mixture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AeGmm {
    /// The mixture.
    pub mixture: Gmm,
}

impl<B: AutodiffBackend> Objective<B> for AeKMeans {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        _: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        Ok(self.kmeans.fit(z, rng).mixture())
    }
}

impl<B: AutodiffBackend> Objective<B> for AeGmm {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        _: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        self.mixture.fit(z, rng)
    }
}
