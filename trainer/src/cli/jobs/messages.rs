//! What the program and its workers say to each other: a line of JSON on a worker's standard input and output.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::series::Turn;

/// What a worker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// To train the run of this index.
    Train(usize),
    /// That this signal came.
    Signal(i32),
    /// That no run is left.
    End,
}

/// What a worker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// That it has read the samples and can train.
    Ready,
    /// What became of the run that it was told to train.
    Over(Turn),
}

/// Writes a message.
pub(super) fn send(mut to: impl Write, message: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(message)? + "\n";
    to.write_all(line.as_bytes())?;
    to.flush()
}
