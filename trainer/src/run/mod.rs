//! The directory of a run: its settings, samples, checkpoint, metrics, models and report. [`RunFile`] names the files, and
//! [`RunDir`] reads and writes them by type. Every file appears whole or not at all.

mod choice_error;
mod choices;
mod completion;
mod culprit;
mod directory;
mod disk;
mod error;
mod file;
mod findings;
mod import_record;
mod metrics;
mod model_file;
mod output;
mod preset;
mod renamed;
mod replacement;
mod setting;
mod settings;
mod state;
mod trained_file;
mod write;

pub use choice_error::ChoiceError;
pub use choices::Choices;
pub use directory::RunDir;
#[cfg(test)]
pub(crate) use disk::KILL_AT;
pub use error::RunError;
pub use file::RunFile;
pub use import_record::{EncoderRecord, ImportRecord};
pub use model_file::ModelFile;
pub use output::check_output;
pub use preset::Preset;
pub use setting::{method_named, set_setting};
pub use settings::{chosen_settings, read_settings, settings_differences, settings_to_toml};
pub use state::RunState;
pub use trained_file::{TrainedFileError, read_trained, write_trained};
pub use write::{write_whole, write_whole_by};
