//! The levels above the clusters of a model.

use edgemix_format::description::HierarchyRecord;
use edgemix_format::write::Blob;

use crate::trained::{Head, Trained};

/// Describes the levels that are listed and have fewer clusters than the head.
pub(super) fn describe(trained: &Trained, blob: &mut Blob) -> HierarchyRecord {
    let mut record = HierarchyRecord::default();
    let (Head::Mixture(mixture), Some(hierarchy)) = (&trained.head, &trained.hierarchy) else { return record };
    let (mut below, mut n_below) = (mixture.clusters.clone(), mixture.n_clusters());
    let mut parents = vec![];
    for n in hierarchy.numbers().into_iter().rev().filter(|&n| n < mixture.n_clusters()) {
        let Some(clusters) = hierarchy.clusters(mixture, n) else { continue };
        // A file has no more levels than this; a hierarchy lists no more.
        if record.levels.push(n as u16).is_err() {
            break;
        }
        let mut own = vec![0; n_below];
        below.iter().zip(&clusters).for_each(|(&child, &parent)| own[usize::from(child)] = parent);
        parents.extend(own);
        (below, n_below) = (clusters, n);
    }
    if !parents.is_empty() {
        record.parents = blob.push(&parents);
    }
    record
}
