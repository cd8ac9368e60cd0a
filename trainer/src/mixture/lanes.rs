//! Eight samples side by side: what components and centres compute of every sample, in vector instructions.
//!
//! Each sum adds the same numbers in the same order whatever the instructions are, so that no bit depends on the machine.

use pulp::{Arch, Simd, WithSimd};

/// The number of samples that are computed with at once.
pub(super) const LANES: usize = 8;

/// A number of each sample.
pub(super) type Lanes = [f64; LANES];

/// Up to eight samples, dimension by dimension.
pub(super) struct Block {
    values: Vec<Lanes>,
}

impl Block {
    /// A block of D dimensions.
    pub(super) fn new(dims: usize) -> Self {
        Self { values: vec![[0.0; LANES]; dims] }
    }

    /// Holds up to eight samples of D numbers each, one after the other; the lanes without a sample keep what they had.
    #[inline(always)]
    pub(super) fn load(&mut self, rows: &[f64]) {
        let dims = self.values.len().max(1);
        for (lane, row) in rows.chunks_exact(dims).take(LANES).enumerate() {
            self.values.iter_mut().zip(row).for_each(|(lanes, x)| lanes[lane] = *x);
        }
    }

    /// D: the samples less a mean.
    #[inline(always)]
    pub(super) fn less(&self, mean: &[f64], difference: &mut [Lanes]) {
        for ((difference, values), m) in difference.iter_mut().zip(&self.values).zip(mean) {
            *difference = each(|lane| values[lane] - m);
        }
    }

    /// The squared distances to a centre.
    #[inline(always)]
    pub(super) fn squares(&self, center: &[f64]) -> Lanes {
        self.values.iter().zip(center).fold([0.0; LANES], |sums, (values, c)| {
            each(|lane| {
                let difference = values[lane] - c;
                sums[lane] + difference * difference
            })
        })
    }
}

/// `sum w d` for each sample.
#[inline(always)]
pub(super) fn projection(weights: &[f64], differences: &[Lanes]) -> Lanes {
    weights
        .iter()
        .zip(differences)
        .fold([0.0; LANES], |sums, (w, difference)| each(|lane| sums[lane] + w * difference[lane]))
}

/// A number of each lane.
#[inline(always)]
pub(super) fn each(f: impl Fn(usize) -> f64) -> Lanes {
    std::array::from_fn(f)
}

/// Work on samples that is compiled for the vector instructions of the machine it runs on. All that it calls must be inlined.
pub(super) trait Vectorized {
    /// What it gives.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Does such work.
pub(super) fn vectorized<W: Vectorized>(work: W) -> W::Output {
    struct Dispatched<W>(W);
    impl<W: Vectorized> WithSimd for Dispatched<W> {
        type Output = W::Output;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> W::Output {
            self.0.run()
        }
    }
    Arch::new().dispatch(Dispatched(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole vectors, and what is left beside them.
    #[test]
    fn lanes_are_samples() {
        for dims in 1..12 {
            let value = |sample: usize, d: usize| ((sample * 5 + d * 3) % 11) as f64 - 4.5;
            let samples: Vec<f64> = (0..LANES).flat_map(|sample| (0..dims).map(move |d| value(sample, d))).collect();
            let center: Vec<f64> = (0..dims).map(|d| d as f64 * 0.25 - 1.0).collect();
            let mut block = Block::new(dims);
            block.load(&samples);
            let mut differences = vec![[0.0; LANES]; dims];
            block.less(&center, &mut differences);
            let (squares, sums) = (block.squares(&center), projection(&center, &differences));
            for (lane, row) in samples.chunks(dims).enumerate() {
                let expected: f64 = row.iter().zip(&center).map(|(x, c)| (x - c).powi(2)).sum();
                assert_eq!(squares[lane], expected, "{dims}");
                let expected: f64 = row.iter().zip(&center).map(|(x, c)| c * (x - c)).sum();
                assert_eq!(sums[lane], expected, "{dims}");
            }
        }
    }

    #[test]
    fn what_follows_the_last_whole_block_takes_the_first_lanes() {
        let mut block = Block::new(2);
        block.load(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(block.squares(&[0.0, 0.0])[..3], [5.0, 25.0, 0.0]);
    }

    #[test]
    fn vectorized_work_is_done() {
        struct Sum(Vec<f64>);
        impl Vectorized for Sum {
            type Output = f64;

            fn run(self) -> f64 {
                self.0.iter().sum()
            }
        }
        assert_eq!(vectorized(Sum(vec![1.0, 2.5])), 3.5);
    }
}
