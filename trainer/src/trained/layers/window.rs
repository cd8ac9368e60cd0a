//! A window that moves over an image or along a recording: the geometry of convolutions and poolings.

use serde::{Deserialize, Serialize};

use crate::data::ImageShape;

/// The largest size of an image, window, stride or padding, and the largest number of channels.
const LARGEST: usize = u16::MAX as usize;

/// A square window that moves over an image in steps of `stride`, with `padding` zeros beyond each border; or a window of one
/// row, which moves along the columns alone, as over the instants of a recording.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::Window;
///
/// let image = ImageShape { channels: 3, height: 28, width: 28 };
/// let window = Window::square(4, 2, 0);
/// assert_eq!(window.output(image, 50), Some(ImageShape { channels: 50, height: 13, width: 13 }));
/// // 128 instants of six channels are an image of one row.
/// let instants = ImageShape { channels: 6, height: 1, width: 128 };
/// let positions = Window::over_time(5, 2, 2).output(instants, 16);
/// assert_eq!(positions, Some(ImageShape { channels: 16, height: 1, width: 64 }));
/// // A window that is larger than the image has no position.
/// assert_eq!(Window { size: 29, ..window }.output(image, 50), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Columns of the window, and rows if it is square.
    pub size: usize,
    /// Pixels from one position of the window to the next.
    pub stride: usize,
    /// Zeros beyond each border of the image that the window moves towards.
    pub padding: usize,
    /// Along which axes it moves.
    #[serde(default, skip_serializing_if = "Axes::are_both")]
    pub axes: Axes,
}

/// The axes of an image along which a window moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axes {
    /// Rows and columns: the window is square.
    #[default]
    Both,
    /// Columns alone: the window has one row.
    Columns,
}

impl Axes {
    fn are_both(&self) -> bool {
        *self == Self::Both
    }
}

impl Window {
    /// A square window that moves over an image.
    pub const fn square(size: usize, stride: usize, padding: usize) -> Self {
        Self { size, stride, padding, axes: Axes::Both }
    }

    /// A window of one row, which moves along the instants of a recording.
    pub const fn over_time(size: usize, stride: usize, padding: usize) -> Self {
        Self { size, stride, padding, axes: Axes::Columns }
    }

    /// A number for the rows that is `one` for a window of one row, and the same number for the columns.
    fn both(self, one: usize, size: usize) -> [usize; 2] {
        match self.axes {
            Axes::Both => [size; 2],
            Axes::Columns => [one, size],
        }
    }

    /// Rows and columns of the window.
    pub fn sizes(self) -> [usize; 2] {
        self.both(1, self.size)
    }

    /// Pixels from one position to the next, along rows and columns.
    pub fn strides(self) -> [usize; 2] {
        self.both(1, self.stride)
    }

    /// Zeros beyond the borders above and below, and beyond those to the left and right.
    pub fn paddings(self) -> [usize; 2] {
        self.both(0, self.padding)
    }

    /// Number of pixels under the window.
    pub fn area(self) -> usize {
        let [rows, columns] = self.sizes();
        rows * columns
    }

    /// The image that has a pixel of `channels` values for each position of the window over `input`; `None` if the window
    /// does not fit, if the padding is at least as large as the window, or if a size is 0.
    pub fn output(self, input: ImageShape, channels: usize) -> Option<ImageShape> {
        let (height, width) = (self.positions(0, input.height)?, self.positions(1, input.width)?);
        (channels > 0 && input.channels > 0).then_some(ImageShape { channels, height, width })
    }

    /// Positions of the window along `length` pixels of an axis: 0 for the rows, 1 for the columns.
    fn positions(self, axis: usize, length: usize) -> Option<usize> {
        let (size, stride, padding) = (self.sizes()[axis], self.strides()[axis], self.paddings()[axis]);
        let padded = padding.checked_mul(2)?.checked_add(length)?;
        let room = padded.checked_sub(size)?;
        (stride > 0 && size > padding && length > 0).then(|| room / stride + 1)
    }

    /// The pixels under the window at an output pixel, row by row: where their channels begin in `input`'s values, or
    /// `None` in the padding.
    pub(super) fn pixels(self, input: ImageShape, row: usize, column: usize) -> impl Iterator<Item = Option<usize>> {
        let ([_, columns], strides, paddings) = (self.sizes(), self.strides(), self.paddings());
        let inside = move |axis: usize, output: usize, tap: usize, length: usize| {
            (output * strides[axis] + tap).checked_sub(paddings[axis]).filter(|&at| at < length)
        };
        (0..self.area()).map(move |tap| {
            let (y, x) =
                inside(0, row, tap / columns, input.height).zip(inside(1, column, tap % columns, input.width))?;
            Some((y * input.width + x) * input.channels)
        })
    }

    /// Why the window can't move over such an image, if it can't. Sizes are bounded so that no product of them overflows.
    pub(super) fn problem(self, input: ImageShape, channels: usize) -> Option<String> {
        let sizes = [input.channels, input.height, input.width, channels, self.size, self.stride, self.padding];
        let is_possible = sizes.iter().all(|&size| size <= LARGEST) && self.output(input, channels).is_some();
        (!is_possible).then(|| format!("an impossible window, {self:?} over {input:?} to {channels} channels"))
    }
}
