//! The training loop: phases, epochs, batches, progress, checkpoints, and a check that the losses are finite. The
//! method is an argument.

mod batch;
mod checkpoint;
mod epochs;
mod error;
mod finding;
mod fitting;
mod inputs;
mod kept_autoencoder;
mod latent_history;
mod losses;
mod mismatch;
mod observer;
mod plan;
mod schedule;
mod sealed;
mod settings;

pub(crate) use batch::Batch;
pub use checkpoint::CheckpointStore;
pub use epochs::{Epochs, Interval};
pub use error::FitError;
pub use finding::{Finding, Fitted};
pub(crate) use fitting::{Fitting, Method, Phase, fit};
pub(crate) use inputs::Data;
pub(crate) use kept_autoencoder::KeptAutoencoder;
pub use latent_history::{LatentHistory, LatentMoment};
pub(crate) use losses::{Term, Terms, read_all};
pub use mismatch::CheckpointMismatch;
pub use observer::{EpochReport, Observer};
pub(crate) use plan::{CLUSTERING, PhasePlan, Plan, RECONSTRUCTION};
pub use schedule::RateSchedule;
pub use settings::PhaseSettings;
