//! How the step size changes during a phase.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::epochs::Interval;

/// The factor that multiplies the phase's learning rate at each step.
///
/// ```
/// use edgemix::training::{Interval, PhaseSettings, RateSchedule};
///
/// let phase: PhaseSettings = toml::from_str("schedule = { name = \"steps\", every = 20 }")?;
/// assert_eq!(phase.schedule, RateSchedule::Steps { every: Interval::Epochs(20), factor: 0.1 });
/// assert_eq!(PhaseSettings::default().schedule, RateSchedule::Cosine { end: 0.01 });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RateSchedule {
    /// The same rate throughout.
    // With braces, since serde ignores the unknown keys of a unit variant.
    Constant {},
    /// The rate falls along half a cosine from its full value to a share of it (Loshchilov and Hutter, "SGDR:
    /// Stochastic Gradient Descent with Warm Restarts", 2017, equation 5, without restarts).
    Cosine {
        /// The share of the rate at the phase's end.
        #[serde(default = "customary_end")]
        end: f64,
    },
    /// The rate is multiplied by a factor at regular intervals.
    Steps {
        /// How often the rate is multiplied.
        #[serde(default = "customary_every")]
        every: Interval,
        /// The factor.
        #[serde(default = "customary_factor")]
        factor: f64,
    },
}

fn customary_end() -> f64 {
    0.01
}

fn customary_every() -> Interval {
    Interval::Epochs(10)
}

fn customary_factor() -> f64 {
    0.1
}

impl Default for RateSchedule {
    fn default() -> Self {
        Self::Cosine { end: customary_end() }
    }
}

/// The progress of a phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct PhaseProgress {
    /// The epoch, from 0.
    pub(super) epoch: usize,
    /// The number of epochs of the phase.
    pub(super) epochs: usize,
    /// The step in the epoch, from 0.
    pub(super) step: usize,
    /// The number of steps of the epoch.
    pub(super) steps: usize,
}

impl RateSchedule {
    pub(super) fn factor(self, at: PhaseProgress) -> f64 {
        match self {
            Self::Constant {} => 1.0,
            Self::Cosine { end } => {
                let progress = (at.epoch * at.steps + at.step) as f64 / (at.epochs * at.steps) as f64;
                end + (1.0 - end) * 0.5 * (1.0 + (PI * progress).cos())
            }
            Self::Steps { every: Interval::Epochs(every), factor } => factor.powi((at.epoch / every.max(1)) as i32),
            Self::Steps { every: Interval::Steps(every), factor } => {
                factor.powi(((at.epoch * at.steps + at.step) / every.max(1)) as i32)
            }
        }
    }

    /// What is wrong with the schedule's numbers; `None` if they are valid.
    pub(super) fn problem(self) -> Option<&'static str> {
        let is_share = |x: f64| x > 0.0 && x <= 1.0;
        match self {
            Self::Cosine { end } if !is_share(end) => Some("end must be above 0 and at most 1; 0.01 is usual"),
            Self::Steps { every: Interval::Epochs(0) | Interval::Steps(0), .. } => {
                Some("every is 0: the rate is multiplied after so many epochs or steps")
            }
            Self::Steps { factor, .. } if !is_share(factor) => {
                Some("factor must be above 0 and at most 1; 0.1 is usual")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(schedule: RateSchedule, epoch: usize, step: usize) -> f64 {
        schedule.factor(PhaseProgress { epoch, epochs: 8, step, steps: 5 })
    }

    #[test]
    fn a_constant_rate_stays() {
        assert!((0..8).all(|epoch| factor(RateSchedule::Constant {}, epoch, 3) == 1.0));
    }

    #[test]
    fn a_cosine_begins_at_one_and_nears_its_end() {
        let cosine = RateSchedule::Cosine { end: 0.2 };
        assert_eq!(factor(cosine, 0, 0), 1.0);
        // Half-way, the mean of both.
        assert!((factor(cosine, 4, 0) - 0.6).abs() < 1e-12);
        let all: Vec<f64> = (0..40).map(|step| factor(cosine, step / 5, step % 5)).collect();
        assert!(all.windows(2).all(|pair| pair[1] < pair[0]));
        assert!((0.2..0.21).contains(&all[39]), "{}", all[39]);
        // The exact bits of the default schedule, on which trained models depend.
        let progress = 13.0 / 40.0;
        let expected = 0.01 + 0.99 * 0.5 * (1.0 + (PI * progress).cos());
        assert_eq!(factor(RateSchedule::default(), 2, 3), expected);
    }

    #[test]
    fn steps_fall_after_every_so_many_epochs_and_not_within_one() {
        let steps = RateSchedule::Steps { every: Interval::Epochs(3), factor: 0.5 };
        let found: Vec<f64> = (0..8).map(|epoch| factor(steps, epoch, 4)).collect();
        assert_eq!(found, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
        assert!((0..5).all(|step| factor(steps, 3, step) == 0.5));
    }

    #[test]
    fn steps_of_the_optimiser_are_counted_across_epochs() {
        let steps = RateSchedule::Steps { every: Interval::Steps(7), factor: 0.5 };
        let found: Vec<f64> = (0..20).map(|step| factor(steps, step / 5, step % 5)).collect();
        assert!((0..20).all(|step| found[step] == 0.5f64.powi(step as i32 / 7)), "{found:?}");
    }

    #[test]
    fn numbers_that_are_no_schedule_are_refused() {
        assert!(RateSchedule::Cosine { end: 0.0 }.problem().is_some());
        assert!(RateSchedule::Steps { every: Interval::Epochs(0), factor: 0.1 }.problem().is_some());
        assert!(RateSchedule::Steps { every: Interval::Steps(0), factor: 0.1 }.problem().is_some());
        assert!(RateSchedule::Steps { every: Interval::Epochs(1), factor: 1.5 }.problem().is_some());
        assert!(RateSchedule::Steps { every: Interval::Epochs(1), factor: f64::NAN }.problem().is_some());
        assert!(RateSchedule::default().problem().is_none() && RateSchedule::Constant {}.problem().is_none());
    }
}
