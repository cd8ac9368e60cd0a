//! Split and merge moves on samples whose number of Gaussians is known.

use ndarray::{Array2, Array3, ArrayView2, Axis};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::base::arrays::from_rows;
use crate::base::random::{normal, stream};
use crate::mixture::consensus::Grouping;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{Doubt, Mixture};

/// Gaussians' means are at least so many of their widest deviations apart.
const APART: f64 = 8.0;
/// Samples of a Gaussian.
const EACH: usize = 200;

/// `k` Gaussians, each with a covariance of its own, and how the samples of a draw are shared among them.
struct Draw {
    k: usize,
    dims: usize,
    seed: u64,
    /// Whether the first has 60 % of the samples.
    is_uneven: bool,
}

impl Draw {
    /// The Gaussian of sample `i`.
    fn label(&self, i: usize) -> usize {
        if !self.is_uneven {
            i % self.k
        } else if i % 5 < 3 {
            0
        } else {
            1 + i % (self.k - 1)
        }
    }

    /// Means, drawn at random until they are apart.
    fn means(&self, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let width = APART * 1.2 * (self.k as f64).powf(1.0 / self.dims as f64) / (0.5 * self.dims as f64).sqrt();
        let mut means: Vec<Vec<f64>> = vec![];
        while means.len() < self.k {
            let mean: Vec<f64> = normal(self.dims, rng).iter().map(|&x| width * f64::from(x)).collect();
            let distance = |other: &Vec<f64>| other.iter().zip(&mean).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            if means.iter().all(|other| distance(other) >= APART) {
                means.push(mean);
            }
        }
        means
    }

    /// `EACH * k` samples.
    fn samples(&self) -> Array2<f64> {
        let Self { k, dims, .. } = *self;
        let rng = &mut stream(self.seed, "draw", (k * 100 + dims) as u64);
        let means = self.means(rng);
        // Lower triangles; no direction's deviation is above one.
        let beside = 0.3 / (dims as f64).sqrt();
        let factors = Array3::from_shape_fn((k, dims, dims), |(_, r, c)| match r.cmp(&c) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 0.4 + 0.3 * rng.random::<f64>(),
            std::cmp::Ordering::Greater => beside * (2.0 * rng.random::<f64>() - 1.0),
        });
        let noise = from_rows(normal(EACH * k * dims, rng).into_iter().map(f64::from).collect(), dims);
        Array2::from_shape_fn(noise.raw_dim(), |(i, r)| {
            let label = self.label(i);
            let factor = factors.index_axis(Axis(0), label);
            (0..=r).map(|c| factor[[r, c]] * noise[[i, c]]).sum::<f64>() + means[label][r]
        })
    }

    /// How many components are found where twice as many are allowed.
    fn found(&self) -> usize {
        let moves = SplitMerge { max_components: 2 * self.k + 10, ..SplitMerge::default() };
        moves.fit(self.samples().view(), &mut stream(self.seed, "test", 0)).unwrap().n_components()
    }
}

/// Every number of Gaussians in every number of dimensions, `draws` times.
fn draws(draws: u64, is_uneven: bool) -> Vec<Draw> {
    let cells = [2, 10, 32].into_iter().flat_map(|dims| [3, 10, 30, 100].into_iter().map(move |k| (k, dims)));
    cells.flat_map(|(k, dims)| (0..draws).map(move |seed| Draw { k, dims, seed, is_uneven })).collect()
}

fn grow(z: ArrayView2<f64>) -> Mixture {
    SplitMerge::default().fit(z, &mut stream(2, "test", 0)).unwrap()
}

/// The best component of each sample.
fn labels(mixture: &Mixture, z: ArrayView2<f64>) -> Vec<usize> {
    mixture.components(z).unwrap()
}

fn gaussian(n: usize, dims: usize) -> Array2<f64> {
    from_rows(normal(n * dims, &mut stream(1, "gaussian", dims as u64)).into_iter().map(f64::from).collect(), dims)
}

#[test]
fn separated_gaussians_are_found_exactly_in_95_of_100_draws() {
    let all = draws(5, false);
    let exact: usize = all.par_iter().map(|draw| usize::from(draw.found() == draw.k)).sum();
    assert_eq!(all.len(), 60);
    assert!(exact >= 57, "{exact} of 60");
}

#[test]
fn a_gaussian_with_most_of_the_samples_is_not_cut_up() {
    let all = draws(1, true);
    all.par_iter().filter(|draw| draw.k * draw.dims <= 1000).for_each(|draw| {
        let found = draw.found();
        assert!(found <= draw.k + draw.k / 10, "{found} of {} in {} dimensions", draw.k, draw.dims);
    });
}

#[test]
fn components_are_the_gaussians() {
    let draw = Draw { k: 10, dims: 10, seed: 3, is_uneven: false };
    let z = draw.samples();
    let mixture = grow(z.view());
    let found = labels(&mixture, z.view());
    let right = (0..found.len()).filter(|&i| found[i] == found[i % 10]).count();
    assert!(right as f64 > 0.999 * found.len() as f64, "{right}");
    let mass: f64 = mixture.log_weights.iter().map(|w| w.exp()).sum();
    assert!((mass - 1.0).abs() < 1e-9);
}

#[test]
fn one_gaussian_is_one_component_and_one_cluster() {
    for dims in [2, 5, 10, 20, 32] {
        let z = gaussian(5000, dims);
        assert_eq!(grow(z.view()).n_components(), 1, "{dims} dimensions");
    }
    let z = gaussian(5000, 4);
    let grouping = Grouping { halves: 4, ..Grouping::default() };
    let (mixture, number) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(3, "test", 0)).unwrap();
    assert_eq!((mixture.n_clusters(), number.clusters), (1, 1));
}

/// A square is covered by several Gaussians, which halves do not place alike; they are one cluster.
#[test]
fn a_uniform_cube_is_one_cluster_of_as_many_components_as_its_corners_need() {
    for dims in [2, 3, 5, 10, 32] {
        let rng = &mut stream(4, "cube", dims as u64);
        let z = Array2::from_shape_fn((5000, dims), |_| rng.random::<f64>());
        let components = grow(z.view()).n_components();
        assert!(if dims < 5 { components <= 20 } else { components == 1 }, "{components} in {dims} dimensions");
        let grouping = Grouping { halves: 6, ..Grouping::default() };
        let (mixture, _) = grouping.find(&SplitMerge::default(), z.view(), rng).unwrap();
        assert_eq!(mixture.n_clusters(), 1, "{dims} dimensions");
    }
}

#[test]
fn scale_and_place_change_nothing_and_the_same_stream_gives_the_same_bits() {
    let z = Draw { k: 6, dims: 3, seed: 0, is_uneven: false }.samples();
    let expected = grow(z.view());
    assert_eq!(grow(z.view()), expected);
    assert_eq!(expected.n_components(), 6);
    // Powers of two only move exponents; a shift rounds.
    for (factor, shift) in [(0.125, 0.0), (0.5, 0.0), (2.0, 0.0), (8.0, 0.0), (1.0, 100.0), (3.7, -20.0)] {
        let changed = z.mapv(|x| x * factor + shift);
        let found = labels(&grow(changed.view()), changed.view());
        assert_eq!(found, labels(&expected, z.view()), "times {factor}, plus {shift}");
    }
}

#[test]
fn no_fewer_components_than_asked_for() {
    let z = Draw { k: 3, dims: 2, seed: 0, is_uneven: false }.samples();
    let moves = SplitMerge { min_components: 7, ..SplitMerge::default() };
    assert_eq!(moves.fit(z.view(), &mut stream(0, "test", 0)).unwrap().n_components(), 7);
    // As clusters too, and none of them of a few samples at the border.
    let grouping = Grouping { min_clusters: 7, max_clusters: 7, halves: 4, ..Grouping::default() };
    let (mixture, number) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "test", 0)).unwrap();
    assert_eq!((mixture.n_clusters(), number.clusters), (7, 7));
    assert!(mixture.log_weights.iter().all(|weight| weight.exp() > 0.05), "{:?}", mixture.log_weights);
}

#[test]
fn fewer_clusters_than_there_are_where_fewer_are_asked_for() {
    let z = Draw { k: 5, dims: 3, seed: 1, is_uneven: false }.samples();
    let found = |min_clusters, max_clusters| {
        let grouping = Grouping { min_clusters, max_clusters, halves: 4, ..Grouping::default() };
        grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "test", 0)).unwrap().0.n_clusters()
    };
    assert_eq!((found(1, 0), found(3, 3), found(2, 4), found(4, 9)), (5, 3, 4, 5));
}

/// Latents of 48 dimensions, of which two tell the clusters apart and ten more vary: full along the axes, round across.
#[test]
fn beyond_32_dimensions_components_are_full_along_the_leading_axes() {
    let (n, dims) = (900, 48);
    let noise = gaussian(n, dims);
    let z = Array2::from_shape_fn((n, dims), |(i, d)| {
        let place = if d == i % 3 { 9.0 } else { 0.0 };
        place + if d < 12 { 1.0 } else { 0.1 } * noise[[i, d]]
    });
    let mixture = grow(z.view());
    assert_eq!((mixture.n_components(), mixture.n_dims()), (3, dims));
    let found = labels(&mixture, z.view());
    assert!((0..n).all(|i| found[i] == found[i % 3]));
    // The variance of the dimensions that are noise, and the first component's mean.
    for (component, mean) in mixture.means.rows().into_iter().enumerate() {
        let label = found.iter().position(|&k| k == component).unwrap() % 3;
        assert!((mean[label] - 9.0).abs() < 0.3 && mean[20].abs() < 0.05, "{mean:?}");
        let last = mixture.log_variances()[[component, dims - 1]].exp();
        assert!((last - 0.01).abs() < 0.004, "{last}");
    }
}

/// Samples of `k` spheres of deviation 1 whose centres are `apart` from each other at least, in turn.
fn spheres(k: usize, dims: usize, n: usize, apart: f64, seed: u64) -> Array2<f64> {
    let rng = &mut stream(seed, "spheres", (k * 100 + dims) as u64);
    let mut width = apart * (k as f64).powf(1.0 / dims as f64);
    let mut centers: Vec<Vec<f64>> = vec![];
    while centers.len() < k {
        let center: Vec<f64> = (0..dims).map(|_| width * (2.0 * rng.random::<f64>() - 1.0)).collect();
        let distance = |other: &Vec<f64>| other.iter().zip(&center).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        if centers.iter().all(|other| distance(other) >= apart) {
            centers.push(center);
        } else {
            width *= 1.001;
        }
    }
    let noise = normal(n * dims, rng);
    Array2::from_shape_fn((n, dims), |(i, d)| centers[i % k][d] + f64::from(noise[i * dims + d]))
}

/// Full covariances of so few samples would be worth nothing, and halves of them would see fewer clusters still.
#[test]
fn clusters_of_few_samples_are_found() {
    let cells =
        [(3, 2, 24), (3, 10, 24), (3, 4, 60), (8, 8, 200), (5, 50, 200), (8, 2, 200), (20, 3, 200), (40, 17, 400)];
    for (k, dims, n) in cells {
        let z = spheres(k, dims, n, 8.0, 5);
        let grouping = Grouping { halves: 8, ..Grouping::default() };
        let (mixture, report) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "few", 0)).unwrap();
        assert_eq!(mixture.n_clusters(), k, "{n} samples of {k} in {dims} dimensions, {report:?}");
    }
}

/// Columns that tell nothing apart have the variance of the others once all are standardised.
#[test]
fn clusters_of_few_samples_are_found_among_columns_of_noise() {
    for (n, dims, noise) in [(24, 2, 2), (60, 2, 2), (60, 2, 8)] {
        let blobs = spheres(3, dims, n, 12.0, 7);
        let scale: Vec<f64> = blobs.columns().into_iter().map(|column| column.std(0.0)).collect();
        let other = gaussian(n, noise);
        let z = Array2::from_shape_fn((n, dims + noise), |(i, d)| {
            if d < dims { blobs[[i, d]] / scale[d] } else { other[[i, d - dims]] }
        });
        let grouping = Grouping { halves: 8, ..Grouping::default() };
        let (mixture, report) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "few", 2)).unwrap();
        assert_eq!(mixture.n_clusters(), 3, "{n} samples, {noise} columns of noise, {report:?}");
    }
}

#[test]
fn too_few_samples_to_show_a_shape_are_warned_of() {
    let z = spheres(8, 30, 160, 12.0, 5);
    let grouping = Grouping { halves: 8, ..Grouping::default() };
    let (_, report) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "few", 3)).unwrap();
    assert_eq!(report.doubt(), Some(Doubt::FewSamples { clusters: 8, each: 20, dimensions: 30 }), "{report:?}");
    let text = report.doubt().unwrap().to_string();
    assert!(
        text.starts_with("the number of 8 clusters is uncertain: 20 samples of a component in 30 dimensions"),
        "{text}"
    );
}

#[test]
fn a_single_gaussian_of_few_samples_is_one_cluster_and_doubtful() {
    for (dims, n) in [(2, 30), (10, 40), (3, 100)] {
        let z = gaussian(n, dims);
        let grouping = Grouping { halves: 8, ..Grouping::default() };
        let (_, report) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "few", 1)).unwrap();
        assert_eq!(report.doubt(), Some(Doubt::SingleCluster), "{n} samples in {dims} dimensions");
    }
}
