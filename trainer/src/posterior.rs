//! Posteriors that mean what they say: a temperature, chosen without labels, and how far off they are.
//!
//! A posterior is to be the probability of an event that can be seen. Without labels, the event is that the sample's
//! nearest neighbour among the training samples, in the network's input and not in its latents, is in the same cluster:
//! what is alike belongs together. Held-out samples' posteriors are taken at the temperature at which they predict that
//! best, by their log loss (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017, section 4.2,
//! with this event for the labels).

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::data::{DataError, Samples};
use crate::inference::Scored;
use crate::trained::Trained;

/// Training samples among which neighbours are looked for, evenly from all, and samples whose neighbours are looked for.
const NEIGHBOURS: usize = 5000;
const ASKED: usize = 2000;
/// Samples whose neighbours are looked for at once.
const CHUNK: usize = 64;
/// Temperatures are `2^(i / 8)`.
const TEMPERATURES: std::ops::RangeInclusive<i32> = -16..=48;
/// Bins of the expected calibration error, as in Guo and others.
const BINS: usize = 15;

/// The posterior of a sample's cluster: of the scores times `inverse_temperature`, in units of 2^-16 nat.
///
/// ```
/// use edgemix::inference::Scored;
/// use edgemix::posterior;
///
/// // Two components of one cluster, a nat apart, and another cluster's.
/// let found = Scored { cluster: 0, scores: vec![65536, 0, 65536] };
/// let e = 1f64.exp();
/// assert!((posterior::of(&found, &[0, 0, 1], 1.0) - (e + 1.0) / (2.0 * e + 1.0)).abs() < 1e-12);
/// // At an infinite temperature all components weigh the same.
/// assert!((posterior::of(&found, &[0, 0, 1], 0.0) - 2.0 / 3.0).abs() < 1e-12);
/// ```
pub fn of(found: &Scored, clusters: &[u16], inverse_temperature: f64) -> f64 {
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

/// Samples of which it is known whether their nearest neighbour is in the same cluster.
///
/// ```
/// use edgemix::inference::Scored;
/// use edgemix::posterior::Asked;
///
/// let sure = Scored { cluster: 0, scores: vec![4 << 16, 0] };
/// let asked = |agrees: [bool; 4]| Asked { found: vec![&sure; 4], agrees: agrees.to_vec() };
/// // What is always right may be surer, what is right half of the time must be less sure.
/// assert!(asked([true; 4]).inverse_temperature(&[]) > 1.0);
/// assert!(asked([true, true, false, false]).inverse_temperature(&[]) < 0.1);
/// ```
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The samples.
    pub found: Vec<&'a Scored>,
    /// Whether their neighbour is in the same cluster.
    pub agrees: Vec<bool>,
}

/// Looks for the neighbours of samples among those that were learned from.
///
/// ```
/// use edgemix::data::Samples;
/// use edgemix::inference::Scored;
/// use edgemix::posterior::ask;
///
/// # use edgemix::data::Scaling;
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::trained::{Head, Trained};
/// # let covariance = Covariance::Spherical(vec![1.0; 2]);
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means: vec![0.0, 10.0], covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0] };
/// # let trained = Trained { method, scaling, encoder: vec![], head, sticks: vec![] };
/// let known = Samples::new("known", vec![0.0, 10.0], 1);
/// let samples = Samples::new("held out", vec![1.0, 9.0], 1);
/// let found = [0, 0].map(|cluster| Scored { cluster, scores: vec![0, 0] });
/// let asked = ask(&trained, (&known, &[0, 1][..]), &samples, &found)?;
/// // The second one's neighbour is in the other cluster.
/// assert_eq!(asked.agrees, [true, false]);
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
///
/// # Errors
/// If the file that samples are in can't be read.
pub fn ask<'a>(
    trained: &Trained,
    training: (&Samples, &[u16]),
    samples: &Samples,
    found: &'a [Scored],
) -> Result<Asked<'a>, DataError> {
    let (known, known_rows) = evenly(training.0, NEIGHBOURS)?;
    let (asked, rows) = evenly(samples, ASKED)?;
    let neighbours = nearest(&trained.scaling.apply(&known), &trained.scaling.apply(&asked), samples.n_features);
    let found: Vec<&Scored> = rows.iter().map(|&row| &found[row]).collect();
    let agrees = found.iter().zip(neighbours).map(|(found, n)| training.1[known_rows[n]] == found.cluster).collect();
    Ok(Asked { found, agrees })
}

/// At most so many samples, evenly from all, and where they stand.
fn evenly(samples: &Samples, most: usize) -> Result<(Vec<f32>, Vec<usize>), DataError> {
    let rows: Vec<usize> = (0..samples.n_samples).step_by(samples.n_samples.div_ceil(most).max(1)).collect();
    Ok((samples.gather(&rows)?, rows))
}

/// The nearest of `known` to each of `asked`, rows of `width` values; the first of equals.
fn nearest(known: &[f32], asked: &[f32], width: usize) -> Vec<usize> {
    let matrix =
        |rows: &[f32]| ArrayView2::from_shape((rows.len() / width, width), rows).expect("whole rows").to_owned();
    let known = matrix(known);
    let squares: Vec<f32> = known.rows().into_iter().map(|row| row.dot(&row)).collect();
    let of_chunk = |asked: &[f32]| {
        let products = matrix(asked).dot(&known.t());
        let nearest = |row: ndarray::ArrayView1<f32>| {
            let distances = row.iter().zip(&squares).map(|(product, square)| square - 2.0 * product);
            distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
        };
        products.rows().into_iter().map(nearest).collect::<Vec<usize>>()
    };
    asked.par_chunks(CHUNK * width).flat_map_iter(of_chunk).collect()
}

impl Asked<'_> {
    /// One over the temperature at which the posteriors predict best whether neighbours agree.
    /// See [`Asked`] for an example.
    pub fn inverse_temperature(&self, clusters: &[u16]) -> f32 {
        let candidates = TEMPERATURES.map(|i| (-f64::from(i) / 8.0).exp2());
        let loss = |inverse: f64| {
            let of_one = |(found, &agrees): (&&Scored, &bool)| {
                let p = of(found, clusters, inverse).clamp(1e-6, 1.0 - 1e-6);
                if agrees { -p.ln() } else { -(1.0 - p).ln() }
            };
            self.found.iter().zip(&self.agrees).map(of_one).sum::<f64>()
        };
        let losses = candidates.map(|inverse| (loss(inverse), inverse));
        losses.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, inverse)| inverse as f32)
    }
}

/// The expected calibration error: how far the mean posterior is from the event's share, in bins of posteriors, on average
/// over the samples.
///
/// ```
/// use edgemix::posterior::expected_calibration_error;
///
/// // Sure each time, right three times of four.
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

/// Whether each sample's label is the commonest one of its cluster, among these samples.
///
/// ```
/// use edgemix::posterior::has_clusters_label;
///
/// // Most of cluster 0 are sevens.
/// assert_eq!(has_clusters_label(&[0, 0, 0, 1], &[7, 7, 3, 3]), [true, true, false, true]);
/// ```
pub fn has_clusters_label(clusters: &[u16], labels: &[u32]) -> Vec<bool> {
    let mut counts = std::collections::BTreeMap::<(u16, u32), usize>::new();
    clusters.iter().zip(labels).for_each(|(&c, &y)| *counts.entry((c, y)).or_default() += 1);
    let mut commonest = std::collections::BTreeMap::<u16, (usize, u32)>::new();
    for (&(cluster, label), &count) in &counts {
        let most = commonest.entry(cluster).or_insert((count, label));
        if count > most.0 {
            *most = (count, label);
        }
    }
    clusters.iter().zip(labels).map(|(c, &y)| commonest[c].1 == y).collect()
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
        assert!((of(&found, &[], 1.0) - e / (1.0 + e + 1.0 / e)).abs() < 1e-12);
        assert!((of(&found, &[0, 1, 1], 2.0) - (e * e + (-2f64).exp()) / (1.0 + e * e + (-2f64).exp())).abs() < 1e-12);
    }

    /// Events with the probability of the posterior at a known temperature: it is found again, and nothing is off then.
    #[test]
    fn the_temperature_of_calibrated_events_is_found() {
        let mut rng = stream(0, "posterior", 0);
        for inverse in [0.25, 1.0, 2.0] {
            let all: Vec<Scored> = (0..20_000).map(|_| scored(12.0 * rng.random::<f64>() - 2.0, 3)).collect();
            let agrees = all.iter().map(|found| rng.random::<f64>() < of(found, &[], inverse)).collect();
            let asked = Asked { found: all.iter().collect(), agrees };
            let found = f64::from(asked.inverse_temperature(&[]));
            assert!((found / inverse).log2().abs() <= 0.126, "{found} for {inverse}");
            let error = |inverse| {
                let posteriors: Vec<f64> = all.iter().map(|found| of(found, &[], inverse)).collect();
                expected_calibration_error(&posteriors, &asked.agrees)
            };
            assert!(error(found) < 0.015, "{}", error(found));
            assert!(error(found * 4.0) > 0.03 && error(found / 4.0) > 0.03);
        }
    }

    #[test]
    fn the_calibration_error_is_its_definition() {
        // Two bins: .9 where half the events happen, .3 where all do.
        let posteriors = [0.9, 0.9, 0.3, 0.3];
        let found = expected_calibration_error(&posteriors, &[true, false, true, true]);
        assert!((found - (0.5 * 0.4 + 0.5 * 0.7)).abs() < 1e-12);
        assert!(expected_calibration_error(&[1.0], &[true]) < 1e-12);
    }

    #[test]
    fn neighbours_are_the_nearest() {
        let mut rng = stream(1, "posterior", 0);
        let mut draw = |n: usize| (0..n).map(|_| rng.random::<f32>()).collect::<Vec<f32>>();
        let (known, asked) = (draw(300 * 3), draw(150 * 3));
        for (row, found) in asked.chunks(3).zip(nearest(&known, &asked, 3)) {
            let distance = |k: &[f32]| k.iter().zip(row).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            let least = known.chunks(3).map(distance).fold(f32::INFINITY, f32::min);
            assert!(distance(&known[found * 3..][..3]) <= least + 1e-5);
        }
    }

    #[test]
    fn a_clusters_label_is_its_commonest() {
        let found = has_clusters_label(&[0, 0, 0, 1, 1, 2], &[7, 7, 3, 3, 3, 9]);
        assert_eq!(found, [true, true, false, true, true, true]);
    }
}
