//! What the user should know about a fit that succeeded.

use super::output::tell;
use crate::assessment::collapse::Collapse;
use crate::methods::{FitConfig, MethodConfig};
use crate::mixture::{ClusterCountReport, Doubt};
use crate::variant::Variant;
use crate::workflow::{FitSummary, Remark, remarks_on_count};

/// Tells everything that is doubtful about the fit.
pub(super) fn warn_of_fit(summary: &FitSummary, config: &FitConfig) {
    for remark in summary.remarks(config.holdout) {
        match &remark {
            Remark::Collapse(collapse) => say(&remark, &format!(": {}", collapse_advice(collapse, &config.method))),
            _ => say(&remark, ""),
        }
    }
}

/// A line for a remark, with what to do about it.
fn say(remark: &Remark, advice: &str) {
    let kind = if remark.is_warning() { "warning" } else { "note" };
    tell(&format!("{kind}: {remark}{advice}"));
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
    for remark in remarks_on_count(n_clusters, search) {
        let advice = match remark {
            Remark::Doubt(Doubt::SingleCluster) => {
                ": check the scale of the features and the length of the windows, or set the number with --clusters"
            }
            _ => "",
        };
        say(&remark, advice);
    }
}
