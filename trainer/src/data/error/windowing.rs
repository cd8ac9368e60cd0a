//! Why a recording can't be cut into windows.

use thiserror::Error;

use crate::base::text::{counted, significant};

/// Why a recording can't be cut into windows.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum WindowingProblem {
    /// The length or the step is 0.
    #[error("the length of a window and the step to the next must be at least 1")]
    Zero,
    /// No part of the recording is as long as a window.
    #[error(
        "a window of {length} instants is longer than the {}, which has {longest}: make the window shorter{}",
        match (is_split, is_grouped) {
            (true, _) => "longest part without a gap",
            (false, true) => "longest group",
            (false, false) => "recording",
        },
        if *is_grouped { ", or sort the rows by group if groups alternate" } else { "" }
    )]
    TooLong {
        /// Instants of a window.
        length: usize,
        /// Instants of the longest part.
        longest: usize,
        /// Whether the recording has groups, which no window crosses.
        is_grouped: bool,
        /// Whether the recording has gaps, which no window crosses either.
        is_split: bool,
    },
    /// No instant has all values, because a column never has one.
    #[error("column {name:?} has no value in any instant: leave the column out")]
    EmptyColumn {
        /// The name of the column, or its index.
        name: String,
    },
    /// Instants are missing.
    #[error(
        "{} in the recording: instants are {} apart, but from time {before} to {after} (row {row}) some are missing; complete \
         the recording, or split it",
        counted(*n, "gap"), significant(*interval)
    )]
    Gap {
        /// How many times instants are missing.
        n: usize,
        /// The first instant after the first gap, counted from 0.
        row: usize,
        /// The time of the instant before.
        before: f64,
        /// Its own time.
        after: f64,
        /// The usual time from an instant to the next.
        interval: f64,
    },
    /// The times are not in order.
    #[error(
        "time goes back from {before} to {after} at row {row}: sort the rows by time, or name the column of groups if several \
         recordings follow each other"
    )]
    TimeGoesBack {
        /// The instant, counted from 0.
        row: usize,
        /// The time of the instant before.
        before: f64,
        /// Its own time.
        after: f64,
    },
    /// Most instants have the time of the one before.
    #[error("most instants have the same time as the one before: write finer times, or leave the column out")]
    SameTimes,
    /// The samples are images or windows.
    #[error("the samples are images or windows already: expected instants by channels")]
    NotARecording,
}
