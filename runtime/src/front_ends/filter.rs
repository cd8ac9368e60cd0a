//! Second-order sections on each channel of a window, in direct form I.
//!
//! The filter stands between a window and the spectrum that reads it, so that no filtered window is kept: a channel is
//! filtered when the spectrum asks for it. Every window begins with the state in which its first instant would have lasted
//! for ever.

use edgemix_format::view::Filter;

use super::signal::{RawWindow, Source, magnitude};

/// Fraction bits of values within the filter.
const FRACTION: u32 = 12;
/// Values within the filter are at most this far from 0: four times the range of int16. A factor is at most 2^31, so that
/// the five products of a section and the half that rounds their sum stay below 2^63.
const MOST: i64 = 1 << 29;
/// Instants that are filtered at once.
const BLOCK: usize = 32;

/// The two latest values before the first section or after a section, the latest first.
type Pair = [i32; 2];

/// A window after a filter.
pub(super) struct Filtered<'f, 'a> {
    pub(super) filter: &'f Filter<'a>,
    pub(super) window: &'f mut dyn RawWindow,
    /// The pairs of each channel: one before the first section, and one after each section.
    pub(super) pairs: &'f mut [Pair],
}

impl Source for Filtered<'_, '_> {
    fn signal(&mut self, channels: usize, mask: u32, out: &mut [i16]) {
        self.filtered(channels, mask, out, 1);
    }
}

impl Filtered<'_, '_> {
    /// Writes all channels of the filtered window to `out`, those of an instant side by side.
    pub(super) fn window(&mut self, out: &mut [i16]) {
        let channels = self.filter.channels;
        for channel in 0..channels.min(32) {
            let Some(out) = out.get_mut(channel..) else { return };
            self.filtered(channels, 1 << channel, out, channels);
        }
    }

    /// Writes a filtered signal to every `stride`-th element of `out`.
    #[inline(never)]
    fn filtered(&mut self, channels: usize, mask: u32, out: &mut [i16], stride: usize) {
        let factor = self.filter.factor.max(1);
        let pairs_of_a_channel = self.filter.sections.len().saturating_add(1);
        let end = out.len().div_ceil(stride.max(1)).saturating_mul(factor);
        let mut out = out.iter_mut().step_by(stride.max(1));
        // The next instant that is kept.
        let mut kept = factor - 1;
        for start in (0..end).step_by(BLOCK) {
            let (mut block, mut squares) = ([0i32; BLOCK], [0u32; BLOCK]);
            let Some(block) = block.get_mut(..BLOCK.min(end - start)) else { return };
            for (channel, pairs) in members(mask).zip(self.pairs.chunks_exact_mut(pairs_of_a_channel)) {
                self.window.read(channels, channel, start, block);
                run(self.filter.sections, start == 0, pairs, block);
                for (square, &mut y) in squares.iter_mut().zip(&mut *block) {
                    *square = square.saturating_add((y * y) as u32);
                }
            }
            // `block` has the last channel, which is the only one of a signal that is no magnitude.
            while let (Some(&y), Some(&squares)) = (block.get(kept - start), squares.get(kept - start)) {
                let Some(x) = out.next() else { return };
                *x = if mask.is_power_of_two() { y as i16 } else { magnitude(squares) };
                kept += factor;
            }
        }
    }
}

/// The channels whose bits are set.
fn members(mask: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |&channel| mask >> channel & 1 == 1)
}

/// Filters the counts of a block in place and rounds the result to counts. `is_first` is the first block of a window.
#[inline(never)]
fn run(sections: &[[i32; 5]], is_first: bool, pairs: &mut [Pair], block: &mut [i32]) {
    block.iter_mut().for_each(|x| *x <<= FRACTION);
    if is_first && let Some(&first) = block.first() {
        settle(sections, first, pairs);
    }
    let Some((mut before, rest)) = pairs.split_first_mut() else { return };
    let mut latest = *before;
    for (section, after) in sections.iter().zip(rest) {
        latest = run_section(section, before, *after, block);
        before = after;
    }
    *before = latest;
    let rounded = |x: i32| (x + (1 << (FRACTION - 1))) >> FRACTION;
    block.iter_mut().for_each(|x| *x = rounded(*x).clamp(i16::MIN.into(), i16::MAX.into()));
}

/// The state that a constant leaves: each section lets it pass or blocks it.
fn settle(sections: &[[i32; 5]], constant: i32, pairs: &mut [Pair]) {
    let Some((first, rest)) = pairs.split_first_mut() else { return };
    *first = [constant; 2];
    let mut value = constant;
    for (section, pair) in sections.iter().zip(rest) {
        let [b0, b1, b2, _, _] = section.map(i64::from);
        if b0 + b1 + b2 == 0 {
            value = 0;
        }
        *pair = [value; 2];
    }
}

/// Runs a section over a block in place. Takes the pair after the section and returns what it becomes.
#[inline(never)]
fn run_section(section: &[i32; 5], before: &mut Pair, after: Pair, block: &mut [i32]) -> Pair {
    let [b0, b1, b2, a1, a2] = *section;
    let product = |factor: i32, value: i32| i64::from(factor) * i64::from(value);
    let ([mut x1, mut x2], [mut y1, mut y2]) = (*before, after);
    for x in block {
        let sum = product(b0, *x) + product(b1, x1) + product(b2, x2) + product(a1, y1) + product(a2, y2);
        let y = ((sum + (1 << 29)) >> 30).clamp(-MOST, MOST) as i32;
        (x2, x1) = (x1, *x);
        (y2, y1) = (y1, y);
        *x = y;
    }
    *before = [x1, x2];
    [y1, y2]
}
