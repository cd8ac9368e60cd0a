//! A clustering that another program learned, and the trained model that it becomes.

use ndarray::{Array1, Array2, ArrayView1};

use super::affine::Affine;
use super::equalised::{Extents, equalised, rounded};
use crate::base::arrays::row_slices;
use crate::data::{DataError, Samples, Scaling};
use crate::mixture::{Covariance, Hierarchy, Mixture};
use crate::trained::{Head, Layer, Trained};

/// A clustering that another program learned: an affine map of the features, and clusters of what it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedClustering {
    /// The estimator and its program, such as `KMeans (scikit-learn)`.
    pub name: String,
    pub(super) map: Affine,
    /// The clusters.
    pub clusters: ImportedClusters,
    /// The number that each cluster has in the other program: some may have been left out.
    pub numbers: Vec<usize>,
}

/// The clusters of an imported model.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportedClusters {
    /// `K x D`: a sample belongs to the nearest of these centres.
    Centers(Array2<f64>),
    /// A sample belongs to the component with the greatest weighted density.
    Mixture(Mixture),
}

impl ImportedClustering {
    /// Number of features of a sample.
    pub fn n_features(&self) -> usize {
        self.map.inputs()
    }

    /// Number of dimensions in which the clusters lie.
    pub fn n_dims(&self) -> usize {
        self.map.outputs()
    }

    /// Whether the dimensions are the features, each with a gain and an offset of its own.
    pub fn is_of_features(&self) -> bool {
        matches!(self.map, Affine::Diagonal { .. })
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.numbers.len()
    }

    /// The model for samples like these, which must have as many features as the model. They decide how the features are scaled
    /// before a projection and, for centres, how wide a cluster is: its variance in each direction is the mean squared
    /// distance of the samples to their centre, divided by the number of dimensions. Neither changes a cluster.
    ///
    /// # Errors
    /// [`DataError`] if the samples are in a file that can't be read.
    ///
    /// # Panics
    /// If the samples have another number of features.
    pub fn trained(&self, samples: &Samples) -> Result<Trained, DataError> {
        assert_eq!(samples.n_features(), self.n_features(), "features of the samples and of the model");
        let origins = samples.origins();
        let origin = |feature| origins.get(samples.column_of(feature)).copied().unwrap_or(0.0);
        let map = self.map.clone().after_subtracting(&(0..self.n_features()).map(origin).collect());
        let mixture = match &self.clusters {
            ImportedClusters::Centers(centers) => of_centers(centers, variance(&map, centers, samples)?),
            ImportedClusters::Mixture(mixture) => mixture.clone(),
        };
        let (map, mixture) = standardised(map, mixture);
        let (scaling, encoder) = match map {
            Affine::Diagonal { gain, offset } => {
                (Scaling { gain: rounded(&gain), offset: rounded(&offset), limits: None }, vec![])
            }
            Affine::Dense { weights, bias } => {
                let (scaling, layer) = equalised(&Extents::of(samples)?, weights, bias);
                (scaling, vec![Layer::Dense(layer)])
            }
        };
        let hierarchy = Some(Hierarchy::new(&mixture, &[], encoder.is_empty()));
        let (method, head) = (self.name.clone(), Head::Mixture(mixture));
        Ok(Trained { method, front_end: None, scaling, encoder, head, hierarchy, decoder: None })
    }
}

/// Equal spherical components of equal weight: the best one is the nearest centre.
fn of_centers(centers: &Array2<f64>, variance: f64) -> Mixture {
    let k = centers.nrows();
    Mixture {
        log_weights: vec![-(k as f64).ln(); k],
        means: centers.clone(),
        covariance: Covariance::Spherical(vec![variance; k]),
        clusters: (0..k as u16).collect(),
    }
}

/// The mean squared distance of the samples to the nearest centre, in one dimension.
fn variance(map: &Affine, centers: &Array2<f64>, samples: &Samples) -> Result<f64, DataError> {
    let (mut sum, mut n) = (0.0, 0usize);
    for block in samples.blocks() {
        for sample in block?.chunks_exact(samples.n_features().max(1)) {
            let z = map.apply(&sample.iter().map(|&x| f64::from(x)).collect());
            let distance = |center: &[f64]| center.iter().zip(&z).map(|(c, z)| (c - z).powi(2)).sum::<f64>();
            sum += row_slices(centers.view()).map(distance).fold(f64::INFINITY, f64::min);
            n += centers.ncols();
        }
    }
    let variance = sum / n.max(1) as f64;
    // Samples that all lie on their centres say nothing.
    Ok(if variance > 0.0 { variance } else { 1.0 })
}

/// The map and the mixture in units of the mixture's own deviation about its own mean: of each dimension, or of all together
/// if the components are spherical. No component gains on another.
fn standardised(map: Affine, mixture: Mixture) -> (Affine, Mixture) {
    let weights = shares(&mixture.log_weights);
    let of_column = |column: ArrayView1<f64>| -> f64 { column.iter().zip(&weights).map(|(m, w)| m * w).sum() };
    let mean: Array1<f64> = mixture.means.columns().into_iter().map(of_column).collect();
    let own = mixture.log_variances().mapv(f64::exp);
    let total = (&mixture.means - &mean).mapv(|x| x * x) + own;
    let mut deviation: Array1<f64> = total.columns().into_iter().map(|column| of_column(column).sqrt()).collect();
    if let Covariance::Spherical(_) = mixture.covariance {
        let common = (deviation.iter().map(|s| s * s).sum::<f64>() / deviation.len().max(1) as f64).sqrt();
        deviation.fill(common);
    }
    let factor = deviation.mapv(f64::recip);
    let mut covariance = mixture.covariance;
    match &mut covariance {
        Covariance::Spherical(variances) => variances.iter_mut().for_each(|v| *v *= factor[0] * factor[0]),
        Covariance::Diagonal(variances) => *variances *= &factor.mapv(|f| f * f),
        Covariance::Full(all) => {
            for mut one in all.outer_iter_mut() {
                one.indexed_iter_mut().for_each(|((r, c), v)| *v *= factor[r] * factor[c]);
            }
        }
    }
    let means = (&mixture.means - &mean) * &factor;
    (map.then_scaled(&factor, &(-&mean * &factor)), Mixture { means, covariance, ..mixture })
}

/// Weights that sum to 1.
fn shares(log_weights: &[f64]) -> Vec<f64> {
    let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log_weights.iter().map(|w| (w - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;
    use crate::base::random::{normal, stream};

    /// The component with the greatest density under the map and mixture as they came.
    fn winners(model: &ImportedClustering, mixture: &Mixture, samples: &Samples) -> Vec<u16> {
        let whitened = mixture.whiten().unwrap();
        let winner = |x: &[f32]| {
            let z = model.map.apply(&x.iter().map(|&x| f64::from(x)).collect());
            crate::base::arrays::argmax(whitened.scores(z.as_slice().unwrap())) as u16
        };
        samples.all().unwrap().chunks(samples.n_features()).map(winner).collect()
    }

    #[test]
    fn no_sample_changes_its_component() {
        let noise = normal(3000, &mut stream(0, "imported", 0));
        // Three features of very different size; one is far from 0.
        let values = noise.chunks(3).flat_map(|x| [1e5 + 40.0 * x[0], 0.003 * x[1], x[2]]);
        let samples = Samples::new("units", values.collect(), 3);
        let scaled = Affine::Diagonal { gain: array![0.025, 333.0, 1.0], offset: array![-2500.0, 0.0, 0.0] };
        let outer = array![[0.8, 0.6, 0.0], [-0.6, 0.8, 2.0]];
        let projected = scaled.clone().then_projected(&outer, &array![1.0, 0.0]);
        let full = |d: usize| Array3::from_shape_fn((2, d, d), |(k, r, c)| if r == c { 1.0 + k as f64 } else { 0.3 });
        for (map, d) in [(scaled, 3), (projected, 2)] {
            for covariance in [
                Covariance::Spherical(vec![1.0, 2.0]),
                Covariance::Diagonal(Array2::from_shape_fn((2, d), |(k, c)| 0.5 + k as f64 + c as f64)),
                Covariance::Full(full(d)),
            ] {
                let means = Array2::from_shape_fn((2, d), |(k, c)| k as f64 - 0.2 * c as f64);
                let mixture = Mixture { log_weights: vec![-1.2, -0.4], means, covariance, clusters: vec![0, 1] };
                let clusters = ImportedClusters::Mixture(mixture.clone());
                let model = ImportedClustering { name: "two".into(), map: map.clone(), clusters, numbers: vec![0, 1] };
                let found = model.trained(&samples).unwrap().assign(&samples).unwrap();
                let expected = winners(&model, &mixture, &samples);
                let same = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
                assert!(same >= 999, "{same} of 1000, {d} dimensions, {:?}", mixture.covariance);
                assert!((50..950).contains(&expected.iter().filter(|&&k| k == 0).count()));
            }
        }
    }

    #[test]
    fn centres_have_the_variance_of_the_samples_about_them() {
        let samples = Samples::new("line", vec![-1.0, 0.0, 1.0, 0.0, 9.0, 0.0, 11.0, 0.0], 2);
        let clusters = ImportedClusters::Centers(array![[0.0, 0.0], [10.0, 0.0]]);
        let model = ImportedClustering { name: "k".into(), map: Affine::identity(2), clusters, numbers: vec![0, 1] };
        let trained = model.trained(&samples).unwrap();
        assert_eq!(trained.assign(&samples).unwrap(), [0, 0, 1, 1]);
        let Head::Mixture(mixture) = trained.head else { panic!("no mixture") };
        let Covariance::Spherical(variances) = mixture.covariance else { panic!("not spherical") };
        // Half in each direction, in units of the whole variance: (25 + 1/2 + 1/2) / 2.
        assert!(variances.iter().all(|v| (v * 26.0 - 1.0).abs() < 1e-6), "{variances:?}");
    }
}
