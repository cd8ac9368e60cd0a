//! The section on levels: the order in which clusters are joined, as a dendrogram, and the numbers of clusters that are listed.

use maud::{Markup, html};

use super::input::ReportInput;
use super::plot;
use crate::mixture::{Hierarchy, Level, Mixture};
use crate::trained::Head;

const WIDTH: f64 = 640.0;
/// Height of a leaf.
const ROW: f64 = 17.0;
/// Where the leaves and the last join are, and the first leaf.
const SPAN: (f64, f64) = (34.0, WIDTH - 14.0);
const TOP: f64 = 26.0;

/// The section; empty if the head is no mixture, or has a single cluster and no level beside it.
pub(super) fn levels(input: &ReportInput) -> Markup {
    let (Head::Mixture(mixture), Some(hierarchy)) = (&input.trained.head, &input.trained.hierarchy) else {
        return html! {};
    };
    if hierarchy.levels.last().is_none_or(|finest| finest.clusters < 2) {
        return html! {};
    }
    html! {
        section {
            h2 { "Levels" }
            p {
                "Which clusters are joined first, from left to right, and how far apart they are: the root of 8 times their Bhattacharyya "
                "distance, which is the distance in standard deviations of two clusters of one shape. Dashed lines mark the numbers of "
                "clusters that are listed; " code { "edgemix export --level" } " takes another one without training anew. "
                "The numbers at the left are clusters of this model."
            }
            div class="scroll" { (dendrogram(mixture, hierarchy)) }
            (table(mixture, &hierarchy.levels))
        }
    }
}

fn table(mixture: &Mixture, levels: &[Level]) -> Markup {
    let number = |value: Option<f64>| value.map_or_else(|| "".into(), |value| format!("{value:.2}"));
    html! {
        div class="scroll" { table {
            tr { th { "clusters" } th { "split-half agreement" } th { "next distance / last distance" } th {} }
            @for level in levels {
                tr {
                    td { (level.clusters) } td { (number(level.agreement)) } td { (number(level.lifetime)) }
                    td {
                        @if !level.is_steady { "not steady " }
                        @if level.clusters == mixture.n_clusters() { "in the model file" }
                    }
                }
            }
        } }
    }
}

/// A group of leaves: where its stem ends.
#[derive(Clone, Copy)]
struct Stem {
    x: f64,
    y: f64,
}

/// Two stems that meet at a distance.
struct Fork {
    stems: [Stem; 2],
    x: f64,
}

/// What is drawn.
struct Drawing {
    /// The cluster of the model and the height of each leaf.
    leaves: Vec<(u16, f64)>,
    forks: Vec<Fork>,
    /// The number of clusters and the place of each level.
    levels: Vec<(usize, f64)>,
}

fn draw(mixture: &Mixture, hierarchy: &Hierarchy) -> Drawing {
    let tree = &hierarchy.tree;
    let finest = hierarchy.levels.last().map_or(1, |level| level.clusters);
    let joins = &tree.joins()[tree.n_components() - finest..];
    // Distances within clusters may exceed those among them; a join is drawn no nearer than the one before it.
    let far = joins.iter().scan(0f64, |far, join| {
        *far = far.max((8.0 * join.distance).sqrt());
        Some(*far)
    });
    let far: Vec<f64> = far.collect();
    let most = far.last().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
    let x = |distance: f64| SPAN.0 + distance / most * (SPAN.1 - SPAN.0);

    // The leaves in the order in which no two stems cross: each join appends the leaves of one group to those of another.
    let groups = tree.cut(finest);
    let least = |group: usize| groups.iter().position(|&own| usize::from(own) == group).unwrap_or(0);
    let mut orders: Vec<(usize, Vec<usize>)> = (0..finest).map(|group| (least(group), vec![least(group)])).collect();
    for join in joins {
        let place =
            |orders: &[(usize, Vec<usize>)], name: u16| orders.iter().position(|own| own.0 == usize::from(name));
        let Some(from) = place(&orders, join.from).map(|at| orders.remove(at).1) else { continue };
        if let Some(into) = place(&orders, join.into) {
            orders[into].1.extend(from);
        }
    }
    let order: Vec<usize> = orders.into_iter().flat_map(|own| own.1).collect();
    let height = |row: usize| TOP + ROW * (row as f64 + 0.5);
    let leaves = order.iter().enumerate().map(|(row, &k)| (mixture.clusters[k], height(row))).collect();

    let mut stems = vec![Stem { x: SPAN.0, y: 0.0 }; tree.n_components()];
    order.iter().enumerate().for_each(|(row, &k)| stems[k].y = height(row));
    let mut forks = vec![];
    for (join, &distance) in joins.iter().zip(&far) {
        let both = [join.into, join.from].map(|name| stems[usize::from(name)]);
        let fork = Fork { stems: both, x: x(distance) };
        stems[usize::from(join.into)] = Stem { x: fork.x, y: 0.5 * (both[0].y + both[1].y) };
        forks.push(fork);
    }
    let at = |n: usize| {
        let next = finest - n;
        let last = next.checked_sub(1).map_or(0.0, |index| far[index]);
        x(0.5 * (last + far.get(next).copied().unwrap_or(last)))
    };
    let levels = hierarchy.levels.iter().map(|level| (level.clusters, at(level.clusters))).collect();
    Drawing { leaves, forks, levels }
}

fn dendrogram(mixture: &Mixture, hierarchy: &Hierarchy) -> Markup {
    let Drawing { leaves, forks, levels } = draw(mixture, hierarchy);
    let bottom = TOP + ROW * leaves.len() as f64;
    let place = |x: f64| format!("{x:.1}");
    let path = |fork: &Fork| {
        let [a, b] = fork.stems;
        format!("M{:.1} {:.1}H{:.1}V{:.1}H{:.1}", a.x, a.y, fork.x, b.y, b.x)
    };
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (bottom + 6.0) } width=(WIDTH) role="img" {
            @for fork in &forks { path class="curve" d=(path(fork)) {} }
            @for (cluster, y) in &leaves {
                rect x="20" y=(place(y - 4.5)) width="9" height="9" rx="2" fill=(plot::color(usize::from(*cluster))) {}
                text x="16" y=(place(y + 4.0)) text-anchor="end" { (cluster) }
            }
            @for (n, x) in &levels {
                line class="level" x1=(place(*x)) x2=(place(*x)) y1=(TOP - 6.0) y2=(place(bottom)) {}
                text class="name" text-anchor="middle" x=(place(*x)) y="14" { (n) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::Covariance;

    fn mixture(means: &[f64]) -> Mixture {
        Mixture {
            log_weights: vec![0.0; means.len()],
            means: ndarray::Array2::from_shape_fn((means.len(), 1), |(k, _)| means[k]),
            covariance: Covariance::Spherical(vec![1.0; means.len()]),
            clusters: (0..means.len() as u16).collect(),
        }
    }

    /// Two pairs, whose members are interleaved: the branches do not cross, and each level is between two joins.
    #[test]
    fn stems_meet_in_order_and_levels_lie_between_them() {
        let mixture = mixture(&[0.0, 50.0, 4.0, 54.5]);
        let drawing = draw(&mixture, &Hierarchy::new(&mixture, &[], false));
        let leaves: Vec<u16> = drawing.leaves.iter().map(|leaf| leaf.0).collect();
        assert_eq!(leaves, [0, 2, 1, 3]);
        let [first, second, last] = &drawing.forks[..] else { panic!("not three forks") };
        assert!(SPAN.0 < first.x && first.x < second.x && second.x < last.x && last.x <= SPAN.1);
        // Distances of 4 and 4.5 deviations.
        assert!(((second.x - SPAN.0) / (first.x - SPAN.0) - 1.125).abs() < 1e-9);
        assert_eq!(last.stems.map(|stem| stem.x), [first.x, second.x]);
        let [two, four] = drawing.levels[..] else { panic!("not two levels") };
        assert_eq!((two.0, four.0), (2, 4));
        assert!(four.1 < first.x && second.x < two.1 && two.1 < last.x);
    }

    #[test]
    fn a_model_of_one_component_has_nothing_to_join() {
        let mixture = mixture(&[1.0]);
        let drawing = draw(&mixture, &Hierarchy::new(&mixture, &[], false));
        assert_eq!((drawing.leaves.len(), drawing.forks.len(), drawing.levels.len()), (1, 0, 1));
    }
}
