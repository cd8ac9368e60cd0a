//! Why a sample is refused.

use core::fmt;

/// Why a sample can't be assigned. The model stays as it was.
///
/// ```
/// use edgemix_runtime::{AssignError, Model, Workspace};
///
/// # let bytes = edgemix_format::testing::Spec::default().build().unwrap();
/// let model = Model::from_bytes(&bytes).unwrap();
/// let sample = [0.0, 1.0, f32::NAN, 3.0, 4.0, 5.0];
/// let error = model.assign(&sample, &mut Workspace::<64>::new()).unwrap_err();
/// assert_eq!(error, AssignError::NotFinite { index: 2 });
/// assert_eq!(error.to_string(), "element 2 of the sample is NaN or infinite");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AssignError {
    /// The sample has another number of elements than the model takes.
    InputLength {
        /// What the model takes.
        expected: usize,
        /// What was given.
        given: usize,
    },
    /// An element is NaN or infinite.
    NotFinite {
        /// The element's index.
        index: usize,
    },
    /// The workspace is shorter than the model's arena, or not aligned to 4.
    Workspace {
        /// Bytes the model needs.
        needed: usize,
        /// Bytes that were given.
        given: usize,
    },
}

impl fmt::Display for AssignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::InputLength { expected, given } => {
                write!(f, "the model takes {expected} elements, the sample has {given}")
            }
            Self::NotFinite { index } => write!(f, "element {index} of the sample is NaN or infinite"),
            Self::Workspace { needed, given } => {
                write!(f, "the model needs a workspace of {needed} bytes, aligned to 4; this one has {given}")
            }
        }
    }
}

impl core::error::Error for AssignError {}

/// Why a model can't be watched.
///
/// ```
/// use edgemix_runtime::{Drift, Model};
///
/// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
/// let model = Model::from_bytes(&bytes).unwrap();
/// let error = Drift::<2>::new(&model, 1000).unwrap_err();
/// assert_eq!(error.to_string(), "the model has 3 clusters, there is room for 2: use n_clusters(MODEL)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DriftError {
    /// The model's novelty table is not of held-out samples, or it has none: nothing is promised of its p-values.
    NotHeldOut,
    /// There is room for fewer clusters than the model has.
    Clusters {
        /// Clusters of the model.
        needed: usize,
        /// Clusters that there is room for.
        given: usize,
    },
}

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotHeldOut => f.write_str(
                "the model has no novelty table of held-out samples: train it with some held out, and export it again",
            ),
            Self::Clusters { needed, given } => {
                write!(f, "the model has {needed} clusters, there is room for {given}: use n_clusters(MODEL)")
            }
        }
    }
}

impl core::error::Error for DriftError {}
