//! The arena: how many bytes of RAM one inference needs, exactly.
//!
//! Activations lie in the arena as int16, also those that are int8 values: kernels read them without widening them
//! first, and the latent needs the width anyway. Each stage reads from one end of the arena and writes to the other,
//! so the arena is as long as the largest sum of two neighbours.

/// Bytes of RAM for a network with these lengths, in elements: the sample, then each layer's output, the last of which
/// is the latent; and a head with `n_components` 32-bit scores. A multiple of 4; `None` if it does not fit `usize`.
///
/// ```
/// // 64 -> 256 -> 10, then 12 components: the first layer's two ends are the largest.
/// assert_eq!(edgemix_format::plan::arena_len([64, 256, 10], 12), Some(2 * (64 + 256)));
/// ```
pub fn arena_len(lengths: impl IntoIterator<Item = usize>, n_components: usize) -> Option<usize> {
    let mut most = 0;
    let mut previous = 0usize;
    for length in lengths {
        most = previous.checked_add(length)?.max(most);
        previous = length;
    }
    let scores = n_components.checked_mul(2)?;
    let latent = previous.checked_next_multiple_of(2)?;
    most.max(latent.checked_add(scores)?).checked_next_multiple_of(2)?.checked_mul(2)
}
