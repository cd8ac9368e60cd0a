//! Windows of counts that come one instant or one block at a time.

use core::mem::MaybeUninit;

use edgemix_runtime::Windows;

use crate::status::{self, EDGEMIX_ERROR_NOT_READY, EDGEMIX_ERROR_NULL, Status};
use crate::storage;
use crate::structs::{Stream, Window};

impl Stream {
    pub(crate) fn windows(&mut self) -> Result<&mut Windows, Status> {
        storage::get_mut(&self.filled, &mut self.words).ok_or(EDGEMIX_ERROR_NOT_READY)
    }
}

/// Begins a stream.
pub(crate) fn init(
    stream: Option<&mut MaybeUninit<Stream>>,
    ring: Result<&mut [i16], Status>,
    channels: usize,
    step: usize,
) -> Result<(), Status> {
    let stream = storage::empty(stream.ok_or(EDGEMIX_ERROR_NULL)?);
    let ring = ring?;
    // The ring may come from memory that was never written.
    ring.fill(0);
    (stream.ring, stream.length) = (ring.as_mut_ptr(), ring.len());
    let windows = Windows::new(ring.len(), channels, step).map_err(status::of_stream)?;
    storage::put(&mut stream.filled, &mut stream.words, windows);
    Ok(())
}

/// Takes counts from a block, and writes a window if one is complete.
pub(crate) fn next(
    windows: &mut Windows,
    ring: &mut [i16],
    block: &mut &[i16],
    window: &mut MaybeUninit<Window>,
) -> bool {
    let Some(next) = windows.next_window(ring, block) else { return false };
    window.write(Window {
        older: next.older.as_ptr(),
        older_length: next.older.len(),
        newer: next.newer.as_ptr(),
        newer_length: next.newer.len(),
        start: next.start,
    });
    true
}
