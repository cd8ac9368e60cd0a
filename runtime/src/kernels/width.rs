//! How wide a quantised value is.

/// The width of a quantised value, to which it saturates.
///
/// ```
/// use edgemix_runtime::kernels::Width;
///
/// assert_eq!((Width::Narrow.range(), Width::Wide.range()), ((-128, 127), (-32768, 32767)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// int8, for the inputs of every layer.
    Narrow,
    /// int16, for the latent.
    Wide,
}

impl Width {
    /// The smallest and the largest value.
    pub const fn range(self) -> (i64, i64) {
        match self {
            Self::Narrow => (i8::MIN as i64, i8::MAX as i64),
            Self::Wide => (i16::MIN as i64, i16::MAX as i64),
        }
    }
}
