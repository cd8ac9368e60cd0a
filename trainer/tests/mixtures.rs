//! Mixtures against brute force, and on both CPU backends.

use burn::backend::{Flex, NdArray};
use burn::tensor::{Tensor, TensorData, backend::Backend};
use edgemix::mixture::dirichlet::{Assignment, DirichletProcess, Form};
use edgemix::mixture::gmm::{Gmm, expect};
use edgemix::mixture::kmeans::KMeans;
use edgemix::mixture::{Mixture, Shape};
use edgemix::random::stream;
use rand::RngExt;

/// `n` samples of well separated Gaussians in 3 dimensions, at the corners of a cube with edges of 8 deviations.
fn corners<B: Backend>(n: usize, k: usize) -> Tensor<B, 2> {
    let mut rng = stream(3, "corners", 0);
    let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let values: Vec<f32> =
        (0..n).flat_map(|i| [0, 1, 2].map(|d| (f64::from(((i % k) >> d & 1) as u8) * 8.0 + normal()) as f32)).collect();
    Tensor::from_data(TensorData::new(values, [n, 3]), &Default::default())
}

fn numbers<B: Backend>(tensor: &Tensor<B, 2>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// Whether samples share a component exactly where they share a corner.
fn is_exact(mixture: &Mixture, z: &Tensor<Flex, 2>, k: usize) -> bool {
    let found = numbers(&mixture.log_density(z).unwrap().argmax(1).float());
    mixture.n_components() == k && (0..found.len()).all(|i| found[i] == found[i % k])
}

#[test]
fn batched_scores_are_those_of_one_sample_in_f64() {
    let z = corners::<Flex>(200, 5);
    for covariance in [Shape::Spherical, Shape::Diagonal, Shape::Full] {
        let gmm = Gmm { n_components: 4, covariance, n_init: 2, max_iter: 5, ..Gmm::default() };
        let mixture = gmm.fit(&z, &mut stream(1, "test", 0)).unwrap();
        let whitened = mixture.whiten().unwrap();
        let batched = numbers(&mixture.log_density(&z).unwrap());
        for (row, scores) in numbers(&z).chunks(3).zip(batched.chunks(4)) {
            for (exact, batched) in whitened.scores(row).into_iter().zip(scores) {
                assert!((exact - batched).abs() < 1e-3 * (1.0 + exact.abs()), "{covariance:?}: {exact} {batched}");
            }
        }
    }
}

#[test]
fn likelihood_never_falls_from_one_step_of_em_to_the_next() {
    let z = corners::<Flex>(300, 6);
    for covariance in [Shape::Spherical, Shape::Diagonal, Shape::Full] {
        let gmm = Gmm { n_components: 4, covariance, variance_floor: 0.0, ..Gmm::default() };
        let mut mixture = Gmm { max_iter: 0, ..gmm }.fit(&z, &mut stream(2, "test", 0)).unwrap();
        let mut previous = f64::NEG_INFINITY;
        for _ in 0..20 {
            let (responsibilities, likelihood) = expect(&z, &mixture).unwrap();
            assert!(likelihood >= previous - 1e-5, "{covariance:?}: {likelihood} after {previous}");
            previous = likelihood;
            mixture = gmm.maximise(&z, &responsibilities);
        }
    }
}

#[test]
fn separated_gaussians_are_found_exactly() {
    let z = corners::<Flex>(800, 8);
    let kmeans = KMeans { n_clusters: 8, ..KMeans::default() }.fit(&z, &mut stream(0, "test", 0));
    assert!(is_exact(&kmeans.mixture(), &z, 8));
    // Each sample is as far from its centre as 3 unit variances say.
    assert!((kmeans.inertia / 800.0 - 3.0).abs() < 0.3, "{}", kmeans.inertia);
    let gmm = Gmm { n_components: 8, ..Gmm::default() };
    assert!(is_exact(&gmm.fit(&z, &mut stream(0, "test", 0)).unwrap(), &z, 8));
    for assignment in [Assignment::Soft, Assignment::Hard] {
        let dpm = DirichletProcess {
            truncation: 8,
            n_init: 20,
            assignment,
            concentration: 2.0,
            ..DirichletProcess::default()
        };
        assert!(is_exact(&dpm.fit(&z, &mut stream(0, "test", 0)).unwrap(), &z, 8), "{assignment:?}");
    }
}

#[test]
fn the_dirichlet_process_sorts_its_components_and_drops_those_without_samples() {
    let z = corners::<Flex>(300, 3);
    let dpm = DirichletProcess { truncation: 3, concentration: 2.0, ..DirichletProcess::default() };
    // The third and fourth component get nothing.
    let shares: Vec<f32> =
        (0..300).flat_map(|i| if i % 3 == 0 { [1.0, 0.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0, 0.0] }).collect();
    let shares = Tensor::<Flex, 2>::from_data(TensorData::new(shares, [300, 4]), &Default::default());
    let (start, counts) = dpm.update(&z, &shares);
    assert_eq!(counts, [200.0, 100.0, 0.0, 0.0]);
    assert!(dpm.refine(&z, start).unwrap().n_components() <= 3);
}

#[test]
fn the_papers_form_stays_finite() {
    let z = corners::<Flex>(400, 4);
    let dpm = DirichletProcess { form: Form::Paper, truncation: 10, ..DirichletProcess::default() };
    let mixture = dpm.fit(&z, &mut stream(0, "test", 0)).unwrap();
    assert!(numbers(&mixture.log_density(&z).unwrap()).iter().all(|x| x.is_finite()));
}

#[test]
fn both_cpu_backends_find_the_same() {
    fn means<B: Backend>() -> Vec<f64> {
        let gmm = Gmm { n_components: 5, ..Gmm::default() };
        gmm.fit(&corners::<B>(500, 5), &mut stream(0, "test", 0)).unwrap().means
    }
    for (a, b) in means::<Flex>().iter().zip(means::<NdArray>()) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}
