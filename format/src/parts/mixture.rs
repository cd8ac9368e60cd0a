//! Heads that are a Gaussian or Dirichlet-process mixture.

use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, Decode, decode_fields};
use crate::error::{Fault, ensure};
use crate::features::{FULL_COVARIANCE, Feature};
use crate::limits::MAX_BIAS;
use crate::tensor::Tensor;

/// Half of a row's fraction bits at least, so that a row's square fits: |u| < 2^26.
const MIN_SHIFT: u8 = 5;
/// A 32-bit row is shifted by less than its width.
const MAX_NARROW_SHIFT: u8 = 31;
/// A 64-bit row holds at most 41 bits.
const MAX_WIDE_SHIFT: u8 = 40;

/// A mixture of K Gaussians over a latent `z` of D int16 steps, as the description encodes it: D rows of coefficients for
/// each component.
///
/// Row `r` of component `k` is `u = (sum_c coefficients * z_c + offset) >> shift`, in units of 2^-14 of the whitened
/// distance over sqrt(2). Spherical and diagonal mixtures have one coefficient in a row, `c = r`; full ones have `c <= r`.
/// The score, in units of 2^-16 nat, is `constant - ((sum_r u^2 + 2^11) >> 12)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixtureRecord {
    /// K.
    pub n_components: u16,
    /// Number of clusters, C.
    pub n_clusters: u16,
    /// The shape of the covariances, which says how the coefficients lie.
    pub covariance: Covariance,
    /// Whitening coefficients: spherical K; diagonal K x D; full K x D(D+1)/2, lower triangles row by row.
    pub coefficients: Tensor<i16>,
    /// K x D: the negative product of the coefficients and the mean, plus half a step of the shift.
    pub offsets: Tensor<i32>,
    /// Spherical and diagonal: K; full: K x D.
    pub shifts: Tensor<u8>,
    /// K: log weight plus the Gaussian's normalisation, in units of 2^-16 nat.
    pub constants: Tensor<i32>,
    /// K: the cluster that each component belongs to.
    pub clusters: Tensor<u16>,
}

decode_fields!(MixtureRecord: n_components, n_clusters, covariance, coefficients, offsets, shifts, constants, clusters);

/// The shape of a mixture's covariances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Covariance {
    /// One variance per component.
    Spherical,
    /// One variance per component and dimension.
    Diagonal,
    /// A matrix per component.
    Full,
}

impl<'a> Decode<'a> for Covariance {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        Some(match u32::decode(bytes)? {
            0 => Self::Spherical,
            1 => Self::Diagonal,
            2 => Self::Full,
            _ => return None,
        })
    }
}

/// A mixture of `constants.len()` components, K, over a latent of D elements.
#[derive(Clone, Copy, Debug)]
pub struct Mixture<'a> {
    /// The shape of the covariances.
    pub covariance: Covariance,
    /// Number of clusters.
    pub n_clusters: u16,
    /// Spherical K; diagonal K x D; full K x D(D+1)/2.
    pub coefficients: &'a [i16],
    /// K x D.
    pub offsets: &'a [i32],
    /// Spherical and diagonal K; full K x D.
    pub shifts: &'a [u8],
    /// K.
    pub constants: &'a [i32],
    /// K; every cluster occurs at least once.
    pub clusters: &'a [u16],
}

/// Decodes and checks a mixture over `dims` latent elements.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, dims: usize, blob: &'a [u8]) -> Result<Mixture<'a>, Fault> {
    let record: MixtureRecord = cursor.next()?;
    let components = record.n_components as usize;
    ensure(components > 0, Fault::Size)?;
    let times = |n: usize| components.checked_mul(n).ok_or(Fault::Size);
    let (coefficients, shifts) = match record.covariance {
        Covariance::Spherical => (components, components),
        Covariance::Diagonal => (times(dims)?, components),
        Covariance::Full if !FULL_COVARIANCE => return Err(Fault::Disabled(Feature::FullCovariance)),
        Covariance::Full => (times(dims * (dims + 1) / 2)?, times(dims)?),
    };
    let mixture = Mixture {
        covariance: record.covariance,
        n_clusters: record.n_clusters,
        coefficients: record.coefficients.resolve(blob, coefficients)?,
        offsets: record.offsets.resolve(blob, times(dims)?)?,
        shifts: record.shifts.resolve(blob, shifts)?,
        constants: record.constants.resolve(blob, components)?,
        clusters: record.clusters.resolve(blob, components)?,
    };
    mixture.verify()?;
    Ok(mixture)
}

/// Clusters that one pass over the components tells apart, a bit of stack each. There are 32 passes at most.
const CLUSTERS_A_PASS: u16 = 2048;

/// Whether each of the clusters below `n_clusters` is one of `clusters`, which are all below it.
pub(super) fn every_cluster_occurs(clusters: &[u16], n_clusters: u16) -> bool {
    if usize::from(n_clusters) > clusters.len() {
        return false;
    }
    let mut first = 0u16;
    while first < n_clusters {
        let mut seen = [0u32; CLUSTERS_A_PASS as usize / 32];
        for index in clusters.iter().filter_map(|cluster| cluster.checked_sub(first)) {
            if let Some(word) = seen.get_mut(usize::from(index / 32)) {
                *word |= 1 << (index % 32);
            }
        }
        let n_seen: u32 = seen.iter().map(|word| word.count_ones()).sum();
        let n_left = n_clusters - first;
        if n_seen != n_left.min(CLUSTERS_A_PASS).into() {
            return false;
        }
        // The last pass may saturate.
        first = first.saturating_add(CLUSTERS_A_PASS);
    }
    true
}

impl Mixture<'_> {
    fn verify(&self) -> Result<(), Fault> {
        let most = match self.covariance {
            Covariance::Full => MAX_WIDE_SHIFT,
            Covariance::Spherical | Covariance::Diagonal => {
                ensure(self.offsets.iter().all(|b| b.unsigned_abs() < MAX_BIAS), Fault::Bias)?;
                MAX_NARROW_SHIFT
            }
        };
        ensure(self.shifts.iter().all(|s| (MIN_SHIFT..=most).contains(s)), Fault::Shift)?;
        ensure(self.clusters.iter().all(|&c| c < self.n_clusters), Fault::UnknownCluster)?;
        ensure(every_cluster_occurs(self.clusters, self.n_clusters), Fault::EmptyCluster)
    }

    /// A row's product with the latent, and its square.
    pub(crate) fn macs(&self) -> u64 {
        let products = match self.covariance {
            Covariance::Full => self.coefficients.len(),
            Covariance::Spherical | Covariance::Diagonal => self.offsets.len(),
        };
        products as u64 + self.offsets.len() as u64
    }

    /// Bytes in the blob.
    pub(crate) fn flash(&self) -> usize {
        let rows = size_of_val(self.coefficients) + size_of_val(self.offsets) + size_of_val(self.shifts);
        rows + size_of_val(self.constants) + size_of_val(self.clusters)
    }
}
