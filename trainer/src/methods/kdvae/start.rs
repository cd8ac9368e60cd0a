//! The clusters that the members learn first.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::methods::common::learner::CHUNK;
use crate::mixture::elements;
use crate::mixture::kmeans::{KMeans, nearest};
use crate::trained::Trained;
use crate::training::{FitError, Fitting};

/// Which clusters of VaDE's latents the members learn first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartClusters {
    /// Those of its mixture.
    #[default]
    Mixture,
    /// Those of k-means, as in the paper.
    KMeans,
}

impl StartClusters {
    /// The first cluster of each sample, of `k`.
    pub(super) fn assign<B: AutodiffBackend>(
        self,
        start: &Trained,
        kmeans: KMeans,
        fit: &Fitting<'_, B>,
    ) -> Result<Vec<usize>, FitError> {
        let mut latents = vec![];
        let mut best = vec![];
        for x in fit.data.chunks(CHUNK) {
            let z = start.encode_inputs(x?.to_data().iter::<f32>().collect());
            match self {
                Self::Mixture => best.extend(start.head.assign(&z)?.into_iter().map(usize::from)),
                Self::KMeans => latents.extend(z),
            }
        }
        if self == Self::KMeans {
            let z = rows::<B::InnerBackend>(latents, fit.data.n_samples(), &fit.device);
            let centers = kmeans.fit(&z, &mut fit.rng("cluster", 1)).centers;
            let (_, index) = nearest(&z, centers.view());
            best = elements(index.float()).into_iter().map(|k| k as usize).collect();
        }
        Ok(best)
    }
}

fn rows<B: Backend>(values: Vec<f32>, n: usize, device: &B::Device) -> Tensor<B, 2> {
    let width = values.len() / n.max(1);
    Tensor::from_data(TensorData::new(values, [n, width]), device)
}
