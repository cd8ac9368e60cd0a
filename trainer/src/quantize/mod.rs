//! From a trained model in f32 to an `.emx` file of integers.
//!
//! [`quantize`] runs the encoder over calibration samples to see what values each layer takes (`calibrate`), folds
//! zero points and scales into int8 weights, i32 biases and requantisation multipliers (`layers`, `fixed`), writes
//! the head as int16 coefficients (`heads`, `autoencoders`), a mixture's moved to the latents that the integers give
//! (`refit`), and finally runs the finished file over held-out samples to fill its novelty tables (`novelty`) and to choose a
//! temperature ([`crate::assessment::posterior`]). [`check`] compares what came out with the f32 model (`agreement`). Nothing stays in floating point but what describes the model to people.

mod agreement;
mod autoencoders;
mod calibrate;
mod fixed;
mod heads;
mod input;
mod layers;
mod novelty;
mod refit;

pub use agreement::check;

use edgemix_format::description::{Calibration, Description, Fingerprint, Latent};
use edgemix_format::view::MAX_LATENT;
use edgemix_format::write::{AlignedBytes, Blob, WriteError, write};
use edgemix_runtime::Model;
use thiserror::Error;

use crate::assessment::{inference, posterior};
use crate::data::{DataError, Samples};
use crate::mixture::NotPositiveDefinite;
use crate::trained::{Geometry, Head, Layer, Trained};

/// What the file says about the run that made it. See [`quantize`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The model's name, for people.
    pub name: String,
    /// SHA-256 of the run's complete configuration.
    pub config: [u8; 32],
    /// The run's seed.
    pub seed: u64,
}

/// Samples that training did not see. See [`quantize`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    /// The samples.
    pub samples: &'a Samples,
    /// A cluster has a novelty table of its own where this false-alarm rate can be asked of it.
    pub finest_rate: f64,
}

/// Why a model can't be quantised.
///
/// ```
/// # use edgemix::data::{Samples, Scaling};
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::quantize::{Provenance, QuantizeError, quantize};
/// # use edgemix::trained::{Head, Trained};
/// # let (means, covariance) = (vec![-1.0, 1.0], Covariance::Spherical(vec![0.1; 2]));
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means, covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0] };
/// # let trained = Trained { method, scaling, encoder: vec![], head, sticks: vec![] };
/// # let provenance = Provenance { name: "line".into(), config: [0; 32], seed: 0 };
/// // The model is of one feature.
/// let samples = Samples::new("plane", vec![0.0; 20], 2);
/// let error = quantize(&trained, &samples, None, &provenance).unwrap_err();
/// assert!(matches!(error, QuantizeError::Features { expected: 1, found: 2 }));
/// ```
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
    #[error(
        "component {component} is narrower than the latent's steps resolve: are samples copies of one another, or rows of a \
         recording, which --window would cut? Else try fewer clusters or another seed"
    )]
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
    /// The integers are not the model that was trained.
    #[error(
        "the integers put {:.2} % of the samples into the f32 model's cluster (98.5 % are asked for) and have {integers} \
         clusters of at least 1 % (the f32 model {exact}): train with another seed, encoder or longer, or write the file all \
         the same with --allow-disagreement",
        100.0 * share
    )]
    Disagreement {
        /// The share of samples in the same cluster.
        share: f64,
        /// Clusters of at least 1 % by the f32 model.
        exact: usize,
        /// Clusters of at least 1 % by the integers.
        integers: usize,
    },
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Calibration samples that are enough.
const ENOUGH: usize = 50_000;

/// Quantises a trained model; `training` should be the samples it was trained on. Without samples that were held out of
/// them, the novelty's p-values are of the training samples themselves, and too small for new ones.
///
/// Of more than 50,000 samples some are taken, evenly. The same model and samples give the same bytes.
///
/// ```
/// use edgemix::data::Samples;
/// use edgemix::quantize::{HeldOut, Provenance, check, quantize};
/// use edgemix::random::{normal, stream};
/// use edgemix_runtime::Model;
///
/// # use edgemix::data::Scaling;
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::trained::{Head, Trained};
/// # let (means, covariance) = (vec![-1.0, 1.0], Covariance::Spherical(vec![0.1; 2]));
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means, covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0] };
/// # let trained = Trained { method, scaling, encoder: vec![], head, sticks: vec![] };
/// // `trained` has two clusters on a line.
/// let draw = |n, index| Samples::new("line", normal(n, &mut stream(0, "example", index)), 1);
/// let (training, samples) = (draw(1000, 0), draw(100, 1));
/// let held_out = HeldOut { samples: &samples, finest_rate: 0.01 };
/// let provenance = Provenance { name: "line".into(), config: [0; 32], seed: 0 };
/// let file = quantize(&trained, &training, Some(held_out), &provenance)?;
/// let model = Model::from_bytes(&file)?;
/// assert_eq!((model.name(), model.n_clusters()), ("line", 2));
/// // The integers are still the model that was trained.
/// check(&trained, &model, &training)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`QuantizeError`].
pub fn quantize(
    trained: &Trained,
    training: &Samples,
    held_out: Option<HeldOut>,
    provenance: &Provenance,
) -> Result<AlignedBytes, QuantizeError> {
    let training = &training.thinned(ENOUGH);
    let mut ranges = calibrate::run(trained, training)?;
    heads::widen(&trained.head, &mut ranges.latent);
    let mut head = trained.head.clone();
    if let Head::Mixture(mixture) = &mut head {
        let mut blob = Blob::default();
        let bytes = write(&describe(trained, &trained.head, training, provenance, &ranges, &mut blob)?, &blob)?;
        let model = Model::from_bytes(&bytes).map_err(WriteError::Refused)?;
        let integers = inference::map_chunks(training, |values| inference::encode(&model, values))?;
        *mixture = refit::refit(mixture, &trained.encode(training)?, &integers)?;
    }
    let mut blob = Blob::default();
    let mut description = describe(trained, &head, training, provenance, &ranges, &mut blob)?;
    let bytes = write(&description, &blob)?;

    // The tables hold what the finished integers say about samples, so they are written last.
    let model = Model::from_bytes(&bytes).map_err(WriteError::Refused)?;
    description.calibration = calibration(trained, &model, training, held_out, &mut blob)?;
    Ok(write(&description, &blob)?)
}

/// What the finished integers say about samples.
fn calibration(
    trained: &Trained,
    model: &Model,
    training: &Samples,
    held_out: Option<HeldOut>,
    blob: &mut Blob,
) -> Result<Calibration, DataError> {
    let found = inference::assign_samples(model, training)?;
    let Some(HeldOut { samples, finest_rate }) = held_out else {
        return Ok(novelty::of_training(found.iter().map(|f| f.log_density.0), blob));
    };
    let clusters: Vec<u16> = found.iter().map(|found| found.cluster).collect();
    let scored = inference::map_chunks(samples, |values| inference::score(model, values))?;
    let asked = posterior::neighbour_agreement(trained, (training, &clusters), samples, &scored)?;
    let inverse_temperature = asked.inverse_temperature(model.file().head.clusters());
    let margin_weight = novelty::margin_weight(&trained.head);
    let known = inference::map_chunks(samples, |values| inference::typicality(model, values, margin_weight))?;
    let scale = (margin_weight, inverse_temperature);
    Ok(novelty::of_held_out(&clusters, &known, model.n_clusters(), finest_rate, scale, blob))
}

fn describe<'a>(
    trained: &'a Trained,
    head: &Head,
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
    let head = match (head, &ranges.pairs) {
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
            data: first_eight(&calibration.fingerprint()),
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
