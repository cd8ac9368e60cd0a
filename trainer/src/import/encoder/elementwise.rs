//! A factor and a shift for each value.

use super::problem::LayerProblem;
use crate::data::Scaling;

/// `factor x + shift`, value by value, in the order in which a sample or a layer's outputs are stored.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::import) struct Elementwise {
    /// What each value is multiplied by.
    pub(in crate::import) factor: Vec<f64>,
    /// What is added to it then.
    pub(in crate::import) shift: Vec<f64>,
}

impl Elementwise {
    /// The map that changes none of `n` values.
    pub(in crate::import) fn identity(n: usize) -> Self {
        Self { factor: vec![1.0; n], shift: vec![0.0; n] }
    }

    /// This map and then another.
    pub(super) fn then(&self, next: &Self) -> Self {
        let factor = self.factor.iter().zip(&next.factor).map(|(own, next)| own * next).collect();
        let shift = self.shift.iter().zip(next.factor.iter().zip(&next.shift));
        Self { factor, shift: shift.map(|(own, (factor, shift))| own * factor + shift).collect() }
    }

    /// Whether values that are `period` apart are treated alike, as those of a channel.
    pub(super) fn has_period(&self, period: usize) -> bool {
        let repeats = |values: &[f64]| values.iter().enumerate().all(|(i, x)| *x == values[i % period]);
        period > 0 && repeats(&self.factor) && repeats(&self.shift)
    }

    /// The first `period` entries, repeated for `n` values.
    pub(super) fn repeated(&self, period: usize, n: usize) -> Self {
        let repeat = |values: &[f64]| values[..period].iter().copied().cycle().take(n).collect();
        Self { factor: repeat(&self.factor), shift: repeat(&self.shift) }
    }

    pub(super) fn check_finite(&self) -> Result<(), LayerProblem> {
        let is_finite = |values: &[f64]| values.iter().all(|x| (*x as f32).is_finite());
        if is_finite(&self.factor) && is_finite(&self.shift) { Ok(()) } else { Err(LayerProblem::NotFinite) }
    }

    /// The map as the scaling of samples: with one entry, or one for each of so many channels, where that is enough.
    pub(super) fn scaling(&self, channels: usize) -> Scaling {
        let periods = [1, channels, self.factor.len()];
        let period = periods.into_iter().find(|&period| self.has_period(period)).unwrap_or(self.factor.len());
        let narrow = |values: &[f64]| values[..period].iter().map(|&x| x as f32).collect();
        Scaling { gain: narrow(&self.factor), offset: narrow(&self.shift), limits: None }
    }
}
