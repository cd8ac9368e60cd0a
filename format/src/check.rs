//! From a description and a blob to a view: every check, once.

use crate::description::{self, MAX_LAYERS};
use crate::header::{HEADER_LEN, Header};
use crate::view::{
    Activation, Affine, Calibration, Covariance, Dense, File, Head, Input, Latent, Layer, Layers, MAX_BIAS, MAX_CENTER,
    MAX_INPUTS, MAX_LATENT, Mixture, Requantize, Softmax,
};
use crate::{Fault, LoadError, MINOR, plan};

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
    let encoder = encoder(&mut rest, input.len, blob)?;
    let latent = rest.next()?;
    check_latent(latent, encoder.last().map_or(input.len, Layer::outputs)).map_err(LoadError::Latent)?;
    let (head, n_clusters) = head(&mut rest, latent, blob)?;
    let calibration = calibration(&rest.next()?, blob).map_err(LoadError::Calibration)?;
    rest.end()?;
    let file = File { header, name, method, fingerprint, input, encoder, latent, head, calibration };
    check_header(&file, n_clusters)?;
    Ok(file)
}

/// What is left of the description. It is decoded part by part, each resolved before the next is looked at: whole, with
/// room for every layer it could have, it would take thousands of bytes of stack, several times over.
struct Rest<'a> {
    bytes: &'a [u8],
    minor: u16,
}

impl<'a> Rest<'a> {
    fn new(bytes: &'a [u8], header: &Header) -> Result<Self, LoadError> {
        let end = (header.description_len as usize).checked_add(HEADER_LEN).ok_or(LoadError::Header)?;
        let bytes = bytes.get(HEADER_LEN..end).ok_or(LoadError::Header)?;
        Ok(Self { bytes, minor: header.minor })
    }

    fn refused(&self) -> LoadError {
        LoadError::Description { minor: self.minor }
    }

    /// The next part; postcard puts nothing between a struct's fields or before an enum's number.
    fn next<T: serde::Deserialize<'a>>(&mut self) -> Result<T, LoadError> {
        let (part, rest) = postcard::take_from_bytes(self.bytes).map_err(|_| self.refused())?;
        self.bytes = rest;
        Ok(part)
    }

    /// A later minor appends fields; this one has none to append.
    fn end(&self) -> Result<(), LoadError> {
        if self.bytes.is_empty() || self.minor > MINOR { Ok(()) } else { Err(self.refused()) }
    }
}

/// What stands in the header for `const fn`s must be what the description says.
fn check_header(file: &File, n_clusters: u16) -> Result<(), LoadError> {
    let header = &file.header;
    let lengths = core::iter::once(file.input.len).chain(file.outputs());
    let computed = plan::arena_len(lengths, file.head.n_components()).ok_or(LoadError::Header)?;
    if computed != header.arena_len as usize {
        return Err(LoadError::Arena { stored: header.arena_len as usize, computed });
    }
    let counts = header.input_len as usize == file.input.len
        && header.latent_len == file.latent.len
        && header.n_components as usize == file.head.n_components()
        && header.n_clusters == n_clusters;
    if counts { Ok(()) } else { Err(LoadError::Header) }
}

fn ensure(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}

fn is_scale(scale: f32) -> bool {
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

fn encoder<'a>(rest: &mut Rest<'a>, inputs: usize, blob: &'a [u8]) -> Result<Layers<'a>, LoadError> {
    let mut encoder = Layers::new();
    let mut length = inputs;
    // A list is its length, then its elements.
    let n_layers: u32 = rest.next()?;
    if n_layers > MAX_LAYERS as u32 {
        return Err(rest.refused());
    }
    for index in 0..n_layers {
        let layer: description::Layer = rest.next()?;
        let is_last = index + 1 == n_layers;
        let index = index as u8;
        let view = self::layer(&layer, length, is_last, blob).map_err(|fault| LoadError::Layer { index, fault })?;
        length = view.outputs();
        // The count was checked, so there is always room.
        encoder.push(view).map_err(|_| LoadError::Layer { index: MAX_LAYERS as u8, fault: Fault::Shape })?;
    }
    Ok(encoder)
}

fn layer<'a>(layer: &description::Layer, inputs: usize, is_last: bool, blob: &'a [u8]) -> Result<Layer<'a>, Fault> {
    match layer {
        description::Layer::Dense(dense) => self::dense(dense, inputs, is_last, blob).map(Layer::Dense),
    }
}

fn dense<'a>(dense: &description::Dense, inputs: usize, is_last: bool, blob: &'a [u8]) -> Result<Dense<'a>, Fault> {
    let outputs = dense.outputs as usize;
    let fits = outputs > 0 && outputs <= MAX_INPUTS && dense.inputs as usize == inputs;
    ensure(fits, Fault::Shape)?;
    let n_weights = outputs.checked_mul(inputs).ok_or(Fault::Shape)?;
    let description::WeightOrder::RowMajor = dense.order;
    let view = Dense {
        inputs,
        weights: dense.weights.resolve(blob, n_weights)?,
        bias: dense.bias.resolve(blob, outputs)?,
        requantize: requantize(&dense.requantize, outputs, blob)?,
        activation: activation(&dense.activation, outputs, blob)?,
        output: dense.output,
    };
    ensure(view.bias.iter().all(|b| b.unsigned_abs() < MAX_BIAS), Fault::Bias)?;
    check_output(view.output, &view.activation, is_last)?;
    Ok(view)
}

/// A table is indexed by int8 values, and the latent is int16 around zero: its activation can't be a table.
fn check_output(output: Affine, activation: &Activation, is_last: bool) -> Result<(), Fault> {
    ensure(is_scale(output.scale), Fault::Scale)?;
    let is_table = matches!(activation, Activation::Table(_));
    ensure(!is_last || (output.zero_point == 0 && !is_table), Fault::Activation)
}

fn requantize<'a>(
    requantize: &description::Requantize,
    outputs: usize,
    blob: &'a [u8],
) -> Result<Requantize<'a>, Fault> {
    let view = Requantize {
        multiplier: requantize.multiplier.resolve(blob, outputs)?,
        shift: requantize.shift.resolve(blob, outputs)?,
    };
    check_requantize(&view)?;
    Ok(view)
}

fn check_requantize(requantize: &Requantize) -> Result<(), Fault> {
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
        description::Activation::LeakyRelu(negative) => Activation::LeakyRelu(requantize(negative, outputs, blob)?),
        description::Activation::Table(table) => {
            let table = table.resolve(blob, 256)?;
            Activation::Table(table.try_into().map_err(|_| Fault::Shape)?)
        }
    })
}

fn check_latent(latent: Latent, outputs: usize) -> Result<(), Fault> {
    let len = latent.len as usize;
    ensure(len > 0 && len <= MAX_LATENT && len == outputs, Fault::Shape)?;
    ensure(is_scale(latent.scale), Fault::Scale)
}

fn head<'a>(rest: &mut Rest<'a>, latent: Latent, blob: &'a [u8]) -> Result<(Head<'a>, u16), LoadError> {
    let dims = latent.len as usize;
    // The variants of `description::Head` by number: decoding the enum itself would take the largest one's stack.
    match rest.next::<u32>()? {
        0 => {
            let m: description::Mixture = rest.next()?;
            Ok((Head::Mixture(mixture(&m, dims, blob).map_err(LoadError::Head)?), m.n_clusters))
        }
        1 => {
            let s: description::Softmax = rest.next()?;
            Ok((Head::Softmax(softmax(&s, dims, blob).map_err(LoadError::Head)?), s.n_classes))
        }
        2 => Err(LoadError::Head(Fault::Unsupported)),
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

fn calibration<'a>(calibration: &description::Calibration, blob: &'a [u8]) -> Result<Calibration<'a>, Fault> {
    match calibration {
        description::Calibration::None => Ok(Calibration::None),
        description::Calibration::Marginal(table) => {
            let len = table.len as usize;
            ensure(len > 0, Fault::Shape)?;
            let log_densities = table.log_densities.resolve(blob, len)?;
            let levels = table.levels.resolve(blob, len)?;
            ensure(ascends(log_densities) && ascends(levels), Fault::Order)?;
            Ok(Calibration::Marginal { log_densities, levels })
        }
    }
}

/// `slice::is_sorted` is written with indices, whose check the compiler keeps: a panic that could be reached.
fn ascends<T: PartialOrd>(values: &[T]) -> bool {
    values.iter().zip(values.iter().skip(1)).all(|(a, b)| a <= b)
}
