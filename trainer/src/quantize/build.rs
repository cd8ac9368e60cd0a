//! Builds the file of a trained model.

use edgemix_format::description::{CalibrationRecord, Description, Fingerprint, HeadRecord, Latent};
use edgemix_format::view::MAX_LATENT;
use edgemix_format::write::{AlignedBytes, Blob, WriteError, write};
use edgemix_runtime::Model;

use super::calibrate::{self, Ranges};
use super::counts::Counts;
use super::error::QuantizeError;
use super::fixed::Affine;
use super::layers::context::OutputScheme;
use super::{counts, heads, hierarchy, input, network, novelty, refit, transitions};
use crate::assessment::{inference, posterior};
use crate::data::{DataError, Samples};
use crate::trained::{Head, Layer, Trained};

/// The run that made a model, as the file records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The model's name, which is shown to people.
    pub name: String,
    /// SHA-256 of the run's complete configuration.
    pub config: [u8; 32],
    /// The run's seed.
    pub seed: u64,
}

/// Samples that were held out of training.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    /// The samples.
    pub samples: &'a Samples,
    /// The lowest false-alarm rate that should be available for a single cluster: a cluster gets a novelty table of its own
    /// if it has enough samples for this rate.
    pub finest_rate: f64,
}

/// At most this many samples are used for calibration.
const MAX_SAMPLES: usize = 50_000;

/// Quantises a trained model and returns its file.
///
/// `training` should be the samples that the model was trained on; at most 50,000 of them are used, evenly spaced. Without
/// held-out samples, the p-values of novelty come from the training samples themselves, and are too small for new samples.
/// If they are windows of a recording, all of them tell how its clusters [follow each other](Samples::sequences).
/// The same model and samples give the same bytes.
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
/// # let (means, covariance) = (ndarray::array![[-1.0], [1.0]], Covariance::Spherical(vec![0.1; 2]));
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means, covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
/// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
/// // `trained` has two clusters on a line.
/// let draw = |n, index| Samples::new("line", normal(n, &mut stream(0, "example", index)), 1);
/// let (training, samples) = (draw(1000, 0), draw(100, 1));
/// let held_out = HeldOut { samples: &samples, finest_rate: 0.01 };
/// let provenance = Provenance { name: "line".into(), config: [0; 32], seed: 0 };
/// let file = quantize(&trained, &training, Some(held_out), &provenance)?;
/// let model = Model::from_bytes(&file)?;
/// assert_eq!((model.name(), model.n_clusters()), ("line", 2));
/// // The integers assign samples as the f32 model does.
/// check(&trained, &model, &training)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`QuantizeError`] if the samples can't be read or do not fit the model, if a size exceeds what a model file allows, or if
/// a number is out of range, NaN or infinite. Only [`check`](super::check) returns [`QuantizeError::Disagreement`].
pub fn quantize(
    trained: &Trained,
    training: &Samples,
    held_out: Option<HeldOut>,
    provenance: &Provenance,
) -> Result<AlignedBytes, QuantizeError> {
    let all = training;
    let training = &training.thinned(MAX_SAMPLES);
    let mut ranges = calibrate::encoder(trained, training)?;
    if let Head::Mixture(mixture) = &trained.head {
        heads::mixture::include_means(mixture, &mut ranges.latent);
    }
    let builder = Builder { trained, training, provenance, ranges };
    let head = builder.refit_head()?;
    let mut blob = Blob::default();
    let mut description = builder.describe(&head, &mut blob)?;
    let bytes = write(&description, &blob)?;

    // The novelty tables are computed with the finished integer model, so they are written last.
    let model = Model::from_bytes(&bytes).map_err(WriteError::Refused)?;
    description.calibration = calibration(trained, &model, training, held_out, &mut blob)?;
    description.transitions = transitions::learn(&model, all, &mut blob)?;
    Ok(write(&description, &blob)?)
}

/// What a file is built from.
struct Builder<'a> {
    trained: &'a Trained,
    training: &'a Samples,
    provenance: &'a Provenance,
    ranges: Ranges,
}

impl<'a> Builder<'a> {
    /// The head. A mixture is adapted to the latents that the quantised encoder outputs.
    fn refit_head(&self) -> Result<Head, QuantizeError> {
        let Head::Mixture(mixture) = &self.trained.head else { return Ok(self.trained.head.clone()) };
        let mut blob = Blob::default();
        let bytes = write(&self.describe(&self.trained.head, &mut blob)?, &blob)?;
        let model = Model::from_bytes(&bytes).map_err(WriteError::Refused)?;
        let integers = inference::map_chunks(self.training, |values| inference::encode(&model, values))?;
        let exact = self.trained.encode(self.training)?;
        Ok(Head::Mixture(refit::refit(mixture, &exact, &integers)?))
    }

    /// Describes the model with this head, without novelty tables.
    fn describe(&self, head: &Head, blob: &mut Blob) -> Result<Description<'a>, QuantizeError> {
        let Self { trained, training, provenance, ref ranges, .. } = *self;
        let has_autoencoders = matches!(head, Head::Autoencoders(_));
        let latent = match trained.scaling.limits {
            // Without an encoder the sample itself is the latent, and saturates where it did in training.
            Some(limits) if trained.encoder.is_empty() => ranges.latent.int16_within(limits),
            _ => ranges.latent.int16(),
        };
        // Autoencoders take the sample as int8; any other head without an encoder takes it as its int16 latent.
        let first = if trained.encoder.is_empty() && !has_autoencoders { latent } else { ranges.input.spanning() };
        let dims = trained.encoder.last().map_or(head.n_dims(), Layer::outputs);
        if dims != head.n_dims() {
            return Err(QuantizeError::LatentMismatch { head: head.n_dims(), encoder: dims });
        }
        if dims > MAX_LATENT && !has_autoencoders {
            return Err(QuantizeError::LatentTooLong(dims));
        }
        let (encoder, _) =
            network::quantize(&trained.encoder, &ranges.layers, first, OutputScheme::Latent(latent), blob)?;
        let head = self.describe_head(head, first, latent, blob)?;
        // A front end takes counts of the windows, and its features are counts themselves.
        let (sample, features, n_inputs) = match &trained.front_end {
            Some(front_end) => (Counts::of_each(front_end.counts()), vec![Counts::of(1.0)], front_end.outputs()),
            None => {
                let counts = counts::of_samples(training, &trained.scaling);
                (counts.clone(), counts, training.n_features())
            }
        };
        Ok(Description {
            name: &provenance.name,
            method: &trained.method,
            fingerprint: Fingerprint {
                data: first_eight(&training.fingerprint()),
                config: first_eight(&provenance.config),
                seed: provenance.seed,
                version: env!("CARGO_PKG_VERSION"),
            },
            sample: counts::describe(training.n_features(), &sample, blob),
            front_ends: trained.front_end.as_ref().map(|front_end| front_end.records(blob)).unwrap_or_default(),
            input: input::describe(&trained.scaling, &features, n_inputs, first, blob)?,
            encoder,
            latent: if has_autoencoders {
                Latent { len: 0, scale: first.scale as f32 }
            } else {
                Latent { len: dims as u16, scale: latent.scale as f32 }
            },
            head,
            calibration: CalibrationRecord::None,
            hierarchy: hierarchy::describe(trained, blob),
            transitions: None,
        })
    }

    /// Describes a head that takes samples in the scheme `first`, or latents in the scheme `latent`.
    fn describe_head(
        &self,
        head: &Head,
        first: Affine,
        latent: Affine,
        blob: &mut Blob,
    ) -> Result<HeadRecord, QuantizeError> {
        match head {
            Head::Mixture(mixture) => heads::mixture::quantize(mixture, latent.scale, blob).map(HeadRecord::Mixture),
            Head::Softmax(dense) => heads::softmax::quantize(dense, latent.scale, blob).map(HeadRecord::Softmax),
            Head::Autoencoders(autoencoders) => {
                let ranges = calibrate::autoencoders(self.trained, autoencoders, self.training)?;
                heads::autoencoders::quantize(autoencoders, &ranges, first, blob).map(HeadRecord::Autoencoders)
            }
        }
    }
}

/// The novelty tables, computed with the finished integer model.
fn calibration(
    trained: &Trained,
    model: &Model,
    training: &Samples,
    held_out: Option<HeldOut>,
    blob: &mut Blob,
) -> Result<CalibrationRecord, DataError> {
    let found = inference::assign_samples(model, training)?;
    let Some(HeldOut { samples, finest_rate }) = held_out else {
        return Ok(novelty::training_table(found.iter().map(|f| f.log_density.0), blob));
    };
    let clusters: Vec<u16> = found.iter().map(|found| found.cluster).collect();
    let scored = inference::map_chunks(samples, |values| inference::score(model, values))?;
    let asked = posterior::neighbour_agreement(trained, (training, &clusters), samples, &scored)?;
    let inverse_temperature = asked.inverse_temperature(model.file().head.clusters());
    let margin_weight = novelty::margin_weight(&trained.head);
    let known = inference::map_chunks(samples, |values| inference::typicality(model, values, margin_weight))?;
    let scale = (margin_weight, inverse_temperature);
    Ok(novelty::held_out_tables(&clusters, &known, model.n_clusters(), finest_rate, scale, blob))
}

fn first_eight(hash: &[u8; 32]) -> [u8; 8] {
    std::array::from_fn(|i| hash[i])
}
