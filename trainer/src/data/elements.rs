//! The element types of arrays in files, and how their bytes become f32.

use half::f16;

/// An element type with its byte order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements {
    pub(super) kind: &'static ElementType,
    /// Whether the most significant byte comes first.
    pub(super) is_big: bool,
}

/// An element type.
#[derive(Debug)]
pub(super) struct ElementType {
    /// Its name in numpy.
    pub(super) name: &'static str,
    /// Number of bytes of an element.
    pub(super) width: usize,
    pub(super) is_integer: bool,
    /// Whether f32 is too coarse for some of its values.
    pub(super) is_wide: bool,
    decode: fn(&[u8], bool, &mut Vec<f32>),
    decode_wide: fn(&[u8], bool, &mut Vec<f64>),
}

/// Appends what the bytes of whole elements stand for, in either order of bytes.
macro_rules! decoder {
    ($kind:ty, $convert:expr) => {
        |bytes, is_big, values| {
            let (elements, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
            if is_big {
                values.extend(elements.iter().map(|&bytes| $convert(<$kind>::from_be_bytes(bytes))));
            } else {
                values.extend(elements.iter().map(|&bytes| $convert(<$kind>::from_le_bytes(bytes))));
            }
        }
    };
}

macro_rules! element_types {
    ($($name:literal $kind:ty, $is_integer:literal, $is_wide:literal;)*) => {
        [$(ElementType {
            name: $name,
            width: size_of::<$kind>(),
            is_integer: $is_integer,
            is_wide: $is_wide,
            decode: decoder!($kind, |x: $kind| x as f32),
            decode_wide: decoder!($kind, |x: $kind| x as f64),
        }),*]
    };
}

/// numpy's `bool` is one byte, 0 or 1.
static TYPES: [ElementType; 11] = element_types! {
    "b1" u8, true, false;
    "u1" u8, true, false;
    "i1" i8, true, false;
    "u2" u16, true, false;
    "i2" i16, true, false;
    "u4" u32, true, true;
    "i4" i32, true, true;
    "u8" u64, true, true;
    "i8" i64, true, true;
    "f4" f32, false, false;
    "f8" f64, false, true;
};

static HALF: ElementType = ElementType {
    name: "f2",
    width: size_of::<f16>(),
    is_integer: false,
    is_wide: false,
    decode: decoder!(f16, f16::to_f32),
    decode_wide: decoder!(f16, f16::to_f64),
};

impl Elements {
    /// The type with this name in numpy, such as `<f4`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let kind =
            TYPES.iter().chain([&HALF]).find(|kind| name.trim_start_matches(['<', '>', '|', '=']) == kind.name)?;
        Some(Self { kind, is_big: name.starts_with('>') })
    }

    /// The elements of scratch files.
    pub(super) fn f32() -> Self {
        Self { kind: &TYPES[9], is_big: false }
    }

    /// Appends the numbers that the bytes of whole elements stand for, as f64.
    pub(super) fn decode_wide(self, bytes: &[u8], values: &mut Vec<f64>) {
        (self.kind.decode_wide)(bytes, self.is_big, values);
    }

    /// Appends the numbers that the bytes of whole elements stand for.
    pub(super) fn decode(self, bytes: &[u8], values: &mut Vec<f32>) {
        (self.kind.decode)(bytes, self.is_big, values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_files_hold_what_was_written() {
        assert_eq!(Elements::f32().kind.name, "f4");
        let mut values = vec![];
        Elements::f32().decode(&[-1.5f32, f32::MAX].map(f32::to_le_bytes).concat(), &mut values);
        assert_eq!(values, [-1.5, f32::MAX]);
    }

    #[test]
    fn both_orders_of_bytes_are_read() {
        for (name, expected) in [("<i2", -2.0), (">i2", -257.0)] {
            let mut values = vec![];
            Elements::named(name).unwrap().decode(&[0xfe, 0xff], &mut values);
            assert_eq!(values, [expected], "{name}");
        }
        assert!(Elements::named("<c8").is_none() && Elements::named("<f16").is_none());
    }
}
