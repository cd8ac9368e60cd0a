//! The order in which the components of a mixture become one: first within its clusters, then the clusters.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::bhattacharyya::Moments;
use super::gaussian_mixture::Mixture;

/// Two groups of components that become one. A group is named by its least component.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Join {
    /// The group with the lesser name, which the union keeps.
    pub into: u16,
    /// The other group.
    pub from: u16,
    /// Their Bhattacharyya distance, or that of a join before it if that is greater.
    pub distance: f64,
}

/// The joins of K components, in their order, until one group is left: K - 1 of them.
///
/// ```
/// use edgemix::mixture::{Covariance, Mixture, dendrogram::Dendrogram};
/// use ndarray::array;
///
/// // Two pairs of components on a line; the first pair is one cluster.
/// let mixture = Mixture {
///     log_weights: vec![0.25f64.ln(); 4],
///     means: array![[0.0], [30.0], [2.0], [38.0]],
///     covariance: Covariance::Spherical(vec![1.0; 4]),
///     clusters: vec![0, 1, 0, 2],
/// };
/// let tree = Dendrogram::of(&mixture);
/// assert_eq!((tree.cut(4), tree.cut(3), tree.cut(2)), (vec![0, 1, 2, 3], vec![0, 1, 0, 2], vec![0, 1, 0, 1]));
/// // An eighth of the squared distance in standard deviations.
/// assert_eq!(tree.joins()[0].distance, 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dendrogram {
    joins: Vec<Join>,
}

impl Dendrogram {
    /// The joins of a mixture's components: each time the two groups that are nearest to each other, but no groups of different
    /// clusters before each cluster is one group. Distances do not descend, within the clusters and then again among them.
    pub fn of(mixture: &Mixture) -> Self {
        let components = Moments::of(mixture);
        let (mut within, mut clusters) = (vec![], vec![]);
        for cluster in 0..mixture.n_clusters() {
            let own = (0u16..).zip(&mixture.clusters).filter(|(_, of)| usize::from(**of) == cluster);
            let own = own.map(|(k, _)| (k, components[usize::from(k)].clone())).collect();
            clusters.extend(join_all(own, &mut within));
        }
        // A stable sort keeps the order within a cluster.
        within.sort_by(|a: &Join, b| a.distance.total_cmp(&b.distance));
        join_all(clusters, &mut within);
        Self { joins: within }
    }

    /// The joins of so many components; `None` if they do not name groups that are left, or not all become one.
    pub fn new(n_components: usize, joins: Vec<Join>) -> Option<Self> {
        let mut is_left = vec![true; n_components];
        let is_valid = joins.len() + 1 == n_components
            && joins.iter().all(|join| {
                let is_group = |k: u16| is_left.get(usize::from(k)).copied().unwrap_or(false);
                let is_valid = join.into < join.from && is_group(join.into) && is_group(join.from);
                if is_valid {
                    is_left[usize::from(join.from)] = false;
                }
                is_valid && join.distance >= 0.0
            });
        is_valid.then_some(Self { joins })
    }

    /// The joins, in their order.
    pub fn joins(&self) -> &[Join] {
        &self.joins
    }

    /// The number of components.
    pub fn n_components(&self) -> usize {
        self.joins.len() + 1
    }

    /// The group of each component when `n_groups` are left, or as many as there can be. Groups are numbered by their least
    /// components.
    pub fn cut(&self, n_groups: usize) -> Vec<u16> {
        let n = self.n_components();
        let mut names: Vec<u16> = (0..n as u16).collect();
        // A group that is joined later names the group that it becomes part of, so that the last joins are resolved first.
        let applied = &self.joins[..n - n_groups.clamp(1, n)];
        for join in applied.iter().rev() {
            names[usize::from(join.from)] = names[usize::from(join.into)];
        }
        let mut different = names.clone();
        different.sort_unstable();
        different.dedup();
        names.iter().map(|name| different.partition_point(|other| other < name) as u16).collect()
    }

    /// As [`cut`](Self::cut), but only groups with at least `least` of the samples count, given each component's share of them.
    pub(super) fn cut_of_large(&self, n_groups: usize, shares: &[f64], least: f64) -> Vec<u16> {
        let large = |n: usize| {
            let groups = self.cut(n);
            let mut sums = vec![0.0; n];
            groups.iter().zip(shares).for_each(|(&group, share)| sums[usize::from(group)] += share);
            sums.iter().filter(|&&sum| sum >= least).count()
        };
        let n = (n_groups..=self.n_components()).find(|&n| large(n) >= n_groups);
        self.cut(n.unwrap_or(self.n_components()))
    }

    /// The distance of the join that leaves `n_groups - 1` groups; `None` if there is none.
    pub fn distance_below(&self, n_groups: usize) -> Option<f64> {
        let index = self.n_components().checked_sub(n_groups)?;
        self.joins.get(index).map(|join| join.distance)
    }
}

/// Joins groups, each time the two nearest, until one is left; `None` if there are none.
fn join_all(mut groups: Vec<(u16, Moments)>, joins: &mut Vec<Join>) -> Option<(u16, Moments)> {
    groups.sort_by_key(|group| group.0);
    let distance = |a: &(u16, Moments), b: &(u16, Moments)| a.1.distance(&b.1);
    let mut distances = Array2::from_elem((groups.len(), groups.len()), f64::INFINITY);
    for i in 0..groups.len() {
        (0..i).for_each(|j| distances[[i, j]] = distance(&groups[i], &groups[j]));
    }
    let mut left: Vec<usize> = (0..groups.len()).collect();
    let mut farthest = 0f64;
    while left.len() > 1 {
        let pairs = left.iter().enumerate().flat_map(|(at, &i)| left[..at].iter().map(move |&j| (i, j)));
        let nearest = pairs.min_by(|&(a, b), &(c, d)| distances[[a, b]].total_cmp(&distances[[c, d]]));
        let Some((from, into)) = nearest else { break };
        farthest = farthest.max(distances[[from, into]]);
        joins.push(Join { into: groups[into].0, from: groups[from].0, distance: farthest });
        groups[into].1 = groups[into].1.merged(&groups[from].1);
        left.retain(|&group| group != from);
        for &other in left.iter().filter(|&&other| other != into) {
            distances[[into.max(other), into.min(other)]] = distance(&groups[into], &groups[other]);
        }
    }
    left.first().map(|&last| groups[last].clone())
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;
    use crate::mixture::Covariance;

    /// Any mixture of spheres.
    fn mixture() -> impl Strategy<Value = Mixture> {
        let component = (prop::collection::vec(-9.0..9.0f64, 2), 0.01..9.0f64, -3.0..0.0f64, 0..4u16);
        prop::collection::vec(component, 1..12).prop_map(|components| {
            let mut clusters: Vec<u16> = components.iter().map(|component| component.3).collect();
            let mut different = clusters.clone();
            different.sort_unstable();
            different.dedup();
            clusters.iter_mut().for_each(|c| *c = different.partition_point(|other| other < c) as u16);
            Mixture {
                log_weights: components.iter().map(|component| component.2).collect(),
                means: Array2::from_shape_fn((components.len(), 2), |(k, d)| components[k].0[d]),
                covariance: Covariance::Spherical(components.iter().map(|component| component.1).collect()),
                clusters,
            }
        })
    }

    proptest! {
        #[test]
        fn cuts_are_nested_and_one_of_them_has_the_clusters(mixture in mixture()) {
            let tree = Dendrogram::of(&mixture);
            let k = mixture.n_components();
            prop_assert_eq!(Dendrogram::new(k, tree.joins().to_vec()), Some(tree.clone()));
            let together = |labels: &[u16], i: usize, j: usize| labels[i] == labels[j];
            let own = tree.cut(mixture.n_clusters());
            for (i, j) in (0..k).flat_map(|i| (0..i).map(move |j| (i, j))) {
                prop_assert_eq!(together(&own, i, j), together(&mixture.clusters, i, j));
                for n in 1..k {
                    prop_assert!(together(&tree.cut(n), i, j) || !together(&tree.cut(n + 1), i, j));
                }
            }
            for n in 1..=k {
                let groups = tree.cut(n);
                let different: std::collections::BTreeSet<u16> = groups.iter().copied().collect();
                prop_assert!(different.iter().copied().eq(0..n as u16), "{:?}", groups);
            }
            let among = &tree.joins()[k - mixture.n_clusters()..];
            prop_assert!(among.windows(2).all(|pair| pair[0].distance <= pair[1].distance));
        }
    }

    #[test]
    fn joins_that_contradict_each_other_are_refused() {
        let join = |into, from| Join { into, from, distance: 1.0 };
        assert!(Dendrogram::new(3, vec![join(0, 1), join(0, 2)]).is_some());
        assert!(Dendrogram::new(1, vec![]).is_some());
        let wrong = [
            vec![join(0, 1)],
            vec![join(0, 1), join(1, 2)],
            vec![join(0, 1), join(0, 1)],
            vec![join(1, 0), join(0, 2)],
            vec![join(0, 1), join(0, 3)],
            vec![join(0, 1), join(2, 2)],
            vec![join(0, 1), Join { distance: f64::NAN, ..join(0, 2) }],
        ];
        for joins in wrong {
            assert_eq!(Dendrogram::new(3, joins.clone()), None, "{joins:?}");
        }
        assert_eq!(Dendrogram::new(0, vec![]), None);
    }

    #[test]
    fn small_groups_do_not_count() {
        let joins = vec![Join { into: 0, from: 1, distance: 1.0 }, Join { into: 0, from: 2, distance: 2.0 }];
        let tree = Dendrogram::new(3, joins).unwrap();
        assert_eq!(tree.cut_of_large(2, &[0.5, 0.499, 0.001], 0.01), [0, 1, 2]);
        assert_eq!(tree.cut_of_large(2, &[0.3, 0.3, 0.4], 0.01), [0, 0, 1]);
    }
}
