//! The best components of sixteen samples, and the posteriors of their clusters.

use core::hint::black_box;

use super::input::floor;
use super::instructions::{GROUP, Instructions};
use super::lanes::{Lanes, Vectorised, compute};

/// What the scores of sixteen samples say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The component with the highest score, the first of several equal ones.
    pub(crate) component: [i32; GROUP],
    /// Its score.
    pub(crate) best: [i32; GROUP],
    /// The highest score of another cluster, if there are several.
    pub(crate) next: [i32; GROUP],
    /// The posterior probability of the cluster of the best component.
    pub(crate) posterior: [f32; GROUP],
}

/// Summarises scores, those of a component side by side. `clusters` has the cluster of each component.
pub(crate) fn summary_of_sixteen(
    instructions: Instructions,
    scores: &[[i32; GROUP]],
    clusters: &[i32],
    inverse_temperature: f32,
) -> Summary {
    compute(instructions, Summarise { scores, clusters, inverse_temperature })
}

struct Summarise<'a> {
    scores: &'a [[i32; GROUP]],
    clusters: &'a [i32],
    inverse_temperature: f32,
}

impl Vectorised for Summarise<'_> {
    type Output = Summary;

    #[inline(always)]
    fn run<L: Lanes>(self) -> Summary {
        let (mut component, mut best, mut cluster) = ([0; GROUP], [i32::MIN; GROUP], [0; GROUP]);
        for ((scores, k), &of) in self.scores.iter().zip(0..).zip(self.clusters) {
            // An index that compilers don't know keeps them from putting components side by side instead of samples.
            let k = black_box(k);
            for lane in 0..GROUP {
                let is_better = scores[lane] > best[lane] || k == 0;
                best[lane] = best[lane].max(scores[lane]);
                component[lane] = if is_better { k } else { component[lane] };
                cluster[lane] = if is_better { of } else { cluster[lane] };
            }
        }
        let (mut next, mut counted, mut all) = ([i32::MIN; GROUP], [0.0f32; GROUP], [0.0f32; GROUP]);
        for (scores, &of) in self.scores.iter().zip(self.clusters) {
            let of = black_box(of);
            let mut nats = [0.0; GROUP];
            for lane in 0..GROUP {
                nats[lane] = -(best[lane].abs_diff(scores[lane]) as f32) / 65536.0 * self.inverse_temperature;
            }
            let densities = exp_near_zero(&nats);
            for lane in 0..GROUP {
                let is_own = cluster[lane] == of;
                all[lane] += densities[lane];
                counted[lane] += if is_own { densities[lane] } else { 0.0 };
                next[lane] = next[lane].max(if is_own { i32::MIN } else { scores[lane] });
            }
        }
        let mut posterior = [0.0; GROUP];
        for lane in 0..GROUP {
            posterior[lane] = if all[lane] > 0.0 { counted[lane] / all[lane] } else { 0.0 };
        }
        Summary { component, best, next, posterior }
    }
}

/// `exp` as micromath computes it, of numbers from -16 to 0, and 0 below.
#[inline(always)]
fn exp_near_zero(nats: &[f32; GROUP]) -> [f32; GROUP] {
    use core::f32::consts::{E, LN_2, LOG2_E};
    let mut exps = [0.0; GROUP];
    for lane in 0..GROUP {
        let x = nats[lane].max(-16.0);
        let power = x * LOG2_E;
        let whole = -floor(-power);
        let fraction = (power - whole as f32) * LN_2;
        let mut series = 1.0;
        for i in [4.0, 3.0, 2.0, 1.0] {
            series = 1.0 + fraction / i * series;
        }
        // The exponent of a power of two is added to that of the series.
        let exp = f32::from_bits(series.to_bits().wrapping_add((whole as u32) << 23));
        let exp = if (x + 1.0).abs() < f32::EPSILON { 1.0 / E } else { exp };
        exps[lane] = if nats[lane] < -16.0 { 0.0 } else { exp };
    }
    exps
}

#[cfg(test)]
mod tests {
    use micromath::F32Ext;

    use super::*;

    /// The least and the greatest numbers of every exponent, and many between.
    #[test]
    fn exponentials_have_the_bits_of_one_sample() {
        let last = (-16.0f32).to_bits() + 1000;
        let numbers = (0x8000_0000u32..last).step_by(7919).chain((last - 2000)..last);
        let edges = (0..=16).flat_map(|n| (n * 0x80_0000u32..).take(3).map(|bits| bits.wrapping_add(0xb000_0000)));
        let near =
            [-1.0f32, -16.0, -core::f32::consts::LN_2].map(f32::to_bits).into_iter().flat_map(|at| at - 40..at + 40);
        for bits in numbers.chain(edges).chain(near) {
            let x = f32::from_bits(bits);
            let expected = if x < -16.0 { 0.0 } else { F32Ext::exp(x) };
            assert_eq!(exp_near_zero(&[x; GROUP])[3].to_bits(), expected.to_bits(), "{x:e}");
        }
        assert_eq!(exp_near_zero(&[0.0; GROUP]), [1.0; GROUP]);
    }
}
