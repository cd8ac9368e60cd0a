//! Why settings can't be chosen so.

use thiserror::Error;

use super::error::RunError;
use crate::front_end::FrontEndError;
use crate::methods::{ClustersError, MethodConfig};
use crate::nn::ArchitectureError;

/// Why settings can't be chosen so.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::run::{Choices, ChoiceError};
///
/// let choices = Choices { encoder: Some("64-many".into()), ..Choices::default() };
/// assert!(matches!(choices.applied(FitConfig::default()), Err(ChoiceError::Encoder(_))));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// There is no such method.
    #[error("no method is named {name:?}{suggestion}: use one of {}", MethodConfig::NAMES.join(", "))]
    Method {
        /// The name.
        name: String,
        /// A name that is nearly the same, as in ` (did you mean dec?)`.
        suggestion: String,
    },
    /// There is no such setting, or it can't have the value.
    #[error("{assignment}: {problem}")]
    Setting {
        /// The path and the value, as in `seed=3`.
        assignment: String,
        /// What is wrong.
        problem: String,
    },
    /// The method has the same form in its paper and here.
    #[error("{method} has a single variant")]
    SingleVariant {
        /// The method's name.
        method: &'static str,
    },
    /// The method can't have so many clusters.
    #[error(transparent)]
    Clusters(#[from] ClustersError),
    /// The layers can't be read.
    #[error(transparent)]
    Encoder(#[from] ArchitectureError),
    /// The front end can't be read.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The method has no preset.
    #[error(transparent)]
    Run(#[from] RunError),
}
