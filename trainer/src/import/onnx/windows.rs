//! Operators that move a window over an image, or along a recording.

use super::operation::Operation;
use super::problem::NodeProblem;
use super::value::Value;
use crate::data::ImageShape;
use crate::trained::{PoolingOperation, Window};

/// The largest kernel, stride or padding: what a model file allows is less.
const LARGEST: i64 = u16::MAX as i64;

/// How a window moves, for each of the axes after the channels.
struct Moves {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    padding: Vec<usize>,
}

/// The axes after the channels; there are one or two.
fn spatial(value: &Value) -> Result<(usize, Vec<usize>), NodeProblem> {
    match value.sizes[..] {
        [channels, ref lengths @ ..] if matches!(lengths.len(), 1 | 2) => Ok((channels, lengths.to_vec())),
        _ => Err(value.wrong_sizes("channels, and one or two axes over which a window moves")),
    }
}

/// An attribute with a small number for each axis, or for each end of each axis.
fn numbers(
    operation: &Operation,
    name: &'static str,
    n: usize,
    default: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Vec<usize>, NodeProblem> {
    let found = operation.ints(name)?.unwrap_or_else(|| vec![default; n]);
    if found.len() == n && found.iter().all(|number| range.contains(number)) {
        return Ok(found.into_iter().map(|number| number as usize).collect());
    }
    let expected = "a number for each axis, at most 65535";
    Err(NodeProblem::Attribute { name, found: format!("{found:?}"), expected })
}

impl Moves {
    fn of(operation: &Operation, lengths: &[usize], kernel: Option<Vec<usize>>) -> Result<Self, NodeProblem> {
        let n = lengths.len();
        let stated = numbers(operation, "kernel_shape", n, 0, 0..=LARGEST)?;
        let is_stated = operation.ints("kernel_shape")?.is_some();
        let kernel = kernel.unwrap_or_else(|| stated.clone());
        if kernel.contains(&0) || (is_stated && kernel != stated) {
            let found = format!("{stated:?}");
            return Err(NodeProblem::Attribute { name: "kernel_shape", found, expected: "the sizes of the window" });
        }
        let dilations = numbers(operation, "dilations", n, 1, 1..=LARGEST)?;
        if dilations.iter().any(|&dilation| dilation != 1) {
            let found = format!("{dilations:?}");
            return Err(NodeProblem::Attribute { name: "dilations", found, expected: "1" });
        }
        let stride = numbers(operation, "strides", n, 1, 1..=LARGEST)?;
        let padding = padding(operation, lengths, &kernel, &stride)?;
        Ok(Self { kernel, stride, padding })
    }

    fn reversed(mut self) -> Self {
        [&mut self.kernel, &mut self.stride, &mut self.padding].into_iter().for_each(|numbers| numbers.reverse());
        self
    }

    /// The image over which the window moves, and the window as this project has them.
    fn placed(self, channels: usize, lengths: &[usize]) -> Result<(ImageShape, Window), NodeProblem> {
        // An axis of length 1 is that of the rows.
        if let [height, 1] = *lengths
            && height > 1
            && (self.kernel[1], self.padding[1]) == (1, 0)
        {
            return self.reversed().placed(channels, &[1, height]);
        }
        let Self { kernel, stride, padding } = &self;
        let last = kernel.len() - 1;
        let (height, width) = if last == 0 { (1, lengths[0]) } else { (lengths[0], lengths[1]) };
        let image = ImageShape { channels, height, width };
        let are_equal = |numbers: &[usize]| numbers.iter().all(|number| *number == numbers[0]);
        if last == 1 && [kernel, stride, padding].into_iter().all(|numbers| are_equal(numbers)) {
            return Ok((image, Window::square(kernel[0], stride[0], padding[0])));
        }
        let is_row = last == 0 || (kernel[0] == 1 && padding[0] == 0 && (height == 1 || stride[0] == 1));
        if is_row {
            return Ok((image, Window::over_time(kernel[last], stride[last], padding[last])));
        }
        Err(NodeProblem::Window(format!("{kernel:?} with strides {stride:?} and padding {padding:?}")))
    }
}

/// Zeros before each axis, of which there must be as many after it.
fn padding(
    operation: &Operation,
    lengths: &[usize],
    kernel: &[usize],
    stride: &[usize],
) -> Result<Vec<usize>, NodeProblem> {
    let n = lengths.len();
    let auto = operation.text("auto_pad")?;
    let ends = match auto.as_deref() {
        None | Some("" | "NOTSET") => numbers(operation, "pads", 2 * n, 0, 0..=LARGEST)?,
        Some("VALID") => vec![0; 2 * n],
        Some("SAME_UPPER" | "SAME_LOWER") => {
            let total = |axis: usize| {
                let positions = lengths[axis].div_ceil(stride[axis]);
                ((positions - 1) * stride[axis] + kernel[axis]).saturating_sub(lengths[axis])
            };
            let less = (0..n).map(|axis| total(axis) / 2);
            less.chain((0..n).map(|axis| total(axis).div_ceil(2))).collect()
        }
        Some(other) => {
            let expected = "NOTSET, VALID, SAME_UPPER or SAME_LOWER";
            return Err(NodeProblem::Attribute { name: "auto_pad", found: other.into(), expected });
        }
    };
    let (before, after) = ends.split_at(n);
    if before != after {
        let expected = "as much padding before each axis as after it";
        return Err(NodeProblem::Attribute { name: "pads", found: format!("{ends:?}"), expected });
    }
    Ok(before.to_vec())
}

pub(super) fn convolution(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    operation.requires("group", 1, 1, "1: grouped and depthwise convolutions can't be imported")?;
    let (channels, lengths) = spatial(value)?;
    let weights = operation.constant(1, "2 or 3")?;
    let (filters, kernel) = match weights.sizes[..] {
        [filters, own, ref kernel @ ..] if own == channels && kernel.len() == lengths.len() && filters > 0 => {
            (filters, kernel.to_vec())
        }
        _ => {
            let expected = format!("filters, {channels} channels, and {} axes of a window", lengths.len());
            return Err(operation.wrong_sizes(1, &weights, expected));
        }
    };
    let bias = match operation.optional(2)? {
        Some(_) => operation.sized(2, &[filters], "2 or 3")?.values,
        None => vec![0.0; filters],
    };
    let (image, window) = Moves::of(operation, &lengths, Some(kernel))?.placed(channels, &lengths)?;
    if !value.is_image(image) {
        return Err(NodeProblem::Order);
    }
    // Of a filter's channels, pixel by pixel, to its pixels, channel by channel.
    let pixels = window.area();
    let per_filter = pixels * channels;
    let place = |i: usize| i / per_filter * per_filter + i % channels * pixels + i % per_filter / channels;
    let weights: Vec<f64> = (0..weights.values.len()).map(|i| weights.values[place(i)]).collect();
    value.stack.convolution(image, window, &weights, &bias)?;
    placed_output(value, &lengths, image, window, filters)
}

pub(super) fn pooling(operation: &Operation, value: &mut Value, pooling: PoolingOperation) -> Result<(), NodeProblem> {
    let (channels, lengths) = spatial(value)?;
    let moves = Moves::of(operation, &lengths, None)?;
    if moves.padding.iter().any(|&padding| padding != 0) {
        let found = format!("{:?}", moves.padding);
        return Err(NodeProblem::Attribute { name: "pads", found, expected: "0: a pooling has no padding" });
    }
    let is_whole = |axis: usize| {
        lengths[axis] >= moves.kernel[axis] && (lengths[axis] - moves.kernel[axis]).is_multiple_of(moves.stride[axis])
    };
    if operation.int("ceil_mode", 0)? != 0 && !(0..lengths.len()).all(is_whole) {
        return Err(NodeProblem::Attribute { name: "ceil_mode", found: "1".into(), expected: "0" });
    }
    let (image, window) = moves.placed(channels, &lengths)?;
    pooled(value, &lengths, image, window, pooling)
}

/// One value for each channel; the other axes become 1, or vanish.
pub(super) fn global_pooling(
    value: &mut Value,
    pooling: PoolingOperation,
    keeps_axes: bool,
) -> Result<(), NodeProblem> {
    let (channels, lengths) = spatial(value)?;
    let n = lengths.len();
    let moves = Moves { kernel: lengths.clone(), stride: vec![1; n], padding: vec![0; n] };
    let (image, window) = moves.placed(channels, &lengths)?;
    pooled(value, &lengths, image, window, pooling)?;
    if keeps_axes { Ok(()) } else { value.reshape(vec![channels]) }
}

fn pooled(
    value: &mut Value,
    lengths: &[usize],
    image: ImageShape,
    window: Window,
    pooling: PoolingOperation,
) -> Result<(), NodeProblem> {
    if !value.is_image(image) {
        return Err(NodeProblem::Order);
    }
    value.stack.pooling(pooling, image, window)?;
    placed_output(value, lengths, image, window, image.channels)
}

/// The value after a window of this form.
fn placed_output(
    value: &mut Value,
    lengths: &[usize],
    image: ImageShape,
    window: Window,
    channels: usize,
) -> Result<(), NodeProblem> {
    let Some(output) = window.output(image, channels) else { return Err(value.wrong_sizes("more than the window")) };
    let sizes = match *lengths {
        [_] => vec![channels, output.width],
        // The axes were exchanged.
        [height, 1] if height > 1 && image.height == 1 => vec![channels, output.width, 1],
        _ => vec![channels, output.height, output.width],
    };
    value.becomes_image(output, sizes);
    Ok(())
}
