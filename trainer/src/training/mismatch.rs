//! Why something that a fit kept can't be used.

use thiserror::Error;

/// The version of the program, which comes first in all that a fit keeps.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a checkpoint can't be used.
///
/// ```
/// use edgemix::training::CheckpointMismatch;
///
/// let mismatch = CheckpointMismatch::Version { found: "0.9.0".into() };
/// assert!(mismatch.to_string().starts_with("it was written by version 0.9.0"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointMismatch {
    /// The checkpoint's bytes changed after it was written.
    #[error("it is damaged")]
    Damaged,
    /// Another version of the program wrote it.
    #[error("it was written by version {found}, this is version {VERSION}")]
    Version {
        /// The version that wrote it.
        found: String,
    },
    /// It was made with other samples.
    #[error("it was made with other samples")]
    Samples,
    /// It was made with other settings.
    #[error("it was made with other settings")]
    Settings,
    /// There is no autoencoder to start from.
    #[error("it keeps no autoencoder")]
    Missing,
    /// It is of an encoder with other layers.
    #[error("its encoder has the layers {found}, this one has {wanted}")]
    Layers {
        /// Its layers, from the number of inputs.
        found: String,
        /// The layers of the fit that was to start from it.
        wanted: String,
    },
    /// The method has no such phase.
    #[error("the method has no phase {0:?}")]
    Phase(String),
    /// The state of the phase does not have the expected form.
    #[error("the state of its phase cannot be read: {0}")]
    State(postcard::Error),
}
