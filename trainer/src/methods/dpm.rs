//! Dirichlet process mixture on the features themselves: the baseline "DPM" of Lim, "Deep Clustering using Dirichlet
//! Process Gaussian Mixture and Alpha Jensen-Shannon Divergence Clustering Loss", 2024.
//!
//! **Objective**: the mixture's variational bound. **Update**: [`DirichletProcess`]. **Schedule**: no phase;
//! there is no encoder, and the standardised features are the latents. The bound hardly prunes: components that are more
//! probable as one are merged at the end, which the paper does not do.

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::features::CenteredFeatures;
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::mixture::dirichlet::DirichletProcess;
use crate::nn::LayerShape;
use crate::trained::{Head, Trained};
use crate::training::{Finding, FitError, Fitting};
use crate::variant::Variant;

/// Settings of the Dirichlet process mixture on features.
///
/// ```
/// use edgemix::methods::Dpm;
/// use edgemix::mixture::dirichlet::Assignment;
///
/// let dpm: Dpm = toml::from_str("[mixture]\ntruncation = 50\nassignment = \"soft\"")?;
/// assert_eq!((dpm.mixture.truncation, dpm.mixture.assignment), (50, Assignment::Soft));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dpm {
    /// The mixture.
    pub mixture: DirichletProcess,
}

impl MethodSettings for Dpm {
    const NAME: &'static str = "dpm";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::None;
    const WORKS_WITHOUT_ENCODER: bool = true;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/dpm.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = None;

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::StartsFrom(&mut self.mixture.truncation)
    }

    fn set_variant(&mut self, variant: Variant) -> bool {
        self.mixture.variant = variant;
        true
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, _: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(vec![])
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit.activity("fitting the clusters");
        let CenteredFeatures { scaling, z } = CenteredFeatures::of(fit)?;
        let (mut mixture, sticks) = self.mixture.fit_with_sticks(&z, &mut fit.rng("cluster", 0))?;
        fit.found(Finding::StickWeights(sticks));
        if self.mixture.variant == Variant::Corrected {
            mixture = self.mixture.merged(&z, mixture)?;
        }
        Ok(Trained { scaling, ..fit.trained(vec![], Head::Mixture(mixture)) })
    }
}
