//! Samples drawn from the clusters of a trained model.

use rand::Rng;
use thiserror::Error;

use super::decoder::Decoders;
use super::head::Head;
use super::model::Trained;
use crate::base::random::normal;
use crate::mixture::NotPositiveDefinite;

/// Samples that were drawn from the clusters of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// `N x n_values` in the unit of the data, or features if the model has a front end; those of the first cluster first.
    pub values: Vec<f32>,
    /// The cluster of each sample.
    pub clusters: Vec<u16>,
}

/// Why no samples can be drawn.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The model keeps no decoder, or one that was not trained on noisy latents.
    #[error("this model, of the method {method}, has no variational decoder to draw samples with")]
    NotGenerative {
        /// The method's name on the command line.
        method: String,
    },
    /// A covariance of the head's mixture is not positive definite.
    #[error(transparent)]
    Covariance(#[from] NotPositiveDefinite),
}

impl Trained {
    /// Draws so many samples of each cluster: a latent from the cluster's components, or from the standard normal prior of the
    /// cluster's own autoencoder, and the mean of the samples with this latent. The noise that a decoder takes samples to have
    /// about the mean is not added.
    ///
    /// ```
    /// # use edgemix::data::Scaling;
    /// # use edgemix::mixture::{Covariance, Mixture};
    /// # use edgemix::trained::{Activation, Decoder, DecoderLayer, DecoderOutputs, Decoders, Dense, Head, Trained};
    /// use edgemix::random::stream;
    ///
    /// # let covariance = Covariance::Spherical(vec![0.01; 2]);
    /// # let mixture = Mixture { log_weights: vec![0.0; 2], means: ndarray::array![[0.0], [9.0]], covariance, clusters: vec![0, 1] };
    /// # let same = Dense { inputs: 1, outputs: 1, weights: vec![1.0], bias: vec![0.0], activation: Activation::Identity };
    /// # let decoder = Decoder {
    /// #     networks: Decoders::Shared(vec![DecoderLayer::Dense(same)]),
    /// #     is_variational: true,
    /// #     outputs: DecoderOutputs::Values,
    /// #     variance: None,
    /// #     left_out: vec![],
    /// #     picture: None,
    /// # };
    /// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
    /// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
    /// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: Some(decoder) };
    /// // Two clusters on a line, about 0 and 9 with a deviation of 0.1.
    /// let drawn = trained.draw(2, &mut stream(0, "example", 0))?;
    /// assert_eq!(drawn.clusters, [0, 0, 1, 1]);
    /// assert!(drawn.values[1].abs() < 1.0 && (drawn.values[2] - 9.0).abs() < 1.0);
    /// assert_ne!(drawn.values[0], drawn.values[1]);
    /// # Ok::<(), edgemix::trained::DrawError>(())
    /// ```
    ///
    /// # Errors
    /// [`DrawError::NotGenerative`] if the model has no variational decoder, and [`DrawError::Covariance`] if a covariance of its
    /// mixture is not positive definite.
    pub fn draw(&self, per_cluster: usize, rng: &mut impl Rng) -> Result<Drawn, DrawError> {
        let refused = || DrawError::NotGenerative { method: self.method.clone() };
        let decoder = self.decoder.as_ref().filter(|decoder| decoder.is_variational).ok_or_else(refused)?;
        let dims = decoder.n_dims(&self.head);
        let mut drawn = Drawn { values: vec![], clusters: vec![] };
        for cluster in 0..self.head.n_clusters() {
            let mut latents = Vec::with_capacity(per_cluster * dims);
            match (&decoder.networks, &self.head) {
                (Decoders::OfClusters(_) | Decoders::OfHead, _) => latents.extend(normal(per_cluster * dims, rng)),
                (Decoders::Shared(_), Head::Mixture(mixture)) => {
                    let draws = mixture.draws(cluster, decoder.variance)?;
                    (0..per_cluster).for_each(|_| latents.extend(draws.draw(rng)));
                }
                (Decoders::Shared(_), _) => return Err(refused()),
            }
            drawn.values.extend(self.decode(cluster, &latents).ok_or_else(refused)?);
            drawn.clusters.extend(std::iter::repeat_n(cluster as u16, per_cluster));
        }
        Ok(drawn)
    }
}
