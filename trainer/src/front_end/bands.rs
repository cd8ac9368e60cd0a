//! Which bins of a Fourier transform form a band.

use serde::{Deserialize, Serialize};

/// How the edges of bands are spaced along the frequency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// Equal ratios: as fine at low frequencies as the transform allows.
    #[default]
    Log,
    /// Equal differences.
    Linear,
    /// Equal differences on the mel scale, which follows the ear: `2595 log10(1 + f / 700)` with f in hertz (O'Shaughnessy,
    /// "Speech communication: human and machine", 1987).
    Mel,
}

impl Spacing {
    /// The names, as they are spelt.
    pub(super) const NAMES: [(&'static str, Self); 3] =
        [("log", Self::Log), ("linear", Self::Linear), ("mel", Self::Mel)];

    /// Position `t`, from 0 to 1, between two frequencies.
    fn between(self, low: f64, high: f64, t: f64) -> f64 {
        let mel = |f: f64| (1.0 + f / 700.0).ln();
        match self {
            Self::Log => low * (high / low).powf(t),
            Self::Linear => low + (high - low) * t,
            Self::Mel => 700.0 * ((mel(low) + (mel(high) - mel(low)) * t).exp() - 1.0),
        }
    }
}

/// The edges of at most `bands` bands over the bins from `first` up to but without `end`, ascending. Bands that would have
/// no bin of their own are left out. `width` is the distance of two bins in hertz, which only [`Spacing::Mel`] uses.
pub(super) fn edges(spacing: Spacing, bands: usize, first: usize, end: usize, width: f64) -> Vec<u16> {
    let bands = bands.max(1);
    let hertz = |bin: usize| bin as f64 * width;
    let edge = |i: usize| {
        let bin = spacing.between(hertz(first), hertz(end), i as f64 / bands as f64) / width;
        (bin.round() as usize).clamp(first, end) as u16
    };
    let mut edges: Vec<u16> = (0..=bands).map(edge).collect();
    edges.dedup();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_all_bins_and_none_is_empty() {
        // Of eight logarithmic bands of 64 bins, the first two are one bin wide.
        assert_eq!(edges(Spacing::Log, 8, 1, 65, 1.0), [1, 2, 3, 5, 8, 14, 23, 39, 65]);
        assert_eq!(edges(Spacing::Linear, 4, 1, 65, 0.5), [1, 17, 33, 49, 65]);
        assert_eq!(edges(Spacing::Mel, 2, 0, 100, 40.0), [0, 28, 100]);
        for spacing in [Spacing::Log, Spacing::Linear, Spacing::Mel] {
            let edges = edges(spacing, 30, 1, 9, 100.0);
            assert!(edges.is_sorted_by(|a, b| a < b) && (edges[0], edges.last()) == (1, Some(&9)), "{edges:?}");
        }
    }
}
