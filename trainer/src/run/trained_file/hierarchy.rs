//! Writes and reads the levels of a mixture.

use super::error::TrainedFileError;
use super::tensors::{TensorReader, TensorWriter};
use crate::mixture::dendrogram::{Dendrogram, Join};
use crate::mixture::{Hierarchy, Level, Mixture};
use crate::trained::Head;

const INTO: &str = "hierarchy.into";
const FROM: &str = "hierarchy.from";
const DISTANCES: &str = "hierarchy.distances";
const FIELD: &str = "levels";

/// Adds the joins, and gives the levels, which the description holds.
pub(super) fn write(tensors: &mut TensorWriter, hierarchy: &Hierarchy) -> Vec<Level> {
    let joins = hierarchy.tree.joins();
    tensors.add(INTO, &[joins.len()], joins.iter().map(|join| join.into));
    tensors.add(FROM, &[joins.len()], joins.iter().map(|join| join.from));
    tensors.add(DISTANCES, &[joins.len()], joins.iter().map(|join| join.distance));
    hierarchy.levels.clone()
}

/// Reads the joins and checks them and the levels against the head.
pub(super) fn read(tensors: &TensorReader, levels: Vec<Level>, head: &Head) -> Result<Hierarchy, TrainedFileError> {
    let refused = |problem: &str| Err(TrainedFileError::field(FIELD, problem));
    let Head::Mixture(mixture) = head else { return refused("are described, but the head is not a mixture") };
    let shape = [mixture.n_components() - 1];
    let into: Vec<u16> = tensors.get(INTO, &shape)?;
    let from: Vec<u16> = tensors.get(FROM, &shape)?;
    let distances: Vec<f64> = tensors.get(DISTANCES, &shape)?;
    let joins = into.into_iter().zip(from).zip(distances);
    let joins = joins.map(|((into, from), distance)| Join { into, from, distance }).collect();
    let Some(tree) = Dendrogram::new(mixture.n_components(), joins) else {
        return Err(TrainedFileError::field(FROM, "the joins do not make one group of all components"));
    };
    let numbers: Vec<usize> = levels.iter().map(|level| level.clusters).collect();
    let ascend = numbers.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascend || numbers.iter().any(|n| !(1..=mixture.n_components()).contains(n)) {
        return refused("their numbers of clusters do not ascend, or are not between 1 and that of the components");
    }
    if !numbers.contains(&mixture.n_clusters()) || !has_clusters(&tree, mixture) {
        return refused("none of them has the clusters of the mixture");
    }
    if levels.iter().any(|level| level.agreement.is_some_and(|agreement| !(-1.0..=1.0).contains(&agreement))) {
        return refused("an agreement is not between -1 and 1");
    }
    Ok(Hierarchy { tree, levels })
}

/// Whether as many groups as the mixture has clusters are its clusters, but for their numbers.
fn has_clusters(tree: &Dendrogram, mixture: &Mixture) -> bool {
    let groups = tree.cut(mixture.n_clusters());
    let mut names = vec![None; mixture.n_clusters()];
    groups
        .iter()
        .zip(&mixture.clusters)
        .all(|(&group, &cluster)| *names[usize::from(group)].get_or_insert(cluster) == cluster)
}
