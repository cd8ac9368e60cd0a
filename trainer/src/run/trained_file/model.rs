//! Writes and reads a model: scaling, encoder and head.

use serde::{Deserialize, Serialize};

use super::decoder::{self, DecoderDescription};
use super::error::TrainedFileError;
use super::heads::{self, HeadDescription};
use super::tensors::{TensorReader, TensorWriter};
use super::version::VERSION;
use super::{hierarchy, layers};
use crate::data::Scaling;
use crate::front_end::FrontEnd;
use crate::mixture::Level;
use crate::trained::{Layer, Trained};

/// The entry `edgemix` of the metadata.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: u64,
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    front_end: Option<FrontEnd>,
    /// The least and the greatest scaled value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limits: Option<[f32; 2]>,
    encoder: Vec<Layer>,
    head: HeadDescription,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    levels: Option<Vec<Level>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decoder: Option<DecoderDescription>,
}

/// The only part of the description that is read before the version is known.
#[derive(Deserialize)]
struct Preamble {
    version: u64,
}

/// The bytes of a file that holds the model. The same model gives the same bytes.
///
/// ```
/// # use edgemix::data::Scaling;
/// # use edgemix::mixture::{Covariance, Mixture};
/// use edgemix::run::{read_trained, write_trained};
/// use edgemix::trained::{Head, Trained};
///
/// # let covariance = Covariance::Spherical(vec![1.0; 2]);
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means: ndarray::array![[0.0], [9.0]], covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
/// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
/// let bytes = write_trained(&trained)?;
/// assert_eq!(read_trained(&bytes)?, trained);
/// # Ok::<(), edgemix::run::TrainedFileError>(())
/// ```
///
/// # Errors
/// [`TrainedFileError`] if the lengths of the model's arrays contradict each other.
pub fn write_trained(trained: &Trained) -> Result<Vec<u8>, TrainedFileError> {
    let mut tensors = TensorWriter::default();
    let entries = trained.scaling.gain.len();
    tensors.add("scaling.gain", &[entries], trained.scaling.gain.iter().copied());
    tensors.add("scaling.offset", &[entries], trained.scaling.offset.iter().copied());
    let description = Description {
        version: VERSION,
        method: trained.method.clone(),
        front_end: trained.front_end.clone(),
        limits: trained.scaling.limits,
        encoder: layers::write(&mut tensors, "encoder", &trained.encoder),
        head: heads::write(&mut tensors, &trained.head),
        levels: trained.hierarchy.as_ref().map(|own| hierarchy::write(&mut tensors, own)),
        decoder: trained.decoder.as_ref().map(|own| decoder::write(&mut tensors, own)),
    };
    tensors.finish(&serde_json::to_string(&description)?)
}

/// Reads a model from the bytes of a file.
///
/// # Errors
/// [`TrainedFileError`] says which part of the file is wrong.
pub fn read_trained(bytes: &[u8]) -> Result<Trained, TrainedFileError> {
    let tensors = TensorReader::new(bytes)?;
    let Preamble { version } = serde_json::from_str(tensors.description())?;
    if version != VERSION {
        return Err(TrainedFileError::Version { found: version });
    }
    let Description { method, front_end, limits, encoder, head, levels, decoder, .. } =
        serde_json::from_str(tensors.description())?;
    let encoder = layers::read(&tensors, "encoder", encoder)?;
    let head = heads::read(&tensors, head)?;
    let (gives, takes) = (encoder.last().map(Layer::outputs), head.n_dims());
    if let Some(gives) = gives.filter(|&gives| gives != takes) {
        let problem = format!("takes {takes} values, but the encoder returns {gives}");
        return Err(TrainedFileError::field("head", problem));
    }
    let scaling = read_scaling(&tensors, encoder.first().map_or(takes, Layer::inputs), limits)?;
    let inputs = encoder.first().map_or(takes, Layer::inputs);
    if let Some(problem) = front_end.as_ref().and_then(|front_end| problem_of(front_end, inputs)) {
        return Err(TrainedFileError::field("front_end", problem));
    }
    let hierarchy = levels.map(|levels| hierarchy::read(&tensors, levels, &head)).transpose()?;
    let decoder = decoder.map(|own| decoder::read(&tensors, own, &head, &scaling, inputs)).transpose()?;
    tensors.finish()?;
    Ok(Trained { method, front_end, scaling, encoder, head, hierarchy, decoder })
}

/// What is wrong with a front end before an encoder that takes so many values.
fn problem_of(front_end: &FrontEnd, inputs: usize) -> Option<String> {
    let fits = front_end.outputs() == inputs;
    front_end
        .problem()
        .or_else(|| (!fits).then(|| format!("has {} features, but the encoder takes {inputs}", front_end.outputs())))
}

fn read_scaling(tensors: &TensorReader, inputs: usize, limits: Option<[f32; 2]>) -> Result<Scaling, TrainedFileError> {
    if let Some([low, high]) = limits.filter(|[low, high]| !(low < high && low.is_finite() && high.is_finite())) {
        return Err(TrainedFileError::field("limits", format!("are {low} and {high}, which are not a range")));
    }
    let shape = tensors.shape("scaling.gain")?;
    let (gain, offset) = (tensors.get("scaling.gain", &shape)?, tensors.get("scaling.offset", &shape)?);
    let scaling = Scaling { gain, offset, limits };
    match shape[..] {
        [entries] if entries > 0 && inputs.is_multiple_of(entries) => Ok(scaling),
        _ => {
            let problem = format!("has shape {shape:?}, which does not fit {inputs} features");
            Err(TrainedFileError::field("scaling.gain", problem))
        }
    }
}
