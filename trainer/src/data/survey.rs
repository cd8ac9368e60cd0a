//! What one pass over all numbers finds, over data that may be larger than memory.

use sha2::{Digest, Sha256};

/// What is known of all samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    /// Sample, feature and value of the first number that is not finite.
    pub(super) not_finite: Option<(usize, usize, f32)>,
    /// The first feature that is the same in every sample, and its value.
    pub(super) constant: Option<(usize, f32)>,
    pub(super) least: f32,
    pub(super) greatest: f32,
}

/// Surveys samples, some whole ones at a time, in their order.
pub(super) struct Surveyor {
    hash: Sha256,
    bytes: Vec<u8>,
    first: Vec<f32>,
    changes: Vec<bool>,
    n_features: usize,
    n_seen: usize,
    not_finite: Option<(usize, usize, f32)>,
    least: f32,
    greatest: f32,
}

impl Surveyor {
    /// Expects `n_samples x n_features` numbers.
    pub(super) fn new(n_samples: usize, n_features: usize) -> Self {
        let mut hash = Sha256::new();
        hash.update((n_samples as u64).to_le_bytes());
        hash.update((n_features as u64).to_le_bytes());
        Self {
            hash,
            bytes: vec![],
            first: vec![],
            changes: vec![false; n_features],
            n_features,
            n_seen: 0,
            not_finite: None,
            least: f32::INFINITY,
            greatest: f32::NEG_INFINITY,
        }
    }

    /// Takes the next whole samples.
    pub(super) fn look_at(&mut self, values: &[f32]) {
        for part in values.chunks(1 << 16) {
            self.bytes.clear();
            self.bytes.extend(part.iter().flat_map(|x| x.to_le_bytes()));
            self.hash.update(&self.bytes);
        }
        if self.not_finite.is_none() {
            let at = values.iter().position(|x| !x.is_finite());
            let n = self.n_features;
            self.not_finite = at.map(|at| (self.n_seen + at / n, at % n, values[at]));
        }
        (self.least, self.greatest) =
            values.iter().fold((self.least, self.greatest), |(least, greatest), &x| (least.min(x), greatest.max(x)));
        for row in values.chunks_exact(self.n_features.max(1)) {
            if self.first.is_empty() {
                self.first = row.to_vec();
            }
            let both = self.changes.iter_mut().zip(row.iter().zip(&self.first));
            both.for_each(|(changes, (x, first))| *changes |= x != first);
            self.n_seen += 1;
        }
    }

    /// What was seen, and SHA-256 of shape and numbers.
    pub(super) fn finish(self) -> (Survey, [u8; 32]) {
        let constant = self.first.iter().zip(&self.changes).position(|(_, changes)| !changes);
        let Self { not_finite, least, greatest, .. } = self;
        let constant = constant.map(|feature| (feature, self.first[feature]));
        (Survey { not_finite, constant, least, greatest }, self.hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(blocks: &[&[f32]], n_features: usize) -> (Survey, [u8; 32]) {
        let n = blocks.iter().map(|block| block.len()).sum::<usize>() / n_features;
        let mut surveyor = Surveyor::new(n, n_features);
        blocks.iter().for_each(|block| surveyor.look_at(block));
        surveyor.finish()
    }

    #[test]
    fn what_is_seen_does_not_depend_on_how_much_is_looked_at_at_once() {
        let values = [1.0, 7.0, 2.0, 7.0, -3.0, 7.0, f32::NAN, 7.0];
        let (whole, hash) = survey(&[&values], 2);
        let (parts, same) = survey(&[&values[..2], &values[2..6], &values[6..]], 2);
        assert_eq!(hash, same);
        assert_eq!((whole.least, whole.greatest, whole.constant), (-3.0, 7.0, Some((1, 7.0))));
        assert_eq!((parts.least, parts.greatest, parts.constant), (-3.0, 7.0, Some((1, 7.0))));
        for survey in [whole, parts] {
            assert!(survey.not_finite.is_some_and(|(sample, feature, x)| (sample, feature) == (3, 0) && x.is_nan()));
        }
        // The same numbers in another shape are other samples.
        assert_ne!(hash, survey(&[&values], 4).1);
    }
}
