//! Decoding a description part by part, as postcard encodes it.
//!
//! The decoders are written out rather than derived: derived ones take several times the code and the stack. Each part is
//! resolved before the next one is decoded, because a whole decoded description, with space for every layer that it may
//! have, takes thousands of bytes of stack.

use crate::error::Fault;
use crate::tensor::Tensor;

/// The bytes of a description that were not decoded yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Decodes the next part. Postcard puts nothing between the fields of a struct or before the number of a variant, so
    /// that parts can be decoded one by one.
    pub(crate) fn next<T: Decode<'a>>(&mut self) -> Result<T, Fault> {
        T::decode(&mut self.0).ok_or(Fault::Malformed)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value in a description.
pub(crate) trait Decode<'a>: Sized {
    /// Decodes the value at the beginning of `bytes` and moves `bytes` after it. `None` if the bytes do not hold one.
    fn decode(bytes: &mut &'a [u8]) -> Option<Self>;
}

impl<'a> Decode<'a> for u32 {
    #[inline(never)]
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (number, rest) = postcard::take_from_bytes(bytes).ok()?;
        *bytes = rest;
        Some(number)
    }
}

impl<'a> Decode<'a> for u64 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (number, rest) = postcard::take_from_bytes(bytes).ok()?;
        *bytes = rest;
        Some(number)
    }
}

impl<'a> Decode<'a> for u16 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        u32::decode(bytes)?.try_into().ok()
    }
}

impl<'a> Decode<'a> for f32 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        <[u8; 4]>::decode(bytes).map(f32::from_le_bytes)
    }
}

impl<'a> Decode<'a> for u8 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        <[u8; 1]>::decode(bytes).map(u8::from_le_bytes)
    }
}

impl<'a> Decode<'a> for i8 {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        <[u8; 1]>::decode(bytes).map(i8::from_le_bytes)
    }
}

/// An array is its elements.
impl<'a, const N: usize> Decode<'a> for [u8; N] {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (array, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*array)
    }
}

impl<'a, const N: usize> Decode<'a> for [u32; N] {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let mut array = [0; N];
        for number in &mut array {
            *number = Decode::decode(bytes)?;
        }
        Some(array)
    }
}

/// A text is its length, then its bytes.
impl<'a> Decode<'a> for &'a str {
    #[inline(never)]
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let length = u32::decode(bytes)? as usize;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        str::from_utf8(text).ok()
    }
}

impl<'a, T> Decode<'a> for Tensor<T> {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let [offset, len] = offset_and_len(bytes)?;
        Some(Self::at(offset, len))
    }
}

/// One function for the tensors of all element types.
#[inline(never)]
fn offset_and_len(bytes: &mut &[u8]) -> Option<[u32; 2]> {
    Decode::decode(bytes)
}

/// Decodes a struct as its fields, which must be listed in the order of their definition.
macro_rules! decode_fields {
    ($name:ident $(<$lifetime:lifetime>)?: $($field:ident),+ $(,)?) => {
        impl<'a> $crate::cursor::Decode<'a> for $name $(<$lifetime>)? {
            fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
                Some(Self { $($field: $crate::cursor::Decode::decode(bytes)?),+ })
            }
        }
    };
}
pub(crate) use decode_fields;
