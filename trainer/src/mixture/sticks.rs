//! The sticks of a truncated Dirichlet process, given how many samples each component has.

use statrs::function::gamma::digamma;

/// Expected logs of the sticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sticks {
    /// `E ln v_k`.
    pub(super) taken: Vec<f64>,
    /// `E ln (1 - v_k)`.
    pub(super) left: Vec<f64>,
}

/// The expectations of `ln v_k` and `ln (1 - v_k)` under `v_k ~ Beta(1 + N_k, omega0 + N_{>k})`.
///
/// The last stick is like the others, and what it leaves stays with the prior (Kurihara, Welling and Vlassis, "Accelerated
/// variational Dirichlet process mixtures", 2006). If it took all that is left, a large concentration would make the
/// smallest component the most probable one, and sorting could lower the bound.
pub(super) fn expected_logs(counts: &[f64], concentration: f64) -> Sticks {
    let expectation = |(g1, g2): (f64, f64)| {
        let total = digamma(g1 + g2);
        (digamma(g1) - total, digamma(g2) - total)
    };
    let (taken, left) = beta(counts, concentration).into_iter().map(expectation).unzip();
    Sticks { taken, left }
}

/// `E[v_k] prod_{l<k} E[1 - v_l]`.
pub(super) fn expected_weights(counts: &[f64], concentration: f64) -> Vec<f64> {
    let mut left = 1.0;
    let weight = |(g1, g2): (f64, f64)| {
        let taken = left * g1 / (g1 + g2);
        left -= taken;
        taken
    };
    beta(counts, concentration).into_iter().map(weight).collect()
}

/// The parameters of the sticks' posteriors.
fn beta(counts: &[f64], concentration: f64) -> Vec<(f64, f64)> {
    let total: f64 = counts.iter().sum();
    let mut seen = 0.0;
    counts
        .iter()
        .map(|n| {
            seen += n;
            (1.0 + n, concentration + (total - seen).max(0.0))
        })
        .collect()
}

/// The modes of the sticks' posteriors, `N_k / (N_k + N_{>k} + omega0 - 1)`: what equation 14 means.
pub(super) fn modes(counts: &[f64], concentration: f64) -> Vec<f64> {
    beta(counts, concentration)
        .into_iter()
        .map(|(g1, g2)| (g1 - 1.0) / (g1 + g2 - 2.0).max(f64::MIN_POSITIVE))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: [f64; 7] = [5200.0, 4900.0, 5100.0, 800.0, 30.0, 0.0, 0.0];

    #[test]
    fn means_and_modes_equal_a_worked_example() {
        let means = beta(&COUNTS, 2.0).into_iter().map(|(a, b)| a / (a + b));
        for (mean, expected) in means.zip([0.3244, 0.4524, 0.8598, 0.9616, 0.9394, 0.3333, 0.3333]) {
            assert!((mean - expected).abs() < 5e-5, "{mean} {expected}");
        }
        for (mode, expected) in modes(&COUNTS, 2.0).into_iter().zip([0.3244, 0.4524, 0.8599, 0.9627, 0.9677, 0.0, 0.0])
        {
            assert!((mode - expected).abs() < 5e-5, "{mode} {expected}");
        }
    }

    /// A stick's expected weight is the mean over draws of all sticks.
    #[test]
    fn expected_weights_are_the_means_of_broken_sticks() {
        let weights = expected_weights(&COUNTS, 2.0);
        let means: Vec<f64> = beta(&COUNTS, 2.0).into_iter().map(|(a, b)| a / (a + b)).collect();
        assert!((weights[0] - means[0]).abs() < 1e-12);
        assert!((weights[2] - (1.0 - means[0]) * (1.0 - means[1]) * means[2]).abs() < 1e-12);
        let total: f64 = weights.iter().sum();
        let left: f64 = means.iter().map(|v| 1.0 - v).product();
        assert!((total + left - 1.0).abs() < 1e-12 && weights.iter().all(|&w| w > 0.0));
    }

    #[test]
    fn expected_logs_are_integrals_over_the_posterior() {
        let sticks = expected_logs(&[30.0, 12.0, 3.0], 2.5);
        for (k, (g1, g2)) in beta(&[30.0, 12.0, 3.0], 2.5).into_iter().enumerate() {
            let density = |v: f64| v.powf(g1 - 1.0) * (1.0 - v).powf(g2 - 1.0);
            let steps = 200_000;
            let points = (0..steps).map(|i| (f64::from(i) + 0.5) / f64::from(steps));
            let (mut mass, mut taken, mut left) = (0.0, 0.0, 0.0);
            points.for_each(|v| {
                mass += density(v);
                taken += density(v) * v.ln();
                left += density(v) * (1.0 - v).ln();
            });
            assert!((sticks.taken[k] - taken / mass).abs() < 1e-6);
            assert!((sticks.left[k] - left / mass).abs() < 1e-6);
        }
    }
}
