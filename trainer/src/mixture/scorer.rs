//! Which Gaussian a sample belongs to, for the split and merge moves.

use super::cholesky;
use super::lanes::{Block, LANES, Lanes, Vectorized, each, projection, vectorized};
use super::niw::Statistics;
use super::prior::Prior;
use super::triangle::LowerTriangle;

/// Posteriors whose log is lower by this than that of the best component are taken to be zero.
const NEGLIGIBLE: f64 = -20.0;

/// Gaussians with the posterior means and covariances, weighted by their shares of the samples.
pub(super) struct Scorer {
    gaussians: Vec<Gaussian>,
}

/// `score = constant - 1/2 |W (z - mean)|^2`.
struct Gaussian {
    constant: f64,
    mean: Vec<f64>,
    whitening: LowerTriangle,
}

impl Scorer {
    /// `None` if a covariance is not positive definite.
    pub(super) fn new(statistics: &[Statistics], prior: &Prior) -> Option<Self> {
        let gaussian = |statistics: &Statistics| {
            let (mean, covariance) = prior.posterior(statistics);
            let (whitening, log_det) = cholesky::whitening(covariance.view())?;
            let whitening = LowerTriangle::from_matrix(whitening.view());
            Some(Gaussian { constant: statistics.n.ln() + log_det, mean, whitening })
        };
        Some(Self { gaussians: statistics.iter().map(gaussian).collect::<Option<_>>()? })
    }

    /// Moves each of N samples, one after the other, to its best component. Returns whether any has moved.
    pub(super) fn move_to_best(&self, samples: &[f64], labels: &mut [u32]) -> bool {
        vectorized(MoveToBest { scorer: self, samples, labels })
    }

    /// Gives each of N samples, one after the other, with the components whose posterior is not negligible and these
    /// posteriors. The guesses are components that may be the best ones: the better they are, the less there is to compute.
    pub(super) fn posteriors(&self, samples: &[f64], guesses: &[u32], each: impl FnMut(&[f64], &[(usize, f64)])) {
        vectorized(Posteriors { scorer: self, samples, guesses, each });
    }

    /// The best component of a sample; `guess` unless another one is better.
    pub(super) fn best(&self, z: &[f64], guess: usize) -> usize {
        let mut label = [guess as u32];
        self.move_to_best(z, &mut label);
        label[0] as usize
    }

    fn dims(&self) -> usize {
        self.gaussians.first().map_or(1, |gaussian| gaussian.mean.len().max(1))
    }

    /// The best component of each sample of a block, and its score; the guess unless another one is better.
    #[inline(always)]
    fn best_of(&self, block: &Block, guesses: &[u32], differences: &mut [Lanes]) -> ([u32; LANES], Lanes) {
        let mut best = [0; LANES];
        let mut scores = [f64::NEG_INFINITY; LANES];
        // The scores of the guesses, each of which is often the guess of several samples.
        let mut known = [(u32::MAX, [0.0; LANES]); LANES];
        for (lane, &guess) in guesses.iter().enumerate() {
            let own = match known.iter().find(|(k, _)| *k == guess) {
                Some((_, own)) => own[lane],
                None => {
                    let none = [f64::NEG_INFINITY; LANES];
                    known[lane] = (guess, self.gaussians[guess as usize].scores_above(block, &none, differences));
                    known[lane].1[lane]
                }
            };
            (best[lane], scores[lane]) = (guess, own);
        }
        for (k, gaussian) in (0..).zip(&self.gaussians) {
            let found = match known.iter().find(|(guess, _)| *guess == k) {
                Some((_, own)) => *own,
                None => gaussian.scores_above(block, &scores, differences),
            };
            for lane in 0..LANES {
                let is_better = found[lane] > scores[lane];
                scores[lane] = if is_better { found[lane] } else { scores[lane] };
                best[lane] = if is_better { k } else { best[lane] };
            }
        }
        (best, scores)
    }
}

/// [`Scorer::move_to_best`].
struct MoveToBest<'a> {
    scorer: &'a Scorer,
    samples: &'a [f64],
    labels: &'a mut [u32],
}

impl Vectorized for MoveToBest<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let dims = self.scorer.dims();
        let (mut block, mut differences) = (Block::new(dims), vec![[0.0; LANES]; dims]);
        let mut has_moved = false;
        for (rows, labels) in self.samples.chunks(LANES * dims).zip(self.labels.chunks_mut(LANES)) {
            block.load(rows);
            let (best, _) = self.scorer.best_of(&block, labels, &mut differences);
            for (label, best) in labels.iter_mut().zip(best) {
                has_moved |= best != *label;
                *label = best;
            }
        }
        has_moved
    }
}

/// [`Scorer::posteriors`].
struct Posteriors<'a, F> {
    scorer: &'a Scorer,
    samples: &'a [f64],
    guesses: &'a [u32],
    each: F,
}

impl<F: FnMut(&[f64], &[(usize, f64)])> Vectorized for Posteriors<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let dims = self.scorer.dims();
        let (mut block, mut differences) = (Block::new(dims), vec![[0.0; LANES]; dims]);
        let mut scores = vec![[0.0; LANES]; self.scorer.gaussians.len()];
        let mut shares = vec![];
        for (rows, guesses) in self.samples.chunks(LANES * dims).zip(self.guesses.chunks(LANES)) {
            block.load(rows);
            let (_, greatest) = self.scorer.best_of(&block, guesses, &mut differences);
            let least = each(|lane| greatest[lane] + NEGLIGIBLE);
            for (scores, gaussian) in scores.iter_mut().zip(&self.scorer.gaussians) {
                *scores = gaussian.scores_above(&block, &least, &mut differences);
            }
            for (lane, row) in rows.chunks_exact(dims).enumerate() {
                let all = scores.iter().map(|scores| scores[lane]).enumerate();
                shares.clear();
                shares.extend(
                    all.filter(|(_, score)| *score > least[lane]).map(|(k, score)| (k, (score - greatest[lane]).exp())),
                );
                let total: f64 = shares.iter().map(|(_, share)| share).sum();
                shares.iter_mut().for_each(|(_, share)| *share /= total);
                (self.each)(row, &shares);
            }
        }
    }
}

impl Gaussian {
    /// The score of each sample of a block, or values no greater than `least` as soon as all scores are known to be no greater:
    /// each row of the whitening lowers them further.
    #[inline(always)]
    fn scores_above(&self, block: &Block, least: &Lanes, differences: &mut [Lanes]) -> Lanes {
        block.less(&self.mean, differences);
        let mut scores = [self.constant; LANES];
        for row in self.whitening.rows() {
            let sums = projection(row, &differences[..row.len()]);
            scores = each(|lane| scores[lane] - 0.5 * sums[lane] * sums[lane]);
            if scores.iter().zip(least).fold(true, |all, (score, least)| all & (score <= least)) {
                break;
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{normal, stream};
    use crate::mixture::niw::NormalInverseWishart;

    const PRIOR: Prior = Prior::Own(NormalInverseWishart { kappa: 0.1, extra: 2.0, psi: 1.0 });
    const COMPONENTS: usize = 11;

    fn values(n: usize, index: u64) -> Vec<f64> {
        normal(n, &mut stream(2, "scorer", index)).into_iter().map(f64::from).collect()
    }

    /// Components of a few samples about means that overlap.
    fn components(dims: usize) -> Vec<Statistics> {
        let component = |k: usize| {
            let mean = values(dims, k as u64);
            let rows: Vec<Vec<f64>> = values(dims * (k + 4), 100 + k as u64)
                .chunks(dims)
                .map(|row| row.iter().zip(&mean).map(|(x, m)| 0.6 * x + 1.5 * m).collect())
                .collect();
            Statistics::from_rows(rows.iter().map(Vec::as_slice), dims)
        };
        (0..COMPONENTS).map(component).collect()
    }

    /// `ln n + ln |W| - 1/2 |W (z - mean)|^2`, with the inverse of the covariance's factor.
    fn score(of: &Statistics, z: &[f64]) -> f64 {
        let (mean, covariance) = PRIOR.posterior(of);
        let (w, log_det) = cholesky::whitening(covariance.view()).unwrap();
        let difference = ndarray::Array1::from_iter(z.iter().zip(&mean).map(|(z, m)| z - m));
        of.n.ln() + log_det - 0.5 * w.dot(&difference).mapv(|x| x * x).sum()
    }

    #[test]
    fn samples_go_to_the_component_of_the_best_score() {
        for (dims, n) in [(1, 3), (2, 8), (5, 17), (10, 64), (13, 41)] {
            let components = components(dims);
            let scorer = Scorer::new(&components, &PRIOR).unwrap();
            let samples = values(n * dims, 7);
            let best = |z: &[f64]| {
                let scores = components.iter().map(|of| score(of, z));
                scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0 as u32
            };
            let expected: Vec<u32> = samples.chunks(dims).map(best).collect();
            // From the right guesses, from one guess for all, and from guesses of every kind.
            for guess in [None, Some(0), Some(7)] {
                let start: Vec<u32> = (0..n).map(|i| guess.unwrap_or(i) as u32 % COMPONENTS as u32).collect();
                let mut labels = start.clone();
                assert_eq!(scorer.move_to_best(&samples, &mut labels), start != expected);
                assert_eq!(labels, expected, "{dims} dimensions, {n} samples");
                assert!(!scorer.move_to_best(&samples, &mut labels));
            }
            let single = samples.chunks(dims).map(|z| scorer.best(z, 3) as u32);
            assert!(single.eq(expected.iter().copied()));
        }
    }

    #[test]
    fn posteriors_are_those_of_the_scores() {
        let (dims, n) = (4, 19);
        let components = components(dims);
        let scorer = Scorer::new(&components, &PRIOR).unwrap();
        let samples = values(n * dims, 8);
        let mut seen = 0;
        scorer.posteriors(&samples, &vec![2; n], |z, shares| {
            assert_eq!(z, &samples[seen * dims..][..dims]);
            let weights: Vec<f64> = components.iter().map(|of| score(of, z).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (k, weight) in weights.into_iter().enumerate() {
                let found = shares.iter().find(|(of, _)| *of == k).map_or(0.0, |(_, share)| *share);
                assert!((found - weight / total).abs() < 1e-7, "{found} {}", weight / total);
            }
            seen += 1;
        });
        assert_eq!(seen, n);
    }
}
