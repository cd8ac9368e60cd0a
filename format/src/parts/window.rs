//! A window that moves over an image: what convolutions and other layers on images have in common.

use serde::{Deserialize, Serialize};

use crate::cursor::decode_fields;
use crate::error::{Fault, ensure};
use crate::limits::MAX_INPUTS;

/// A window that moves over an image, channels last: element `(row * width + column) * channels + channel`.
///
/// ```
/// use edgemix_format::view::Window;
///
/// // 3 rows and 2 columns over an image of 5 x 6 pixels with 2 channels.
/// let image = Window { height: 5, width: 6, channels: 2, kernel: [3, 2], stride: [1, 1], padding: [0; 4] };
/// assert_eq!((image.inputs(), image.rows(), image.columns(), image.taps()), (60, 3, 5, 12));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Rows of the input.
    pub height: u16,
    /// Columns of the input.
    pub width: u16,
    /// Channels of the input.
    pub channels: u16,
    /// Rows and columns of the window.
    pub kernel: [u8; 2],
    /// Rows and columns from one position of the window to the next.
    pub stride: [u8; 2],
    /// Rows and columns around the input: above, left, below, right. Each is less than the window's extent in that
    /// direction, so that every window covers a part of the image.
    pub padding: [u8; 4],
}

decode_fields!(Window: height, width, channels, kernel, stride, padding);

impl Window {
    /// Checks that every size is within its limits and that the window fits the padded image.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let [above, left, below, right] = self.padding;
        let is_within =
            [above, below].iter().all(|&p| p < self.kernel[0]) && [left, right].iter().all(|&p| p < self.kernel[1]);
        ensure(is_within, Fault::Window)?;
        ensure((1..=MAX_INPUTS).contains(&self.inputs()) && (1..=MAX_INPUTS).contains(&self.taps()), Fault::Size)?;
        ensure(self.rows() > 0 && self.columns() > 0, Fault::Window)
    }

    /// Elements of the input.
    pub fn inputs(&self) -> usize {
        product([self.height, self.width, self.channels])
    }

    /// Elements of the input under the window, padding included.
    pub fn taps(&self) -> usize {
        product([u16::from(self.kernel[0]), u16::from(self.kernel[1]), self.channels])
    }

    /// Pixels of the input under the window, padding included.
    pub(crate) fn area(&self) -> u64 {
        u64::from(self.kernel[0]) * u64::from(self.kernel[1])
    }

    /// Rows of the output: `(height + above + below - kernel[0]) / stride[0] + 1`, rounded down.
    pub fn rows(&self) -> usize {
        let [above, _, below, _] = self.padding;
        positions(self.height, [above, below], self.kernel[0], self.stride[0])
    }

    /// Columns of the output: `(width + left + right - kernel[1]) / stride[1] + 1`, rounded down.
    pub fn columns(&self) -> usize {
        let [_, left, _, right] = self.padding;
        positions(self.width, [left, right], self.kernel[1], self.stride[1])
    }
}

/// A product that saturates.
fn product(factors: [u16; 3]) -> usize {
    factors.into_iter().fold(1, |product, factor| product.saturating_mul(factor.into()))
}

/// Positions of a window along one direction; 0 if it is longer than the padded image.
fn positions(extent: u16, padding: [u8; 2], kernel: u8, stride: u8) -> usize {
    let padded = usize::from(extent) + usize::from(padding[0]) + usize::from(padding[1]);
    let steps = padded.checked_sub(kernel.into()).and_then(|free| free.checked_div(stride.into()));
    steps.map_or(0, |steps| steps + 1)
}
