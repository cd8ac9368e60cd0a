//! The head of autoencoders: every pair's layers in the same schemes, penalties as tables.

use edgemix_format::description::{Autoencoders as Encoded, Head};
use edgemix_format::write::Blob;

use super::QuantizeError;
use super::calibrate::Around;
use super::fixed::Affine;
use super::heads::SCORE_BITS;
use super::layers::{self, Last};
use crate::trained::{Autoencoders, LOG_VARIANCES};

/// Describes autoencoders that take samples in the scheme `first`.
pub(super) fn describe(
    autoencoders: &Autoencoders,
    (encoders, decoders): &(Vec<Around>, Vec<Around>),
    first: Affine,
    blob: &mut Blob,
) -> Result<Head, QuantizeError> {
    let mut described = None;
    let mut places = vec![];
    for pair in &autoencoders.pairs {
        places.push(blob.len().next_multiple_of(edgemix_format::BLOB_ALIGNMENT));
        let (encoder, latent) = layers::network(&pair.encoder, encoders, first, Last::Int8(None), blob)?;
        let (decoder, _) = layers::network(&pair.decoder, decoders, latent, Last::Int8(Some(first)), blob)?;
        described.get_or_insert((encoder, decoder, latent));
    }
    let Some((encoder, decoder, latent)) = described else { return Err(QuantizeError::NotFinite { what: "K" }) };
    let unit = 2f64.powi(SCORE_BITS);
    let n_inputs = autoencoders.n_inputs();
    let normalisation = 0.5 * n_inputs as f64 * (autoencoders.precision / std::f64::consts::TAU).ln();
    let constants = autoencoders.log_weights.iter().map(|weight| ((weight + normalisation) * unit).round() as i32);
    let constants: Vec<i32> = constants.collect();
    let error = 0.5 * autoencoders.precision * first.scale * first.scale * unit;
    let k = autoencoders.pairs.len();
    let table = |cost: &dyn Fn(f64) -> f64, blob: &mut Blob| {
        let costs = (-128..=127).map(|q| (cost(latent.dequantize(q)) * unit).round() as i32);
        blob.push(&if autoencoders.variational { costs.collect::<Vec<i32>>() } else { vec![] })
    };
    let of_variance = |l: f64| {
        let l = l.clamp(LOG_VARIANCES.0.into(), LOG_VARIANCES.1.into());
        0.5 * (l.exp() - l - 1.0)
    };
    Ok(Head::Autoencoders(Encoded {
        n_members: k as u16,
        latent: autoencoders.n_dims() as u16,
        stride: places.get(1).map_or(0, |second| second - places[0]) as u32,
        encoder,
        decoder,
        constants: blob.push(&constants),
        error: layers::requantize(std::iter::repeat_n(error, k), blob),
        mean_penalty: table(&|m| 0.5 * m * m, blob),
        variance_penalty: table(&of_variance, blob),
    }))
}
