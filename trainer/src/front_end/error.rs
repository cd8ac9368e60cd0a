//! Why there is no front end for given samples.

use thiserror::Error;

/// Why there is no front end for given samples.
///
/// ```
/// use edgemix::data::digits;
/// use edgemix::front_end::{FrontEnd, FrontEndError, FrontEndSettings};
///
/// let spectrum: FrontEndSettings = "spectrum".parse()?;
/// assert!(matches!(FrontEnd::of(&spectrum, &digits().samples), Err(FrontEndError::NoWindows { .. })));
/// # Ok::<(), FrontEndError>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrontEndError {
    /// The spelling on the command line is wrong.
    #[error("--front-end {spelling}: {problem}")]
    Spelling {
        /// What was given.
        spelling: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting is impossible by itself, or for these windows.
    #[error("front-end.{setting} {problem}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The samples are not windows.
    #[error(
        "{samples}: these samples are not windows of a recording, which a front end takes; cut the recording with --window, \
         or omit --front-end"
    )]
    NoWindows {
        /// The name of the samples.
        samples: String,
    },
    /// The windows have too many instants or channels, or too few instants.
    #[error(
        "{samples}: windows of {instants} instants of {channels} channels have no spectrum: it takes 16 to 32768 instants \
         of at most 32 channels; cut other windows, or train with --front-end none"
    )]
    Size {
        /// The name of the samples.
        samples: String,
        /// Instants of a window.
        instants: usize,
        /// Channels of an instant.
        channels: usize,
    },
    /// The rate contradicts the times of the recording.
    #[error(
        "{samples}: the rate (--rate, front-end.rate) is {rate}, but by the column of times it is {} if these are seconds; correct the \
         rate, or name another column of times",
        (1e6 / interval).round() / 1e6
    )]
    Rate {
        /// The name of the samples.
        samples: String,
        /// The rate that was given.
        rate: f64,
        /// The usual time from an instant to the next.
        interval: f64,
    },
    /// Samples for a model are not as fast as those that it was trained with.
    #[error(
        "{samples}: the model was trained with {trained} instants in a second, but by the column of times there are {} if these are \
         seconds; resample the recording, or train a model for its rate",
        (1e6 / interval).round() / 1e6
    )]
    OtherRate {
        /// The name of the samples.
        samples: String,
        /// The rate that the model was trained with.
        trained: f64,
        /// The usual time from an instant to the next.
        interval: f64,
    },
    /// Counts do not fit 16 bits.
    #[error(
        "{samples}: the counts of channel {channel} go from {least} to {greatest}; a front end takes counts from -32768 to \
         32767. Record smaller counts, or train with --front-end none"
    )]
    Counts {
        /// The name of the samples.
        samples: String,
        /// The name of the channel.
        channel: String,
        /// The least count.
        least: f32,
        /// The greatest count.
        greatest: f32,
    },
}
