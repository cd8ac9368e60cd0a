//! Heads of autoencoders: one architecture, whose layers stay encoded in the file and are decoded as they run. The tensors
//! of a pair lie a multiple of the stride after those of the first pair.

use serde::{Deserialize, Serialize};

use super::layer::{self, Layer, LayerRecords};
use super::requantize::{Requantize, RequantizeRecord};
use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::limits::{BLOB_ALIGNMENT, MAX_LATENT, MAX_LAYERS};
use crate::plan;
use crate::tensor::Tensor;

/// It keeps the product of a sum of squared differences within 64 bits.
const MAX_ERROR_SHIFT: u8 = 56;
/// A layer is decoded each time it runs, which takes about as long as this many multiply-accumulates.
const DECODING_MACS: u64 = 256;

/// K encoder-decoder pairs of one architecture, as the description encodes them. They take the sample, which is int8 here:
/// the model's own encoder has no layers.
///
/// A pair's encoder gives `latent` means and, with a `variance_penalty`, as many log variances after them; its decoder
/// takes the means and gives the sample back, in the input's steps. With `e` the sum of squared differences between sample
/// and reconstruction, the score in units of 2^-16 nat is `constant - floor(e * multiplier / 2^shift + 1/2) -
/// sum_d mean_penalty[mean_d + 128] - sum_d variance_penalty[variance_d + 128]`.
///
/// The layers are those of pair 0; the tensors of pair `i` lie `i * stride` bytes further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoencodersRecord {
    /// K, at least 1. Pairs are the clusters.
    pub n_members: u16,
    /// Number of means.
    pub latent: u16,
    /// Bytes between the tensors of one pair and those of the next: a multiple of [`BLOB_ALIGNMENT`] and, where there are
    /// several pairs, no less than the bytes of one pair's tensors.
    pub stride: u32,
    /// From the sample to means and log variances, all int8.
    pub encoder: LayerRecords,
    /// From the means to the sample, int8 in the scheme of the first layer's input.
    pub decoder: LayerRecords,
    /// K: log weights plus the Gaussian's normalisation, in units of 2^-16 nat.
    pub constants: Tensor<i32>,
    /// K: from squared steps to units of 2^-16 nat. Shifts are at most 56.
    pub error: RequantizeRecord,
    /// The cost of each step of a mean, 256 entries in units of 2^-16 nat; empty if means cost nothing.
    pub mean_penalty: Tensor<i32>,
    /// The cost of each step of a log variance; empty if the encoders give no log variances.
    pub variance_penalty: Tensor<i32>,
}

/// `constants.len()` encoder-decoder pairs of one architecture over the sample.
///
/// ```
/// use edgemix_format::testing::{HeadSpec, Spec};
/// use edgemix_format::view::{File, Head, PairLayers};
///
/// let head = HeadSpec::Autoencoders { latent: 2, is_variational: true };
/// let bytes = Spec { layers: vec![], head, ..Spec::default() }.build().unwrap();
/// let Head::Autoencoders(pairs) = File::from_bytes(&bytes).unwrap().head else { panic!("another head") };
/// // 6 -> 7 -> 2 means and 2 log variances, 2 -> 7 -> 6.
/// let outputs = |layers: PairLayers| layers.map(|layer| layer.outputs()).collect::<Vec<usize>>();
/// assert_eq!((outputs(pairs.encoder(4)), outputs(pairs.decoder(4))), (vec![7, 4], vec![7, 6]));
/// assert!(pairs.encoder(5).next().is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Autoencoders<'a> {
    /// Elements of the sample, which every decoder gives back.
    pub inputs: usize,
    /// Number of means, which an encoder gives first and its decoder takes.
    pub latent: usize,
    /// One per pair.
    pub constants: &'a [i32],
    /// One entry per pair, shifts at most 56: from squared steps to units of 2^-16 nat.
    pub error: Requantize<'a>,
    /// The cost of each step of a mean, from -128 on.
    pub mean_penalty: Option<&'a [i32; 256]>,
    /// The cost of each step of a log variance; encoders then give as many log variances as means.
    pub variance_penalty: Option<&'a [i32; 256]>,
    encoder: Network<'a>,
    decoder: Network<'a>,
    blob: &'a [u8],
    stride: usize,
}

/// A network's encoded layers, and the elements of 16 bits that they need.
#[derive(Clone, Copy, Debug)]
struct Network<'a> {
    layers: Cursor<'a>,
    n_layers: u8,
    inputs: usize,
    memory: usize,
}

impl<'a> Autoencoders<'a> {
    /// The layers from the sample to a pair's means and log variances, all int8; none if there is no such pair.
    pub fn encoder(&self, pair: usize) -> PairLayers<'a> {
        self.layers(&self.encoder, pair)
    }

    /// The layers from a pair's means back to the sample, all int8; none if there is no such pair.
    pub fn decoder(&self, pair: usize) -> PairLayers<'a> {
        self.layers(&self.decoder, pair)
    }

    /// Elements of 16 bits of scratch memory, an even number: one pair's networks run in it.
    pub(crate) fn scratch(&self) -> usize {
        self.encoder.memory.max(self.decoder.memory).next_multiple_of(2)
    }

    /// The layers of all pairs, and the squares of the differences between sample and reconstructions.
    pub(crate) fn macs(&self) -> u64 {
        let layers: u64 = self.pair().map(|layer| DECODING_MACS + layer.macs()).sum();
        self.constants.len() as u64 * (self.inputs as u64 + layers)
    }

    /// Bytes in the blob.
    pub(crate) fn flash(&self) -> usize {
        let tables = self.mean_penalty.map_or(0, size_of_val) + self.variance_penalty.map_or(0, size_of_val);
        let scores = size_of_val(self.constants) + self.error.flash();
        self.constants.len() * self.pair().map(flash_of).sum::<usize>() + scores + tables
    }

    /// The layers of the first pair.
    fn pair(&self) -> impl Iterator<Item = Layer<'a>> {
        self.encoder(0).chain(self.decoder(0))
    }

    fn layers(&self, network: &Network<'a>, pair: usize) -> PairLayers<'a> {
        let n_left = if pair < self.constants.len() { network.n_layers } else { 0 };
        let blob = self.blob_of(pair);
        PairLayers { cursor: network.layers, n_left, length: network.inputs, blob, fault: None }
    }

    /// The blob as a pair's tensors see it. A pair beyond the blob has no bytes in which its layers could lie.
    fn blob_of(&self, pair: usize) -> &'a [u8] {
        let start = pair.checked_mul(self.stride);
        start.and_then(|start| self.blob.get(start..)).unwrap_or_default()
    }

    /// Checks the tensors of the pairs after the first, whose layers were checked. Pairs do not overlap, so that this takes
    /// no longer than the blob is long; a layer without tensors, of which a pair may have many, is the same in each pair.
    fn check_others(&self, network: &Network<'a>) -> Result<(), Fault> {
        let mut first = self.layers(network, 0);
        loop {
            let before = first.clone();
            let Some(layer) = first.next() else { return Ok(()) };
            if flash_of(layer) == 0 {
                continue;
            }
            for pair in 1..self.constants.len() {
                let mut other = PairLayers { blob: self.blob_of(pair), ..before.clone() };
                match other.next() {
                    Some(layer) => layer.verify()?,
                    None => return Err(other.fault.unwrap_or(Fault::Malformed)),
                }
            }
        }
    }
}

/// Bytes in the blob.
fn flash_of(layer: Layer) -> usize {
    let (weights, other) = layer.flash();
    weights.saturating_add(other)
}

/// The layers of one network of a pair, decoded one by one.
#[derive(Clone, Debug)]
pub struct PairLayers<'a> {
    cursor: Cursor<'a>,
    n_left: u8,
    length: usize,
    blob: &'a [u8],
    fault: Option<Fault>,
}

impl<'a> Iterator for PairLayers<'a> {
    type Item = Layer<'a>;

    #[inline(never)]
    fn next(&mut self) -> Option<Layer<'a>> {
        self.n_left = self.n_left.checked_sub(1)?;
        match layer::decode(&mut self.cursor, self.length, false, self.blob) {
            Ok(layer) => {
                self.length = layer.outputs();
                Some(layer)
            }
            // This happens only while a file is being checked.
            Err(fault) => {
                (self.n_left, self.fault) = (0, Some(fault));
                None
            }
        }
    }
}

impl PairLayers<'_> {
    /// Checks every layer and its tensors. Gives what is after the layers, the elements that they need, and the number
    /// of outputs of the last one.
    #[inline(never)]
    fn check(mut self) -> Result<(Self, usize, usize), Fault> {
        let mut verified = Ok(());
        let inputs = self.length;
        let memory = self.by_ref().map(|layer| {
            verified = verified.and(layer.verify());
            layer.memory()
        });
        let planned = plan::network(inputs, memory);
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        verified?;
        let (memory, outputs) = planned.ok_or(Fault::Size)?;
        Ok((self, memory, outputs))
    }
}

/// The fields after the layers.
struct Scoring {
    constants: Tensor<i32>,
    error: RequantizeRecord,
    mean_penalty: Tensor<i32>,
    variance_penalty: Tensor<i32>,
}

decode_fields!(Scoring: constants, error, mean_penalty, variance_penalty);

/// Decodes and checks the head of a model whose samples have `inputs` elements.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, inputs: usize, blob: &'a [u8]) -> Result<Autoencoders<'a>, Fault> {
    let [n_members, latent, stride] = cursor.next::<[u32; 3]>()?.map(|number| number as usize);
    ensure(n_members > 0 && n_members <= u16::MAX.into() && latent > 0 && latent <= MAX_LATENT, Fault::Size)?;
    ensure(stride.is_multiple_of(BLOB_ALIGNMENT), Fault::TensorAlignment)?;
    let (encoder, encoded) = network(cursor, inputs, blob)?;
    let (decoder, decoded) = network(cursor, latent, blob)?;
    let scoring: Scoring = cursor.next()?;
    let pairs = Autoencoders {
        inputs,
        latent,
        constants: scoring.constants.resolve(blob, n_members)?,
        error: scoring.error.resolve(n_members, blob)?,
        mean_penalty: penalty(&scoring.mean_penalty, blob)?,
        variance_penalty: penalty(&scoring.variance_penalty, blob)?,
        encoder,
        decoder,
        blob,
        stride,
    };
    let n_latent = if pairs.variance_penalty.is_some() { 2 * latent } else { latent };
    ensure(encoded == n_latent && decoded == inputs, Fault::Outputs)?;
    pairs.error.verify()?;
    ensure(pairs.error.shift.iter().all(|&s| s <= MAX_ERROR_SHIFT), Fault::Shift)?;
    if n_members > 1 {
        let flash = pairs.pair().map(flash_of).fold(0, usize::saturating_add);
        ensure(flash <= stride, Fault::Stride)?;
        pairs.check_others(&pairs.encoder)?;
        pairs.check_others(&pairs.decoder)?;
    }
    Ok(pairs)
}

/// Checks the first pair's network and moves the cursor after it. Gives its number of outputs, too.
fn network<'a>(cursor: &mut Cursor<'a>, inputs: usize, blob: &'a [u8]) -> Result<(Network<'a>, usize), Fault> {
    let n_layers: u32 = cursor.next()?;
    ensure((1..=MAX_LAYERS as u32).contains(&n_layers), Fault::LayerCount)?;
    let n_layers = n_layers as u8;
    let layers = PairLayers { cursor: *cursor, n_left: n_layers, length: inputs, blob, fault: None };
    let (after, memory, outputs) = layers.check()?;
    let network = Network { layers: *cursor, n_layers, inputs, memory };
    *cursor = after.cursor;
    Ok((network, outputs))
}

fn penalty<'a>(table: &Tensor<i32>, blob: &'a [u8]) -> Result<Option<&'a [i32; 256]>, Fault> {
    if table.len == 0 {
        return Ok(None);
    }
    table.resolve(blob, 256)?.try_into().map(Some).map_err(|_| Fault::TensorLength)
}
