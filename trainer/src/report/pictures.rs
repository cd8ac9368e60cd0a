//! Pictures of samples: an image, the traces of a window, or a row of a table.

use std::io::Cursor;

use base64::{Engine, prelude::BASE64_STANDARD};
use image::ImageFormat;
use maud::{Markup, html};

use super::plot;
use crate::data::{DataError, ImageShape, Layout, Samples, pixels};

/// The picture of a sample; `title` is shown when the pointer is over it.
pub(super) fn sample(samples: &Samples, index: usize, title: &str) -> Result<Markup, DataError> {
    Ok(values(samples, &samples.chunk(index..index + 1)?, title))
}

/// The picture of values that are like a sample.
pub(super) fn values(samples: &Samples, values: &[f32], title: &str) -> Markup {
    let most = samples.greatest().max(f32::MIN_POSITIVE);
    let channels = match samples.layout() {
        Layout::Windows { channels } => channels,
        Layout::Table | Layout::Images(_) | Layout::Features => 1,
    };
    let picture = samples.image().and_then(|shape| png(values, shape, most));
    html! {
        @match picture {
            Some(png) => img class="sample" alt=(title) title=(title) src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) };,
            None => span title=(title) { (plot::trace(values, channels)) },
        }
    }
}

/// An image in which values up to 0 are black and `most` is white; `None` if the channels are no colours.
fn png(values: &[f32], shape: ImageShape, most: f32) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    pixels(values, shape, [0.0, most])?.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
    Some(bytes)
}
