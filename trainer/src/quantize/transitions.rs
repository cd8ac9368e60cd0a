//! How the clusters of successive windows follow each other, counted in the samples that a model was trained on.

use edgemix_format::description::TransitionsRecord;
use edgemix_format::write::Blob;
use edgemix_runtime::Model;

use crate::assessment::inference;
use crate::data::{DataError, Samples};

/// Units of a probability.
const ONE: f64 = 65536.0;

/// Learns the transitions from the clusters of the training samples in their order, pairs within one sequence alone. `None`
/// if no sample follows another, or if there is a single cluster.
///
/// From one window to the next, a cluster stays, or another is drawn by the shares. Two numbers a cluster describe that, and
/// a matrix of all pairs did not serve better (`docs/RESULTS.md`).
pub(super) fn learn(
    model: &Model,
    training: &Samples,
    blob: &mut Blob,
) -> Result<Option<TransitionsRecord>, DataError> {
    let sequences = training.sequences();
    if model.n_clusters() < 2 || sequences.iter().all(|sequence| sequence.len() < 2) {
        return Ok(None);
    }
    let clusters: Vec<u16> = inference::assign_samples(model, training)?.iter().map(|found| found.cluster).collect();
    let parts = sequences.into_iter().map(|sequence| &clusters[sequence]);
    let (renewals, shares) = renewals_and_shares(parts, model.n_clusters());
    Ok(Some(TransitionsRecord { renewals: blob.push(&renewals), shares: blob.push(&shares) }))
}

/// Renewals and shares in units of 2^-16. Half a window is added to each count, so that what was never seen stays possible: the
/// mean under Jeffreys' prior (R. Krichevsky and V. Trofimov, "The performance of universal encoding", 1981).
fn renewals_and_shares<'a>(parts: impl Iterator<Item = &'a [u16]>, n_clusters: usize) -> (Vec<u16>, Vec<u16>) {
    let (mut windows, mut followed, mut left) = (vec![0.0; n_clusters], vec![0.0; n_clusters], vec![0.0; n_clusters]);
    for part in parts {
        part.iter().for_each(|&cluster| windows[usize::from(cluster)] += 1.0);
        for pair in part.windows(2) {
            followed[usize::from(pair[0])] += 1.0;
            left[usize::from(pair[0])] += f64::from(u8::from(pair[0] != pair[1]));
        }
    }
    let all = windows.iter().sum::<f64>() + 0.5 * n_clusters as f64;
    let shares: Vec<f64> = windows.iter().map(|n: &f64| (n + 0.5) / all).collect();
    let renewals = (0..n_clusters).map(|i| {
        let leaves = (left[i] + 0.5) / (followed[i] + 1.0);
        // A new draw may give the same cluster.
        (ONE * leaves / (1.0 - shares[i])).round().clamp(1.0, ONE - 1.0) as u16
    });
    // At least 1 each, and at most 2^16 together.
    let spread = ONE - n_clusters as f64;
    let in_units = |share: &f64| (1.0 + (spread * share).floor()).min(ONE - 1.0) as u16;
    (renewals.collect(), shares.iter().map(in_units).collect())
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::base::random::stream;

    #[test]
    fn what_a_chain_was_made_of_is_learned() {
        let (shares, renewals) = ([0.5, 0.3, 0.2], [0.05, 0.2, 0.6]);
        let mut random = stream(0, "chain", 0);
        let mut draw = || {
            let x: f64 = random.random();
            (x > shares[0]) as u16 + (x > shares[0] + shares[1]) as u16
        };
        let mut coin = stream(0, "coin", 0);
        let mut chain = vec![0u16];
        for t in 0..200_000 {
            let before = chain[t];
            chain.push(if coin.random_bool(renewals[usize::from(before)]) { draw() } else { before });
        }
        let (found, _) = renewals_and_shares([&chain[..]].into_iter(), 3);
        // Shares are those of the windows, of which a cluster that lasts has more than of the draws.
        let windows = |k: u16| chain.iter().filter(|&&c| c == k).count() as f64 / chain.len() as f64;
        for k in 0..3u16 {
            let i = usize::from(k);
            let leaves = renewals[i] * (1.0 - shares[i]);
            let expected = leaves / (1.0 - windows(k));
            assert!((f64::from(found[i]) / ONE - expected).abs() < 0.01, "{found:?} {expected}");
        }
    }

    #[test]
    fn pairs_are_within_a_part() {
        // Within each part nothing changes, so that neither cluster is ever left.
        let (renewals, shares) = renewals_and_shares([&[0u16; 99][..], &[1; 99], &[0; 99]].into_iter(), 3);
        assert!(renewals[..2].iter().all(|&renewal| renewal < 1000), "{renewals:?}");
        // Nothing is known of the third.
        assert!(renewals[2] > 30_000 && shares[2] > 0, "{renewals:?} {shares:?}");
        for n in [2usize, 3, 1000, 65535] {
            let shares = renewals_and_shares([&[0u16, 0, 1][..]].into_iter(), n).1;
            assert!(
                shares.iter().all(|&share| share > 0) && shares.iter().map(|&s| u32::from(s)).sum::<u32>() <= 1 << 16
            );
        }
    }
}
