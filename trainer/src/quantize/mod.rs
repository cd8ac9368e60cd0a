//! From a trained model in f32 to an `.emx` file of integers.
//!
//! [`quantize`] runs the encoder over calibration samples to see what values each layer takes (`calibrate`), folds
//! zero points and scales into int8 weights, i32 biases and requantisation multipliers (`layers`, `fixed`), writes
//! the head as int16 coefficients (`heads`, `autoencoders`) and finally runs the finished file over the same samples to fill its
//! novelty table (`novelty`). Nothing stays in floating point but what describes the model to people.

mod autoencoders;
mod calibrate;
mod fixed;
mod heads;
mod input;
mod layers;
mod novelty;

use edgemix_format::description::{Calibration, Description, Fingerprint, Latent};
use edgemix_format::view::MAX_LATENT;
use edgemix_format::write::{AlignedBytes, Blob, WriteError, write};
use edgemix_runtime::Model;
use thiserror::Error;

use crate::data::{DataError, Samples};
use crate::inference;
use crate::mixture::NotPositiveDefinite;
use crate::trained::{Geometry, Head, Layer, Trained};

/// What the file says about the run that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The model's name, for people.
    pub name: String,
    /// SHA-256 of the run's complete configuration.
    pub config: [u8; 32],
    /// The run's seed.
    pub seed: u64,
}

/// Why a model can't be quantised.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The calibration samples are not what the model was trained on.
    #[error(
        "the model takes {expected} features, the calibration samples have {found}: give it the data it was trained on"
    )]
    Features {
        /// What the model takes.
        expected: usize,
        /// What the samples have.
        found: usize,
    },
    /// The head and the encoder do not fit.
    #[error("the head has {head} latent dimensions, the encoder gives {encoder} (at most {MAX_LATENT})")]
    Latent {
        /// The head's dimensions.
        head: usize,
        /// The encoder's.
        encoder: usize,
    },
    /// A component is so narrow that the latent's int16 steps can't resolve it.
    #[error("component {component} is narrower than the latent's steps resolve: raise the variance floor")]
    Narrow {
        /// The component's index.
        component: usize,
    },
    /// A covariance is not positive definite.
    #[error(transparent)]
    Covariance(#[from] NotPositiveDefinite),
    /// A value that must be finite is not.
    #[error("{what} is NaN or infinite: the training diverged")]
    NotFinite {
        /// Which value.
        what: &'static str,
    },
    /// A convolution is larger than the format has room for.
    #[error("the convolution {0:?} is too large: images have at most 65,535 rows, kernels 255")]
    Convolution(Geometry),
    /// More layers than a file can hold.
    #[error("the encoder has {0} layers, a file holds at most 16")]
    Layers(usize),
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Calibration samples that are enough.
const ENOUGH: usize = 50_000;

/// Quantises a trained model; `calibration` should be the samples it was trained on.
///
/// Of more than 50,000 samples some are taken, evenly. The same model and samples give the same bytes.
///
/// # Errors
/// See [`QuantizeError`].
pub fn quantize(
    trained: &Trained,
    calibration: &Samples,
    provenance: &Provenance,
) -> Result<AlignedBytes, QuantizeError> {
    let calibration = &calibration.thinned(ENOUGH);
    let mut ranges = calibrate::run(trained, calibration)?;
    heads::widen(&trained.head, &mut ranges.latent);
    let mut blob = Blob::default();
    let mut description = describe(trained, calibration, provenance, &ranges, &mut blob)?;
    let bytes = write(&description, &blob)?;

    // The novelty table holds what the finished integers say about the samples, so it is written last.
    let model = Model::from_bytes(&bytes).map_err(WriteError::Refused)?;
    let found = inference::assign_samples(&model, calibration)?;
    description.calibration = novelty::table(found.iter().map(|f| f.log_density.0), &mut blob);
    Ok(write(&description, &blob)?)
}

fn describe<'a>(
    trained: &'a Trained,
    calibration: &Samples,
    provenance: &'a Provenance,
    ranges: &calibrate::Ranges,
    blob: &mut Blob,
) -> Result<Description<'a>, QuantizeError> {
    let latent_scale = ranges.latent.latent_scale();
    // Autoencoders take the sample as int8; any other head without an encoder takes it as its int16 latent.
    let is_latent = trained.encoder.is_empty() && ranges.pairs.is_none();
    let first = if is_latent { fixed::Affine { scale: latent_scale, zero_point: 0 } } else { ranges.input.affine() };
    let last = layers::Last::Latent(latent_scale);
    let (encoder, _) = layers::network(&trained.encoder, &ranges.layers, first, last, blob)?;
    let dims = trained.encoder.last().map_or(trained.head.n_dims(), Layer::outputs);
    if dims != trained.head.n_dims() || (dims > MAX_LATENT && ranges.pairs.is_none()) {
        return Err(QuantizeError::Latent { head: trained.head.n_dims(), encoder: dims });
    }
    let head = match (&trained.head, &ranges.pairs) {
        (Head::Autoencoders(a), Some(pairs)) => autoencoders::describe(a, pairs, first, blob)?,
        (head, _) => heads::describe(head, latent_scale, blob)?,
    };
    let latent = match &trained.head {
        Head::Autoencoders(_) => Latent { len: 0, scale: first.scale as f32 },
        _ => Latent { len: dims as u16, scale: latent_scale as f32 },
    };
    Ok(Description {
        name: &provenance.name,
        method: &trained.method,
        fingerprint: Fingerprint {
            data: first_eight(&calibration.fingerprint),
            config: first_eight(&provenance.config),
            seed: provenance.seed,
            version: env!("CARGO_PKG_VERSION"),
        },
        input: input::describe(&trained.scaling, calibration, first, blob),
        encoder,
        latent,
        head,
        calibration: Calibration::None,
    })
}

fn first_eight(hash: &[u8; 32]) -> [u8; 8] {
    std::array::from_fn(|i| hash[i])
}
