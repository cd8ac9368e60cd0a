//! What the user should know about a fit that succeeded.

use super::output::tell;
use crate::assessment::collapse::Collapse;
use crate::data::split::MIN_HELD_OUT;
use crate::methods::{FitConfig, MethodConfig};
use crate::mixture::{ClusterCountReport, Doubt};
use crate::variant::Variant;
use crate::workflow::FitSummary;

/// Warns of everything doubtful about the fit.
pub(super) fn warn_of_fit(summary: &FitSummary, config: &FitConfig) {
    if let Some(disagreement) = &summary.disagreement {
        tell(&format!("warning: {disagreement}"));
    }
    if summary.held_out == 0 && config.holdout > 0.0 {
        let percent = 100.0 * config.holdout;
        tell(&format!(
            "note: no samples were held out, since {percent:.0} % of them are fewer than {MIN_HELD_OUT}, or no group is small enough: the \
             p-values of novelty come from the training samples, and are too small for new ones"
        ));
    }
    for lone in &summary.lone {
        tell(&format!("note: {lone}: it may show the group, and not a kind of sample"));
    }
    if let Some(collapse) = &summary.collapse {
        tell(&format!("warning: {collapse}: {}", collapse_advice(collapse, &config.method)));
    }
}

/// What may help against a collapse: a smaller weight of the clustering loss, where the method has one, or other features.
fn collapse_advice(collapse: &Collapse, method: &MethodConfig) -> String {
    if matches!(collapse, Collapse::FarApart { .. }) {
        return "to divide a cluster further, train on its samples alone, or on logarithms of the features".into();
    }
    let other = "try another seed, encoder or method";
    let mut changed = method.clone();
    let corrected =
        if changed.set_variant(Variant::Corrected) && changed != *method { "take --variant corrected, " } else { "" };
    match method.clustering_weight() {
        Some(setting) => {
            format!("{corrected}reduce the weight of the clustering loss (--set method.{setting}), or {other}")
        }
        None => format!("{corrected}{other}"),
    }
}

/// Warns of a number of clusters that is doubtful.
pub(super) fn warn_of_cluster_count(n_clusters: usize, search: Option<&ClusterCountReport>) {
    let doubt = match n_clusters {
        1 => Some(Doubt::SingleCluster),
        _ => search.and_then(ClusterCountReport::doubt),
    };
    if let Some(doubt) = doubt {
        let advice = match doubt {
            Doubt::SingleCluster => {
                ": check the scale of the features and the length of the windows, or set the number with --clusters"
            }
            _ => "",
        };
        tell(&format!("warning: {doubt}{advice}"));
    }
    let chosen = search.and_then(ClusterCountReport::chosen);
    if chosen.is_some_and(|choice| choice.clusters.2 == 1) {
        tell(
            "warning: the random halves of the samples agree only because each of them is a single cluster: this agreement \
             says nothing about the number of clusters",
        );
    }
}
