//! The positions of a convolution's window, and the input under it.

use edgemix_format::view::{Conv2d, Window};

/// Where the window begins in the padded image, row by row.
pub(super) fn positions(window: &Window) -> impl Iterator<Item = (usize, usize)> + use<> {
    let [down, right] = window.stride.map(usize::from);
    let (rows, columns) = (window.rows(), window.columns());
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row * down, column * right)))
}

/// Copies the input under the window that begins at `row` and `column` of the padded image, converted by `to`.
pub(super) fn gather<T: Copy>(
    layer: &Conv2d,
    row: usize,
    column: usize,
    input: &[i16],
    patch: &mut [T],
    to: impl Fn(i16) -> T,
) {
    let window = &layer.window;
    let [above, left, _, _] = window.padding.map(usize::from);
    let padding = to(layer.padding_value.into());
    let channels = usize::from(window.channels);
    let line = usize::from(window.width) * channels;
    let taps = usize::from(window.kernel[1]) * channels;
    // Elements of a patch's line that lie left of the image, then those in it.
    let outside = left.saturating_sub(column) * channels;
    let first = column.saturating_sub(left) * channels;
    let inside = (taps.saturating_sub(outside)).min(line.saturating_sub(first));
    for (i, target) in patch.chunks_exact_mut(taps.max(1)).enumerate() {
        // Above the image, the difference wraps: no line is there, as there is none below.
        let start = (row + i).wrapping_sub(above).checked_mul(line).and_then(|start| start.checked_add(first));
        let source = start.and_then(|start| input.get(start..start.checked_add(inside)?));
        let Some((source, place)) = source.zip(target.get_mut(outside..outside + inside)) else {
            target.fill(padding);
            continue;
        };
        for (x, &value) in place.iter_mut().zip(source) {
            *x = to(value);
        }
        if inside < taps {
            target.iter_mut().take(outside).for_each(|x| *x = padding);
            target.iter_mut().skip(outside + inside).for_each(|x| *x = padding);
        }
    }
}
