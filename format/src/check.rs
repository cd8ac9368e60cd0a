//! From a description and a blob to a view: every check, once.

use crate::decode::{Part, fields};
use crate::description::{self, MAX_LAYERS};
use crate::header::{HEADER_LEN, Header};
use crate::view::{
    Activation, Affine, Conv2d, Covariance, Dense, File, Head, Input, Latent, Layer, Layers, MAX_BIAS, MAX_CENTER,
    MAX_INPUTS, MAX_LATENT, Mixture, Requantize, Softmax,
};
use crate::{
    ACTIVATIONS, AUTOENCODERS, CONVOLUTION, FULL_COVARIANCE, Fault, LoadError, MINOR, SOFTMAX, Tensor, autoencoders,
    calibration, plan,
};

/// Half a mixture's fraction bits at least, so that a square of a row fits: |u| < 2^26.
const MIN_ROW_SHIFT: u8 = 5;
/// A 32-bit row is shifted by less than its width.
const MAX_NARROW_SHIFT: u8 = 31;
/// A 64-bit row holds at most 41 bits.
const MAX_WIDE_SHIFT: u8 = 40;

pub(crate) fn file(bytes: &[u8]) -> Result<File<'_>, LoadError> {
    let header = Header::from_bytes(bytes)?;
    let start = header.blob_offset as usize;
    let blob =
        start.checked_add(header.blob_len as usize).and_then(|end| bytes.get(start..end)).ok_or(LoadError::Header)?;
    let mut rest = Rest::new(bytes, &header)?;
    let name = rest.next()?;
    let method = rest.next()?;
    let fingerprint = rest.next()?;
    let input = input(&rest.next()?, blob).map_err(LoadError::Input)?;
    let mut layers = Layers::new();
    encoder(&mut rest, input.len, blob, &mut layers)?;
    let latent = rest.next()?;
    let (head, n_clusters) = head(&mut rest, latent, layers.last(), input.len, blob)?;
    let calibration = calibration::check(&mut rest, n_clusters, blob)?;
    rest.end()?;
    let file = File { header, name, method, fingerprint, input, encoder: layers, latent, head, calibration };
    check_header(&file, n_clusters)?;
    Ok(file)
}

/// What is left of the description. It is decoded part by part, each resolved before the next is looked at: whole, with
/// room for every layer it could have, it would take thousands of bytes of stack, several times over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) minor: u16,
}

impl<'a> Rest<'a> {
    fn new(bytes: &'a [u8], header: &Header) -> Result<Self, LoadError> {
        let end = (header.description_len as usize).checked_add(HEADER_LEN).ok_or(LoadError::Header)?;
        let bytes = bytes.get(HEADER_LEN..end).ok_or(LoadError::Header)?;
        Ok(Self { bytes, minor: header.minor })
    }

    pub(crate) fn refused(&self) -> LoadError {
        LoadError::Description { minor: self.minor }
    }

    /// The next part; postcard puts nothing between a struct's fields or before an enum's number.
    pub(crate) fn next<T: Part<'a>>(&mut self) -> Result<T, LoadError> {
        T::decode(&mut self.bytes).ok_or(self.refused())
    }

    /// A later minor appends fields; this one has none to append.
    fn end(&self) -> Result<(), LoadError> {
        if self.bytes.is_empty() || self.minor > MINOR { Ok(()) } else { Err(self.refused()) }
    }
}

/// What stands in the header for `const fn`s must be what the description says.
fn check_header(file: &File, n_clusters: u16) -> Result<(), LoadError> {
    let header = &file.header;
    let n_components = file.head.n_components();
    let computed =
        plan::arena_len(file.input.len, file.rooms(), n_components, file.head.room()).ok_or(LoadError::Header)?;
    if computed != header.arena_len as usize {
        return Err(LoadError::Arena { stored: header.arena_len as usize, computed });
    }
    let counts = header.input_len as usize == file.input.len
        && header.latent_len == file.latent.len
        && header.n_components as usize == file.head.n_components()
        && header.n_clusters == n_clusters;
    if counts { Ok(()) } else { Err(LoadError::Header) }
}

pub(crate) fn ensure<E>(holds: bool, fault: E) -> Result<(), E> {
    if holds { Ok(()) } else { Err(fault) }
}

pub(crate) fn is_scale(scale: f32) -> bool {
    scale.is_finite() && scale > 0.0
}

fn input<'a>(input: &description::Input, blob: &'a [u8]) -> Result<Input<'a>, Fault> {
    let (len, channels) = (input.len as usize, input.channels as usize);
    ensure(len > 0 && len <= MAX_INPUTS && channels > 0 && len.is_multiple_of(channels), Fault::Shape)?;
    let view = Input {
        len,
        gain: input.gain.resolve(blob, channels)?,
        offset: input.offset.resolve(blob, channels)?,
        count: input.count,
        center: input.center.resolve(blob, channels)?,
        multiplier: input.multiplier.resolve(blob, channels)?,
        shift: input.shift.resolve(blob, channels)?,
    };
    let finite = view.gain.iter().chain(view.offset).all(|x| x.is_finite());
    ensure(finite && is_scale(view.count), Fault::Scale)?;
    ensure(view.center.iter().all(|c| c.unsigned_abs() < MAX_CENTER), Fault::Bias)?;
    check_requantize(&Requantize { multiplier: view.multiplier, shift: view.shift })?;
    Ok(view)
}

/// Fills a list in place: a copy of it takes more than a thousand bytes of stack.
fn encoder<'a>(rest: &mut Rest<'a>, inputs: usize, blob: &'a [u8], encoder: &mut Layers<'a>) -> Result<(), LoadError> {
    let mut length = inputs;
    // A list is its length, then its elements.
    let n_layers: u32 = rest.next()?;
    if n_layers > MAX_LAYERS as u32 {
        return Err(rest.refused());
    }
    for index in 0..n_layers {
        let is_last = index + 1 == n_layers;
        let fault = |fault| LoadError::Layer { index: index as u8, fault };
        let layer = layer(rest, length, is_last, blob).map_err(|refusal| refusal.by(rest, fault))?;
        verify(layer.rows()).map_err(fault)?;
        length = layer.outputs();
        // The count was checked, so there is always room.
        encoder.push(layer).map_err(|_| fault(Fault::Shape))?;
    }
    Ok(())
}

/// A convolution's fields before its filters', decoded at once: height, width, channels, filters; kernel, stride, padding
/// and its value.
type Shape = ([u16; 4], [u8; 9]);

/// The fields that all layers end with, in the order of [`description::Dense`] and [`description::Conv2d`].
struct Rows {
    order: description::WeightOrder,
    weights: Tensor<i8>,
    bias: Tensor<i32>,
    requantize: description::Requantize,
    activation: description::Activation,
    output: Affine,
}

fields!(Rows: order, weights, bias, requantize, activation, output);

/// Why a layer is refused: what is wrong with it, or that it does not decode.
pub(crate) struct Refusal(Option<Fault>);

impl Refusal {
    /// The error where a layer's faults are `fault`s.
    pub(crate) fn by(self, rest: &Rest, fault: impl Fn(Fault) -> LoadError) -> LoadError {
        self.0.map_or_else(|| rest.refused(), fault)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self(Some(fault))
    }
}

impl From<LoadError> for Refusal {
    /// Decoding fails in one way only.
    fn from(_: LoadError) -> Self {
        Self(None)
    }
}

/// The variants of `description::Layer` by number, as with heads, and what they share only once. Shapes are checked;
/// what is in the tensors, [`verify`] looks at.
#[inline(never)]
pub(crate) fn layer<'a>(
    rest: &mut Rest<'a>,
    inputs: usize,
    is_last: bool,
    blob: &'a [u8],
) -> Result<Layer<'a>, Refusal> {
    let number: u32 = rest.next()?;
    let (shape, [columns, outputs]) = match number {
        0 => (None, rest.next::<[u32; 2]>()?),
        1 if rest.minor >= 1 && CONVOLUTION => {
            let shape: Shape = rest.next()?;
            let n_taps = taps(&shape).ok_or(Fault::Shape)?;
            (Some(shape), [n_taps as u32, shape.0[3].into()])
        }
        1 if rest.minor >= 1 => return Err(Fault::Unsupported.into()),
        _ => return Err(Refusal(None)),
    };
    let decoded: Rows = rest.next()?;
    let is_known = rest.minor >= 1 || !matches!(decoded.activation, description::Activation::Interpolated(_));
    ensure(is_known, Refusal(None))?;
    let [columns, outputs] = [columns, outputs].map(|n| n as usize);
    let rows = rows(&decoded, columns, outputs, is_last, blob)?;
    let layer = match shape {
        Some(shape) => convolution(shape, rows).map(Layer::Conv2d),
        None => Some(Layer::Dense(rows)),
    };
    Ok(layer.filter(|layer| layer.inputs() == inputs).ok_or(Fault::Shape)?)
}

/// Weights of a filter.
fn taps((extents, window): &Shape) -> Option<usize> {
    product([window[0].into(), window[1].into(), extents[2].into()])
}

/// A product within the limit of a layer's elements.
fn product([a, b, c]: [usize; 3]) -> Option<usize> {
    let product = a.checked_mul(b)?.checked_mul(c)?;
    (product > 0 && product <= MAX_INPUTS).then_some(product)
}

fn convolution((extents, window): Shape, filters: Dense) -> Option<Conv2d> {
    let [height, width, channels, n_filters] = extents;
    let [kernel_rows, kernel_columns, stride_down, stride_right, above, left, below, right, padding_value] = window;
    product([height, width, channels].map(usize::from))?;
    let rows = places(height.into(), [above, below], kernel_rows, stride_down)?;
    let columns = places(width.into(), [left, right], kernel_columns, stride_right)?;
    product([rows, columns, n_filters.into()])?;
    Some(Conv2d {
        height,
        width,
        channels,
        rows: rows.try_into().ok()?,
        columns: columns.try_into().ok()?,
        kernel: [kernel_rows, kernel_columns],
        stride: [stride_down, stride_right],
        padding: [above, left, below, right],
        padding_value: padding_value as i8,
        filters,
    })
}

/// A dense layer, or a convolution's filters as one.
fn rows<'a>(rows: &Rows, inputs: usize, outputs: usize, is_last: bool, blob: &'a [u8]) -> Result<Dense<'a>, Fault> {
    ensure(outputs > 0 && outputs <= MAX_INPUTS, Fault::Shape)?;
    let n_weights = outputs.checked_mul(inputs).ok_or(Fault::Shape)?;
    let description::WeightOrder::RowMajor = rows.order;
    let view = Dense {
        inputs,
        weights: rows.weights.resolve(blob, n_weights)?,
        bias: rows.bias.resolve(blob, outputs)?,
        requantize: requantize(&rows.requantize, outputs, blob)?,
        activation: activation(&rows.activation, outputs, blob)?,
        output: rows.output,
    };
    check_output(view.output, &view.activation, is_last)?;
    Ok(view)
}

/// Whether the elements of a layer's tensors are within their bounds.
pub(crate) fn verify(rows: &Dense) -> Result<(), Fault> {
    ensure(rows.bias.iter().all(|b| b.unsigned_abs() < MAX_BIAS), Fault::Bias)?;
    check_requantize(&rows.requantize)?;
    match &rows.activation {
        Activation::LeakyRelu(negative) => check_requantize(negative),
        _ => Ok(()),
    }
}

/// Places of a filter along one direction; `None` where there is none, or where one lies in the padding alone.
pub(crate) fn places(extent: usize, padding: [u8; 2], kernel: u8, stride: u8) -> Option<usize> {
    let is_within = padding.iter().all(|&p| p < kernel);
    let free = (extent + usize::from(padding[0]) + usize::from(padding[1])).checked_sub(kernel.into())?;
    if is_within { Some(free.checked_div(stride.into())? + 1) } else { None }
}

/// A table gives int8; the latent is int16 around zero, and its activation a curve in a table's stead.
fn check_output(output: Affine, activation: &Activation, is_last: bool) -> Result<(), Fault> {
    ensure(is_scale(output.scale), Fault::Scale)?;
    let fits = match activation {
        Activation::Table(_) => !is_last,
        Activation::Interpolated(_) => is_last,
        _ => true,
    };
    ensure(fits && (!is_last || output.zero_point == 0), Fault::Activation)
}

pub(crate) fn requantize<'a>(
    requantize: &description::Requantize,
    outputs: usize,
    blob: &'a [u8],
) -> Result<Requantize<'a>, Fault> {
    Ok(Requantize {
        multiplier: requantize.multiplier.resolve(blob, outputs)?,
        shift: requantize.shift.resolve(blob, outputs)?,
    })
}

pub(crate) fn check_requantize(requantize: &Requantize) -> Result<(), Fault> {
    let multipliers = requantize.multiplier.iter().all(|&m| m >= 0);
    let shifts = requantize.shift.iter().all(|s| (1..=62).contains(s));
    ensure(multipliers && shifts, Fault::Requantisation)
}

fn activation<'a>(
    activation: &description::Activation,
    outputs: usize,
    blob: &'a [u8],
) -> Result<Activation<'a>, Fault> {
    Ok(match activation {
        description::Activation::Identity => Activation::Identity,
        description::Activation::Relu => Activation::Relu,
        _ if !ACTIVATIONS => return Err(Fault::Unsupported),
        description::Activation::LeakyRelu(negative) => Activation::LeakyRelu(requantize(negative, outputs, blob)?),
        description::Activation::Table(table) => {
            let table = table.resolve(blob, 256)?;
            Activation::Table(table.try_into().map_err(|_| Fault::Shape)?)
        }
        description::Activation::Interpolated(points) => {
            let points = points.resolve(blob, 257)?;
            Activation::Interpolated(points.try_into().map_err(|_| Fault::Shape)?)
        }
    })
}

fn check_latent(latent: Latent, outputs: usize) -> Result<(), Fault> {
    let len = latent.len as usize;
    ensure(len > 0 && len <= MAX_LATENT && len == outputs, Fault::Shape)?;
    ensure(is_scale(latent.scale), Fault::Scale)
}

fn head<'a>(
    rest: &mut Rest<'a>,
    latent: Latent,
    last: Option<&Layer>,
    n_inputs: usize,
    blob: &'a [u8],
) -> Result<(Head<'a>, u16), LoadError> {
    let dims = latent.len as usize;
    // The variants of `description::Head` by number: decoding the enum itself would take the largest one's stack.
    let number: u32 = rest.next()?;
    if number == 2 && rest.minor >= 1 {
        ensure(AUTOENCODERS, LoadError::Head(Fault::Unsupported))?;
        // They take the sample, and have a latent each.
        ensure(dims == 0 && is_scale(latent.scale), LoadError::Latent(Fault::Shape))?;
        ensure(last.is_none(), LoadError::Head(Fault::Shape))?;
        let pairs = autoencoders::check(rest, n_inputs, blob)?;
        return Ok((Head::Autoencoders(pairs), pairs.constants.len() as u16));
    }
    ensure(number < 2, ()).map_err(|()| rest.refused())?;
    check_latent(latent, last.map_or(n_inputs, Layer::outputs)).map_err(LoadError::Latent)?;
    match number {
        0 => {
            let m: description::Mixture = rest.next()?;
            Ok((Head::Mixture(mixture(&m, dims, blob).map_err(LoadError::Head)?), m.n_clusters))
        }
        1 if !SOFTMAX => Err(LoadError::Head(Fault::Unsupported)),
        1 => {
            let s: description::Softmax = rest.next()?;
            Ok((Head::Softmax(softmax(&s, dims, blob).map_err(LoadError::Head)?), s.n_classes))
        }
        _ => Err(rest.refused()),
    }
}

fn mixture<'a>(mixture: &description::Mixture, dims: usize, blob: &'a [u8]) -> Result<Mixture<'a>, Fault> {
    let components = mixture.n_components as usize;
    ensure(components > 0, Fault::Shape)?;
    let times = |n: usize| components.checked_mul(n).ok_or(Fault::Shape);
    let (coefficients, shifts) = match mixture.covariance {
        Covariance::Spherical => (components, components),
        Covariance::Diagonal => (times(dims)?, components),
        Covariance::Full if !FULL_COVARIANCE => return Err(Fault::Unsupported),
        Covariance::Full => (times(dims * (dims + 1) / 2)?, times(dims)?),
    };
    let view = Mixture {
        covariance: mixture.covariance,
        coefficients: mixture.coefficients.resolve(blob, coefficients)?,
        offsets: mixture.offsets.resolve(blob, times(dims)?)?,
        shifts: mixture.shifts.resolve(blob, shifts)?,
        constants: mixture.constants.resolve(blob, components)?,
        clusters: mixture.clusters.resolve(blob, components)?,
    };
    let most = match mixture.covariance {
        Covariance::Full => MAX_WIDE_SHIFT,
        Covariance::Spherical | Covariance::Diagonal => {
            ensure(view.offsets.iter().all(|b| b.unsigned_abs() < MAX_BIAS), Fault::Bias)?;
            MAX_NARROW_SHIFT
        }
    };
    ensure(view.shifts.iter().all(|s| (MIN_ROW_SHIFT..=most).contains(s)), Fault::Requantisation)?;
    check_clusters(view.clusters, mixture.n_clusters)?;
    Ok(view)
}

/// Every component has a cluster and every cluster a component.
fn check_clusters(clusters: &[u16], n_clusters: u16) -> Result<(), Fault> {
    let named = clusters.iter().all(|&c| c < n_clusters);
    let used = (0..n_clusters).all(|c| clusters.contains(&c));
    ensure(n_clusters > 0 && named && used, Fault::Cluster)
}

fn softmax<'a>(softmax: &description::Softmax, dims: usize, blob: &'a [u8]) -> Result<Softmax<'a>, Fault> {
    let classes = softmax.n_classes as usize;
    ensure(classes > 0, Fault::Shape)?;
    let view = Softmax {
        coefficients: softmax.coefficients.resolve(blob, classes.checked_mul(dims).ok_or(Fault::Shape)?)?,
        offsets: softmax.offsets.resolve(blob, classes)?,
        shifts: softmax.shifts.resolve(blob, classes)?,
    };
    ensure(view.shifts.iter().all(|s| (1..=MAX_WIDE_SHIFT).contains(s)), Fault::Requantisation)?;
    Ok(view)
}
