//! Two-dimensional pooling in plain integer Rust, the same on every core: the definition and the only kernel.

use core::ops::Range;

use edgemix_format::view::{Pool2d, Pooling, Window};

/// Pools `input`, an image of int8 values, channels last; so is `output`.
pub fn run(layer: &Pool2d, input: &[i16], output: &mut [i16]) {
    let window = &layer.window;
    let channels = usize::from(window.channels);
    // In the padded image, whose coordinates are not negative.
    let [above, left, _, _] = window.padding.map(usize::from);
    let tops = (0..).step_by(usize::from(window.stride[0]).max(1)).take(window.rows());
    let mut positions = output.chunks_exact_mut(channels.max(1));
    for top in tops {
        let rows = inside(top, window.kernel[0], above, window.height);
        let lefts = (0..).step_by(usize::from(window.stride[1]).max(1)).take(window.columns());
        for (start, output) in lefts.zip(&mut positions) {
            let columns = inside(start, window.kernel[1], left, window.width);
            for (channel, value) in output.iter_mut().enumerate() {
                let values = under(window, rows.clone(), columns.clone(), channel, input);
                *value = match layer.pooling {
                    Pooling::Max => values.fold(i8::MIN.into(), i16::max),
                    Pooling::Average => average(values, window.kernel),
                };
            }
        }
    }
}

/// The part of the image that a window covers along one direction, from `start` of the padded image on.
fn inside(start: usize, kernel: u8, before: usize, extent: u16) -> Range<usize> {
    let end = (start + usize::from(kernel)).saturating_sub(before);
    start.saturating_sub(before)..end.min(extent.into())
}

/// One channel of the image in these rows and columns.
fn under(
    window: &Window,
    rows: Range<usize>,
    columns: Range<usize>,
    channel: usize,
    input: &[i16],
) -> impl Iterator<Item = i16> {
    let (width, channels) = (usize::from(window.width), usize::from(window.channels));
    rows.flat_map(move |row| {
        let first = (row * width + columns.start) * channels + channel;
        let line = input.get(first..).unwrap_or_default();
        line.iter().step_by(channels.max(1)).take(columns.len()).copied()
    })
}

/// `floor(sum / n + 1/2)` for the `n` values of a window, in unsigned numbers: values are shifted to 0 to 255 and back.
///
/// The sum is at most 255^3, so that the product with 2 fits 32 bits.
fn average(values: impl Iterator<Item = i16>, [rows, columns]: [u8; 2]) -> i16 {
    let n = u32::from(rows) * u32::from(columns);
    let sum: u32 = values.map(|value| u32::from((value + 128) as u16)).sum();
    let rounded = (2 * sum + n).checked_div(2 * n).unwrap_or(0);
    rounded as i16 - 128
}
