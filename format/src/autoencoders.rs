//! A head of autoencoders: one architecture, whose layers stay encoded in the file and are decoded as they run. A pair's
//! tensors are those of the first, found further on in the blob.

use crate::check::{Rest, check_requantize, ensure, layer, requantize, verify};
use crate::decode::fields;
use crate::description::{self, MAX_LAYERS};
use crate::view::{Layer, MAX_LATENT, Requantize};
use crate::{BLOB_ALIGNMENT, Fault, LoadError, Tensor, plan};

/// With it, the product of a sum of squared differences fits 64 bits.
const MAX_ERROR_SHIFT: u8 = 56;

/// `constants.len()` encoder-decoder pairs of one architecture over the sample.
///
/// ```
/// use edgemix_format::testing::{Kind, Spec};
/// use edgemix_format::view::{File, Head, PairLayers};
///
/// let head = Kind::Autoencoders { latent: 2, is_variational: true };
/// let bytes = Spec { layers: vec![], head, ..Spec::default() }.build().unwrap();
/// let Head::Autoencoders(pairs) = File::from_bytes(&bytes).unwrap().head else { panic!("another head") };
/// // 6 -> 7 -> 2 means and 2 log variances, 2 -> 7 -> 6.
/// let outputs = |layers: PairLayers| layers.map(|layer| layer.outputs()).collect::<Vec<usize>>();
/// assert_eq!((outputs(pairs.encoder(4)), outputs(pairs.decoder(4))), (vec![7, 4], vec![7, 6]));
/// assert_eq!((pairs.macs(), pairs.room()), (5 * (6 * 7 + 7 * 4 + 2 * 7 + 7 * 6), 14));
/// assert!(pairs.flash() > pairs.macs() && pairs.encoder(5).next().is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Autoencoders<'a> {
    /// Elements of the sample, which every decoder gives back.
    pub inputs: usize,
    /// Number of means that an encoder gives first, and its decoder takes.
    pub latent: usize,
    /// One per pair.
    pub constants: &'a [i32],
    /// One entry per pair, shifts at most 56: from squared steps to units of 2^-16 nat.
    pub error: Requantize<'a>,
    /// What each step of a mean costs, from -128 on.
    pub mean_penalty: Option<&'a [i32; 256]>,
    /// What each step of a log variance costs; encoders then give as many of those as means.
    pub variance_penalty: Option<&'a [i32; 256]>,
    encoder: Network<'a>,
    decoder: Network<'a>,
    blob: &'a [u8],
    stride: usize,
}

/// A network's layers as they are encoded, and what they ask of the arena.
#[derive(Clone, Copy, Debug)]
struct Network<'a> {
    layers: Rest<'a>,
    n_layers: u8,
    inputs: usize,
    room: usize,
}

impl<'a> Autoencoders<'a> {
    /// The layers from the sample to a pair's means and log variances, all int8; none where there is no such pair.
    /// See [`Autoencoders`] for an example.
    pub fn encoder(&self, pair: usize) -> PairLayers<'a> {
        self.layers(&self.encoder, pair)
    }

    /// The layers from a pair's means back to the sample, all int8. See [`Autoencoders`] for an example.
    pub fn decoder(&self, pair: usize) -> PairLayers<'a> {
        self.layers(&self.decoder, pair)
    }

    /// Elements of 16 bits that a pair works in: an even number. See [`Autoencoders`] for an example.
    pub fn room(&self) -> usize {
        self.encoder.room.max(self.decoder.room).next_multiple_of(2)
    }

    /// Multiply-accumulates of one inference. See [`Autoencoders`] for an example.
    pub fn macs(&self) -> usize {
        self.constants.len() * self.encoder(0).chain(self.decoder(0)).map(|layer| layer.macs()).sum::<usize>()
    }

    /// Bytes in the blob. See [`Autoencoders`] for an example.
    pub fn flash(&self) -> usize {
        let of_layer = |layer: Layer| {
            let (weights, other) = layer.flash();
            weights + other
        };
        let tables = self.mean_penalty.map_or(0, size_of_val) + self.variance_penalty.map_or(0, size_of_val);
        let scores = size_of_val(self.constants) + size_of_val(self.error.multiplier) + size_of_val(self.error.shift);
        self.constants.len() * self.encoder(0).chain(self.decoder(0)).map(of_layer).sum::<usize>() + scores + tables
    }

    fn layers(&self, network: &Network<'a>, pair: usize) -> PairLayers<'a> {
        let n_left = if pair < self.constants.len() { network.n_layers } else { 0 };
        let start = pair.checked_mul(self.stride);
        let blob = start.and_then(|start| self.blob.get(start..)).unwrap_or_default();
        PairLayers { rest: network.layers, n_left, length: network.inputs, blob, fault: None }
    }
}

/// The layers of one network of a pair, decoded one by one. See [`Autoencoders`] for an example.
#[derive(Clone, Debug)]
pub struct PairLayers<'a> {
    rest: Rest<'a>,
    n_left: u8,
    length: usize,
    blob: &'a [u8],
    fault: Option<LoadError>,
}

impl<'a> Iterator for PairLayers<'a> {
    type Item = Layer<'a>;

    #[inline(never)]
    fn next(&mut self) -> Option<Layer<'a>> {
        self.n_left = self.n_left.checked_sub(1)?;
        match layer(&mut self.rest, self.length, false, self.blob) {
            Ok(layer) => {
                self.length = layer.outputs();
                Some(layer)
            }
            // Only while a file is being checked.
            Err(refusal) => {
                (self.n_left, self.fault) = (0, Some(refusal.by(&self.rest, LoadError::Head)));
                None
            }
        }
    }
}

impl PairLayers<'_> {
    /// Checks every tensor; gives what the layers ask of the arena and how many elements the last one gives.
    #[inline(never)]
    fn check(mut self) -> Result<(Self, usize, usize), LoadError> {
        let mut fault = Ok(());
        let inputs = self.length;
        let rooms = self.by_ref().map(|layer| {
            fault = fault.and(verify(layer.rows()));
            layer.room()
        });
        let planned = plan::network(inputs, rooms);
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        fault.map_err(LoadError::Head)?;
        let (room, outputs) = planned.ok_or(LoadError::Head(Fault::Shape))?;
        Ok((self, room, outputs))
    }
}

/// The fields behind the layers.
struct Scoring {
    constants: Tensor<i32>,
    error: description::Requantize,
    mean_penalty: Tensor<i32>,
    variance_penalty: Tensor<i32>,
}

fields!(Scoring: constants, error, mean_penalty, variance_penalty);

/// Decodes and checks the head of a model whose samples have `inputs` elements.
pub(crate) fn check<'a>(rest: &mut Rest<'a>, inputs: usize, blob: &'a [u8]) -> Result<Autoencoders<'a>, LoadError> {
    let (n_members, latent): (u16, u16) = rest.next()?;
    let stride = rest.next::<u32>()? as usize;
    let (n_members, latent) = (usize::from(n_members), usize::from(latent));
    let fits = n_members > 0 && latent > 0 && latent <= MAX_LATENT && stride.is_multiple_of(BLOB_ALIGNMENT);
    ensure(fits, LoadError::Head(Fault::Shape))?;
    let (encoder, encoded) = network(rest, inputs, blob)?;
    let (decoder, decoded) = network(rest, latent, blob)?;
    let scoring: Scoring = rest.next()?;
    let head = |fault| LoadError::Head(fault);
    let pairs = Autoencoders {
        inputs,
        latent,
        constants: scoring.constants.resolve(blob, n_members).map_err(head)?,
        error: requantize(&scoring.error, n_members, blob).map_err(head)?,
        mean_penalty: penalty(&scoring.mean_penalty, blob).map_err(head)?,
        variance_penalty: penalty(&scoring.variance_penalty, blob).map_err(head)?,
        encoder,
        decoder,
        blob,
        stride,
    };
    let n_latent = if pairs.variance_penalty.is_some() { 2 * latent } else { latent };
    ensure(encoded == n_latent && decoded == inputs, head(Fault::Shape))?;
    check_requantize(&pairs.error).map_err(head)?;
    ensure(pairs.error.shift.iter().all(|&s| s <= MAX_ERROR_SHIFT), head(Fault::Requantisation))?;
    for pair in 1..n_members {
        // A pair beyond the blob has nowhere its layers could lie.
        pairs.encoder(pair).check()?;
        pairs.decoder(pair).check()?;
    }
    Ok(pairs)
}

/// Checks the first pair's network, and passes over it; gives its number of outputs too.
fn network<'a>(rest: &mut Rest<'a>, inputs: usize, blob: &'a [u8]) -> Result<(Network<'a>, usize), LoadError> {
    let n_layers: u32 = rest.next()?;
    ensure(n_layers <= MAX_LAYERS as u32, rest.refused())?;
    ensure(n_layers > 0, LoadError::Head(Fault::Shape))?;
    let n_layers = n_layers as u8;
    let layers = PairLayers { rest: *rest, n_left: n_layers, length: inputs, blob, fault: None };
    let (after, room, outputs) = layers.check()?;
    let network = Network { layers: *rest, n_layers, inputs, room };
    *rest = after.rest;
    Ok((network, outputs))
}

fn penalty<'a>(table: &Tensor<i32>, blob: &'a [u8]) -> Result<Option<&'a [i32; 256]>, Fault> {
    if table.len == 0 {
        return Ok(None);
    }
    table.resolve(blob, 256)?.try_into().map(Some).map_err(|_| Fault::Shape)
}
