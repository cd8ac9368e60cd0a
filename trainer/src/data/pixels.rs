//! Samples as pixels.

use image::{DynamicImage, GrayImage, RgbImage};

use super::image_shape::ImageShape;

/// A grey or coloured image of a sample, in which values up to `black` are black and those from `white` on are white; `None`
/// for other numbers of channels than 1, 3 and 4. The fourth channel is left out.
pub(crate) fn pixels(values: &[f32], shape: ImageShape, [black, white]: [f32; 2]) -> Option<DynamicImage> {
    let (width, height) = (shape.width as u32, shape.height as u32);
    let span = (white - black).max(f32::MIN_POSITIVE);
    let bytes = |channels: usize| -> Vec<u8> {
        let kept = values.chunks_exact(shape.channels).flat_map(|pixel| &pixel[..channels]);
        kept.map(|&x| ((x - black) / span * 255.0).clamp(0.0, 255.0) as u8).collect()
    };
    match shape.channels {
        1 => GrayImage::from_raw(width, height, bytes(1)).map(DynamicImage::ImageLuma8),
        3 | 4 => RgbImage::from_raw(width, height, bytes(3)).map(DynamicImage::ImageRgb8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_black_and_white_are_grey_and_a_fourth_channel_is_left_out() {
        let shape = ImageShape { channels: 1, height: 1, width: 4 };
        let grey = pixels(&[-3.0, -1.0, 0.0, 9.0], shape, [-1.0, 1.0]).unwrap();
        assert_eq!(grey.as_luma8().unwrap().as_raw(), &[0, 0, 127, 255]);
        let shape = ImageShape { channels: 4, height: 1, width: 1 };
        let coloured = pixels(&[0.0, 100.0, 200.0, 50.0], shape, [0.0, 200.0]).unwrap();
        assert_eq!(coloured.as_rgb8().unwrap().as_raw(), &[0, 127, 255]);
        assert!(pixels(&[1.0, 2.0], ImageShape { channels: 2, height: 1, width: 1 }, [0.0, 1.0]).is_none());
    }
}
