//! Parts that are a single sample.

use super::labels::{compact, statistics};
use super::niw::Statistics;
use super::points::Points;
use super::prior::Prior;
use super::scorer::Scorer;

/// Moves samples that are a part by themselves to the best of the other parts.
pub(super) fn dissolve_singles(own: &Points, prior: &Prior, parts: &mut [u32]) {
    compact(parts);
    let all = statistics(own, parts);
    let larger: Vec<u32> = (0u32..).zip(&all).filter(|(_, own)| own.n >= 2.0).map(|(part, _)| part).collect();
    if larger.is_empty() || larger.len() == all.len() {
        return;
    }
    let several: Vec<Statistics> = larger.iter().map(|&part| all[part as usize].clone()).collect();
    let Some(scorer) = Scorer::new(&several, prior) else { return };
    for (part, row) in parts.iter_mut().zip(own.rows()) {
        if all[*part as usize].n < 2.0 {
            *part = larger[scorer.best(row, 0)];
        }
    }
}
