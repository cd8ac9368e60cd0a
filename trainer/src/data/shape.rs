//! What the shape of an array says about its samples.

use super::image_shape::ImageShape;
use super::samples::Layout;

/// What samples of this shape are: images of `height x width` or `height x width x channels`, windows of
/// `length x channels`, or rows of a table.
pub(super) fn layout(sample: &[usize]) -> Layout {
    match *sample {
        // Square arrays are images.
        [height, width] if height == width => Layout::Images(ImageShape { channels: 1, height, width }),
        // No image is so much higher than wide: these are windows of a recording.
        [length, channels] if length / 4 >= channels => Layout::Windows { channels },
        [height, width, channels @ (1 | 3 | 4)] => Layout::Images(ImageShape { channels, height, width }),
        _ => Layout::Table,
    }
}

/// How many columns have a meaning of their own, as the features of a table and the channels of windows do, if the last
/// index of the array counts them.
pub(super) fn n_columns(sample: &[usize]) -> Option<usize> {
    match (layout(sample), sample) {
        (Layout::Windows { channels }, _) => Some(channels),
        (Layout::Table, &[features]) => Some(features),
        (Layout::Table | Layout::Images(_) | Layout::Features, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_mean_tables_windows_or_images() {
        let image = |channels, height, width| Layout::Images(ImageShape { channels, height, width });
        for (sample, layout, columns) in [
            (&[7][..], Layout::Table, Some(7)),
            (&[8, 8], image(1, 8, 8), None),
            (&[64, 3], Layout::Windows { channels: 3 }, Some(3)),
            (&[4, 5, 3], image(3, 4, 5), None),
            (&[4, 3], Layout::Table, None),
            (&[usize::MAX, 2], Layout::Windows { channels: 2 }, Some(2)),
        ] {
            assert_eq!((super::layout(sample), n_columns(sample)), (layout, columns), "{sample:?}");
        }
    }
}
