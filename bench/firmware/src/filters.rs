//! Filters for comparing cores: one to eight sections, of which many ring or saturate, several ratios of rates, quiet, loud
//! and saturated windows, 80 of them, each alone and before a spectrum. They are the same on every machine, and the host's
//! tests use this file as well.

use edgemix_runtime::front_ends;
use edgemix_runtime::view::{Filter, FramePooling, FrontEnd, Spectrum, Statistics};

use crate::cases::{Digest, Random};

/// The [`Digest`] of what all [`filters`] give.
pub(crate) const FILTERS: u32 = 0xaed5_2290;

const CHANNELS: usize = 3;
const MOST_INSTANTS: usize = 400;
const ONE: i32 = 1 << 30;

/// Runs all filters; `check` sees each list of front ends with its window and what it gives. Returns the digest of the
/// results, or `None` if one does not run.
pub(crate) fn filters(mut check: impl FnMut(&[FrontEnd], &[i16], &[i16])) -> Option<u32> {
    let mut random = Random(5);
    let mut digest = Digest::START;
    let mut window = [0i16; CHANNELS * MOST_INSTANTS];
    let mut results = [0i16; CHANNELS * MOST_INSTANTS];
    let mut scratch = [0i32; 512];
    for n_sections in 1..=8 {
        for factor in [1, 2, 3, 7, 40] {
            for amplitude in [3, 40_000] {
                let mut sections = [[0; 5]; 8];
                sections.fill_with(|| section(&mut random));
                let instants = 40 + random.wild(0, 360) as usize;
                window.fill_with(|| (4000 + random.wild(-amplitude, amplitude)).clamp(-32768, 32767) as i16);
                let sections = sections.get(..n_sections)?;
                let filter = Filter { instants, channels: CHANNELS, factor, sections };
                filter.check().ok()?;
                let kept = filter.kept();
                let spectrum = Spectrum {
                    instants: kept,
                    channels: CHANNELS,
                    log2_fft: 4,
                    frame: kept.min(16),
                    hop: 8,
                    pooling: FramePooling::Mean,
                    statistics: Statistics::MEAN | Statistics::DEVIATION,
                    mean_fraction: 0,
                    variance_floor: 1,
                    bin_floor: 1,
                    level: 80_000,
                    signals: &[1, 4, 7, 5],
                    taper: &[],
                    edges: &[1, 3, 9],
                };
                spectrum.check().ok()?;
                let front_ends = [FrontEnd::Filter(filter), FrontEnd::Spectrum(spectrum)];
                for front_ends in [front_ends.get(..1)?, &front_ends] {
                    let window = window.get(..filter.inputs())?;
                    let results = results.get_mut(..front_ends.last()?.outputs())?;
                    front_ends::run(front_ends, window, results, &mut scratch)?;
                    check(front_ends, window, results);
                    results.iter().for_each(|&result| digest.add(i32::from(result).to_le_bytes()));
                }
            }
        }
    }
    Some(digest.0)
}

/// A stable section that lets constants pass or, one in four, blocks them.
fn section(random: &mut Random) -> [i32; 5] {
    let a2 = random.wild(1 - ONE, ONE - 1);
    let most = ONE - 1 - a2.max(0);
    let a1 = random.wild(-most, most);
    let poles = i64::from(ONE) - i64::from(a1) - i64::from(a2);
    let part = (poles / 4) as i32;
    if random.wild(0, 3) == 0 {
        return [part, -2 * (part / 2), 2 * (part / 2) - part, a1, a2];
    }
    // The greatest is half of `poles`, which are below 3.
    [part, (poles - 2 * i64::from(part)) as i32, part, a1, a2]
}
