//! One image file, as a viewer shows it.

use std::path::Path;

use edgemix_format::view::MAX_INPUTS;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::error::{DataError, content};
use super::guard::guarded;

/// How many bytes a decoder may take for one image.
const MOST_BYTES: u64 = 64 << 20;
/// How far apart the colours of a grey pixel may be after a lossy compression.
const LOSS: u16 = 16;

/// An image turned upright, and laid over white where it is transparent.
pub(super) struct Picture {
    image: DynamicImage,
    look: Look,
}

/// What all images of a folder must have in common, or share if one of them has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Whether any pixel has a colour: many programs write grey images with three channels.
    pub(super) is_colored: bool,
    /// Whether values have 16 bits.
    pub(super) is_deep: bool,
    /// Whether any pixel was transparent.
    pub(super) was_transparent: bool,
}

impl Picture {
    /// Reads a file, whatever the ending of its name.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
        let mut reader = reader.map_err(DataError::io(path))?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MOST_BYTES);
        reader.limits(limits);
        let is_lossy = matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::WebP));
        let decoded = guarded(|| {
            let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
            let (width, height) = decoder.dimensions();
            if u64::from(width) * u64::from(height) > MAX_INPUTS as u64 {
                return Ok(Err((width, height)));
            }
            let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            DynamicImage::from_decoder(decoder).map(|image| Ok((image, orientation))).map_err(|error| error.to_string())
        });
        let decoded = decoded.map_err(|problem: String| content(path, format!("not a readable image: {problem}")))?;
        let (mut image, orientation) = decoded.map_err(|(width, height)| {
            let problem =
                format!("its size is {width} x {height}, and a model takes at most {MAX_INPUTS} values: resize it");
            content(path, problem)
        })?;
        image.apply_orientation(orientation);
        if matches!(image, DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)) {
            let problem =
                "its values are floating-point numbers: expected 8 or 16 bits; convert it, or use an NPY array";
            return Err(content(path, problem));
        }
        let is_deep = bytes_per_value(&image) == 2;
        let opaque = opaque(&image, is_deep);
        let was_transparent = opaque.is_some();
        let image = opaque.unwrap_or(image);
        let is_colored = is_colored(&image, if is_lossy { LOSS } else { 0 });
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(Self { image, look: Look { width, height, is_colored, is_deep, was_transparent } })
    }

    pub(super) fn look(&self) -> Look {
        self.look
    }

    /// The values, row by row; of each pixel red, green and blue, or its brightness alone.
    pub(super) fn values(&self, are_colored: bool) -> Vec<f32> {
        match (self.look.is_deep, are_colored) {
            (false, false) => self.image.to_luma8().into_raw().into_iter().map(f32::from).collect(),
            (false, true) => self.image.to_rgb8().into_raw().into_iter().map(f32::from).collect(),
            (true, false) => self.image.to_luma16().into_raw().into_iter().map(f32::from).collect(),
            (true, true) => self.image.to_rgb16().into_raw().into_iter().map(f32::from).collect(),
        }
    }
}

fn bytes_per_value(image: &DynamicImage) -> u8 {
    image.color().bytes_per_pixel() / image.color().channel_count()
}

/// The image over white, if any of its pixels is transparent.
fn opaque(image: &DynamicImage, is_deep: bool) -> Option<DynamicImage> {
    if !image.color().has_alpha() {
        return None;
    }
    if is_deep {
        let mut pixels = image.to_rgba16();
        let is_any = pixels.pixels().any(|pixel| pixel.0[3] < u16::MAX);
        pixels.pixels_mut().for_each(|pixel| pixel.0 = over_white(pixel.0.map(u32::from), 0xffff).map(|x| x as u16));
        is_any.then(|| DynamicImage::ImageRgb16(DynamicImage::ImageRgba16(pixels).to_rgb16()))
    } else {
        let mut pixels = image.to_rgba8();
        let is_any = pixels.pixels().any(|pixel| pixel.0[3] < u8::MAX);
        pixels.pixels_mut().for_each(|pixel| pixel.0 = over_white(pixel.0.map(u32::from), 0xff).map(|x| x as u8));
        is_any.then(|| DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(pixels).to_rgb8()))
    }
}

/// A pixel of red, green, blue and alpha, each up to `most`, laid over white.
fn over_white(pixel: [u32; 4], most: u32) -> [u32; 4] {
    let alpha = pixel[3];
    // At most 0xffff * 0xffff, plus half of 0xffff: less than 2^32.
    let laid = pixel.map(|x| (x * alpha + most * (most - alpha) + most / 2) / most);
    [laid[0], laid[1], laid[2], most]
}

/// Whether the colours of any pixel are further apart than `tolerance`.
fn is_colored(image: &DynamicImage, tolerance: u16) -> bool {
    let differ = |[r, g, b]: [u16; 3]| r.max(g).max(b) - r.min(g).min(b) > tolerance;
    image.color().has_color()
        && match bytes_per_value(image) {
            1 => image.to_rgb8().pixels().any(|pixel| differ(pixel.0.map(u16::from))),
            _ => image.to_rgb16().pixels().any(|pixel| differ(pixel.0)),
        }
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};

    use super::*;

    fn opened(image: impl Into<DynamicImage>, name: &str) -> Picture {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        image.into().save(&path).unwrap();
        Picture::open(&path).unwrap()
    }

    #[test]
    fn sixteen_bits_are_kept() {
        let thermal = ImageBuffer::from_fn(3, 2, |x, y| Luma([30_000 + (10 * y + x) as u16]));
        for name in ["x.png", "x.tiff"] {
            let picture = opened(thermal.clone(), name);
            assert!(picture.look().is_deep && !picture.look().is_colored);
            assert_eq!(picture.values(false), [30_000.0, 30_001.0, 30_002.0, 30_010.0, 30_011.0, 30_012.0]);
        }
    }

    #[test]
    fn transparent_pixels_are_laid_over_white() {
        // The shape of an icon that is black everywhere is in its transparency alone.
        let icon = ImageBuffer::from_fn(2, 1, |x, _| LumaA([0u8, [255, 0][x as usize]]));
        let picture = opened(icon, "x.png");
        assert!(picture.look().was_transparent && !picture.look().is_colored);
        assert_eq!(picture.values(false), [0.0, 255.0]);
        // What is hidden is no difference.
        let hidden = ImageBuffer::from_fn(2, 1, |x, _| Rgba([200u8, 10, 30, [0, 128][x as usize]]));
        assert_eq!(opened(hidden, "x.png").values(true), [255.0, 255.0, 255.0, 227.0, 132.0, 142.0]);
        let opaque = opened(ImageBuffer::from_pixel(1, 1, Rgba([7u8, 7, 7, 255])), "x.png");
        assert!(!opaque.look().was_transparent && !opaque.look().is_colored);
        let deep = ImageBuffer::from_fn(2, 1, |x, _| LumaA([1000u16, [0xffff, 0][x as usize]]));
        assert_eq!(opened(deep, "x.png").values(false), [1000.0, 65_535.0]);
    }

    #[test]
    fn grey_images_with_three_channels_are_grey() {
        let grey = ImageBuffer::from_fn(16, 16, |x, y| Rgb([(x * y) as u8; 3]));
        for name in ["x.png", "x.jpg", "x.webp", "x.bmp"] {
            assert!(!opened(grey.clone(), name).look().is_colored, "{name}");
        }
        let tinted = ImageBuffer::from_pixel(2, 2, Rgb([9u8, 9, 10]));
        assert!(opened(tinted, "x.png").look().is_colored);
    }

    #[test]
    fn what_is_too_large_is_not_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        DynamicImage::ImageLuma8(ImageBuffer::new(300, 300)).save(&path).unwrap();
        let error = Picture::open(&path).err().unwrap().to_string();
        assert!(error.contains("its size is 300 x 300, and a model takes at most 65536 values"), "{error}");
    }
}
