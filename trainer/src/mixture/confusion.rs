//! Which components are confused with each other, and in which order that merges them.
//!
//! Hennig, "Methods for merging Gaussian mixture components", Advances in Data Analysis and Classification 4, 2010,
//! section 4.3 (DEMP). It needs no labels and no scale: affine maps of the latents change nothing.

use ndarray::{Array1, Array2, ArrayView2, Axis, parallel::prelude::*};

use super::merging::{Merge, MergePath};
use crate::base::arrays::{argmax, from_rows, row_slices};

/// Samples whose sums are accumulated together. The number is fixed, so that the number of threads changes no bit.
const CHUNK: usize = 4096;

/// The merges of groups of components by their `N x K` responsibilities: each time the two groups that are confused most.
pub fn path(responsibilities: ArrayView2<f32>, groups: Vec<Vec<usize>>) -> MergePath {
    let mut rows = by_group(responsibilities, &groups);
    let mut left: Vec<usize> = (0..groups.len()).collect();
    let n = responsibilities.nrows() as f64;
    let shares = |table: &ConfusionTable| table.assigned.iter().map(|count| count / n).collect();
    let mut table = ConfusionTable::count(rows.view(), &left);
    let mut path = MergePath::new(groups, shares(&table));
    while let Some(merge) = table.most_confused() {
        let (into, from) = (left[merge.into], left.remove(merge.from));
        rows.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
            row[into] += row[from];
            row[from] = 0.0;
        });
        table = ConfusionTable::count(rows.view(), &left);
        path.push(merge, shares(&table));
    }
    path
}

/// `N x K` responsibilities of components as those of groups.
fn by_group(responsibilities: ArrayView2<f32>, groups: &[Vec<usize>]) -> Array2<f32> {
    let responsibilities = responsibilities.as_standard_layout();
    let sum = |row: &[f32], group: &Vec<usize>| group.iter().map(|&k| row[k]).sum::<f32>();
    let rows = row_slices(responsibilities.view());
    from_rows(rows.flat_map(|row| groups.iter().map(move |group| sum(row, group))).collect(), groups.len())
}

/// How the remaining groups share the samples that are assigned to each of them.
struct ConfusionTable {
    /// Each group's responsibility for all samples.
    mass: Array1<f64>,
    /// The number of samples assigned to each group.
    assigned: Array1<f64>,
    /// Each row's responsibility for the samples that are assigned to the column.
    joint: Array2<f64>,
}

impl ConfusionTable {
    fn empty(k: usize) -> Self {
        Self { mass: Array1::zeros(k), assigned: Array1::zeros(k), joint: Array2::zeros((k, k)) }
    }

    /// Counts the groups `left` in the responsibilities of all groups.
    fn count(responsibilities: ArrayView2<f32>, left: &[usize]) -> Self {
        let part = |rows: ArrayView2<f32>| {
            let mut part = Self::empty(left.len());
            row_slices(rows).for_each(|row| part.add(row, left));
            part
        };
        let parts: Vec<Self> = responsibilities.axis_chunks_iter(Axis(0), CHUNK).into_par_iter().map(part).collect();
        parts.iter().fold(Self::empty(left.len()), |all, part| Self {
            mass: all.mass + &part.mass,
            assigned: all.assigned + &part.assigned,
            joint: all.joint + &part.joint,
        })
    }

    fn add(&mut self, row: &[f32], left: &[usize]) {
        let best = argmax(left.iter().map(|&group| row[group]));
        self.assigned[best] += 1.0;
        for (i, &group) in left.iter().enumerate() {
            let share = f64::from(row[group]);
            self.mass[i] += share;
            self.joint[[i, best]] += share;
        }
    }

    /// The pair `into < from` with the greatest probability that a sample of one is assigned to the other:
    /// `sum_n r_ni [argmax r_n = j] / sum_n r_ni`, or the same with i and j exchanged.
    fn most_confused(&self) -> Option<Merge> {
        let k = self.mass.len();
        let confusion = |i: usize, j: usize| self.joint[[i, j]] / self.mass[i].max(1e-12);
        let pairs = (0..k).flat_map(|i| (i + 1..k).map(move |j| (i, j)));
        let merges =
            pairs.map(|(into, from)| Merge { into, from, strength: confusion(into, from).max(confusion(from, into)) });
        merges.max_by(|a, b| a.strength.total_cmp(&b.strength))
    }
}
