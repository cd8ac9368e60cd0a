//! Calibrated posteriors: temperature scaling without labels, and the calibration error.
//!
//! A calibrated posterior is the probability of an observable event. Without labels, the event is that the sample's nearest
//! neighbour among the training samples, in the input space of the network and not in its latent space, is in the same
//! cluster. The temperature minimises the log loss of the held-out samples' posteriors as predictions of that event, as Guo,
//! Pleiss, Sun and Weinberger do with labels ("On calibration of modern neural networks", 2017, section 4.2).

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::assessment::inference::Scored;
use crate::data::{DataError, Samples};
use crate::trained::Trained;

/// Largest number of training samples that are candidates for neighbours; they are spread evenly over all.
const NEIGHBOURS: usize = 5000;
/// Largest number of samples whose neighbour is determined.
const QUERIES: usize = 2000;
/// Number of samples whose neighbours are determined at a time.
const CHUNK: usize = 64;
/// Temperatures are `2^(i / 8)`.
const TEMPERATURES: std::ops::RangeInclusive<i32> = -16..=48;
/// Number of bins of the expected calibration error, as in Guo et al.
const BINS: usize = 15;

/// The posterior of the sample's cluster from scores in units of 2^-16 nat, multiplied by `inverse_temperature`.
/// `clusters` has the cluster of each component; if it is empty, each component is a cluster.
///
/// ```
/// use edgemix::assessment::inference::Scored;
/// use edgemix::assessment::posterior;
///
/// // Two components of one cluster whose scores are a nat apart, and a component of another cluster.
/// let found = Scored { cluster: 0, scores: vec![65536, 0, 65536] };
/// let e = 1f64.exp();
/// assert!((posterior::cluster_posterior(&found, &[0, 0, 1], 1.0) - (e + 1.0) / (2.0 * e + 1.0)).abs() < 1e-12);
/// // At an infinite temperature all components have the same weight.
/// assert!((posterior::cluster_posterior(&found, &[0, 0, 1], 0.0) - 2.0 / 3.0).abs() < 1e-12);
/// ```
pub fn cluster_posterior(found: &Scored, clusters: &[u16], inverse_temperature: f64) -> f64 {
    let best = found.scores.iter().copied().max().unwrap_or(0);
    let (mut of_cluster, mut of_all) = (0.0, 0.0);
    for (k, &score) in found.scores.iter().enumerate() {
        let density = ((i64::from(score) - i64::from(best)) as f64 / 65536.0 * inverse_temperature).exp();
        of_all += density;
        if clusters.get(k).copied().unwrap_or(k as u16) == found.cluster {
            of_cluster += density;
        }
    }
    of_cluster / of_all
}

/// Samples with the event that calibrates their posteriors: whether the nearest neighbour is in the same cluster.
///
/// ```
/// use edgemix::assessment::inference::Scored;
/// use edgemix::assessment::posterior::NeighbourAgreement;
///
/// let sure = Scored { cluster: 0, scores: vec![4 << 16, 0] };
/// let with = |agrees: [bool; 4]| NeighbourAgreement { found: vec![&sure; 4], agrees: agrees.to_vec() };
/// // Posteriors that are always right are sharpened, and those that are right half of the time are softened.
/// assert!(with([true; 4]).inverse_temperature(&[]) > 1.0);
/// assert!(with([true, true, false, false]).inverse_temperature(&[]) < 0.1);
/// ```
#[derive(Clone, Debug)]
pub struct NeighbourAgreement<'a> {
    /// The samples.
    pub found: Vec<&'a Scored>,
    /// Whether the neighbour of each sample is in the same cluster.
    pub agrees: Vec<bool>,
}

/// Determines whether the nearest neighbours of samples, among the training samples, are in the same cluster. `training`
/// are the training samples and their clusters. The distance is the Euclidean distance of the scaled features.
///
/// ```
/// use edgemix::data::Samples;
/// use edgemix::assessment::inference::Scored;
/// use edgemix::assessment::posterior::neighbour_agreement;
///
/// # use edgemix::data::Scaling;
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::trained::{Head, Trained};
/// # let covariance = Covariance::Spherical(vec![1.0; 2]);
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means: ndarray::array![[0.0], [10.0]], covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
/// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
/// let known = Samples::new("known", vec![0.0, 10.0], 1);
/// let samples = Samples::new("held out", vec![1.0, 9.0], 1);
/// let found = [0, 0].map(|cluster| Scored { cluster, scores: vec![0, 0] });
/// let agreement = neighbour_agreement(&trained, (&known, &[0, 1][..]), &samples, &found)?;
/// // The neighbour of the second sample is in the other cluster.
/// assert_eq!(agreement.agrees, [true, false]);
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
///
/// # Errors
/// If a file that contains the samples can't be read.
pub fn neighbour_agreement<'a>(
    trained: &Trained,
    training: (&Samples, &[u16]),
    samples: &Samples,
    found: &'a [Scored],
) -> Result<NeighbourAgreement<'a>, DataError> {
    let (known, known_rows) = evenly(training.0, NEIGHBOURS)?;
    let (queries, rows) = evenly(samples, QUERIES)?;
    let (known, queries) = (trained.inputs(&known), trained.inputs(&queries));
    let neighbours = nearest(&known, &queries, queries.len() / rows.len().max(1));
    let found: Vec<&Scored> = rows.iter().map(|&row| &found[row]).collect();
    let agrees = found.iter().zip(neighbours).map(|(found, n)| training.1[known_rows[n]] == found.cluster).collect();
    Ok(NeighbourAgreement { found, agrees })
}

/// At most `most` samples, spread evenly over all, and their indices.
fn evenly(samples: &Samples, most: usize) -> Result<(Vec<f32>, Vec<usize>), DataError> {
    let rows: Vec<usize> = (0..samples.n_samples()).step_by(samples.n_samples().div_ceil(most).max(1)).collect();
    Ok((samples.gather(&rows)?, rows))
}

/// The index of the row of `known` that is nearest to each row of `queries`, the first of equals; rows have `width` values.
fn nearest(known: &[f32], queries: &[f32], width: usize) -> Vec<usize> {
    let matrix =
        |rows: &[f32]| ArrayView2::from_shape((rows.len() / width, width), rows).expect("whole rows").to_owned();
    let known = matrix(known);
    let squares: Vec<f32> = known.rows().into_iter().map(|row| row.dot(&row)).collect();
    let of_chunk = |queries: &[f32]| {
        let products = matrix(queries).dot(&known.t());
        let nearest = |row: ndarray::ArrayView1<f32>| {
            let distances = row.iter().zip(&squares).map(|(product, square)| square - 2.0 * product);
            distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
        };
        products.rows().into_iter().map(nearest).collect::<Vec<usize>>()
    };
    queries.par_chunks(CHUNK * width).flat_map_iter(of_chunk).collect()
}

impl NeighbourAgreement<'_> {
    /// The inverse of the temperature at which the posteriors have the smallest log loss as predictions of the event.
    /// `clusters` has the cluster of each component; if it is empty, each component is a cluster.
    pub fn inverse_temperature(&self, clusters: &[u16]) -> f32 {
        let candidates = TEMPERATURES.map(|i| (-f64::from(i) / 8.0).exp2());
        let loss = |inverse: f64| {
            let of_one = |(found, &agrees): (&&Scored, &bool)| {
                let p = cluster_posterior(found, clusters, inverse).clamp(1e-6, 1.0 - 1e-6);
                if agrees { -p.ln() } else { -(1.0 - p).ln() }
            };
            self.found.iter().zip(&self.agrees).map(of_one).sum::<f64>()
        };
        let losses = candidates.map(|inverse| (loss(inverse), inverse));
        losses.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, inverse)| inverse as f32)
    }
}

/// The expected calibration error: the distance between the mean posterior and the share of events in each of 15 bins of
/// posteriors, averaged over the samples (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017,
/// equation 3).
///
/// ```
/// use edgemix::assessment::posterior::expected_calibration_error;
///
/// // Certain each time, and right three times out of four.
/// assert_eq!(expected_calibration_error(&[1.0; 4], &[true, true, true, false]), 0.25);
/// ```
pub fn expected_calibration_error(posteriors: &[f64], events: &[bool]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for (&posterior, &event) in posteriors.iter().zip(events) {
        let bin = &mut bins[((posterior * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += posterior;
        bin.1 += f64::from(u8::from(event));
    }
    bins.iter().map(|(posterior, event)| (posterior - event).abs()).sum::<f64>() / posteriors.len().max(1) as f64
}

/// Whether each sample has the most frequent label of its cluster, among these samples.
///
/// ```
/// use edgemix::assessment::posterior::has_majority_label;
///
/// // Most samples of cluster 0 are sevens.
/// assert_eq!(has_majority_label(&[0, 0, 0, 1], &[7, 7, 3, 3]), [true, true, false, true]);
/// ```
pub fn has_majority_label(clusters: &[u16], labels: &[u32]) -> Vec<bool> {
    let mut counts = std::collections::BTreeMap::<(u16, u32), usize>::new();
    clusters.iter().zip(labels).for_each(|(&c, &y)| *counts.entry((c, y)).or_default() += 1);
    let mut majority = std::collections::BTreeMap::<u16, (usize, u32)>::new();
    for (&(cluster, label), &count) in &counts {
        let most = majority.entry(cluster).or_insert((count, label));
        if count > most.0 {
            *most = (count, label);
        }
    }
    clusters.iter().zip(labels).map(|(c, &y)| majority[c].1 == y).collect()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random::stream;

    fn scored(first: f64, n: usize) -> Scored {
        let mut scores = vec![0; n];
        scores[0] = (first * 65536.0) as i32;
        Scored { cluster: 0, scores }
    }

    #[test]
    fn a_posterior_adds_up_its_clusters_components() {
        let found = Scored { cluster: 1, scores: vec![0, 65536, -65536] };
        let e = std::f64::consts::E;
        assert!((cluster_posterior(&found, &[], 1.0) - e / (1.0 + e + 1.0 / e)).abs() < 1e-12);
        assert!(
            (cluster_posterior(&found, &[0, 1, 1], 2.0) - (e * e + (-2f64).exp()) / (1.0 + e * e + (-2f64).exp()))
                .abs()
                < 1e-12
        );
    }

    /// Events are drawn with the probability of the posterior at a known temperature, which is then recovered.
    #[test]
    fn the_temperature_of_calibrated_events_is_found() {
        let mut rng = stream(0, "posterior", 0);
        for inverse in [0.25, 1.0, 2.0] {
            let all: Vec<Scored> = (0..20_000).map(|_| scored(12.0 * rng.random::<f64>() - 2.0, 3)).collect();
            let agrees = all.iter().map(|found| rng.random::<f64>() < cluster_posterior(found, &[], inverse)).collect();
            let agreement = NeighbourAgreement { found: all.iter().collect(), agrees };
            let found = f64::from(agreement.inverse_temperature(&[]));
            assert!((found / inverse).log2().abs() <= 0.126, "{found} for {inverse}");
            let error = |inverse| {
                let posteriors: Vec<f64> = all.iter().map(|found| cluster_posterior(found, &[], inverse)).collect();
                expected_calibration_error(&posteriors, &agreement.agrees)
            };
            assert!(error(found) < 0.015, "{}", error(found));
            assert!(error(found * 4.0) > 0.03 && error(found / 4.0) > 0.03);
        }
    }

    #[test]
    fn the_calibration_error_is_its_definition() {
        // Two bins: 0.9 where half of the events happen, 0.3 where all do.
        let posteriors = [0.9, 0.9, 0.3, 0.3];
        let found = expected_calibration_error(&posteriors, &[true, false, true, true]);
        assert!((found - (0.5 * 0.4 + 0.5 * 0.7)).abs() < 1e-12);
        assert!(expected_calibration_error(&[1.0], &[true]) < 1e-12);
    }

    #[test]
    fn neighbours_are_the_nearest() {
        let mut rng = stream(1, "posterior", 0);
        let mut draw = |n: usize| (0..n).map(|_| rng.random::<f32>()).collect::<Vec<f32>>();
        let (known, queries) = (draw(300 * 3), draw(150 * 3));
        for (row, found) in queries.chunks(3).zip(nearest(&known, &queries, 3)) {
            let distance = |k: &[f32]| k.iter().zip(row).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            let least = known.chunks(3).map(distance).fold(f32::INFINITY, f32::min);
            assert!(distance(&known[found * 3..][..3]) <= least + 1e-5);
        }
    }

    #[test]
    fn a_clusters_label_is_its_majority() {
        let found = has_majority_label(&[0, 0, 0, 1, 1, 2], &[7, 7, 3, 3, 3, 9]);
        assert_eq!(found, [true, true, false, true, true, true]);
    }
}
