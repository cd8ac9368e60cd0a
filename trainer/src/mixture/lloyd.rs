//! Lloyd's iterations, wherever the samples are.
//!
//! Lloyd, "Least squares quantization in PCM", 1982. [`kmeans`](super::kmeans) runs them on all latents, on a device in f32;
//! [`points`](super::points) on the few samples of one component, many times over, on the host in f64.

use ndarray::{Array2, ArrayView1};

/// N samples of D dimensions that k-means clusters.
pub(super) trait Clusterable {
    /// The nearest centre of each sample, and what else [`Self::is_settled`] needs to know.
    type Nearest;

    /// The nearest of `K x D` centres for each sample.
    fn nearest(&self, centers: &Array2<f64>) -> Self::Nearest;

    /// K: the number of samples of each centre, and `K x D`: their sums.
    fn sums(&self, nearest: &Self::Nearest, k: usize) -> (Vec<f64>, Array2<f64>);

    /// The sample that the first centre without samples moves to, if it is to move: D numbers.
    fn replacement(&self, nearest: &Self::Nearest) -> Option<Vec<f64>>;

    /// Whether the iterations end with `now`, which follows `before`.
    fn is_settled(&self, before: &Self::Nearest, now: &Self::Nearest) -> bool;
}

/// Where Lloyd's iterations ended.
pub(super) struct Settled<N> {
    /// `K x D`.
    pub(super) centers: Array2<f64>,
    /// K: the number of samples of each centre in the last iteration.
    pub(super) counts: Vec<f64>,
    /// The nearest centres in the last iteration, before the centres moved.
    pub(super) nearest: N,
}

/// At most `iterations`, and at least one, from `K x D` centres: each sample goes to its nearest centre, and each centre to
/// the mean of its samples. Centres without samples stay, except for the first one, which may be moved to a sample.
pub(super) fn lloyd<S: Clusterable>(samples: &S, mut centers: Array2<f64>, iterations: usize) -> Settled<S::Nearest> {
    let mut before: Option<S::Nearest> = None;
    let mut left = iterations.max(1);
    loop {
        let nearest = samples.nearest(&centers);
        let (counts, sums) = samples.sums(&nearest, centers.nrows());
        for ((mut center, sum), &count) in centers.rows_mut().into_iter().zip(sums.rows()).zip(&counts) {
            if count > 0.0 {
                center.assign(&sum.mapv(|s| s / count));
            }
        }
        let empty = counts.iter().position(|&count| count == 0.0);
        let moved = empty.and_then(|empty| Some((empty, samples.replacement(&nearest)?)));
        if let Some((empty, sample)) = &moved {
            centers.row_mut(*empty).assign(&ArrayView1::from(sample));
        }
        left -= 1;
        let is_settled = moved.is_none() && before.is_some_and(|before| samples.is_settled(&before, &nearest));
        if is_settled || left == 0 {
            return Settled { centers, counts, nearest };
        }
        before = Some(nearest);
    }
}
