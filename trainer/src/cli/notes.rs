//! What is said of the samples before they are trained on.

use std::collections::BTreeSet;

use super::output::tell;
use crate::data::{Dataset, Layout};
use crate::front_end::{FrontEnd, FrontEndKind, FrontEndSettings};
use crate::mixture::consensus::FEWEST_GROUPS;
use crate::workflow::Plan;

/// Notes which features are computed of the samples, or why windows have none.
pub(super) fn note_front_end(plan: &Plan) {
    let samples = &plan.dataset().samples;
    if let Some(front_end) = plan.front_end() {
        tell(&format!("note: {}", front_end.describe()));
    } else if matches!(samples.layout(), Layout::Windows { .. })
        && plan.config().front_end.kind == FrontEndKind::Auto
        && !plan.config().encoder.is_over_time()
    {
        let spectrum = FrontEndSettings { kind: FrontEndKind::Spectrum, ..plan.config().front_end.clone() };
        if let Err(why) = FrontEnd::of(&spectrum, samples) {
            tell(&format!("note: the encoder takes the windows as they are, without a spectrum. {why}"));
        }
    }
}

/// Notes that there are too few groups to say whether another one shows the same.
pub(super) fn note_few_groups(dataset: &Dataset) {
    let Some(groups) = &dataset.groups else { return };
    let n_groups = groups.iter().collect::<BTreeSet<_>>().len();
    if n_groups < FEWEST_GROUPS {
        let are = if n_groups == 1 { "is 1 group" } else { &format!("are {n_groups} groups") };
        tell(&format!(
            "note: there {are}, fewer than {FEWEST_GROUPS}: whether other groups show the same clusters can't be told, and halves \
             that agree say nothing of it"
        ));
    }
}
