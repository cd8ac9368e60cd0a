//! Which Gaussian a sample belongs to, for the split and merge moves.

use super::cholesky;
use super::niw::{NormalInverseWishart, Statistics};

/// The log of a ratio to the best component's posterior below which another's is taken to be none.
const NEGLIGIBLE: f64 = -20.0;

/// Gaussians that score a sample by posterior means and covariances, weighted by their share of the samples.
pub(super) struct Scorer {
    dims: usize,
    constants: Vec<f64>,
    means: Vec<f64>,
    /// K lower triangles, `D x D`.
    whitening: Vec<f64>,
}

impl Scorer {
    /// `None` if a covariance is not positive definite.
    pub(super) fn new(statistics: &[Statistics], prior: &NormalInverseWishart) -> Option<Self> {
        let mut scorer = Self { dims: 0, constants: vec![], means: vec![], whitening: vec![] };
        for of in statistics {
            let (mean, covariance) = prior.posterior(of);
            scorer.dims = mean.len();
            let (whitening, log_det) = cholesky::whitening(&covariance, mean.len())?;
            scorer.constants.push(of.n.ln() + log_det);
            scorer.means.extend(mean);
            scorer.whitening.extend(whitening);
        }
        Some(scorer)
    }

    /// The score, or something no greater than `least` as soon as it is seen to be no greater: each row of the whitening
    /// lowers it further.
    fn score_above(&self, k: usize, z: &[f64], least: f64) -> f64 {
        let dims = self.dims;
        let mean = &self.means[k * dims..(k + 1) * dims];
        let rows = self.whitening[k * dims * dims..(k + 1) * dims * dims].chunks_exact(dims);
        let mut score = self.constants[k];
        for (r, row) in rows.enumerate() {
            let sum = projection(&row[..=r], &z[..=r], &mean[..=r]);
            score -= 0.5 * sum * sum;
            if score <= least {
                break;
            }
        }
        score
    }

    /// The components whose posterior is not negligible, each with it.
    pub(super) fn posterior(&self, z: &[f64], guess: usize) -> Vec<(usize, f64)> {
        let (most, greatest) = self.best(z, guess);
        let least = greatest + NEGLIGIBLE;
        let scores =
            (0..self.constants.len()).map(|k| (k, if k == most { greatest } else { self.score_above(k, z, least) }));
        let mut shares: Vec<(usize, f64)> =
            scores.filter(|(_, score)| *score > least).map(|(k, score)| (k, (score - greatest).exp())).collect();
        let total: f64 = shares.iter().map(|(_, share)| share).sum();
        shares.iter_mut().for_each(|(_, share)| *share /= total);
        shares
    }

    /// The best component and its score; `guess` if none is better.
    pub(super) fn best(&self, z: &[f64], guess: usize) -> (usize, f64) {
        let mut best = (guess, self.score_above(guess, z, f64::NEG_INFINITY));
        for k in (0..self.constants.len()).filter(|&k| k != guess) {
            let score = self.score_above(k, z, best.1);
            if score > best.1 {
                best = (k, score);
            }
        }
        best
    }
}

/// `sum w (z - m)`, in four sums that do not wait for each other.
fn projection(w: &[f64], z: &[f64], m: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let whole = w.len() / 4 * 4;
    for ((w, z), m) in w.chunks_exact(4).zip(z.chunks_exact(4)).zip(m.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += w[lane] * (z[lane] - m[lane]);
        }
    }
    let rest: f64 = (whole..w.len()).map(|i| w[i] * (z[i] - m[i])).sum();
    sums.iter().sum::<f64>() + rest
}
