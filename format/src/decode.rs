//! Decoding a description part by part, from what postcard makes of it. Written out rather than derived: derived decoders
//! take several times the code and the stack. Numbers are still postcard's to decode.

use crate::Tensor;
use crate::description::{
    Activation, Affine, Covariance, Fingerprint, HeldOut, Input, Latent, Mixture, QuantileTable, Requantize, Softmax,
    WeightOrder,
};

/// Something that stands in a description.
pub(crate) trait Part<'a>: Sized {
    /// Decodes it from the beginning of `bytes`, which then begin behind it. `None` if it isn't there.
    fn decode(bytes: &mut &'a [u8]) -> Option<Self>;
}

impl<'a> Part<'a> for u32 {
    #[inline(never)]
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (number, rest) = postcard::take_from_bytes(bytes).ok()?;
        *bytes = rest;
        Some(number)
    }
}

impl<'a> Part<'a> for u64 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (number, rest) = postcard::take_from_bytes(bytes).ok()?;
        *bytes = rest;
        Some(number)
    }
}

impl<'a> Part<'a> for u16 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        u32::decode(bytes)?.try_into().ok()
    }
}

impl<'a> Part<'a> for f32 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        <[u8; 4]>::decode(bytes).map(f32::from_le_bytes)
    }
}

impl<'a> Part<'a> for u8 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        <[u8; 1]>::decode(bytes).map(u8::from_le_bytes)
    }
}

impl<'a> Part<'a> for i8 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        <[u8; 1]>::decode(bytes).map(i8::from_le_bytes)
    }
}

/// An array is its elements.
impl<'a, const N: usize> Part<'a> for [u8; N] {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (array, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*array)
    }
}

impl<'a, const N: usize> Part<'a> for [u32; N] {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let mut array = [0; N];
        for number in &mut array {
            *number = Part::decode(bytes)?;
        }
        Some(array)
    }
}

impl<'a, const N: usize> Part<'a> for [u16; N] {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let mut array = [0; N];
        for number in &mut array {
            *number = Part::decode(bytes)?;
        }
        Some(array)
    }
}

/// A text is its length, then its bytes.
impl<'a> Part<'a> for &'a str {
    #[inline(never)]
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let length = u32::decode(bytes)? as usize;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        str::from_utf8(text).ok()
    }
}

impl<'a, T> Part<'a> for Tensor<T> {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let [offset, len] = place(bytes)?;
        Some(Self::at(offset, len))
    }
}

/// Where a tensor lies, whatever its elements are.
#[inline(never)]
fn place(bytes: &mut &[u8]) -> Option<[u32; 2]> {
    Part::decode(bytes)
}

impl<'a, A: Part<'a>, B: Part<'a>> Part<'a> for (A, B) {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        Some((A::decode(bytes)?, B::decode(bytes)?))
    }
}

/// A struct is its fields in the order of their definition, which must be that of this list.
macro_rules! fields {
    ($name:ident $(<$lifetime:lifetime>)?: $($field:ident),+ $(,)?) => {
        impl<'a> $crate::decode::Part<'a> for $name $(<$lifetime>)? {
            fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
                Some(Self { $($field: $crate::decode::Part::decode(bytes)?),+ })
            }
        }
    };
}
pub(crate) use fields;

fields!(Fingerprint<'a>: data, config, seed, version);
fields!(Input: len, channels, gain, offset, count, center, multiplier, shift);
fields!(Affine: scale, zero_point);
fields!(Requantize: multiplier, shift);
fields!(Latent: len, scale);
fields!(Mixture: n_components, n_clusters, covariance, coefficients, offsets, shifts, constants, clusters);
fields!(Softmax: n_classes, coefficients, offsets, shifts);
fields!(QuantileTable: len, log_densities, levels);
fields!(HeldOut: n_tables, len, tables, ends, samples, thresholds, levels, margin_weight, inverse_temperature);

/// An enum is the number of its variant, then that variant's fields.
impl<'a> Part<'a> for Activation {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        Some(match u32::decode(bytes)? {
            0 => Self::Identity,
            1 => Self::Relu,
            2 => Self::LeakyRelu(Part::decode(bytes)?),
            3 => Self::Table(Part::decode(bytes)?),
            4 => Self::Interpolated(Part::decode(bytes)?),
            _ => return None,
        })
    }
}

impl<'a> Part<'a> for WeightOrder {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        (u32::decode(bytes)? == 0).then_some(Self::RowMajor)
    }
}

impl<'a> Part<'a> for Covariance {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        Some(match u32::decode(bytes)? {
            0 => Self::Spherical,
            1 => Self::Diagonal,
            2 => Self::Full,
            _ => return None,
        })
    }
}
