//! Heads of autoencoders: the layers of every pair in the same schemes, and penalties as tables.

use edgemix_format::description::AutoencodersRecord;
use edgemix_format::write::Blob;

use super::{SCORE_BITS, ensure_finite};
use crate::quantize::calibrate::AutoencoderRanges;
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::quantize::layers::context::OutputScheme;
use crate::quantize::layers::requantize::requantize;
use crate::quantize::network;
use crate::trained::{Autoencoders, LOG_VARIANCES};

/// Quantises autoencoders that take samples in the scheme `sample`.
pub(in crate::quantize) fn quantize(
    autoencoders: &Autoencoders,
    ranges: &AutoencoderRanges,
    sample: Affine,
    blob: &mut Blob,
) -> Result<AutoencodersRecord, QuantizeError> {
    ensure_finite("the precision", std::iter::once(autoencoders.precision))?;
    ensure_finite("a weight", autoencoders.log_weights.iter().copied())?;
    let mut first_pair = None;
    let mut places = vec![];
    for pair in &autoencoders.pairs {
        places.push(blob.len().next_multiple_of(edgemix_format::BLOB_ALIGNMENT));
        let (encoder, latent) =
            network::quantize(&pair.encoder, &ranges.encoder, sample, OutputScheme::BestInt8, blob)?;
        let (decoder, _) = network::quantize(&pair.decoder, &ranges.decoder, latent, OutputScheme::Int8(sample), blob)?;
        first_pair.get_or_insert((encoder, decoder, latent));
    }
    let Some((encoder, decoder, latent)) = first_pair else { return Err(QuantizeError::NoAutoencoders) };
    let unit = 2f64.powi(SCORE_BITS);
    let n_inputs = autoencoders.n_inputs();
    let normalisation = 0.5 * n_inputs as f64 * (autoencoders.precision / std::f64::consts::TAU).ln();
    let constants = autoencoders.log_weights.iter().map(|weight| ((weight + normalisation) * unit).round() as i32);
    let constants: Vec<i32> = constants.collect();
    let error = 0.5 * autoencoders.precision * sample.scale * sample.scale * unit;
    let k = autoencoders.pairs.len();
    let table = |penalty: &dyn Fn(f64) -> f64, blob: &mut Blob| {
        let penalties = (-128..=127).map(|q| (penalty(latent.dequantize(q)) * unit).round() as i32);
        blob.push(&if autoencoders.variational { penalties.collect::<Vec<i32>>() } else { vec![] })
    };
    let variance_penalty = |l: f64| {
        let l = l.clamp(LOG_VARIANCES.0.into(), LOG_VARIANCES.1.into());
        0.5 * (l.exp() - l - 1.0)
    };
    Ok(AutoencodersRecord {
        n_members: k as u16,
        latent: autoencoders.n_dims() as u16,
        stride: places.get(1).map_or(0, |second| second - places[0]) as u32,
        encoder,
        decoder,
        constants: blob.push(&constants),
        error: requantize(std::iter::repeat_n(error, k), blob),
        mean_penalty: table(&|m| 0.5 * m * m, blob),
        variance_penalty: table(&variance_penalty, blob),
    })
}
