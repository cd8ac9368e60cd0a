//! Convolutions as products of matrices on slices, a few images at a time, and their gradients.
//!
//! Images are stored pixel by pixel, the channels of a pixel side by side, so that what a row of a window covers is one piece of
//! memory. For a band of rows of the window, these pieces are gathered into a matrix with a row for each position of the window in
//! a few images (Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006),
//! which stays in the processor's cache. Images are shared among the cores; no sum depends on their number.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

use crate::data::ImageShape;
use crate::nn::layers::trainable::Direction;
use crate::trained::ConvolutionShape;

/// The number of parts of a batch whose gradients are summed on their own.
const PARTS: usize = 8;
/// A matrix with fewer rows has those of several images: products take some rows at a time, and pack their factors once.
const FEWEST_ROWS: usize = 160;
/// A matrix with fewer columns has those of several rows of the window.
const FEWEST_COLUMNS: usize = 64;

/// A convolution whose window fits its input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products {
    input: ImageShape,
    output: ImageShape,
    sizes: [usize; 2],
    strides: [usize; 2],
    paddings: [usize; 2],
}

impl Products {
    /// `None` if the window does not fit.
    pub(super) fn new(shape: ConvolutionShape) -> Option<Self> {
        let ConvolutionShape { input, window, .. } = shape;
        let (sizes, strides, paddings) = (window.sizes(), window.strides(), window.paddings());
        Some(Self { input, output: shape.output()?, sizes, strides, paddings })
    }

    /// The number of channels of what the convolution reads, or of what the transposed one reads.
    pub(super) fn channels(&self, direction: Direction) -> usize {
        match direction {
            Direction::Encode => self.input.channels,
            Direction::Decode => self.output.channels,
        }
    }

    /// The number of positions of the window.
    fn positions(&self) -> usize {
        self.output.height * self.output.width
    }

    /// The number of weights of a filter for each row of the window.
    fn taps(&self) -> usize {
        self.sizes[1] * self.input.channels
    }

    /// `filters x (rows x columns x channels)` weights from `filters x channels x rows x columns`.
    pub(super) fn channels_last(&self, weights: &[f32]) -> Vec<f32> {
        let mut last = vec![0.0; weights.len()];
        self.pair(weights, |to, from| last[to] = weights[from]);
        last
    }

    /// The reverse of [`Self::channels_last`].
    pub(super) fn channels_first(&self, weights: &[f32]) -> Vec<f32> {
        let mut first = vec![0.0; weights.len()];
        self.pair(weights, |from, to| first[to] = weights[from]);
        first
    }

    /// The places of each weight, with the channels last and with the channels first.
    fn pair(&self, weights: &[f32], mut each: impl FnMut(usize, usize)) {
        let (channels, area) = (self.input.channels, self.sizes[0] * self.sizes[1]);
        let mut last = 0;
        for filter in 0..weights.len() / (channels * area).max(1) {
            for at in 0..area {
                for channel in 0..channels {
                    each(last, (filter * channels + channel) * area + at);
                    last += 1;
                }
            }
        }
    }

    /// The outputs for N images, from `filters x (rows x columns x channels)` weights and a bias for each filter.
    pub(super) fn convolve(&self, images: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
        let [inputs, width, filters] = [self.input.n_values(), self.output.n_values(), self.output.channels];
        let mut outputs = vec![0.0; images.len() / inputs * width];
        let work = |covered: &mut Vec<f32>, (images, outputs): (&[f32], &mut [f32])| {
            outputs.chunks_exact_mut(filters).for_each(|sums| sums.copy_from_slice(bias));
            let mut outputs = writable(outputs, filters);
            for band in self.bands() {
                let covered = self.gather(images, &band, covered);
                general_mat_mul(1.0, &covered, &self.weights_under(weights, &band).t(), 1.0, &mut outputs);
            }
        };
        let few = self.few();
        let pairs = images.par_chunks(few * inputs).zip(outputs.par_chunks_mut(few * width));
        pairs.for_each_init(Vec::new, work);
        outputs
    }

    /// The images whose products with N given images are those of their outputs with the N given ones: the transposed convolution,
    /// which is also the gradient by the images. The bias has a number for each channel of an image.
    pub(super) fn transpose(&self, outputs: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
        let [inputs, width, filters] = [self.input.n_values(), self.output.n_values(), self.output.channels];
        let mut images = vec![0.0; outputs.len() / width * inputs];
        let work = |covered: &mut Vec<f32>, (outputs, images): (&[f32], &mut [f32])| {
            images.chunks_exact_mut(self.input.channels).for_each(|pixel| pixel.copy_from_slice(bias));
            let outputs = readable(outputs, filters);
            for band in self.bands() {
                let columns = band.len() * self.taps();
                covered.resize(outputs.nrows() * columns, 0.0);
                let weights = self.weights_under(weights, &band);
                general_mat_mul(1.0, &outputs, &weights, 0.0, &mut writable(covered, columns));
                self.scatter(covered, &band, images);
            }
        };
        let few = self.few();
        let pairs = outputs.par_chunks(few * width).zip(images.par_chunks_mut(few * inputs));
        pairs.for_each_init(Vec::new, work);
        images
    }

    /// The gradient by `filters x (rows x columns x channels)` weights, summed over N images and the gradients of their outputs.
    pub(super) fn weight_gradient(&self, images: &[f32], outputs: &[f32]) -> Vec<f32> {
        let [inputs, width, filters] = [self.input.n_values(), self.output.n_values(), self.output.channels];
        let (few, columns) = (self.few(), self.sizes[0] * self.taps());
        let part = (images.len() / inputs).div_ceil(PARTS).max(1).next_multiple_of(few);
        let sum = |(images, outputs): (&[f32], &[f32])| {
            let (mut gradient, mut covered) = (vec![0.0; filters * columns], vec![]);
            for (images, outputs) in images.chunks(few * inputs).zip(outputs.chunks(few * width)) {
                let outputs = readable(outputs, filters);
                for band in self.bands() {
                    let covered = self.gather(images, &band, &mut covered);
                    let mut gradient = writable(&mut gradient, columns);
                    let mut gradient = gradient.slice_mut(s![.., self.columns_under(&band)]);
                    general_mat_mul(1.0, &outputs.t(), &covered, 1.0, &mut gradient);
                }
            }
            gradient
        };
        let parts: Vec<Vec<f32>> =
            images.par_chunks(part * inputs).zip(outputs.par_chunks(part * width)).map(sum).collect();
        parts.into_iter().reduce(added).unwrap_or_else(|| vec![0.0; filters * columns])
    }

    /// How many images a product has.
    fn few(&self) -> usize {
        FEWEST_ROWS.div_ceil(self.positions())
    }

    /// The rows of the window, some at a time.
    fn bands(&self) -> impl Iterator<Item = Range<usize>> {
        let (rows, step) = (self.sizes[0], FEWEST_COLUMNS.div_ceil(self.taps()));
        (0..rows).step_by(step).map(move |first| first..rows.min(first + step))
    }

    fn columns_under(&self, band: &Range<usize>) -> Range<usize> {
        band.start * self.taps()..band.end * self.taps()
    }

    /// `filters x (band x taps)`: the weights of a band of the window.
    fn weights_under<'a>(&self, weights: &'a [f32], band: &Range<usize>) -> ArrayView2<'a, f32> {
        readable(weights, self.sizes[0] * self.taps()).slice_move(s![.., self.columns_under(band)])
    }

    /// What a band of the window covers at each position, `(images x positions) x (band x taps)`; beyond the border there are zeros.
    fn gather<'a>(&self, images: &[f32], band: &Range<usize>, covered: &'a mut Vec<f32>) -> ArrayView2<'a, f32> {
        let (columns, n_images) = (band.len() * self.taps(), images.len() / self.input.n_values());
        covered.resize(n_images * self.positions() * columns, 0.0);
        let covered_by_image = covered.chunks_exact_mut(self.positions() * columns);
        for (image, covered) in images.chunks_exact(self.input.n_values()).zip(covered_by_image) {
            for (position, covered) in covered.chunks_exact_mut(columns).enumerate() {
                for (row, covered) in band.clone().zip(covered.chunks_exact_mut(self.taps())) {
                    self.cover(image, row, position, covered);
                }
            }
        }
        readable(covered, columns)
    }

    /// What a row of the window covers at a position.
    fn cover(&self, image: &[f32], row: usize, position: usize, covered: &mut [f32]) {
        let Some((skipped, from, length)) = self.under(row, position) else { return covered.fill(0.0) };
        let (before, rest) = covered.split_at_mut(skipped);
        let (within, after) = rest.split_at_mut(length);
        before.fill(0.0);
        within.copy_from_slice(&image[from..from + length]);
        after.fill(0.0);
    }

    /// Adds what belongs to the pixels under a band of the window at each position.
    fn scatter(&self, covered: &[f32], band: &Range<usize>, images: &mut [f32]) {
        let columns = band.len() * self.taps();
        let covered_by_image = covered.chunks_exact(self.positions() * columns);
        for (image, covered) in images.chunks_exact_mut(self.input.n_values()).zip(covered_by_image) {
            for (position, covered) in covered.chunks_exact(columns).enumerate() {
                for (row, covered) in band.clone().zip(covered.chunks_exact(self.taps())) {
                    if let Some((skipped, to, length)) = self.under(row, position) {
                        let within = &covered[skipped..skipped + length];
                        image[to..to + length].iter_mut().zip(within).for_each(|(sum, x)| *sum += x);
                    }
                }
            }
        }
    }

    /// Of a row of the window at a position: how many of its values lie before the border, where the first one within is in the
    /// image, and how many there are. `None` if there are none.
    fn under(&self, row: usize, position: usize) -> Option<(usize, usize, usize)> {
        let ImageShape { channels, height, width } = self.input;
        let [across, down] = [position % self.output.width, position / self.output.width];
        let y = (down * self.strides[0] + row).checked_sub(self.paddings[0]).filter(|&y| y < height)?;
        let left = across * self.strides[1];
        let skipped = self.paddings[1].saturating_sub(left).min(self.sizes[1]);
        let x = (left + skipped).checked_sub(self.paddings[1])?;
        let columns = (self.sizes[1] - skipped).min(width.saturating_sub(x));
        (columns > 0).then_some((skipped * channels, (y * width + x) * channels, columns * channels))
    }
}

fn readable(values: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

fn writable(values: &mut [f32], columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / columns, columns), values).expect("whole rows")
}

fn added(mut sum: Vec<f32>, other: Vec<f32>) -> Vec<f32> {
    sum.iter_mut().zip(other).for_each(|(sum, x)| *sum += x);
    sum
}
