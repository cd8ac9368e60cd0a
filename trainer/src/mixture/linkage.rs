//! Average linkage of components by how often random halves of the samples put them together.
//!
//! Fred and Jain, "Combining multiple clusterings using evidence accumulation", 2005.

use ndarray::{Array2, ArrayView1};

use super::merging::{Merge, MergePath};

/// The merges of `k` components by average linkage.
///
/// `own` is the component of each sample and `halves` are the clusters that each half gives the samples. Two components
/// are as close as the halves put samples of both together, relative to how often they put samples of one component
/// together.
pub(super) fn linkage(own: &[u16], k: usize, halves: &[Vec<u16>]) -> MergePath {
    let mut counts = vec![0f64; k];
    own.iter().for_each(|&component| counts[usize::from(component)] += 1.0);
    let closeness = closeness(own, &counts, halves);
    let mut groups: Vec<Vec<usize>> = (0..k).map(|k| vec![k]).collect();
    let share = |group: &Vec<usize>| group.iter().map(|&k| counts[k]).sum::<f64>() / own.len() as f64;
    let mut path = MergePath::of_singles(groups.iter().map(share).collect());
    while groups.len() > 1 {
        let average = |a: &[usize], b: &[usize]| {
            let pairs = || a.iter().flat_map(|&i| b.iter().map(move |&j| (i, j)));
            let weight: f64 = pairs().map(|(i, j)| counts[i] * counts[j]).sum();
            pairs().map(|(i, j)| counts[i] * counts[j] * closeness[[i, j]]).sum::<f64>() / weight.max(1e-12)
        };
        let pairs = (0..groups.len()).flat_map(|i| (i + 1..groups.len()).map(move |j| (i, j)));
        let merges = pairs.map(|(into, from)| Merge { into, from, strength: average(&groups[into], &groups[from]) });
        let Some(merge) = merges.max_by(|a, b| a.strength.total_cmp(&b.strength)) else { break };
        let merged = groups.remove(merge.from);
        groups[merge.into].extend(merged);
        path.push(merge, groups.iter().map(share).collect());
    }
    path
}

/// `K x K`: the probability that the halves put samples of two components together, relative to that of two samples of
/// the same component.
fn closeness(own: &[u16], counts: &[f64], halves: &[Vec<u16>]) -> Array2<f64> {
    let k = counts.len();
    let mut together = Array2::<f64>::zeros((k, k));
    for labels in halves {
        let clusters = labels.iter().max().map_or(0, |&most| usize::from(most) + 1);
        let mut shares = Array2::<f64>::zeros((k, clusters));
        for (&component, &cluster) in own.iter().zip(labels) {
            shares[[component.into(), cluster.into()]] += 1.0 / counts[usize::from(component)];
        }
        let product = |a: ArrayView1<f64>, b: ArrayView1<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for ((i, j), sum) in together.indexed_iter_mut() {
            *sum += product(shares.row(i), shares.row(j));
        }
    }
    Array2::from_shape_fn((k, k), |(i, j)| {
        let alone = (together[[i, i]] * together[[j, j]]).sqrt();
        if alone > 0.0 { together[[i, j]] / alone } else { 0.0 }
    })
}
