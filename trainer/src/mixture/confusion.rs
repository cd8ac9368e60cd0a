//! Which components are confused with each other, and in which order that makes them one cluster.
//!
//! Hennig, "Methods for merging Gaussian mixture components", Advances in Data Analysis and Classification 4, 2010,
//! section 4.3 (DEMP). No labels, and no scale: nothing changes under affine maps of the latents.

use rayon::prelude::*;

use super::merging::{Merge, MergePath};

/// Samples whose sums are taken together: fixed, so that the number of threads changes no bit.
const CHUNK: usize = 4096;

/// The merges of groups of components by their `N x K` responsibilities, row-major: always the two groups that are
/// confused most. See [`MergePath`] for an example.
pub fn path(responsibilities: &[f32], k: usize, groups: Vec<Vec<usize>>) -> MergePath {
    let width = groups.len();
    let mut rows: Vec<f32> = responsibilities
        .chunks_exact(k)
        .flat_map(|row| groups.iter().map(|group| group.iter().map(|&k| row[k]).sum::<f32>()))
        .collect();
    let n = (rows.len() / width.max(1)) as f64;
    let mut left: Vec<usize> = (0..width).collect();
    let (mut merges, mut shares) = (vec![], vec![]);
    loop {
        let table = Table::of(&rows, width, &left);
        shares.push(table.assigned.iter().map(|count| count / n).collect());
        let Some(merge) = table.most_confused() else { break };
        let (into, from) = (left[merge.into], left.remove(merge.from));
        rows.par_chunks_mut(width).for_each(|row| {
            row[into] += row[from];
            row[from] = 0.0;
        });
        merges.push(merge);
    }
    MergePath { groups, merges, shares }
}

/// What groups that are left make of the samples of each other.
struct Table {
    /// Each group's responsibility for all samples.
    mass: Vec<f64>,
    /// How many samples are assigned to each.
    assigned: Vec<f64>,
    /// `joint[i * K + j]`: i's responsibility for the samples that are assigned to j.
    joint: Vec<f64>,
}

impl Table {
    fn of(rows: &[f32], width: usize, left: &[usize]) -> Self {
        let k = left.len();
        let empty = || Self { mass: vec![0.0; k], assigned: vec![0.0; k], joint: vec![0.0; k * k] };
        let part = |rows: &[f32]| {
            let mut part = empty();
            for row in rows.chunks_exact(width) {
                let best = (1..k).fold(0, |best, i| if row[left[i]] > row[left[best]] { i } else { best });
                part.assigned[best] += 1.0;
                for (i, &group) in left.iter().enumerate() {
                    let share = f64::from(row[group]);
                    part.mass[i] += share;
                    part.joint[i * k + best] += share;
                }
            }
            part
        };
        let parts: Vec<Self> = rows.par_chunks(CHUNK * width).map(part).collect();
        let add = |sum: &mut [f64], part: &[f64]| sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        parts.iter().fold(empty(), |mut all, part| {
            add(&mut all.mass, &part.mass);
            add(&mut all.assigned, &part.assigned);
            add(&mut all.joint, &part.joint);
            all
        })
    }

    /// The pair `into < from` with the greatest probability that a sample of one is assigned to the other:
    /// `sum_n r_ni [argmax r_n = j] / sum_n r_ni`, or the same with i and j exchanged.
    fn most_confused(&self) -> Option<Merge> {
        let k = self.mass.len();
        let confusion = |i: usize, j: usize| self.joint[i * k + j] / self.mass[i].max(1e-12);
        let pairs = (0..k).flat_map(|i| (i + 1..k).map(move |j| (i, j)));
        let merges =
            pairs.map(|(into, from)| Merge { into, from, strength: confusion(into, from).max(confusion(from, into)) });
        merges.max_by(|a, b| a.strength.total_cmp(&b.strength))
    }
}
