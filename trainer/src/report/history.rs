//! The latents at a few moments of the training.

use maud::{Markup, html};

use super::geometry;
use super::input::{Assignments, ReportInput};
use super::plot::{self, Point};

/// The section; empty if no latents were kept, or of other samples.
pub(super) fn history(run: &ReportInput, found: &Assignments) -> Markup {
    let Some((history, rows)) = run.history.filter(|(history, _)| !history.moments.is_empty()) else { return html! {} };
    let plots = history.moments.iter().map(|moment| {
        let (places, shares) = geometry::principal(&moment.latents, moment.dims);
        let points = rows.iter().zip(places);
        let points: Vec<Point> =
            points.map(|(&row, [x, y])| Point { x, y, class: found.clusters[row].into() }).collect();
        let name = format!("{}, epoch {}", moment.phase, moment.epoch);
        (plot::small_scatter(&points), name, 100.0 * (shares[0] + shares[1]))
    });
    html! {
        section {
            h2 { "The latents during training" }
            p {
                (rows.len()) " of the samples after a few epochs of each phase, along the two principal axes of that moment, in the colours of "
                "the clusters that they are in at the end."
            }
            div class="row" {
                @for (plot, name, share) in plots {
                    figure { (plot) figcaption { (name) ", " (format!("{share:.0} % of the variance")) } }
                }
            }
        }
    }
}
