//! Divergences between two diagonal Gaussians: `q = N(mu1, s1)` of the encoder and `p = N(mu2, s2)` of the cluster.
//!
//! Nielsen, "On the Jensen-Shannon symmetrization of distances relying on abstract means", Entropy 21, 2019: with the
//! geometric mean `G ~ q^(1-a) p^a` of precision `R = (1-a) rho1 + a rho2`,
//!
//! - primal: `(1-a) KL(q||G) + a KL(p||G)`
//! - dual: `(1-a) KL(G||q) + a KL(G||p) = -ln integral q^(1-a) p^a`
//!
//! With unit variances the primal is exactly `a (1-a) / 2 |mu1 - mu2|^2`.

use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

/// A divergence with its parameters.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::divergence::{Divergence, Gaussians};
///
/// let row = |x: f32| Tensor::<Flex, 2>::from_data([[x, x]], &Default::default());
/// let gaussian = |mean, variance: f32| Gaussians { mean: row(mean), log_variance: row(variance.ln()) };
/// let of = |divergence: Divergence| divergence.between(gaussian(0.3, 1.0), gaussian(-1.1, 1.0)).into_scalar();
/// // With unit variances the primal is a (1 - a) / 2 |mu1 - mu2|^2.
/// assert!((of(Divergence::Primal(0.65)) - 0.65 * 0.35 * 1.4 * 1.4).abs() < 1e-5);
/// assert!(of(Divergence::Dual(0.65)) > 0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Divergence {
    /// alpha-JSD in its primal form; the skew alpha in (0, 1).
    Primal(f64),
    /// alpha-JSD in its dual form.
    Dual(f64),
    /// alpha-JSD as printed in equation 5 of Lim, "Deep Clustering using Dirichlet Process Gaussian Mixture and Alpha
    /// Jensen-Shannon Divergence Clustering Loss", 2024. Factors of one half and the dimension are in different places,
    /// and the trace is `((1-a) s1 / s_a + a s2) / 2`. This form is neither zero nor minimal at q = p.
    Printed(f64),
    /// `KL(q||p)`.
    KullbackLeibler,
    /// The Kullback-Leibler divergence as printed in equation 4 of the same paper, with the precision `tau = 1 / s2`:
    /// `ln tau + ln s1 / 2 + (1 / tau + Delta^2) / (2 s1) - 1/2` in each dimension. It is `KL(p||q)` with `ln tau` instead of
    /// half of it.
    PrintedKullbackLeibler,
}

/// A batch of diagonal Gaussians: means and log variances, `N x D` each.
#[derive(Clone, Debug)]
pub struct Gaussians<B: Backend> {
    /// Means.
    pub mean: Tensor<B, 2>,
    /// Logarithms of the variances.
    pub log_variance: Tensor<B, 2>,
}

impl Divergence {
    /// The N divergences of the pairs, summed over dimensions.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::divergence::{Divergence, Gaussians};
    ///
    /// // Of unit variances it is half the squared distance of the means.
    /// let rows = |rows: [[f32; 2]; 2]| Tensor::<Flex, 2>::from_data(rows, &Default::default());
    /// let q = Gaussians { mean: rows([[0.0, 0.0], [1.0, 3.0]]), log_variance: rows([[0.0; 2]; 2]) };
    /// let p = Gaussians { mean: rows([[0.0; 2]; 2]), log_variance: rows([[0.0; 2]; 2]) };
    /// let found: Vec<f32> = Divergence::KullbackLeibler.between(q, p).into_data().iter::<f32>().collect();
    /// assert!(found[0].abs() < 1e-5 && (found[1] - 5.0).abs() < 1e-5);
    /// ```
    pub fn between<B: Backend>(self, q: Gaussians<B>, p: Gaussians<B>) -> Tensor<B, 1> {
        let squared = (q.mean - p.mean).square();
        let (l1, l2) = (q.log_variance, p.log_variance);
        let (rho1, rho2) = (l1.clone().neg().exp(), l2.clone().neg().exp());
        let per_dimension = match self {
            Self::Primal(a) => {
                let r = rho1.clone() * (1.0 - a) + rho2.clone() * a;
                let trace = r.clone() * (l1.clone().exp() * (1.0 - a) + l2.clone().exp() * a);
                let weight = (rho2.square() * a + rho1.square() * (1.0 - a)) / r.clone() * (a * (1.0 - a));
                (trace - r.log() - l1 * (1.0 - a) - l2 * a - 1.0 + weight * squared) * 0.5
            }
            Self::Dual(a) => {
                let r = rho1.clone() * (1.0 - a) + rho2.clone() * a;
                let weight = rho1 * rho2 / r.clone() * (a * (1.0 - a));
                (weight * squared + r.log() + l1 * (1.0 - a) + l2 * a) * 0.5
            }
            Self::Printed(a) => {
                let r = rho1.clone() * (1.0 - a) + rho2.clone() * a;
                // mu_a - mu1 = a rho2 / R (mu2 - mu1), mu_a - mu2 = (1-a) rho1 / R (mu1 - mu2).
                let weight = (rho2 / r.clone() * a).square() * (1.0 - a) + (rho1 / r.clone() * (1.0 - a)).square() * a;
                let trace = r.clone() * l1.clone().exp() * (1.0 - a) + l2.clone().exp() * a;
                weight * squared * r.clone() - 1.0 + trace * 0.5 - r.log() - l1 * (1.0 - a) - l2 * a
            }
            Self::PrintedKullbackLeibler => (l2.clone().exp() + squared) * rho1 * 0.5 - l2 + l1 * 0.5 - 0.5,
            Self::KullbackLeibler => ((l1.clone() - l2.clone()).exp() + squared * rho2 - 1.0 - l1 + l2) * 0.5,
        };
        per_dimension.sum_dim(1).squeeze_dim::<1>(1)
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use proptest::prelude::*;

    use super::*;

    type B = Autodiff<Flex>;

    /// The value, and its gradients with respect to the mean and the log variance of q.
    fn evaluate(divergence: Divergence, [m1, s1, m2, s2]: [f64; 4]) -> [f64; 3] {
        let device = Default::default();
        let leaf = |x: f64| Tensor::<B, 2>::from_floats([[x as f32]], &device).require_grad();
        let (mean, log_variance) = (leaf(m1), leaf(s1.ln()));
        let q = Gaussians { mean: mean.clone(), log_variance: log_variance.clone() };
        let value = divergence.between(q, Gaussians { mean: leaf(m2), log_variance: leaf(s2.ln()) });
        let gradients = value.clone().sum().backward();
        let number = |t: Tensor<Flex, 2>| f64::from(t.into_scalar());
        [
            f64::from(value.into_scalar()),
            number(mean.grad(&gradients).unwrap()),
            number(log_variance.grad(&gradients).unwrap()),
        ]
    }

    fn kl(m1: f64, s1: f64, m2: f64, s2: f64) -> f64 {
        0.5 * (s1 / s2 + (m1 - m2).powi(2) / s2 - 1.0 - (s1 / s2).ln())
    }

    /// The geometric mean's mean and variance.
    fn geometric([m1, s1, m2, s2]: [f64; 4], a: f64) -> (f64, f64) {
        let s = 1.0 / ((1.0 - a) / s1 + a / s2);
        (s * ((1.0 - a) * m1 / s1 + a * m2 / s2), s)
    }

    /// The analytic gradients of primal and dual from METHODS.md, with respect to the mean and the log variance of q.
    fn gradients(divergence: Divergence, [m1, s1, m2, s2]: [f64; 4]) -> [f64; 2] {
        let (r1, r2, delta) = (1.0 / s1, 1.0 / s2, m1 - m2);
        match divergence {
            Divergence::Primal(a) => {
                let r = (1.0 - a) * r1 + a * r2;
                let n = a * r2 * r2 + (1.0 - a) * r1 * r1;
                let (dr, dn) = (-(1.0 - a) * r1, -2.0 * (1.0 - a) * r1 * r1);
                let by_log = dr * ((1.0 - a) / r1 + a / r2) + r * (1.0 - a) / r1 - dr / r - (1.0 - a)
                    + a * (1.0 - a) * delta * delta * (dn * r - n * dr) / (r * r);
                [a * (1.0 - a) * n / r * delta, 0.5 * by_log]
            }
            Divergence::Dual(a) => {
                let r = (1.0 - a) * r1 + a * r2;
                let dr = -(1.0 - a) * r1;
                let by_log = -a * a * (1.0 - a) * delta * delta * r1 * r2 * r2 / (r * r) + dr / r + (1.0 - a);
                [a * (1.0 - a) * r1 * r2 / r * delta, 0.5 * by_log]
            }
            _ => unreachable!("only alpha-JSD"),
        }
    }

    const CASE: [f64; 4] = [0.3, 0.7, -1.1, 2.3];

    #[test]
    fn the_worked_example_comes_out() {
        for (a, primal, dual) in [(0.2, 0.296135, 0.123244), (0.5, 0.408272, 0.247007), (0.65, 0.333644, 0.262661)] {
            assert!((evaluate(Divergence::Primal(a), CASE)[0] - primal).abs() < 2e-6);
            assert!((evaluate(Divergence::Dual(a), CASE)[0] - dual).abs() < 2e-6);
        }
        assert!((evaluate(Divergence::KullbackLeibler, CASE)[0] - 0.67305).abs() < 1e-5);
        let [m1, s1, m2, s2] = CASE;
        assert!((evaluate(Divergence::KullbackLeibler, [m2, s2, m1, s1])[0] - 1.94807).abs() < 1e-5);
    }

    #[test]
    fn dual_is_minus_the_log_of_the_integral() {
        let density = |x: f64, m: f64, s: f64| (-0.5 * (x - m).powi(2) / s).exp() / (std::f64::consts::TAU * s).sqrt();
        for a in [0.2, 0.5, 0.65, 0.9] {
            let [m1, s1, m2, s2] = CASE;
            let points = (0..400_000).map(|i| -20.0 + f64::from(i) * 1e-4);
            let integral: f64 =
                points.map(|x| density(x, m1, s1).powf(1.0 - a) * density(x, m2, s2).powf(a) * 1e-4).sum();
            assert!((evaluate(Divergence::Dual(a), CASE)[0] + integral.ln()).abs() < 1e-6);
        }
    }

    fn cases() -> impl Strategy<Value = ([f64; 4], f64)> {
        ((-2.0..2.0f64), (0.2..4.0f64), (-2.0..2.0f64), (0.2..4.0f64), (0.05..0.95f64))
            .prop_map(|(m1, s1, m2, s2, a)| ([m1, s1, m2, s2], a))
    }

    proptest! {
        #[test]
        fn primal_and_dual_are_their_definitions((case, a) in cases()) {
            let [m1, s1, m2, s2] = case;
            let (m, s) = geometric(case, a);
            let primal = (1.0 - a) * kl(m1, s1, m, s) + a * kl(m2, s2, m, s);
            let dual = (1.0 - a) * kl(m, s, m1, s1) + a * kl(m, s, m2, s2);
            prop_assert!((evaluate(Divergence::Primal(a), case)[0] - primal).abs() < 1e-4 * (1.0 + primal));
            prop_assert!((evaluate(Divergence::Dual(a), case)[0] - dual).abs() < 1e-4 * (1.0 + dual));
        }

        #[test]
        fn autodiff_gives_the_analytic_gradients_and_they_are_the_finite_differences((case, a) in cases()) {
            for divergence in [Divergence::Primal(a), Divergence::Dual(a)] {
                let [_, by_mean, by_log] = evaluate(divergence, case);
                let expected = gradients(divergence, case);
                prop_assert!((by_mean - expected[0]).abs() < 1e-3 * (1.0 + expected[0].abs()));
                prop_assert!((by_log - expected[1]).abs() < 1e-3 * (1.0 + expected[1].abs()));
                let shifted = |mean: f64, log: f64| {
                    let [m1, s1, m2, s2] = case;
                    let moved = [m1 + mean, s1 * log.exp(), m2, s2];
                    let (m, s) = geometric(moved, a);
                    let [m1, s1, m2, s2] = moved;
                    match divergence {
                        Divergence::Primal(_) => (1.0 - a) * kl(m1, s1, m, s) + a * kl(m2, s2, m, s),
                        _ => (1.0 - a) * kl(m, s, m1, s1) + a * kl(m, s, m2, s2),
                    }
                };
                let h = 1e-5;
                let differences = [
                    (shifted(h, 0.0) - shifted(-h, 0.0)) / (2.0 * h),
                    (shifted(0.0, h) - shifted(0.0, -h)) / (2.0 * h),
                ];
                for (difference, expected) in differences.into_iter().zip(expected) {
                    prop_assert!((difference - expected).abs() < 1e-6 * (1.0 + expected.abs()));
                }
            }
        }

        #[test]
        fn swapping_the_arguments_mirrors_the_skew((case, a) in cases()) {
            let [m1, s1, m2, s2] = case;
            let there = evaluate(Divergence::Primal(a), case)[0];
            let back = evaluate(Divergence::Primal(1.0 - a), [m2, s2, m1, s1])[0];
            prop_assert!((there - back).abs() < 1e-4 * (1.0 + there));
        }

        #[test]
        fn unit_variances_leave_a_weighted_square(m1 in -3.0..3.0f64, m2 in -3.0..3.0f64, a in 0.05..0.95f64) {
            let expected = 0.5 * a * (1.0 - a) * (m1 - m2).powi(2);
            for divergence in [Divergence::Primal(a), Divergence::Dual(a)] {
                prop_assert!((evaluate(divergence, [m1, 1.0, m2, 1.0])[0] - expected).abs() < 1e-5);
            }
        }

        #[test]
        fn the_printed_kullback_leibler_divergence_is_the_reverse_one_with_another_half_of_a_logarithm((case, _) in cases()) {
            let [m1, s1, m2, s2] = case;
            let expected = kl(m2, s2, m1, s1) - 0.5 * s2.ln();
            let found = evaluate(Divergence::PrintedKullbackLeibler, case)[0];
            prop_assert!((found - expected).abs() < 1e-4 * (1.0 + expected.abs()));
        }

        #[test]
        fn the_printed_form_is_equation_5_literally((case, a) in cases()) {
            let [m1, s1, m2, s2] = case;
            let (m, s) = geometric(case, a);
            let expected = (1.0 - a) * (m - m1).powi(2) / s + a * (m - m2).powi(2) / s - 1.0
                + 0.5 * ((1.0 - a) * s1 / s + a * s2)
                + (s / (s1.powf(1.0 - a) * s2.powf(a))).ln();
            let found = evaluate(Divergence::Printed(a), case)[0];
            prop_assert!((found - expected).abs() < 1e-4 * (1.0 + expected.abs()));
        }
    }
}
