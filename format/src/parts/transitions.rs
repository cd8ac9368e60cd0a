//! How the clusters of successive windows follow each other.

use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::tensor::Tensor;

/// How the clusters of successive windows follow each other, as the description encodes it.
///
/// From one window to the next, the cluster stays what it is with the probability `1 - renewals[i] / 2^16`. Otherwise it is
/// drawn anew, by the shares of all clusters. Two numbers a cluster are enough for that, where a matrix has the square of
/// their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionsRecord {
    /// For each cluster, the probability that the next window's cluster is drawn anew, in units of 2^-16.
    pub renewals: Tensor<u16>,
    /// The share of each cluster in units of 2^-16: at least 1 each, at most 2^16 together.
    pub shares: Tensor<u16>,
}

decode_fields!(TransitionsRecord: renewals, shares);

/// How the clusters of successive windows follow each other.
///
/// ```
/// use edgemix_format::{File, testing::Spec};
///
/// let bytes = Spec { transitions: true, ..Spec::default() }.build().unwrap();
/// let transitions = File::from_bytes(&bytes).unwrap().transitions.unwrap();
/// assert_eq!((transitions.renewals.len(), transitions.flash()), (3, 12));
/// // A cluster is followed by itself or by one of the others.
/// let row = |before| (0..3).map(|after| transitions.probability(before, after)).sum::<f32>();
/// assert!((0..3).all(|before| (row(before) - 1.0).abs() < 1e-3));
/// assert_eq!(transitions.probability(3, 0), 0.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transitions<'a> {
    /// For each cluster, the probability that the next window's cluster is drawn anew, in units of 2^-16.
    pub renewals: &'a [u16],
    /// The share of each cluster in units of 2^-16: at least 1 each, at most 2^16 together.
    pub shares: &'a [u16],
}

impl Transitions<'_> {
    /// The probability that a window of cluster `after` follows one of cluster `before`; 0 for clusters that do not exist.
    pub fn probability(&self, before: u16, after: u16) -> f32 {
        let of = |all: &[u16], cluster: u16| all.get(usize::from(cluster)).map(|&of| f32::from(of) / 65536.0);
        let (Some(renewal), Some(share)) = (of(self.renewals, before), of(self.shares, after)) else { return 0.0 };
        renewal * share + if before == after { 1.0 - renewal } else { 0.0 }
    }

    /// How many windows a cluster lasts on average; infinite where it never ends, 0 for one that does not exist.
    pub fn dwell(&self, cluster: u16) -> f32 {
        let exists = usize::from(cluster) < self.renewals.len();
        if exists { 1.0 / (1.0 - self.probability(cluster, cluster)) } else { 0.0 }
    }

    /// Bytes in the blob.
    pub fn flash(&self) -> usize {
        size_of_val(self.renewals) + size_of_val(self.shares)
    }
}

/// Decodes and checks the transitions between `n_clusters` clusters, if there are any.
pub(crate) fn decode<'a>(
    cursor: &mut Cursor<'a>,
    n_clusters: usize,
    blob: &'a [u8],
) -> Result<Option<Transitions<'a>>, Fault> {
    match cursor.next::<u32>()? {
        0 => return Ok(None),
        1 => {}
        _ => return Err(Fault::UnknownVariant),
    }
    let record: TransitionsRecord = cursor.next()?;
    let (renewals, shares) = (record.renewals.resolve(blob, n_clusters)?, record.shares.resolve(blob, n_clusters)?);
    // At most 2^16 clusters of less than 2^16 each.
    let sum: u32 = shares.iter().map(|&share| u32::from(share)).fold(0, u32::saturating_add);
    ensure(!shares.contains(&0) && sum <= 1 << 16, Fault::Shares)?;
    Ok(Some(Transitions { renewals, shares }))
}
