//! Inputs as bytes, for kernels that multiply bytes by bytes.

/// Puts the inputs as bytes into the first half of `x`.
pub(super) fn pack(x: &mut [i16]) {
    const AT_ONCE: usize = 64;
    let mut rest = x.len();
    let mut at = 0;
    while rest > 0 {
        let mut packed = [0u8; AT_ONCE];
        let n = rest.min(AT_ONCE);
        let Some(values) = x.get(at..at + n) else { return };
        packed.iter_mut().zip(values).for_each(|(byte, &x)| *byte = x as u8);
        // The bytes written lie before the inputs still to be read.
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(x);
        let (Some(to), Some(from)) = (bytes.get_mut(at..at + n), packed.get(..n)) else { return };
        to.copy_from_slice(from);
        (at, rest) = (at + n, rest - n);
    }
}

/// The bytes of [`pack`], as many as there were inputs.
pub(super) fn bytes(x: &[i16]) -> &[i8] {
    bytemuck::cast_slice::<i16, i8>(x).split_at(x.len()).0
}
