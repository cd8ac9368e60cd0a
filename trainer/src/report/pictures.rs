//! Pictures of samples: an image, the traces of a window, or a row of a table.

use std::io::Cursor;

use base64::{Engine, prelude::BASE64_STANDARD};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use maud::{Markup, html};

use super::plot;
use crate::data::{DataError, ImageShape, Layout, Samples};

/// The picture of a sample; `title` is shown when the pointer is over it.
pub(super) fn sample(samples: &Samples, index: usize, title: &str) -> Result<Markup, DataError> {
    let values = &samples.chunk(index..index + 1)?;
    let most = samples.greatest().max(f32::MIN_POSITIVE);
    let channels = match samples.layout() {
        Layout::Windows { channels } => channels,
        Layout::Table | Layout::Images(_) | Layout::Features => 1,
    };
    let picture = samples.image().and_then(|shape| png(values, shape, most));
    Ok(html! {
        @match picture {
            Some(png) => img class="sample" alt=(title) title=(title) src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) };,
            None => span title=(title) { (plot::trace(values, channels)) },
        }
    })
}

/// A grey or coloured image in which values up to 0 are black and `most` is white; `None` for other numbers of channels.
fn png(values: &[f32], shape: ImageShape, most: f32) -> Option<Vec<u8>> {
    let (width, height) = (shape.width as u32, shape.height as u32);
    let pixels = |channels: usize| -> Vec<u8> {
        let kept = values.chunks_exact(shape.channels).flat_map(|pixel| &pixel[..channels]);
        kept.map(|&x| (x / most * 255.0).clamp(0.0, 255.0) as u8).collect()
    };
    let picture = match shape.channels {
        1 => DynamicImage::ImageLuma8(GrayImage::from_raw(width, height, pixels(1))?),
        3 | 4 => DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, pixels(3))?),
        _ => return None,
    };
    let mut bytes = vec![];
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
    Some(bytes)
}
