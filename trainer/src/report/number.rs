//! The section on the number of clusters: what random halves of the samples say, and what several runs agree on.

use maud::{Markup, html};

use super::{Run, plot};
use crate::assessment::interval::{ClusterFate, SeedInterval};
use crate::mixture::ClusterCountReport;

/// Nothing where neither is known.
pub(super) fn number(run: &Run) -> Markup {
    if run.number.is_none() && run.interval.is_none() {
        return html! {};
    }
    html! {
        section {
            h2 { "How many clusters" }
            @if let Some(number) = run.number { (halves(number)) }
            @if let Some(interval) = run.interval { (runs(interval)) }
        }
    }
}

fn halves(number: &ClusterCountReport) -> Markup {
    let taken = number.curve.iter().find(|choice| choice.threshold == number.threshold);
    html! {
        p {
            (number.components) " components in " (number.clusters) " clusters when they were found last, in "
            (format!("{:.1}", number.seconds)) " s. "
            @if number.curve.is_empty() {
                "The threshold was " (number.threshold) "."
            } @else {
                "Random halves of the samples were clustered too; where components are one cluster that are "
                "confused with at least this probability, the halves agree with each other by this adjusted Rand index."
            }
        }
        @if !number.curve.is_empty() { div class="scroll" { table {
            tr { th { "probability" } th { "agreement" } th { "clusters of a half" } th {} }
            @for choice in &number.curve {
                @let (fewest, mean, most) = choice.clusters;
                tr {
                    td { (choice.threshold) @if taken == Some(choice) { ", taken" } }
                    td { (format!("{:.3}", choice.agreement)) }
                    td { (fewest) " to " (most) ", mean " (format!("{mean:.1}")) }
                    td { svg width="120" height="10" { rect class="bar" width=(format!("{:.1}", 120.0 * choice.agreement.clamp(0.0, 1.0))) height="10" {} } }
                }
            }
        } } }
        @if !number.merges.is_empty() {
            p {
                @if number.curve.is_empty() { "How close two groups of components were" }
                @else { "The share of the halves that put samples of two groups of components together" }
                ", when so many groups were left by merging the two:"
            }
            (plot::bars(&number.merges.iter().map(|&(left, share)| (share.max(0.0), None, format!("{left} groups: {share:.2}"))).collect::<Vec<_>>()))
        }
    }
}

fn runs(interval: &SeedInterval) -> Markup {
    let (fewest, most) = interval.range();
    html! {
        p {
            (interval.runs.len()) " runs found " (fewest) " to " (most) " clusters of at least a percent of the samples, and agree by "
            (format!("{:.3}", interval.agreement)) " (adjusted Rand index). Shown is the run with seed "
            (interval.runs[interval.medoid].seed) ", which agrees best with the others. A cluster's index is that of Jaccard, with the most similar "
            "cluster of another run: below 0.5 it has dissolved, from 0.75 on it is to be relied on."
        }
        div class="row" {
            div class="scroll" { table {
                tr { th { "seed" } th { "clusters" } th { "agreement" } }
                @for run in &interval.runs {
                    tr { td { (run.seed) } td { (run.clusters) } td { (format!("{:.3}", run.agreement)) } }
                }
            } }
            div class="scroll" { table {
                tr { th { "cluster" } th { "share" } th { "found again" } th { "in most other runs" } }
                @for (index, cluster) in interval.clusters.iter().enumerate() {
                    tr {
                        td { span class="swatch" style={ "background:" (plot::color(index)) } {} (index) }
                        td { (format!("{:.1} %", 100.0 * cluster.share)) }
                        td { (format!("{:.2}", cluster.jaccard)) }
                        td { @match cluster.fate { ClusterFate::Persists => "", ClusterFate::Merges(other) => { "a part of cluster " (other) }, ClusterFate::Dissolves => "in pieces" } }
                    }
                }
            } }
        }
    }
}
