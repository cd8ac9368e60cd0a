//! Coarser levels of the clusters.

use serde::{Deserialize, Serialize};

use super::mixture::every_cluster_occurs;
use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::features::{Feature, LEVELS};
use crate::limits::MAX_LEVELS;
use crate::tensor::Tensor;

/// Levels above the clusters of the head, as the description encodes them: each consists of unions of the clusters of the
/// level below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HierarchyRecord {
    /// Number of clusters of each level, from fine to coarse: each less than the one before, the first less than those of
    /// the head, and the last at least 1.
    pub levels: heapless::Vec<u16, MAX_LEVELS>,
    /// For the clusters of the head, and then for those of each level but the last, the cluster of the next level that each
    /// is part of.
    pub parents: Tensor<u16>,
}

impl Default for HierarchyRecord {
    /// No levels.
    fn default() -> Self {
        Self { levels: heapless::Vec::new(), parents: Tensor::new(0, 0) }
    }
}

/// Levels above the clusters of the head. The clusters of each are unions of those of the level below.
///
/// ```
/// use edgemix_format::{File, testing::Spec};
///
/// // Five clusters become three, and then two.
/// let bytes = Spec { clusters: 5, levels: vec![3, 2], ..Spec::default() }.build().unwrap();
/// let hierarchy = File::from_bytes(&bytes).unwrap().hierarchy;
/// assert_eq!((hierarchy.levels(), hierarchy.flash()), (&[3, 2][..], (5 + 3) * 2));
/// let parents: Vec<u16> = (0..5).filter_map(|cluster| hierarchy.ancestor(cluster, 3)).collect();
/// assert!(parents.len() == 5 && parents.iter().all(|&parent| parent < 3));
/// // The level below all others has the clusters themselves.
/// assert_eq!((hierarchy.ancestor(4, 5), hierarchy.ancestor(4, 4), hierarchy.ancestor(5, 5)), (Some(4), None, None));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hierarchy<'a> {
    n_clusters: u16,
    levels: heapless::Vec<u16, MAX_LEVELS>,
    parents: &'a [u16],
}

impl<'a> Hierarchy<'a> {
    /// Number of clusters of each level, from fine to coarse, without those of the head.
    pub fn levels(&self) -> &[u16] {
        &self.levels
    }

    /// The parents of the clusters of the head, and then of those of each level but the last.
    pub fn parents(&self) -> &'a [u16] {
        self.parents
    }

    /// The cluster of a level that a cluster of the head is part of. The level is named by its number of clusters. `None` if
    /// there is no such level or cluster.
    pub fn ancestor(&self, cluster: u16, level: u16) -> Option<u16> {
        if cluster >= self.n_clusters {
            return None;
        }
        if !LEVELS {
            return (self.n_clusters == level).then_some(cluster);
        }
        let (mut found, mut n_clusters, mut parents) = (cluster, self.n_clusters, self.parents);
        for &coarser in &self.levels {
            if n_clusters <= level {
                break;
            }
            let (of_level, above) = parents.split_at_checked(n_clusters.into())?;
            found = *of_level.get(usize::from(found))?;
            (parents, n_clusters) = (above, coarser);
        }
        (n_clusters == level).then_some(found)
    }

    /// Bytes in the blob.
    pub fn flash(&self) -> usize {
        size_of_val(self.parents)
    }
}

/// Decodes and checks the levels above `n_clusters` clusters.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, n_clusters: usize, blob: &'a [u8]) -> Result<Hierarchy<'a>, Fault> {
    let n_levels: u32 = cursor.next()?;
    let n_clusters = u16::try_from(n_clusters).map_err(|_| Fault::Size)?;
    if !LEVELS {
        ensure(n_levels == 0, Fault::Disabled(Feature::Levels))?;
        let parents: Tensor<u16> = cursor.next()?;
        ensure(parents.len == 0, Fault::TensorLength)?;
        return Ok(Hierarchy { n_clusters, levels: heapless::Vec::new(), parents: &[] });
    }
    ensure(n_levels as usize <= MAX_LEVELS, Fault::LevelCount)?;
    let (mut levels, mut below, mut n_parents) = (heapless::Vec::new(), n_clusters, 0usize);
    for _ in 0..n_levels {
        let level: u16 = cursor.next()?;
        ensure(level > 0 && level < below, Fault::LevelOrder)?;
        // At most MAX_LEVELS times 2^16.
        n_parents += usize::from(below);
        below = level;
        // The count was checked, so the list has space.
        levels.push(level).map_err(|_| Fault::LevelCount)?;
    }
    let parents = cursor.next::<Tensor<u16>>()?.resolve(blob, n_parents)?;
    let hierarchy = Hierarchy { n_clusters, levels, parents };
    hierarchy.verify()?;
    Ok(hierarchy)
}

impl Hierarchy<'_> {
    /// Every parent is a cluster of its level, and every cluster of a level is a parent.
    fn verify(&self) -> Result<(), Fault> {
        let (mut parents, mut below) = (self.parents, self.n_clusters);
        for &level in &self.levels {
            let (of_level, rest) = parents.split_at_checked(below.into()).ok_or(Fault::TensorLength)?;
            ensure(of_level.iter().all(|&parent| parent < level), Fault::UnknownParent)?;
            ensure(every_cluster_occurs(of_level, level), Fault::Childless)?;
            (parents, below) = (rest, level);
        }
        Ok(())
    }
}
