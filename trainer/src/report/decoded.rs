//! What the decoder makes of the clusters: their mean samples, and samples drawn from them.

use maud::{Markup, html};

use super::input::{Assignments, ReportInput};
use super::{pictures, plot};
use crate::random::stream;
use crate::trained::{AssignError, DrawError};

/// Number of samples that are drawn from each cluster.
const DRAWN: usize = 8;

/// The section; empty if the model keeps no decoder.
pub(super) fn decoded(run: &ReportInput, found: &Assignments) -> Result<Markup, AssignError> {
    let Some(means) = run.trained.mean_samples(&found.latents, &found.exact) else { return Ok(html! {}) };
    let drawn = match run.trained.draw(DRAWN, &mut stream(0, "report", 0)) {
        Ok(drawn) => Some(drawn.values),
        Err(DrawError::NotGenerative { .. }) => None,
        Err(DrawError::Covariance(error)) => return Err(error.into()),
    };
    let samples = &run.dataset.samples;
    let width = run.trained.n_inputs();
    let picture = |values: &[f32], title: &str| match run.trained.front_end {
        Some(_) => html! { span title=(title) { (plot::trace(values, 1)) } },
        None => pictures::values(samples, values, title),
    };
    let of = |cluster: usize| {
        drawn.iter().flat_map(move |values| values[cluster * DRAWN * width..].chunks_exact(width).take(DRAWN))
    };
    Ok(html! {
        section {
            h2 { "What the decoder makes of the clusters" }
            p {
                "The sample that the mean of a cluster's latents is decoded to"
                @if drawn.is_some() { ", and samples that are decoded from draws of the cluster: none of them is in the data" }
                "."
                @if run.trained.front_end.is_some() { " Samples are shown as features of the front end, side by side." }
            }
            div class="scroll" { table {
                tr {
                    th { "cluster" } th style="text-align:left" { "mean" }
                    @if drawn.is_some() { th style="text-align:left" { "drawn" } }
                }
                @for (cluster, mean) in means.iter().enumerate() {
                    tr {
                        td { span class="swatch" style={ "background:" (plot::color(cluster)) } {} (cluster) }
                        td { @if let Some(mean) = mean { (picture(mean, &format!("mean of cluster {cluster}"))) } }
                        @if drawn.is_some() {
                            td { div class="samples" { @for values in of(cluster) { (picture(values, &format!("drawn from cluster {cluster}"))) } } }
                        }
                    }
                }
            } }
        }
    })
}
