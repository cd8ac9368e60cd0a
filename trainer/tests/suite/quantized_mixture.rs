//! The integer mixture against f64 on the same latents.

use edgemix::data::{Samples, Scaling};
use edgemix::mixture::{Covariance, Mixture};
use edgemix::quantize::{Provenance, quantize};
use edgemix::random::stream;
use edgemix::trained::{Head, Trained};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;
use ndarray::{Array1, Array2, Array3, Axis, s};
use rand::RngExt;

/// A random mixture of well-conditioned components, and samples of it.
fn case(kind: u8, dims: usize, components: usize, seed: u64) -> (Mixture, Vec<f32>) {
    let mut rng = stream(seed, "case", 0);
    let mut normal = move || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let means = Array2::from_shape_fn((components, dims), |_| 1.5 * normal());
    let mut factors = Array3::<f64>::zeros((components, dims, dims));
    for mut factor in factors.outer_iter_mut() {
        let spherical = 0.1 + 0.1 * normal().abs();
        for r in 0..dims {
            for c in 0..=r {
                let diagonal = if kind == 0 { spherical } else { 0.1 + 0.2 * normal().abs() };
                factor[[r, c]] = if r == c {
                    diagonal
                } else if kind == 2 {
                    0.1 * normal()
                } else {
                    0.0
                };
            }
        }
    }
    let product = |k: usize, r: usize, c: usize| factors.slice(s![k, r, ..]).dot(&factors.slice(s![k, c, ..]));
    let covariance = match kind {
        0 => Covariance::Spherical((0..components).map(|k| product(k, 0, 0)).collect()),
        1 => Covariance::Diagonal(Array2::from_shape_fn((components, dims), |(k, d)| product(k, d, d))),
        _ => Covariance::Full(Array3::from_shape_fn((components, dims, dims), |(k, r, c)| product(k, r, c))),
    };
    let samples = (0..2000).flat_map(|n| {
        let k = n % components;
        let noise = Array1::from_shape_fn(dims, |_| normal());
        let sample = factors.index_axis(Axis(0), k).dot(&noise) + means.row(k);
        sample.mapv(|x| x as f32)
    });
    let samples = samples.collect();
    let log_weights = (0..components).map(|k| -((k + 2) as f64).ln()).collect();
    let clusters = (0..components as u16).collect();
    (Mixture { log_weights, means: means.clone(), covariance, clusters }, samples)
}

#[test]
fn scores_are_within_two_hundredths_of_a_nat_and_the_winner_is_the_same() {
    let (mut different, mut total) = (0, 0);
    for (kind, dims, components) in [(0, 4, 6), (1, 10, 12), (1, 16, 8), (2, 10, 9), (2, 16, 5), (2, 2, 3)] {
        let (mixture, values) = case(kind, dims, components, 7 + u64::from(kind));
        let samples = Samples::new("case", values, dims);
        let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
        let trained = Trained {
            method: "case".into(),
            front_end: None,
            scaling,
            encoder: vec![],
            head: Head::Mixture(mixture.clone()),
            hierarchy: None,
            decoder: None,
        };
        let provenance = Provenance { name: "case".into(), config: [0; 32], seed: 0 };
        let bytes = quantize(&trained, &samples, None, &provenance).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let scale = f64::from(model.file().latent.scale);
        let whitened = mixture.whiten().unwrap();
        let (mut a, mut b) = (AlignedBytes::zeroed(model.arena_len()), AlignedBytes::zeroed(model.arena_len()));
        for sample in samples.all().unwrap().chunks_exact(dims) {
            let z: Vec<f64> = model.encode(sample, &mut a).unwrap().iter().map(|&z| f64::from(z) * scale).collect();
            let expected = whitened.scores(&z);
            let found = model.assign(sample, &mut b).unwrap();
            let best = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for (&score, &exact) in found.scores().iter().zip(&expected) {
                // What is further than 20 nats from the best has no part in any posterior.
                if exact > best - 20.0 {
                    let error = (f64::from(score) / 65536.0 - exact).abs();
                    assert!(error <= 0.02, "kind {kind}, {dims} dimensions: off by {error} nats at {exact}");
                }
            }
            total += 1;
            different += usize::from(expected[usize::from(found.component)] < best);
        }
    }
    assert!(different * 1000 <= total, "{different} of {total} winners differ");
}
