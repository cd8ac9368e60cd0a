//! The integer mixture against f64 on the same latents.

use edgemix::data::{Samples, Scaling};
use edgemix::mixture::{Covariance, Mixture};
use edgemix::quantize::{Provenance, quantize};
use edgemix::random::stream;
use edgemix::trained::{Head, Trained};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;
use rand::RngExt;

/// A random mixture of well-conditioned components, and samples of it.
fn case(kind: u8, dims: usize, components: usize, seed: u64) -> (Mixture, Vec<f32>) {
    let mut rng = stream(seed, "case", 0);
    let mut normal = move || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let means: Vec<f64> = (0..components * dims).map(|_| 1.5 * normal()).collect();
    let mut factors = vec![];
    for _ in 0..components {
        let mut factor = vec![0.0; dims * dims];
        let spherical = 0.1 + 0.1 * normal().abs();
        for r in 0..dims {
            for c in 0..=r {
                let diagonal = if kind == 0 { spherical } else { 0.1 + 0.2 * normal().abs() };
                factor[r * dims + c] = if r == c {
                    diagonal
                } else if kind == 2 {
                    0.1 * normal()
                } else {
                    0.0
                };
            }
        }
        factors.push(factor);
    }
    let product = |f: &[f64], r: usize, c: usize| (0..dims).map(|i| f[r * dims + i] * f[c * dims + i]).sum::<f64>();
    let covariance = match kind {
        0 => Covariance::Spherical(factors.iter().map(|f| product(f, 0, 0)).collect()),
        1 => Covariance::Diagonal(
            factors.iter().flat_map(|f| (0..dims).map(|d| product(f, d, d)).collect::<Vec<_>>()).collect(),
        ),
        _ => Covariance::Full(
            factors
                .iter()
                .flat_map(|f| (0..dims * dims).map(|i| product(f, i / dims, i % dims)).collect::<Vec<_>>())
                .collect(),
        ),
    };
    let samples = (0..2000).flat_map(|n| {
        let k = n % components;
        let noise: Vec<f64> = (0..dims).map(|_| normal()).collect();
        let at = |r: usize| means[k * dims + r] + (0..dims).map(|c| factors[k][r * dims + c] * noise[c]).sum::<f64>();
        (0..dims).map(|r| at(r) as f32).collect::<Vec<f32>>()
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
        let scaling = Scaling { gain: vec![1.0], offset: vec![0.0] };
        let trained = Trained {
            method: "case".into(),
            scaling,
            encoder: vec![],
            head: Head::Mixture(mixture.clone()),
            sticks: vec![],
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
