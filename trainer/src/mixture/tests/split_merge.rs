//! Split and merge moves on samples whose number of Gaussians is known.

use crate::mixture::Mixture;
use crate::mixture::split_merge::SplitMerge;
use crate::random::{normal, stream};

/// `n` samples of each of `k` unit Gaussians, their means drawn at random and 10 deviations or more apart.
fn gaussians(k: usize, dims: usize, n: usize) -> Vec<f64> {
    let rng = &mut stream(1, "means", (k * 100 + dims) as u64);
    let width = 12.0 * (k as f64).powf(1.0 / dims as f64);
    let mut means: Vec<Vec<f64>> = vec![];
    while means.len() < k {
        let mean: Vec<f64> = normal(dims, rng).iter().map(|&x| width * f64::from(x)).collect();
        let distance = |other: &Vec<f64>| other.iter().zip(&mean).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        if means.iter().all(|other| distance(other) >= 10.0) {
            means.push(mean);
        }
    }
    let noise = normal(k * n * dims, &mut stream(1, "noise", 0));
    noise.iter().enumerate().map(|(i, e)| means[i / dims % k][i % dims] + f64::from(*e)).collect()
}

fn grow(z: &[f64], dims: usize) -> Mixture {
    SplitMerge::default().fit(z, dims, &mut stream(2, "test", 0))
}

/// The share of samples that share a component exactly with the first sample of their Gaussian.
fn right(mixture: &Mixture, z: &[f64], k: usize) -> f64 {
    let found = labels(mixture, z);
    (0..found.len()).filter(|&i| found[i] == found[i % k]).count() as f64 / found.len() as f64
}

/// The best component of each sample.
fn labels(mixture: &Mixture, z: &[f64]) -> Vec<usize> {
    let whitened = mixture.whiten().unwrap();
    let best = |row: &[f64]| {
        let scores = whitened.scores(row);
        (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap()
    };
    z.chunks(mixture.n_dims()).map(best).collect()
}

#[test]
fn separated_gaussians_are_found_exactly() {
    for (k, dims) in [(3, 2), (10, 2), (10, 10), (30, 10)] {
        let z = gaussians(k, dims, 200);
        let mixture = grow(&z, dims);
        assert_eq!(mixture.n_components(), k, "{k} in {dims} dimensions");
        assert!(right(&mixture, &z, k) > 0.999, "{k} in {dims} dimensions");
        let mass: f64 = mixture.log_weights.iter().map(|w| w.exp()).sum();
        assert!((mass - 1.0).abs() < 1e-9);
    }
}

#[test]
fn one_gaussian_is_one_component() {
    for dims in [2, 5, 10] {
        assert_eq!(grow(&gaussians(1, dims, 3000), dims).n_components(), 1, "{dims} dimensions");
    }
}

#[test]
fn scale_and_place_change_nothing_and_the_same_stream_gives_the_same_bits() {
    let z = gaussians(6, 3, 150);
    let expected = grow(&z, 3);
    assert_eq!(grow(&z, 3), expected);
    for (factor, shift) in [(0.125, 0.0), (8.0, 0.0), (1.0, 100.0)] {
        let changed: Vec<f64> = z.iter().map(|x| x * factor + shift).collect();
        let mixture = grow(&changed, 3);
        assert_eq!(mixture.n_components(), 6, "times {factor}, plus {shift}");
        assert!(right(&mixture, &changed, 6) > 0.999);
    }
}
