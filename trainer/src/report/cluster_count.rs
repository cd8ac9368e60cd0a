//! The section on the number of clusters: the agreement of random halves of the samples, and of runs with several seeds.

use maud::{Markup, html};

use super::input::ReportInput;
use super::plot;
use crate::assessment::interval::{ClusterFate, SeedInterval};
use crate::mixture::ClusterCountReport;

/// The section; empty if neither is known.
pub(super) fn cluster_count(input: &ReportInput) -> Markup {
    if input.cluster_count.is_none() && input.interval.is_none() {
        return html! {};
    }
    html! {
        section {
            h2 { "The number of clusters" }
            @if let Some(number) = input.cluster_count { (halves(number)) }
            @if let Some(interval) = input.interval { (runs(interval)) }
        }
    }
}

fn halves(number: &ClusterCountReport) -> Markup {
    let chosen = number.curve.iter().find(|choice| choice.threshold == number.threshold);
    html! {
        p {
            "The last search found " (number.clusters) " clusters of " (number.components) " components in "
            (format!("{:.1}", number.seconds)) " s. "
            @if number.curve.is_empty() {
                "The confusion threshold was " (number.threshold) "."
            } @else {
                @if number.halves_of_groups { "Halves that hold all samples of some of the groups were clustered separately. " }
                @else { "Random halves of the samples were clustered separately. " }
                "Components that are confused with at least the "
                "probability in the first column form one cluster; the second column has the adjusted Rand index between the "
                "clusters of the halves. The threshold with the best agreement is chosen."
            }
        }
        @if !number.curve.is_empty() { div class="scroll" { table {
            tr { th { "confusion threshold" } th { "split-half agreement" } th { "clusters of a half" } th {} }
            @for choice in &number.curve {
                @let (fewest, mean, most) = choice.clusters;
                tr {
                    td { (choice.threshold) @if chosen == Some(choice) { ", chosen" } }
                    td { (format!("{:.3}", choice.agreement)) }
                    td { (fewest) " to " (most) ", mean " (format!("{mean:.1}")) }
                    td { svg width="120" height="10" { rect class="bar" width=(format!("{:.1}", 120.0 * choice.agreement.clamp(0.0, 1.0))) height="10" {} } }
                }
            }
        } } }
        @if !number.merges.is_empty() {
            p {
                @if number.curve.is_empty() { "The similarity of the two groups of components" }
                @else { "The share of the halves that put the samples of the two groups of components together" }
                " in each merge, by the number of groups that were left after it:"
            }
            (plot::bars(&number.merges.iter().map(|&(left, share)| (share.max(0.0), None, format!("{left} groups: {share:.2}"))).collect::<Vec<_>>()))
        }
    }
}

fn runs(interval: &SeedInterval) -> Markup {
    let (fewest, most) = interval.range();
    html! {
        p {
            (interval.runs.len()) " runs found " (fewest) " to " (most) " clusters with at least 1 % of the samples. The mean adjusted Rand index between two runs is "
            (format!("{:.3}", interval.agreement)) ". This report shows the medoid, the run with seed "
            (interval.runs[interval.medoid].seed) ", which agrees best with the others. The Jaccard index of a cluster is the mean "
            "over the other runs, each with its most similar cluster: below 0.5 the cluster has dissolved, and from 0.75 on it is stable."
        }
        div class="row" {
            div class="scroll" { table {
                tr { th { "seed" } th { "clusters" } th { "agreement" } }
                @for run in &interval.runs {
                    tr { td { (run.seed) } td { (run.clusters) } td { (format!("{:.3}", run.agreement)) } }
                }
            } }
            div class="scroll" { table {
                tr { th { "cluster" } th { "share" } th { "Jaccard index" } th { "in most other runs" } }
                @for (index, cluster) in interval.clusters.iter().enumerate() {
                    tr {
                        td { span class="swatch" style={ "background:" (plot::color(index)) } {} (index) }
                        td { (format!("{:.1} %", 100.0 * cluster.share)) }
                        td { (format!("{:.2}", cluster.jaccard)) }
                        td { @match cluster.fate { ClusterFate::Persists => "", ClusterFate::Merges(other) => { "part of cluster " (other) }, ClusterFate::Dissolves => "scattered" } }
                    }
                }
            } }
        }
    }
}
