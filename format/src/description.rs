//! The description: what stands between header and blob, encoded with postcard.
//!
//! The order of the fields is their order in the file. Minor versions append: new variants at the end of an enum, new fields
//! at the end of [`Description`]. A reader refuses variants that it does not know and ignores trailing fields of a later
//! minor version. Names are borrowed from the file, so that they take no RAM.

use serde::{Deserialize, Serialize};

pub use crate::limits::{MAX_FRONT_ENDS, MAX_LAYERS, MAX_LEVELS};
pub use crate::parts::activation::ActivationRecord;
pub use crate::parts::autoencoders::AutoencodersRecord;
pub use crate::parts::calibration::{CalibrationRecord, HeldOutRecord, QuantileTableRecord};
pub use crate::parts::conv2d::Conv2dRecord;
pub use crate::parts::dense::{DenseRecord, WeightOrder};
pub use crate::parts::filter::FilterRecord;
pub use crate::parts::front_end::{FrontEndRecord, FrontEndRecords};
pub use crate::parts::head::HeadRecord;
pub use crate::parts::hierarchy::HierarchyRecord;
pub use crate::parts::input::InputRecord;
pub use crate::parts::layer::{LayerRecord, LayerRecords};
pub use crate::parts::mixture::MixtureRecord;
pub use crate::parts::requantize::RequantizeRecord;
pub use crate::parts::same::*;
pub use crate::parts::sample::SampleRecord;
pub use crate::parts::softmax::SoftmaxRecord;
pub use crate::parts::spectrum::SpectrumRecord;
pub use crate::parts::transitions::TransitionsRecord;

/// What a model is, as a writer gives it. [`File`](crate::File) is what a reader gets.
///
/// ```
/// use edgemix_format::description::{ActivationRecord, CalibrationRecord, Covariance, HeadRecord, LayerRecord};
/// use edgemix_format::testing::Spec;
///
/// // 6 -> 5 -> 3, five components of full covariance in three clusters, a table of eight entries.
/// let (description, _) = Spec::default().parts();
/// assert_eq!((description.fingerprint.seed, description.sample.len, description.latent.len), (0, 6, 3));
/// let LayerRecord::Dense(first) = &description.encoder[0] else { panic!("not a dense layer") };
/// assert_eq!((first.weights.len, first.requantize.shift.len), (5 * 6, 5));
/// assert_eq!(first.activation, ActivationRecord::Relu);
/// let HeadRecord::Mixture(mixture) = description.head else { panic!("not a mixture") };
/// assert_eq!((mixture.covariance, mixture.coefficients.len), (Covariance::Full, 5 * 6));
/// let CalibrationRecord::Marginal(table) = description.calibration else { panic!("not one table") };
/// assert_eq!(table.levels.len, 8);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description<'a> {
    /// The model's name, for people.
    pub name: &'a str,
    /// The method that trained it, as the trainer's command line spells it.
    pub method: &'a str,
    /// The run that made it.
    #[serde(borrow)]
    pub fingerprint: Fingerprint<'a>,
    /// What a sample is.
    pub sample: SampleRecord,
    /// What computes features of a raw window. They take the place of the raw counts in `input`.
    pub front_ends: FrontEndRecords,
    /// How raw counts become the integers that the first layer takes.
    pub input: InputRecord,
    /// The encoder. It is empty if the scaled samples are themselves the latents, or what autoencoders take.
    pub encoder: LayerRecords,
    /// What the encoder gives.
    pub latent: Latent,
    /// What turns a latent into scores.
    pub head: HeadRecord,
    /// What turns a log-density into a novelty, and scores into a posterior.
    pub calibration: CalibrationRecord,
    /// Coarser levels of the clusters.
    pub hierarchy: HierarchyRecord,
    /// How the clusters of successive windows follow each other. Without it, the file is of minor version 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transitions: Option<TransitionsRecord>,
}
