//! The features of a front end: their means in each cluster, and which of them tell neighbouring clusters apart.

use maud::{Markup, html};

use super::input::{Assignments, ReportInput};
use super::plot;
use crate::data::DataError;

/// Number of features that are named for each pair of clusters.
const NAMED: usize = 3;
/// Windows whose features are computed at a time.
const CHUNK: usize = 8192;

/// Mean and variance of each feature in each cluster.
struct Moments {
    /// `K x F`.
    means: Vec<Vec<f64>>,
    /// F, within clusters.
    deviations: Vec<f64>,
    counts: Vec<f64>,
}

impl Moments {
    fn of(run: &ReportInput, found: &Assignments, width: usize) -> Result<Self, DataError> {
        let (mut counts, mut means) = (vec![0.0; found.k], vec![vec![0.0; width]; found.k]);
        let mut squares = vec![0.0; width];
        let mut clusters = found.clusters.iter().map(|&cluster| usize::from(cluster));
        for values in run.dataset.samples.chunks(CHUNK) {
            for (row, cluster) in run.trained.features(&values?).chunks_exact(width).zip(&mut clusters) {
                counts[cluster] += 1.0;
                for ((sum, square), &x) in means[cluster].iter_mut().zip(&mut squares).zip(row) {
                    *sum += f64::from(x);
                    *square += f64::from(x).powi(2);
                }
            }
        }
        for (means, &n) in means.iter_mut().zip(&counts) {
            for (mean, square) in means.iter_mut().zip(&mut squares) {
                *square -= *mean * *mean / f64::max(n, 1.0);
                *mean /= f64::max(n, 1.0);
            }
        }
        let total = counts.iter().sum::<f64>().max(1.0);
        let deviations = squares.into_iter().map(|square| (square.max(0.0) / total).sqrt().max(1.0)).collect();
        Ok(Self { means, deviations, counts })
    }

    /// The difference of two clusters in each feature, in standard deviations within clusters.
    fn difference(&self, a: usize, b: usize) -> Vec<f64> {
        let pairs = self.means[a].iter().zip(&self.means[b]);
        pairs.zip(&self.deviations).map(|((a, b), deviation)| (a - b) / deviation).collect()
    }

    /// The other cluster that differs least.
    fn neighbour(&self, of: usize) -> Option<usize> {
        let distance = |other: usize| self.difference(of, other).iter().map(|x| x * x).sum::<f64>();
        let others = (0..self.means.len()).filter(|&other| other != of && self.counts[other] > 0.0);
        others.min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
    }
}

/// The mean features of the clusters, a table for each signal, and what tells a cluster from its neighbour.
pub(super) fn features(run: &ReportInput, found: &Assignments) -> Result<Markup, DataError> {
    let Some(front_end) = &run.trained.front_end else { return Ok(html! {}) };
    let (names, signals) = (front_end.feature_names(), front_end.signal_names());
    let moments = Moments::of(run, found, names.len())?;
    let each = names.len() / signals.len().max(1);
    let clusters: Vec<usize> = (0..found.k).filter(|&cluster| moments.counts[cluster] > 0.0).collect();
    let swatch =
        |cluster: usize| html! { span class="swatch" style={ "background:" (plot::color(cluster)) } {} (cluster) };
    let cell = |cluster: usize, feature: usize| {
        let column = || clusters.iter().map(|&cluster| moments.means[cluster][feature]);
        let (least, most) = (column().fold(f64::MAX, f64::min), column().fold(f64::MIN, f64::max));
        let mean = moments.means[cluster][feature];
        let share = 0.75 * (mean - least) / (most - least).max(1.0);
        html! { td class="heat" style={ "--share:" (format!("{share:.2}")) } { (front_end.shown(feature, mean)) } }
    };
    let telling = |cluster: usize, other: usize| {
        let mut order: Vec<(usize, f64)> = moments.difference(cluster, other).into_iter().enumerate().collect();
        order.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let name = |(feature, by): (usize, f64)| format!("{} {by:+.1}", names[feature]);
        order.into_iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ")
    };
    Ok(html! {
        section {
            h2 { "What the clusters are like" }
            p { "The mean features of each cluster: means in counts, and logarithms to the base 2 of deviations in counts and of the energies of bands in square counts. A step of 1 is a factor of 2." }
            @for (index, signal) in signals.iter().enumerate() {
                h3 { (signal) }
                div class="scroll" { table {
                    tr {
                        th { "cluster" }
                        @for name in &names[index * each..][..each] { th { (name.strip_prefix(signal.as_str()).unwrap_or(name).trim()) } }
                    }
                    @for &cluster in &clusters {
                        tr { td { (swatch(cluster)) } @for feature in index * each..(index + 1) * each { (cell(cluster, feature)) } }
                    }
                } }
            }
            h3 { "What tells a cluster from its neighbour" }
            p { "The features in which a cluster differs most from the cluster that is most like it, in standard deviations within clusters." }
            div class="scroll" { table {
                tr { th { "cluster" } th { "neighbour" } th style="text-align:left" { "features" } }
                @for &cluster in &clusters {
                    @if let Some(other) = moments.neighbour(cluster) {
                        tr { td { (swatch(cluster)) } td { (swatch(other)) } td style="text-align:left" { (telling(cluster, other)) } }
                    }
                }
            } }
        }
    })
}
