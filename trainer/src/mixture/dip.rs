//! Which components have no gap between them, by the dip test. It needs many samples.
//!
//! The dip is the distance of a sample's distribution function from the nearest unimodal one (Hartigan and Hartigan, "The
//! dip test of unimodality", Annals of Statistics 13, 1985), computed by the algorithm of P. Hartigan (Applied Statistics
//! 34, AS 217, 1985) as corrected in R's package diptest. Two groups of samples are compared on the line between their
//! means, and the two groups closest to being one are merged (Leiber et al., "Dip-based deep embedded clustering with
//! k-estimation", 2021). With fewer than about 200 samples the test has little power and merges neighbouring groups.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::merging::{Merge, MergePath};
use crate::base::arrays::row_slice;

/// The p-value from which two groups have no gap between them (Leiber et al., section 4).
pub const CUSTOMARY: f64 = 0.9;
/// The most samples of two groups that are compared.
const MOST: usize = 4000;
/// At most so many times as many samples of the larger group are compared as of the smaller one: those nearest to it.
const RATIO: usize = 2;
/// Shares of uniform samples of size 1,000 and the scaled dips that they do not exceed (qDiptab of R's diptest, a million
/// draws).
const QUANTILES: [(f64, f64); 14] = [
    (0.0, 0.1713),
    (0.1, 0.2877),
    (0.3, 0.333),
    (0.5, 0.3714),
    (0.7, 0.4164),
    (0.8, 0.4471),
    (0.9, 0.4938),
    (0.95, 0.5355),
    (0.98, 0.5854),
    (0.99, 0.6201),
    (0.995, 0.653),
    (0.999, 0.7232),
    (0.9999, 0.8099),
    (0.99999, 0.8994),
];

/// The dip of ascending values, from 0 to 1/4: the greatest distance between their distribution function and the nearest
/// unimodal one.
///
/// ```
/// use edgemix::mixture::dip;
///
/// // Evenly spread values, and two heaps.
/// assert!(dip::statistic(&[0.0, 1.0, 2.0, 3.0]) < 1e-12);
/// assert_eq!(dip::statistic(&[0.0, 0.0, 1.0, 1.0]), 0.25);
/// ```
pub fn statistic(x: &[f64]) -> f64 {
    let n = x.len();
    if n < 2 || x[0] == x[n - 1] {
        return 0.0;
    }
    let (minorant, majorant) = (minorant(x), majorant(x));
    let (mut low, mut high, mut dip) = (0, n - 1, 0f64);
    loop {
        let gcm = chain(&minorant, high, low);
        let lcm = chain(&majorant, low, high);
        let (d, ig, ih) = farthest(x, &gcm, &lcm);
        if d < dip {
            break;
        }
        let below = gcm[ig..].windows(2).map(|ends| deviation(x, ends[1], ends[0], 1.0));
        let above = lcm[ih..].windows(2).map(|ends| deviation(x, ends[0], ends[1], -1.0));
        dip = below.chain(above).fold(dip, f64::max);
        if (low, high) == (gcm[ig], lcm[ih]) {
            break;
        }
        (low, high) = (gcm[ig], lcm[ih]);
    }
    dip / (2 * n) as f64
}

/// The probability that as many uniform samples have a dip at least as great; no unimodal distribution has greater ones.
/// Exact for `n` = 1,000, and within 0.02 from 200 on.
pub fn p_value(dip: f64, n: usize) -> f64 {
    let scaled = dip * (n as f64).sqrt();
    let above = QUANTILES.partition_point(|&(_, quantile)| quantile <= scaled);
    match (above.checked_sub(1).map(|below| QUANTILES[below]), QUANTILES.get(above)) {
        (Some((p, at)), Some((q, to))) => 1.0 - (p + (q - p) * (scaled - at) / (to - at)),
        (None, _) => 1.0,
        (_, None) => 0.0,
    }
}

/// The merges of `k` components of `N x D` latents, given each sample's component: each time the two groups between which a
/// gap is least probable.
///
/// ```
/// use edgemix::mixture::dip;
/// use edgemix::random::{normal, stream};
/// use ndarray::Array2;
///
/// // Two halves of one heap, and a heap apart.
/// let noise = normal(1500, &mut stream(0, "example", 0));
/// let z = Array2::from_shape_fn((1500, 1), |(i, _)| f64::from(noise[i]) + if i < 1000 { 0.0 } else { 9.0 });
/// let components: Vec<usize> = (0..1500).map(|i| if i >= 1000 { 2 } else { usize::from(z[[i, 0]] > 0.0) }).collect();
/// let path = dip::path(z.view(), &components, 3);
/// assert_eq!(path.clusters(path.merges_above(dip::CUSTOMARY)), [0, 0, 1]);
/// ```
pub fn path(z: ArrayView2<f64>, components: &[usize], k: usize) -> MergePath {
    let z = z.as_standard_layout();
    let mut rows = vec![vec![]; k];
    components.iter().enumerate().for_each(|(row, &component)| rows[component].push(row));
    let share = |rows: &Vec<usize>| rows.len() as f64 / components.len().max(1) as f64;
    let mut path = MergePath::of_singles(rows.iter().map(share).collect());
    let against = |rows: &[Vec<usize>], group: usize, others: usize| -> Vec<f64> {
        (0..others).into_par_iter().map(|other| closeness(z.view(), &rows[group], &rows[other])).collect()
    };
    // How close each group is to those before it.
    let mut close: Vec<Vec<f64>> = (0..k).map(|group| against(&rows, group, group)).collect();
    while rows.len() > 1 {
        let pairs = (0..rows.len()).flat_map(|from| (0..from).map(move |into| (into, from)));
        let merges = pairs.map(|(into, from)| Merge { into, from, strength: close[from][into] });
        let Some(merge) = merges.max_by(|a, b| a.strength.total_cmp(&b.strength)) else { break };
        let merged = rows.remove(merge.from);
        rows[merge.into].extend(merged);
        close.remove(merge.from);
        for others in &mut close[merge.from..] {
            others.remove(merge.from);
        }
        for (other, p) in against(&rows, merge.into, rows.len()).into_iter().enumerate() {
            let (after, before) = (other.max(merge.into), other.min(merge.into));
            if after != before {
                close[after][before] = p;
            }
        }
        path.push(merge, rows.iter().map(share).collect());
    }
    path
}

/// The probability that there is no gap between two groups of samples, on the line between their means.
fn closeness(z: ArrayView2<f64>, a: &[usize], b: &[usize]) -> f64 {
    let point = |row: usize| row_slice(z, row);
    let mut axis = vec![0.0; z.ncols()];
    for (rows, sign) in [(a, -1.0), (b, 1.0)] {
        let weight = sign / rows.len().max(1) as f64;
        rows.iter().for_each(|&row| axis.iter_mut().zip(point(row)).for_each(|(sum, x)| *sum += weight * x));
    }
    // Ascending, so that the samples nearest to the other group come last.
    let project = |rows: &[usize], sign: f64| {
        let along = |&row: &usize| sign * point(row).iter().zip(&axis).map(|(x, a)| x * a).sum::<f64>();
        let mut values: Vec<f64> = rows.iter().map(along).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let nearest = |values: Vec<f64>, other: usize| values[values.len().saturating_sub(RATIO * other)..].to_vec();
    let both = [
        nearest(project(a, 1.0), b.len()),
        nearest(project(b, -1.0), a.len()).into_iter().map(|value| -value).collect(),
    ];
    let mut values = both.concat();
    values.sort_unstable_by(f64::total_cmp);
    let step = values.len().div_ceil(MOST).max(1);
    let values: Vec<f64> = values.into_iter().step_by(step).collect();
    p_value(statistic(&values), values.len())
}

/// For each value, the previous one on the greatest convex minorant of the values up to it.
fn minorant(x: &[f64]) -> Vec<usize> {
    let mut before = vec![0; x.len()];
    for j in 1..x.len() {
        let mut at = j - 1;
        while at != 0 {
            let next = before[at];
            if (x[j] - x[at]) * ((at - next) as f64) < (x[at] - x[next]) * ((j - at) as f64) {
                break;
            }
            at = next;
        }
        before[j] = at;
    }
    before
}

/// For each value, the next one on the least concave majorant of the values from it on: the mirrored minorant.
fn majorant(x: &[f64]) -> Vec<usize> {
    let mirrored: Vec<f64> = x.iter().rev().map(|x| -x).collect();
    minorant(&mirrored).into_iter().rev().map(|before| x.len() - 1 - before).collect()
}

/// The indices along a minorant or majorant between two values.
fn chain(next: &[usize], from: usize, to: usize) -> Vec<usize> {
    let mut chain = vec![from];
    let mut at = from;
    while at != to {
        at = next[at];
        chain.push(at);
    }
    chain
}

/// The greatest distance, in samples, between a minorant in descending order and a majorant in ascending order, and its
/// position on each.
fn farthest(x: &[f64], gcm: &[usize], lcm: &[usize]) -> (f64, usize, usize) {
    let (mut d, mut ig, mut ih) = (0.0, gcm.len() - 1, lcm.len() - 1);
    if gcm.len() == 2 && lcm.len() == 2 {
        return (d, ig, ih);
    }
    let (mut ix, mut iv) = (gcm.len() - 2, 1);
    loop {
        let (below, above) = (gcm[ix], lcm[iv]);
        if below > above {
            let before = gcm[ix + 1];
            let slope = (below - before) as f64 / (x[below] - x[before]);
            let dx = (above as f64 - before as f64 + 1.0) - (x[above] - x[before]) * slope;
            iv += 1;
            if dx >= d {
                (d, ig, ih) = (dx, ix + 1, iv - 1);
            }
        } else {
            let before = lcm[iv - 1];
            let slope = (above - before) as f64 / (x[above] - x[before]);
            let dx = (x[below] - x[before]) * slope - (below as f64 - before as f64 - 1.0);
            if dx >= d {
                (d, ig, ih) = (dx, ix, iv);
            }
            ix = ix.saturating_sub(1);
        }
        iv = iv.min(lcm.len() - 1);
        if gcm[ix] == lcm[iv] {
            return (d, ig, ih);
        }
    }
}

/// The distance of the distribution function above (`sign` 1) or below (-1) the line between two of its points, in samples.
fn deviation(x: &[f64], begin: usize, end: usize, sign: f64) -> f64 {
    if end - begin <= 1 || x[end] == x[begin] {
        return 1.0;
    }
    let slope = (end - begin) as f64 / (x[end] - x[begin]);
    let distance = |at: usize| sign * ((at - begin) as f64 - (x[at] - x[begin]) * slope) + 1.0;
    (begin..=end).map(distance).fold(1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::base::arrays::from_rows;
    use crate::base::random::{normal, stream};

    fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut values: Vec<f64> = values.collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }

    /// Expected values from Python's diptest 0.12, a port of R's.
    #[test]
    fn the_statistic_equals_the_reference() {
        let cases = [
            (100, 0.618_033_988_7, 1.3, 3, 0.043_731_789_813_875_74),
            (101, 0.754_877_666_2, 0.8, 2, 0.009_625_727_775_233_786),
            (500, 0.569_840_291_0, 0.0, 7, 0.005_192_640_631_527_716_5),
            // Many ties.
            (64, 0.25, 2.0, 5, 0.101_562_5),
        ];
        for (n, step, gap, every, expected) in cases {
            let value = |i: usize| (i as f64 * step) % 1.0 + if i.is_multiple_of(every) { gap } else { 0.0 };
            let x = ascending((0..n).map(value));
            assert!((statistic(&x) - expected).abs() < 1e-12, "{n}: {}", statistic(&x));
            // Mirroring and scaling change nothing.
            let mirrored = ascending(x.iter().map(|x| 3.0 - 16.0 * x));
            assert!((statistic(&mirrored) - expected).abs() < 1e-9, "{n}: {}", statistic(&mirrored));
        }
        let alone = [statistic(&[]), statistic(&[1.0]), statistic(&[2.0; 9])];
        assert_eq!(alone, [0.0; 3]);
    }

    /// By definition, one in twenty uniform samples has a p-value of at most 0.05. The bounds hold with 99.99 %.
    #[test]
    fn p_values_of_uniform_samples_are_uniform() {
        let rng = &mut stream(0, "dip", 0);
        let p: Vec<f64> =
            (0..2000).map(|_| p_value(statistic(&ascending((0..400).map(|_| rng.random::<f64>()))), 400)).collect();
        for level in [0.05f64, 0.2, 0.5, 0.9] {
            let share = p.iter().filter(|&&p| p <= level).count() as f64 / 2000.0;
            // Scaled dips of 400 samples are up to a twentieth smaller than those of 1,000.
            let spread = 3.9 * (level * (1.0 - level) / 2000.0).sqrt() + 0.02;
            assert!((share - level).abs() < spread, "{level}: {share}");
        }
        assert_eq!((p_value(0.25, 1000), p_value(0.0, 1000)), (0.0, 1.0));
    }

    /// Two Gaussians in the plane, a large and a small one, at several distances: one cluster as long as their sum has one
    /// mode, which for equal Gaussians holds up to two standard deviations.
    #[test]
    fn components_are_one_cluster_where_there_is_no_gap() {
        for (seed, apart, clusters) in [(0, 1.5, 1), (1, 2.0, 1), (2, 5.0, 2), (3, 8.0, 2)] {
            for small in [300, 3000] {
                let noise = normal(2 * (3000 + small), &mut stream(seed, "dip", small as u64));
                let at = |i: usize| if i.is_multiple_of(2) && i >= 6000 { apart } else { 0.0 };
                let z = from_rows(noise.iter().enumerate().map(|(i, x)| f64::from(*x) + at(i)).collect(), 2);
                let components: Vec<usize> = z.column(0).iter().map(|x| usize::from(*x > apart / 2.0)).collect();
                let path = path(z.view(), &components, 2);
                let found = path.n_groups(path.merges_above(CUSTOMARY), 0.0);
                assert_eq!(found, clusters, "{apart} apart, {small}: {:?}", path.strengths().next());
            }
        }
    }
}
