//! Samples decoded from latents of a trained model.

use super::decoder::Decoders;
use super::head::Head;
use super::model::Trained;

impl Trained {
    /// The samples that `N x D` latents of a cluster are decoded to, in the unit of the data, `N x n_values`; features if the
    /// model has a front end. `None` if the model keeps no decoder.
    ///
    /// ```
    /// # use edgemix::data::Scaling;
    /// # use edgemix::mixture::{Covariance, Mixture};
    /// # use edgemix::trained::{Activation, Decoder, DecoderLayer, DecoderOutputs, Decoders, Dense, Head, Trained};
    /// # let covariance = Covariance::Spherical(vec![1.0; 2]);
    /// # let mixture = Mixture { log_weights: vec![0.0; 2], means: ndarray::array![[0.0], [9.0]], covariance, clusters: vec![0, 1] };
    /// let twice = Dense { inputs: 1, outputs: 1, weights: vec![2.0], bias: vec![0.0], activation: Activation::Identity };
    /// let decoder = Decoder {
    ///     networks: Decoders::Shared(vec![DecoderLayer::Dense(twice)]),
    ///     is_variational: true,
    ///     outputs: DecoderOutputs::Values,
    ///     variance: None,
    ///     left_out: vec![],
    ///     picture: None,
    /// };
    /// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
    /// // Values in percent are scaled to shares.
    /// let scaling = Scaling { gain: vec![0.01], offset: vec![0.0], limits: None };
    /// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
    /// let trained = Trained { decoder: Some(decoder), ..trained };
    /// assert_eq!(trained.decode(1, &[0.25, 0.5]), Some(vec![50.0, 100.0]));
    /// ```
    ///
    /// # Panics
    /// If there is no such cluster, or `latents` are not whole rows.
    pub fn decode(&self, cluster: usize, latents: &[f32]) -> Option<Vec<f32>> {
        let decoder = self.decoder.as_ref()?;
        Some(self.scaling.undo(&decoder.decode(&self.head, cluster, latents), &decoder.left_out))
    }

    /// The sample that the mean latent of each cluster is decoded to, in the unit of the data; `None` if the model keeps no
    /// decoder. The mean is that of the cluster's components. Where the head knows none, it is that of these latents, `N x D` as
    /// [`encode`](Self::encode) gives them, by their clusters; nothing is decoded for a cluster without any.
    pub fn mean_samples(&self, latents: &[f32], clusters: &[u16]) -> Option<Vec<Option<Vec<f32>>>> {
        let decoder = self.decoder.as_ref()?;
        let dims = decoder.n_dims(&self.head);
        let mean = |cluster: usize| -> Option<Vec<f32>> {
            match (&decoder.networks, &self.head) {
                (Decoders::OfClusters(_), _) => Some(vec![0.0; dims]),
                (Decoders::OfHead, Head::Autoencoders(own)) if own.variational => Some(vec![0.0; dims]),
                (Decoders::OfHead, Head::Autoencoders(own)) => {
                    let own_samples = rows_of(latents, own.n_inputs(), clusters, cluster);
                    mean_of(&own.means(&own.pairs[cluster], &own_samples), dims)
                }
                (_, Head::Mixture(mixture)) => Some(mixture.mean_of_cluster(cluster)),
                _ => mean_of(&rows_of(latents, dims, clusters, cluster), dims),
            }
        };
        Some((0..self.head.n_clusters()).map(|k| mean(k).and_then(|z| self.decode(k, &z))).collect())
    }
}

/// The rows whose cluster is this one.
fn rows_of(values: &[f32], width: usize, clusters: &[u16], cluster: usize) -> Vec<f32> {
    let own = values.chunks_exact(width.max(1)).zip(clusters).filter(|(_, found)| usize::from(**found) == cluster);
    own.flat_map(|(row, _)| row).copied().collect()
}

/// The mean of rows; `None` of none.
fn mean_of(rows: &[f32], width: usize) -> Option<Vec<f32>> {
    let n = rows.len() / width.max(1);
    let mut sums = vec![0f64; width];
    rows.chunks_exact(width.max(1)).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x)));
    (n > 0).then(|| sums.iter().map(|sum| (sum / n as f64) as f32).collect())
}
