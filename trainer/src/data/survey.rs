//! What one pass over all numbers finds, over data that may be larger than memory.

use std::sync::Arc;

use sha2::{Digest, Sha256};

/// What is known of all samples.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    /// Sample, feature and value of the first number that is not finite.
    pub(super) not_finite: Option<(usize, usize, f32)>,
    /// The range of each feature.
    pub(super) ranges: Arc<[ValueRange]>,
}

/// The least and the greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ValueRange {
    pub(crate) least: f32,
    pub(crate) greatest: f32,
    /// Whether all values are integers.
    pub(crate) are_integers: bool,
}

impl ValueRange {
    /// The range of no values.
    pub(crate) const EMPTY: Self = Self { least: f32::INFINITY, greatest: f32::NEG_INFINITY, are_integers: true };

    /// The range of one value.
    pub(super) fn of(x: f32) -> Self {
        Self { least: x, greatest: x, are_integers: x == x.trunc() }
    }

    /// The range of the values of both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            greatest: self.greatest.max(other.greatest),
            are_integers: self.are_integers && other.are_integers,
        }
    }

    /// The greatest minus the least.
    pub(crate) fn span(self) -> f64 {
        f64::from(self.greatest) - f64::from(self.least)
    }

    /// The greatest magnitude.
    pub(crate) fn magnitude(self) -> f32 {
        self.greatest.max(-self.least)
    }

    /// Whether it begins and ends where the other does.
    pub(super) fn has_ends_of(self, other: Self) -> bool {
        (self.least, self.greatest) == (other.least, other.greatest)
    }

    /// Whether a value is within the range.
    pub(super) fn holds(self, x: f32) -> bool {
        (self.least..=self.greatest).contains(&x)
    }

    /// Whether the values differ by no more than what rounding to f32 may add to one and the same value.
    pub(crate) fn is_constant(self) -> bool {
        self.span() <= 4.0 * f64::from(f32::EPSILON) * f64::from(self.magnitude())
    }
}

/// Surveys samples, some whole ones at a time, in their order.
pub(super) struct Surveyor {
    hash: Sha256,
    bytes: Vec<u8>,
    ranges: Vec<ValueRange>,
    n_seen: usize,
    not_finite: Option<(usize, usize, f32)>,
}

impl Survey {
    /// The range of all values.
    pub(super) fn range(&self) -> ValueRange {
        self.ranges.iter().fold(ValueRange::EMPTY, |all, range| all.union(*range))
    }
}

impl Surveyor {
    /// Expects `n_samples x n_features` numbers.
    pub(super) fn new(n_samples: usize, n_features: usize) -> Self {
        let mut hash = Sha256::new();
        hash.update((n_samples as u64).to_le_bytes());
        hash.update((n_features as u64).to_le_bytes());
        Self { hash, bytes: vec![], ranges: vec![ValueRange::EMPTY; n_features], n_seen: 0, not_finite: None }
    }

    /// Takes the next whole samples.
    pub(super) fn look_at(&mut self, values: &[f32]) {
        for part in values.chunks(1 << 16) {
            self.bytes.clear();
            self.bytes.extend(part.iter().flat_map(|x| x.to_le_bytes()));
            self.hash.update(&self.bytes);
        }
        let n_features = self.ranges.len().max(1);
        if self.not_finite.is_none() {
            let at = values.iter().position(|x| !x.is_finite());
            self.not_finite = at.map(|at| (self.n_seen + at / n_features, at % n_features, values[at]));
        }
        for row in values.chunks_exact(n_features) {
            for (range, &x) in self.ranges.iter_mut().zip(row) {
                *range = range.union(ValueRange::of(x));
            }
        }
        self.n_seen += values.len() / n_features;
    }

    /// What was found, and SHA-256 of the shape and the numbers.
    pub(super) fn finish(self) -> (Survey, [u8; 32]) {
        let survey = Survey { not_finite: self.not_finite, ranges: self.ranges.into() };
        (survey, self.hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(x: f32, y: f32) -> ValueRange {
        ValueRange::of(x).union(ValueRange::of(y))
    }

    fn survey(blocks: &[&[f32]], n_features: usize) -> (Survey, [u8; 32]) {
        let n = blocks.iter().map(|block| block.len()).sum::<usize>() / n_features;
        let mut surveyor = Surveyor::new(n, n_features);
        blocks.iter().for_each(|block| surveyor.look_at(block));
        surveyor.finish()
    }

    #[test]
    fn the_survey_does_not_depend_on_the_size_of_the_blocks() {
        let values = [1.0, 7.0, 2.0, 7.0, -3.0, 7.0, f32::NAN, 7.0];
        let (whole, hash) = survey(&[&values], 2);
        let (parts, same) = survey(&[&values[..2], &values[2..6], &values[6..]], 2);
        assert_eq!(hash, same);
        for survey in [whole, parts] {
            let [first, second] = survey.ranges[..] else { panic!("two features") };
            assert_eq!((first, second), (ValueRange { are_integers: false, ..range(-3.0, 2.0) }, range(7.0, 7.0)));
            assert!(!first.is_constant() && second.is_constant());
            assert!(survey.not_finite.is_some_and(|(sample, feature, x)| (sample, feature) == (3, 0) && x.is_nan()));
        }
        // The same numbers in another shape are other samples.
        assert_ne!(hash, survey(&[&values], 4).1);
    }

    #[test]
    fn a_range_within_rounding_is_constant_at_any_magnitude() {
        for magnitude in [1e-20f32, 0.1, 1.0, 101_325.0, 1.7e9, 1e30] {
            for sign in [1.0, -1.0] {
                let x = sign * magnitude;
                let (near, far) = (range(x, x * (1.0 + f32::EPSILON)), range(x, x * 1.000_01));
                assert!(near.is_constant() && !far.is_constant(), "{x}");
            }
        }
        assert!(range(0.0, 0.0).is_constant());
        assert!(!range(0.0, f32::MIN_POSITIVE).is_constant());
    }
}
