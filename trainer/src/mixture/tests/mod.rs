//! The batched tensor work against plain f64 loops, and what the algorithms promise.

mod degenerate;
mod dirichlet;
mod split_merge;

use burn::backend::Flex;
use burn::tensor::{Tensor, backend::Backend};
use burn_ndarray::NdArray;
use ndarray::{Array2, Array3, ArrayView1, array};
use rand::{Rng, RngExt};

use super::dirichlet::{Assignment, DirichletProcess};
use super::gmm::{Gmm, expect};
use super::kmeans::KMeans;
use super::{Covariance, CovarianceType, Mixture, elements, matrix};
use crate::base::arrays::from_rows;
use crate::base::random::{normal, stream};

const D: usize = 3;
const SHAPES: [CovarianceType; 3] = [CovarianceType::Spherical, CovarianceType::Diagonal, CovarianceType::Full];

fn tensor<B: Backend>(values: &[f64], columns: usize) -> Tensor<B, 2> {
    matrix(values, values.len() / columns, &Default::default())
}

/// `n` samples about each centre, with deviation `spread`, rounded to what f32 holds.
fn blobs(centers: &[[f64; D]], n: usize, spread: f64, seed: u64) -> Vec<f64> {
    let noise = normal(centers.len() * n * D, &mut stream(seed, "blobs", 0));
    let at = |(i, x): (usize, &f32)| f64::from((centers[i / D / n][i % D] + spread * f64::from(*x)) as f32);
    noise.iter().enumerate().map(at).collect()
}

const CORNERS: [[f64; D]; 4] = [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0], [-3.0, -3.0, -3.0]];

/// Blobs that overlap, so that responsibilities are between 0 and 1.
fn overlapping() -> Vec<f64> {
    blobs(&CORNERS, 50, 2.0, 1)
}

/// The samples' clusters are the blobs, but for their numbers.
fn finds_corners(mixture: &Mixture, z: &[f64]) -> bool {
    let found = mixture.components(from_rows(z.to_vec(), D).view()).unwrap();
    let n = found.len() / CORNERS.len();
    let same = |a: usize, b: usize| (found[a] == found[b]) == (a / n == b / n);
    (0..found.len()).all(|a| (0..found.len()).step_by(7).all(|b| same(a, b)))
}

/// A mixture of every shape, its means about `offset`.
fn mixtures(offset: f64) -> [Mixture; 3] {
    let mut rng = stream(2, "mixtures", 0);
    let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| rng.random::<f64>()).collect() };
    let k = 4;
    let means = from_rows(draw(k * D), D).mapv(|x| 4.0 * x + offset);
    let positive = |x: Vec<f64>| -> Vec<f64> { x.iter().map(|x| 0.1 + x).collect() };
    let mut full = Array3::zeros((k, D, D));
    for mut covariance in full.outer_iter_mut() {
        let root = from_rows(draw(D * D), D);
        covariance.assign(&(root.dot(&root.t()) + Array2::<f64>::eye(D) * 0.1));
    }
    let log_weights: Vec<f64> = draw(k).iter().map(|x| x - 2.0).collect();
    [
        Covariance::Spherical(positive(draw(k))),
        Covariance::Diagonal(from_rows(positive(draw(k * D)), D)),
        Covariance::Full(full),
    ]
    .map(|covariance| {
        let clusters = vec![0, 1, 2, 3];
        Mixture { log_weights: log_weights.clone(), means: means.clone(), covariance, clusters }
    })
}

#[test]
fn batched_scores_are_the_definition_even_far_from_the_origin() {
    for offset in [0.0, 500.0] {
        let z: Vec<f64> = overlapping().iter().map(|x| f64::from((x + offset) as f32)).collect();
        for mixture in mixtures(offset) {
            let whitened = mixture.whiten().unwrap();
            let expected: Vec<f64> = z.chunks(D).flat_map(|z| whitened.scores(z)).collect();
            let on_flex = elements(mixture.log_density(&tensor::<Flex>(&z, D)).unwrap());
            let on_ndarray = elements(mixture.log_density(&tensor::<NdArray>(&z, D)).unwrap());
            for ((e, f), n) in expected.iter().zip(on_flex).zip(on_ndarray) {
                // The means about 500 are rounded to f32 too: 3e-5, times the steepest slope.
                assert!((e - f).abs() < 1e-2 + 1e-5 * e.abs(), "{e} {f} at {offset}");
                assert!((f - n).abs() < 1e-2 + 1e-5 * e.abs(), "{f} {n} at {offset}");
            }
        }
    }
}

#[test]
fn a_full_covariance_scores_by_its_inverse_and_determinant() {
    let mixture = Mixture {
        log_weights: vec![-0.7],
        means: array![[1.0, -2.0]],
        covariance: Covariance::Full(array![[[2.0, 0.6], [0.6, 0.5]]]),
        clusters: vec![0],
    };
    let det: f64 = 2.0 * 0.5 - 0.36;
    let (x, y) = (0.4 - 1.0, 0.1 + 2.0);
    let square = (0.5 * x * x - 2.0 * 0.6 * x * y + 2.0 * y * y) / det;
    let expected = -0.7 - 0.5 * square - 0.5 * det.ln() - std::f64::consts::TAU.ln();
    assert!((mixture.whiten().unwrap().scores(&[0.4, 0.1])[0] - expected).abs() < 1e-12);
}

#[test]
fn the_maximisation_step_is_the_weighted_mean_and_covariance() {
    let z = overlapping();
    let n = z.len() / D;
    let start = &mixtures(0.0)[1];
    let (responsibilities, likelihood) = expect(&tensor::<Flex>(&z, D), start).unwrap();
    let whitened = start.whiten().unwrap();
    let mut mean_likelihood = 0.0;
    let r: Vec<Vec<f64>> = z
        .chunks(D)
        .map(|z| {
            let scores = whitened.scores(z);
            let sum: f64 = scores.iter().map(|s| s.exp()).sum();
            mean_likelihood += sum.ln() / n as f64;
            scores.iter().map(|s| s.exp() / sum).collect()
        })
        .collect();
    assert!((likelihood - mean_likelihood).abs() < 1e-3);
    for shape in SHAPES {
        let fitted = Gmm { covariance: shape, variance_floor: 0.0, ..Gmm::default() }
            .maximise(&tensor::<Flex>(&z, D), &responsibilities);
        for k in 0..4 {
            let count: f64 = r.iter().map(|r| r[k]).sum();
            let weighted =
                |f: &dyn Fn(&[f64]) -> f64| z.chunks(D).zip(&r).map(|(z, r)| r[k] * f(z)).sum::<f64>() / count;
            let mean: Vec<f64> = (0..D).map(|d| weighted(&|z| z[d])).collect();
            let covariance = |a: usize, b: usize| weighted(&|z| (z[a] - mean[a]) * (z[b] - mean[b]));
            let close = |found: f64, expected: f64| assert!((found - expected).abs() < 2e-3, "{found} {expected}");
            close(fitted.log_weights[k], (count / n as f64).ln());
            (0..D).for_each(|d| close(fitted.means[[k, d]], mean[d]));
            match &fitted.covariance {
                Covariance::Spherical(v) => close(v[k], (0..D).map(|d| covariance(d, d)).sum::<f64>() / D as f64),
                Covariance::Diagonal(v) => (0..D).for_each(|d| close(v[[k, d]], covariance(d, d))),
                Covariance::Full(v) => (0..D * D).for_each(|i| close(v[[k, i / D, i % D]], covariance(i / D, i % D))),
            }
        }
    }
}

#[test]
fn expectation_maximisation_never_lowers_the_likelihood() {
    let z = tensor::<Flex>(&overlapping(), D);
    for (shape, start) in SHAPES.into_iter().zip(mixtures(0.0)) {
        let gmm = Gmm { covariance: shape, variance_floor: 1e-6, ..Gmm::default() };
        let (mut mixture, mut previous) = (start, f64::NEG_INFINITY);
        for _ in 0..40 {
            let (responsibilities, likelihood) = expect(&z, &mixture).unwrap();
            assert!(likelihood > previous - 1e-5, "{shape:?}: {previous} then {likelihood}");
            previous = likelihood;
            mixture = gmm.maximise(&z, &responsibilities);
        }
    }
}

#[test]
fn separated_blobs_are_found_exactly() {
    let z = blobs(&CORNERS, 40, 0.4, 3);
    let on_device = tensor::<Flex>(&z, D);
    let kmeans = KMeans { n_clusters: 4, n_init: 5, ..KMeans::default() };
    assert!(finds_corners(&kmeans.fit(&on_device, &mut stream(0, "test", 0)).mixture(), &z));
    for covariance in SHAPES {
        let gmm = Gmm { n_components: 4, covariance, n_init: 5, ..Gmm::default() };
        assert!(finds_corners(&gmm.fit(&on_device, &mut stream(0, "test", 0)).unwrap(), &z), "{covariance:?}");
    }
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let process = DirichletProcess { truncation: 4, assignment, ..DirichletProcess::default() };
        assert!(finds_corners(&process.fit(&on_device, &mut stream(0, "test", 0)).unwrap(), &z), "{assignment:?}");
    }
}

/// Lloyd's algorithm as one writes it down, from samples drawn at random.
fn naive_inertia(z: &[f64], k: usize, rng: &mut impl Rng) -> f64 {
    let n = z.len() / D;
    let row = |i: usize| &z[i * D..(i + 1) * D];
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mut centers: Vec<Vec<f64>> = (0..k).map(|_| row(rng.random_range(0..n)).to_vec()).collect();
    let mut inertia = 0.0;
    for _ in 0..50 {
        let nearest = |i: usize| {
            let order = |&a: &usize, &b: &usize| square(row(i), &centers[a]).total_cmp(&square(row(i), &centers[b]));
            (0..k).min_by(order).unwrap()
        };
        let found: Vec<usize> = (0..n).map(nearest).collect();
        inertia = (0..n).map(|i| square(row(i), &centers[found[i]])).sum();
        for (c, center) in centers.iter_mut().enumerate() {
            let members: Vec<usize> = (0..n).filter(|&i| found[i] == c).collect();
            if !members.is_empty() {
                *center =
                    (0..D).map(|d| members.iter().map(|&i| row(i)[d]).sum::<f64>() / members.len() as f64).collect();
            }
        }
    }
    inertia
}

#[test]
fn kmeans_is_no_worse_than_the_best_of_as_many_naive_starts() {
    for (seed, k) in [(0, 3), (1, 6), (2, 9)] {
        let z = blobs(&CORNERS, 40, 1.5, seed);
        let mut rng = stream(seed, "naive", 0);
        let naive = (0..10).map(|_| naive_inertia(&z, k, &mut rng)).fold(f64::INFINITY, f64::min);
        let kmeans = KMeans { n_clusters: k, n_init: 10, ..KMeans::default() };
        let found = kmeans.fit(&tensor::<Flex>(&z, D), &mut stream(seed, "test", 0));
        assert!(found.inertia <= naive * 1.01, "{} {naive}", found.inertia);
    }
}

#[test]
fn a_center_without_samples_is_moved_to_some() {
    let z = tensor::<Flex>(&blobs(&CORNERS, 20, 0.3, 4), D);
    let start = array![CORNERS[0], CORNERS[1], [1e3; D], [1e3; D]];
    let found = KMeans { n_clusters: 4, ..KMeans::default() }.refine(&z, start);
    assert_eq!(found.shares, [0.25; 4]);
}

#[test]
fn more_clusters_than_distinct_samples_are_no_trouble() {
    let z = tensor::<Flex>(&[1.0; 30 * D], D);
    let kmeans = KMeans { n_clusters: 5, n_init: 2, ..KMeans::default() };
    assert_eq!(kmeans.fit(&z, &mut stream(0, "test", 0)).inertia, 0.0);
    for covariance in SHAPES {
        let gmm = Gmm { n_components: 5, covariance, ..Gmm::default() };
        let mixture = gmm.fit(&z, &mut stream(0, "test", 0)).unwrap();
        assert!(mixture.whiten().unwrap().scores(&[1.0; D]).iter().all(|s| s.is_finite()), "{covariance:?}");
    }
    let mixture = DirichletProcess::default().fit(&z, &mut stream(0, "test", 0)).unwrap();
    assert!(mixture.whiten().unwrap().scores(&[1.0; D]).iter().all(|s| s.is_finite()));
}

#[test]
fn neither_the_samples_order_nor_their_place_matters() {
    let z = blobs(&CORNERS, 40, 0.5, 5);
    let reversed: Vec<f64> = z.chunks(D).rev().flatten().copied().collect();
    let shifted: Vec<f64> = z.iter().map(|x| f64::from((x + 16.0) as f32)).collect();
    let start = &mixtures(0.0)[1];
    let mut moved = start.clone();
    moved.means.iter_mut().for_each(|m| *m += 16.0);
    let gmm = Gmm { covariance: CovarianceType::Diagonal, ..Gmm::default() };
    let process = DirichletProcess::default();
    let close = |a: &Mixture, b: &Mixture, offset: f64| {
        assert_eq!(a.n_components(), b.n_components());
        for (a, b) in a.means.iter().zip(&b.means) {
            assert!((a + offset - b).abs() < 2e-3, "{a} {b}");
        }
    };
    let both = |z: &[f64], start: &Mixture| {
        let z = tensor::<Flex>(z, D);
        (gmm.refine(&z, start.clone()).unwrap(), process.refine(&z, start.clone()).unwrap())
    };
    let (em, variational) = both(&z, start);
    for (other, start, offset) in [(&reversed, start, 0.0), (&shifted, &moved, 16.0)] {
        let found = both(other, start);
        close(&em, &found.0, offset);
        close(&variational, &found.1, offset);
    }
}

#[test]
fn both_cpu_backends_fit_the_same_mixtures() {
    let z = blobs(&CORNERS, 40, 1.0, 6);
    let gmm = Gmm { n_components: 4, n_init: 3, ..Gmm::default() };
    let process = DirichletProcess { truncation: 8, n_init: 3, ..DirichletProcess::default() };
    fn fits<B: Backend>(z: &[f64], gmm: &Gmm, process: &DirichletProcess) -> [Mixture; 2] {
        let z = tensor::<B>(z, D);
        let mut rng = stream(0, "test", 0);
        [gmm.fit(&z, &mut rng).unwrap(), process.fit(&z, &mut rng).unwrap()]
    }
    let (on_flex, on_ndarray) = (fits::<Flex>(&z, &gmm, &process), fits::<NdArray>(&z, &gmm, &process));
    for (f, n) in on_flex.iter().zip(&on_ndarray) {
        assert_eq!(f.n_components(), n.n_components());
        // Equally good starts may be told apart by rounding, and number the components otherwise.
        for mean in f.means.rows() {
            let distance =
                |other: ArrayView1<f64>| mean.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(n.means.rows().into_iter().map(distance).fold(f64::INFINITY, f64::min) < 2e-2, "{mean:?}");
        }
    }
}
