//! The latents of some samples at a few moments of a fit.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many samples are followed at most.
const SAMPLES: usize = 1000;
/// Numbers of wide latents that are kept of one moment at most.
const VALUES: usize = 1 << 17;

/// The latents of some samples at a few moments of a fit: after the first epoch of each phase, a third and two thirds of it, and
/// the last one. Phases in which each cluster has a latent space of its own have none.
///
/// ```
/// use edgemix::training::{LatentHistory, LatentMoment};
///
/// let moment = LatentMoment { phase: "cluster".into(), epoch: 3, dims: 2, latents: vec![0.5, -1.0, 2.0, 0.0] };
/// let history = LatentHistory { rows: vec![0, 7], moments: vec![moment] };
/// let text = serde_json::to_string(&history)?;
/// assert_eq!(serde_json::from_str::<LatentHistory>(&text)?, history);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentHistory {
    /// The indices of the samples, among those that were learned from.
    pub rows: Vec<usize>,
    /// The moments, in order.
    pub moments: Vec<LatentMoment>,
}

/// The latents after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentMoment {
    /// The phase's name.
    pub phase: String,
    /// The epoch in the phase, from 1.
    pub epoch: usize,
    /// The number of latent dimensions, D.
    pub dims: usize,
    /// D numbers for each sample. In a file they are the bytes of little-endian f32 in Base64.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub latents: Vec<f32>,
}

impl LatentHistory {
    /// Follows as many of `n` samples, evenly spaced, as may be kept of latents of `dims` dimensions.
    pub(super) fn following(n: usize, dims: usize) -> Self {
        let count = SAMPLES.min(VALUES / dims.max(1)).clamp(1, n.max(1));
        Self { rows: (0..count).map(|i| i * n / count).collect(), moments: vec![] }
    }

    /// Whether each moment has numbers for each sample.
    ///
    /// ```
    /// use edgemix::training::{LatentHistory, LatentMoment};
    ///
    /// let moment = LatentMoment { phase: "cluster".into(), epoch: 3, dims: 2, latents: vec![0.5; 5] };
    /// assert!(!LatentHistory { rows: vec![0, 7], moments: vec![moment] }.is_whole());
    /// ```
    pub fn is_whole(&self) -> bool {
        self.moments.iter().all(|moment| {
            let expected = self.rows.len().checked_mul(moment.dims);
            moment.dims > 0 && expected == Some(moment.latents.len()) && moment.latents.iter().all(|x| x.is_finite())
        })
    }
}

/// Whether the latents are kept after this epoch of a phase, from 1.
pub(super) fn is_kept(epoch: usize, epochs: usize) -> bool {
    [1, epochs / 3, 2 * epochs / 3, epochs].contains(&epoch)
}

fn to_base64<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let bytes = BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)?;
    let (values, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(D::Error::custom("expected four bytes for each number"));
    }
    Ok(values.iter().map(|x| f32::from_le_bytes(*x)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_evenly_spaced_and_fewer_where_latents_are_wide() {
        assert_eq!(LatentHistory::following(6, 10).rows, [0, 1, 2, 3, 4, 5]);
        let rows = LatentHistory::following(70_000, 10).rows;
        assert_eq!((rows.len(), rows[1], rows[999]), (1000, 70, 69_930));
        assert_eq!(LatentHistory::following(70_000, 2048).rows.len(), 64);
    }

    #[test]
    fn a_few_epochs_of_each_phase_are_kept_the_last_one_among_them() {
        let kept = |epochs: usize| (1..=epochs).filter(|&epoch| is_kept(epoch, epochs)).collect::<Vec<_>>();
        assert_eq!((kept(1), kept(2), kept(6), kept(45)), (vec![1], vec![1, 2], vec![1, 2, 4, 6], vec![1, 15, 30, 45]));
    }

    #[test]
    fn text_that_is_no_whole_numbers_is_refused() {
        let text = |latents: &str| format!(r#"{{"phase": "cluster", "epoch": 1, "dims": 1, "latents": "{latents}"}}"#);
        assert_eq!(serde_json::from_str::<LatentMoment>(&text("AACAPw==")).unwrap().latents, [1.0]);
        for latents in ["AACA", "?", "AACAPw"] {
            assert!(serde_json::from_str::<LatentMoment>(&text(latents)).is_err(), "{latents}");
        }
    }
}
