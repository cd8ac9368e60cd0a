//! What the user should know about a fit that succeeded.

use super::output::tell;
use crate::data::split::MIN_HELD_OUT;
use crate::methods::FitConfig;
use crate::workflow::FitSummary;

/// Warns of everything doubtful about the fit.
pub(super) fn warn_of_fit(summary: &FitSummary, config: &FitConfig) {
    if let Some(disagreement) = &summary.disagreement {
        tell(&format!("warning: {disagreement}"));
    }
    if summary.held_out == 0 && config.holdout > 0.0 {
        let percent = 100.0 * config.holdout;
        tell(&format!(
            "note: {percent:.0} % of the samples are fewer than {MIN_HELD_OUT}, so none were held out: the p-values of novelty come \
             from the training samples, and are too small for new ones"
        ));
    }
    for lone in &summary.lone {
        tell(&format!("note: {lone}: it may show the group, and not a kind of sample"));
    }
    if let Some(collapse) = &summary.collapse {
        tell(&format!("warning: {collapse}"));
    }
}
