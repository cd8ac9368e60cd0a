//! The principal axes of latents, and the samples nearest to the means of clusters.

/// Largest number of steps of the orthogonal iteration.
const ITERATIONS: usize = 200;

/// The coordinates of `N x D` values along their two principal axes, and the shares of the variance along these.
pub(super) fn principal(z: &[f32], dims: usize) -> (Vec<[f64; 2]>, [f64; 2]) {
    let n = (z.len() / dims).max(1) as f64;
    let mut mean = vec![0f64; dims];
    z.chunks_exact(dims).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x) / n));
    let centered = |row: &[f32]| -> Vec<f64> { row.iter().zip(&mean).map(|(&x, m)| f64::from(x) - m).collect() };
    // The covariance matrix is not formed, since it may be much larger than the values.
    let apply = |axis: &[f64]| -> Vec<f64> {
        let mut out = vec![0f64; dims];
        for row in z.chunks_exact(dims) {
            let row = centered(row);
            let along: f64 = row.iter().zip(axis).map(|(x, a)| x * a).sum();
            out.iter_mut().zip(&row).for_each(|(o, x)| *o += along * x / n);
        }
        out
    };
    let mut axes = [start(dims, 0), start(dims, 1)];
    for _ in 0..ITERATIONS {
        let before = axes.clone();
        axes = [apply(&axes[0]), apply(&axes[1])];
        let [first, second] = &mut axes;
        normalise(first);
        remove(second, first);
        normalise(second);
        let moved = |k: usize| 1.0 - dot(&before[k], &axes[k]).abs();
        if moved(0).max(moved(1)) < 1e-12 {
            break;
        }
    }
    let total: f64 = z.chunks_exact(dims).map(|row| centered(row).iter().map(|x| x * x).sum::<f64>() / n).sum();
    let shares = [0, 1].map(|k| dot(&apply(&axes[k]), &axes[k]) / total.max(f64::MIN_POSITIVE));
    let place = |row: &[f32]| {
        let row = centered(row);
        [dot(&row, &axes[0]), dot(&row, &axes[1])]
    };
    (z.chunks_exact(dims).map(place).collect(), shares)
}

/// A direction that is unlikely to be at right angles to the data.
fn start(dims: usize, seed: usize) -> Vec<f64> {
    let mut axis: Vec<f64> = (0..dims).map(|d| ((d + 1) as f64 * (seed as f64 + 0.7)).sin() + 1e-3).collect();
    normalise(&mut axis);
    axis
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn remove(a: &mut [f64], b: &[f64]) {
    let along = dot(a, b);
    a.iter_mut().zip(b).for_each(|(a, b)| *a -= along * b);
}

fn normalise(a: &mut [f64]) {
    let norm = dot(a, a).sqrt().max(f64::MIN_POSITIVE);
    a.iter_mut().for_each(|a| *a /= norm);
}

/// For each cluster, the `count` samples nearest to the mean of its `N x D` latents, and the farthest, farthest first.
pub(super) fn extremes(z: &[f32], dims: usize, clusters: &[u16], k: usize, count: usize) -> Vec<[Vec<usize>; 2]> {
    let of = |cluster: usize| {
        let members: Vec<usize> = (0..clusters.len()).filter(|&n| usize::from(clusters[n]) == cluster).collect();
        let row = |n: usize| &z[n * dims..(n + 1) * dims];
        let mut mean = vec![0f64; dims];
        for &n in &members {
            mean.iter_mut().zip(row(n)).for_each(|(m, &x)| *m += f64::from(x) / members.len() as f64);
        }
        let distance = |n: usize| row(n).iter().zip(&mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>();
        let mut order: Vec<(f64, usize)> = members.iter().map(|&n| (distance(n), n)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let near = order.iter().take(count).map(|o| o.1).collect();
        [near, order.iter().rev().take(count).map(|o| o.1).collect()]
    };
    (0..k).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{normal, stream};

    #[test]
    fn the_axes_are_those_along_which_the_data_were_stretched() {
        let noise = normal(3000, &mut stream(0, "principal", 0));
        // Deviations 5 along (0.6, 0.8, 0), 2 along (0.8, -0.6, 0), 0.1 along the third.
        let z: Vec<f32> = noise
            .chunks_exact(3)
            .flat_map(|e| [3.0 * e[0] + 1.6 * e[1] + 7.0, 4.0 * e[0] - 1.2 * e[1], 0.1 * e[2]])
            .collect();
        let (places, shares) = principal(&z, 3);
        assert!((shares[0] - 25.0 / 29.01).abs() < 0.03 && (shares[1] - 4.0 / 29.01).abs() < 0.03, "{shares:?}");
        let square = |k: usize| places.iter().map(|p| p[k] * p[k]).sum::<f64>() / places.len() as f64;
        assert!((square(0).sqrt() - 5.0).abs() < 0.4 && (square(1).sqrt() - 2.0).abs() < 0.2);
        let cross: f64 = places.iter().map(|p| p[0] * p[1]).sum::<f64>() / places.len() as f64;
        assert!(cross.abs() < 0.02, "{cross}");
    }

    #[test]
    fn near_is_near_and_far_is_far() {
        let z = [0.0f32, 1.0, 2.0, 9.0, 50.0, 51.0];
        let found = extremes(&z, 1, &[0, 0, 0, 0, 1, 1], 3, 2);
        assert_eq!(found[0], [vec![2, 1], vec![3, 0]]);
        assert_eq!(found[1][0], [4, 5]);
        assert!(found[2].iter().all(Vec::is_empty));
    }
}
