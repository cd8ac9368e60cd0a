//! The RAM that inference works in.

/// The RAM of one inference: `N` bytes, aligned to 16, where `N` is at least [`arena_len`](crate::arena_len).
///
/// A workspace keeps nothing from one sample to the next, so that several models can share the longest one.
///
/// ```
/// use edgemix_runtime::{Model, Workspace, arena_len};
///
/// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// let model = Model::from_bytes(MODEL).unwrap();
/// let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
/// assert_eq!(size_of_val(&workspace), model.arena_len());
/// assert!(model.assign_raw(&[0u8; 64], &mut workspace).is_ok());
/// ```
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Workspace<const N: usize>([u8; N]);

impl<const N: usize> Workspace<N> {
    /// Creates a workspace, in a `static` if need be.
    ///
    /// ```
    /// use edgemix_runtime::Workspace;
    ///
    /// static mut _WORKSPACE: Workspace<640> = Workspace::new();
    /// ```
    pub const fn new() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Default for Workspace<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> AsMut<[u8]> for Workspace<N> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
