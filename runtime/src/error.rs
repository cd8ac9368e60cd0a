//! Errors of assigning a sample and of watching for drift.

use core::fmt;

/// Why a sample cannot be assigned. The model is unaffected and can assign the next sample.
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
    /// The sample does not have as many elements as the model takes.
    InputLength {
        /// Number of elements that the model takes.
        expected: usize,
        /// Number of elements of the sample.
        given: usize,
    },
    /// An element of the sample is NaN or infinite.
    NotFinite {
        /// Index of the first such element.
        index: usize,
    },
    /// The workspace is shorter than the model's arena.
    WorkspaceTooShort {
        /// Length in bytes that the model needs: [`arena_len`](crate::arena_len).
        needed: usize,
        /// Length in bytes of the workspace.
        given: usize,
    },
    /// The workspace does not start at a multiple of 4 bytes. A [`Workspace`](crate::Workspace) always does.
    WorkspaceMisaligned,
    /// The arena is too short for the model's own layers. Loading a model rules this out, so it never happens to a
    /// model from [`Model::from_bytes`](crate::Model::from_bytes).
    ArenaTooShort,
}

impl fmt::Display for AssignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::InputLength { expected, given } => {
                write!(f, "the model takes samples of {expected} elements, but this one has {given}")
            }
            Self::NotFinite { index } => write!(f, "element {index} of the sample is NaN or infinite"),
            Self::WorkspaceTooShort { needed, given } => {
                write!(f, "the model needs a workspace of {needed} bytes, but this one has {given}")
            }
            Self::WorkspaceMisaligned => f.write_str("the workspace does not start at a multiple of 4 bytes"),
            Self::ArenaTooShort => f.write_str("the model's arena is too short for its layers"),
        }
    }
}

impl core::error::Error for AssignError {}

/// Why a [`DriftMonitor`](crate::DriftMonitor) cannot watch a model.
///
/// ```
/// use edgemix_runtime::{DriftMonitor, Model};
///
/// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
/// let model = Model::from_bytes(&bytes).unwrap();
/// let error = DriftMonitor::<2>::new(&model, 1000).unwrap_err();
/// assert_eq!(error.to_string(), "the model has 3 clusters, but the monitor holds 2: use n_clusters(MODEL)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DriftError {
    /// The model has no novelty table, or its table is built from training samples, whose p-values promise nothing.
    NoHeldOutSamples,
    /// The model has more clusters than the monitor holds.
    TooManyClusters {
        /// Number of clusters of the model.
        needed: usize,
        /// Number of clusters that the monitor holds.
        given: usize,
    },
}

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoHeldOutSamples => f.write_str(
                "the model has no novelty table of held-out samples: hold samples out of training and export it again",
            ),
            Self::TooManyClusters { needed, given } => {
                write!(f, "the model has {needed} clusters, but the monitor holds {given}: use n_clusters(MODEL)")
            }
        }
    }
}

impl core::error::Error for DriftError {}

/// Why a [`Smoother`](crate::Smoother) cannot smooth the clusters of a model.
///
/// ```
/// # #[cfg(feature = "smoother")] {
/// use edgemix_runtime::{Model, Smoother};
///
/// # let bytes = edgemix_format::testing::Spec::default().build().unwrap();
/// let model = Model::from_bytes(&bytes).unwrap();
/// let error = Smoother::<3>::new(&model).unwrap_err();
/// assert!(error.to_string().starts_with("the model does not know how its clusters follow each other"));
/// # }
/// ```
#[cfg(feature = "smoother")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SmootherError {
    /// The model was not trained on windows of a recording, so that it does not know how its clusters follow each other.
    NoTransitions,
    /// The model has more clusters than the smoother holds.
    TooManyClusters {
        /// Number of clusters of the model.
        needed: usize,
        /// Number of clusters that the smoother holds.
        given: usize,
    },
}

#[cfg(feature = "smoother")]
impl fmt::Display for SmootherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoTransitions => f.write_str(
                "the model does not know how its clusters follow each other: train it on windows of a recording, in their \
                 order",
            ),
            Self::TooManyClusters { needed, given } => {
                write!(f, "the model has {needed} clusters, but the smoother holds {given}: use n_clusters(MODEL)")
            }
        }
    }
}

#[cfg(feature = "smoother")]
impl core::error::Error for SmootherError {}
