//! Whether a model fits a chip.

use std::fmt;

use edgemix_format::view::File;

use super::chip::Chip;
use super::estimate::{Estimate, range};

/// Bytes of flash of the code of the firmware example, with start-up and logging, rounded up (`cargo xtask firmware`).
pub const CODE: usize = 20 * 1024;
/// Bytes of RAM of the stack and statics of the firmware example, without the arena of the model, rounded up.
pub const STACK: usize = 7 * 1024;

/// Why a model does not fit a chip.
#[derive(Clone, Debug, PartialEq)]
pub enum Misfit {
    /// There is not enough flash.
    Flash {
        /// The chip.
        chip: &'static Chip,
        /// Bytes of the model.
        model: usize,
        /// Whether it is at least so many bytes, because it is not trained yet.
        is_planned: bool,
    },
    /// There is not enough RAM.
    Ram {
        /// The chip.
        chip: &'static Chip,
        /// Bytes of the model's arena.
        arena: usize,
        /// Whether it is at least so many bytes.
        is_planned: bool,
    },
    /// It takes longer than allowed.
    Time {
        /// The chip.
        chip: &'static Chip,
        /// What was estimated, the most of which counts.
        estimate: Estimate,
        /// The milliseconds that were allowed.
        most: f64,
        /// Whether it takes at least so long.
        is_planned: bool,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = |is_planned: &bool| if *is_planned { "at least " } else { "" };
        match self {
            Self::Flash { chip, model, is_planned } => write!(
                f,
                "the model does not fit the flash of {}: it takes {}{model} bytes, and of {} bytes the code takes about {CODE}",
                chip.name,
                least(is_planned),
                chip.flash()
            ),
            Self::Ram { chip, arena, is_planned } => write!(
                f,
                "the model does not fit the RAM of {}: it takes {}{arena} bytes, and of {} bytes stack and variables take \
                 about {STACK}",
                chip.name,
                least(is_planned),
                chip.ram()
            ),
            Self::Time { chip, estimate, most, is_planned } => write!(
                f,
                "the model is too slow for {}: an assignment takes {}{} ms by the estimate, and {most} ms are allowed",
                chip.name,
                least(is_planned),
                range(estimate.ms)
            ),
        }
    }
}

impl std::error::Error for Misfit {}

impl Chip {
    /// Checks that a model fits flash and RAM beside code and stack, and, if a time is given, that an assignment takes at most
    /// so many milliseconds.
    ///
    /// # Errors
    /// See [`Misfit`].
    pub fn check(&'static self, file: &File, most_ms: Option<f64>) -> Result<Estimate, Misfit> {
        let (model, arena) = (file.header.total_len as usize, file.header.arena_len as usize);
        self.check_numbers(model, arena, self.estimate(file), most_ms, false)
    }

    pub(super) fn check_numbers(
        &'static self,
        model: usize,
        arena: usize,
        estimate: Estimate,
        most_ms: Option<f64>,
        is_planned: bool,
    ) -> Result<Estimate, Misfit> {
        let chip = self;
        if model.saturating_add(CODE) > self.flash() {
            return Err(Misfit::Flash { chip, model, is_planned });
        }
        if arena.saturating_add(STACK) > self.ram() {
            return Err(Misfit::Ram { chip, arena, is_planned });
        }
        match most_ms.filter(|&most| estimate.ms[1] > most) {
            Some(most) => Err(Misfit::Time { chip, estimate, most, is_planned }),
            None => Ok(estimate),
        }
    }
}
