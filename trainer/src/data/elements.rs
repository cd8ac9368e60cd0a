//! The types that numbers have in files, and how their bytes are read as f32.

/// An element type, in either order of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements {
    pub(super) kind: &'static Kind,
    /// Whether the most significant byte comes first.
    pub(super) is_big: bool,
}

/// An element type.
#[derive(Debug)]
pub(super) struct Kind {
    /// numpy's name of it.
    pub(super) name: &'static str,
    /// Bytes of an element.
    pub(super) width: usize,
    pub(super) is_integer: bool,
    decode: fn(&[u8], bool, &mut Vec<f32>),
}

macro_rules! kinds {
    ($($name:literal $kind:ty, $is_integer:literal;)*) => {
        [$(Kind {
            name: $name,
            width: size_of::<$kind>(),
            is_integer: $is_integer,
            decode: |bytes, is_big, values| {
                let (elements, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
                if is_big {
                    values.extend(elements.iter().map(|&bytes| <$kind>::from_be_bytes(bytes) as f32));
                } else {
                    values.extend(elements.iter().map(|&bytes| <$kind>::from_le_bytes(bytes) as f32));
                }
            },
        }),*]
    };
}

/// numpy's `bool` is one byte, 0 or 1.
static KINDS: [Kind; 11] = kinds! {
    "b1" u8, true;
    "u1" u8, true;
    "i1" i8, true;
    "u2" u16, true;
    "i2" i16, true;
    "u4" u32, true;
    "i4" i32, true;
    "u8" u64, true;
    "i8" i64, true;
    "f4" f32, false;
    "f8" f64, false;
};

impl Elements {
    /// The type that numpy calls so, as in `<f4`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let kind = KINDS.iter().find(|kind| name.trim_start_matches(['<', '>', '|', '=']) == kind.name)?;
        Some(Self { kind, is_big: name.starts_with('>') })
    }

    /// What a scratch file holds.
    pub(super) fn f32() -> Self {
        Self { kind: &KINDS[9], is_big: false }
    }

    /// Appends the numbers of whole elements.
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
        assert!(Elements::named("<c8").is_none() && Elements::named("<f2").is_none());
    }
}
