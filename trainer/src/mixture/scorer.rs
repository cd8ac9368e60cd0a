//! Which Gaussian a sample belongs to, for the split and merge moves.

use super::cholesky;
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

    /// The components whose posterior is not negligible, each with its posterior.
    pub(super) fn posterior(&self, z: &[f64], guess: usize) -> Vec<(usize, f64)> {
        let (most, greatest) = self.best(z, guess);
        let least = greatest + NEGLIGIBLE;
        let score =
            |(k, gaussian): (usize, &Gaussian)| (k, if k == most { greatest } else { gaussian.score_above(z, least) });
        let scores = self.gaussians.iter().enumerate().map(score);
        let mut shares: Vec<(usize, f64)> =
            scores.filter(|(_, score)| *score > least).map(|(k, score)| (k, (score - greatest).exp())).collect();
        let total: f64 = shares.iter().map(|(_, share)| share).sum();
        shares.iter_mut().for_each(|(_, share)| *share /= total);
        shares
    }

    /// The best component and its score; `guess` unless another one is better.
    pub(super) fn best(&self, z: &[f64], guess: usize) -> (usize, f64) {
        let mut best = (guess, self.gaussians[guess].score_above(z, f64::NEG_INFINITY));
        for (k, gaussian) in self.gaussians.iter().enumerate().filter(|(k, _)| *k != guess) {
            let score = gaussian.score_above(z, best.1);
            if score > best.1 {
                best = (k, score);
            }
        }
        best
    }
}

impl Gaussian {
    /// The score, or a value no greater than `least` as soon as the score is known to be no greater: each row of the
    /// whitening lowers it further.
    fn score_above(&self, z: &[f64], least: f64) -> f64 {
        let mut score = self.constant;
        for row in self.whitening.rows() {
            let sum = projection(row, &z[..row.len()], &self.mean[..row.len()]);
            score -= 0.5 * sum * sum;
            if score <= least {
                break;
            }
        }
        score
    }
}

/// `sum w (z - m)`, in four independent sums.
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
