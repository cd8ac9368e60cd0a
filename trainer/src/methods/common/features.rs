//! Features as latents, for methods without an encoder that cluster all of them.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::data::Scaling;
use crate::mixture::elements;
use crate::training::{FitError, Fitting};

/// The features of all samples, centred and divided by their common deviation, so that pixels that hardly change are not
/// amplified.
pub(in crate::methods) struct CenteredFeatures<B: Backend> {
    /// From the unit of the data to these features.
    pub(in crate::methods) scaling: Scaling,
    /// `N x features`.
    pub(in crate::methods) z: Tensor<B, 2>,
}

impl<B: Backend> CenteredFeatures<B> {
    /// The features of a fit's samples, all of which must be in memory.
    pub(in crate::methods) fn of<A>(fit: &Fitting<'_, A>) -> Result<Self, FitError>
    where
        A: AutodiffBackend<InnerBackend = B>,
    {
        let inputs = fit.data.all()?;
        let mean = inputs.clone().mean_dim(0);
        let centered = inputs - mean.clone();
        let deviation = elements(centered.clone().square().mean())[0].sqrt().max(1e-6);
        Ok(Self { scaling: fit.data.scaling.standardised(&elements(mean), deviation), z: centered / deviation })
    }
}
