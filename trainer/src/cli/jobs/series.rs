//! Runs that can be trained in any order, each in a directory of its own.

use serde::{Deserialize, Serialize};

use crate::cli::error::CliError;

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) enum Turn {
    /// It is over.
    Done,
    /// Another process trains it.
    Held,
    /// It starts from what the run of this index learns, which is not there yet.
    WaitsFor(usize),
}

/// Runs that can be trained in any order, apart from those that wait for another one.
pub(in crate::cli) trait Series {
    /// The name of each run.
    fn names(&self) -> Vec<String>;

    /// Trains a run, unless it is over.
    fn train(&mut self, index: usize) -> Result<Turn, CliError>;

    /// Whether a run that others wait for has learned what they start from, or is over.
    fn may_be_started_from(&self, index: usize) -> bool;
}
