//! The RAM that inference works in.

/// `N` bytes that one inference works in: as long as [`arena_len`](crate::arena_len) says, or longer.
///
/// A workspace holds nothing between two samples; several models can share the longest.
///
/// ```
/// use edgemix_runtime::Workspace;
///
/// static mut _WORKSPACE: Workspace<640> = Workspace::new();
/// assert_eq!(size_of::<Workspace<640>>(), 640);
/// ```
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Workspace<const N: usize>([u8; N]);

impl<const N: usize> Workspace<N> {
    /// A workspace, ready for use. See [`Workspace`] for an example.
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
