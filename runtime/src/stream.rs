//! Windows of counts that come one instant or one block at a time.

use core::fmt;

use crate::RawCount;

/// Collects counts in a ring of `N`, the length of a window, and gives a window every `step` instants. Nothing is copied but
/// the counts into the ring.
///
/// ```
/// use edgemix_runtime::{Model, Stream, Workspace};
///
/// # let bytes = edgemix_format::testing::Spec::default().build().unwrap();
/// # let counts = [[5i16, -3, 8], [6, -2, 7], [6, 0, 9], [4, 1, 9], [3, 1, 8], [2, 0, 8]];
/// // A model of windows of two instants with three channels: N is `input_len(MODEL)`.
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// let mut stream = Stream::<i16, 6>::new(3, 1).unwrap();
/// let mut n_windows = 0;
/// for instant in &counts {
///     // As much of the block as a window needs is taken from it.
///     let mut block = &instant[..];
///     while let Some(window) = stream.next_window(&mut block) {
///         let found = model.assign_window(&window, &mut workspace).unwrap();
///         assert!(usize::from(found.cluster) < model.n_clusters());
///         n_windows += 1;
///     }
/// }
/// // The first window is complete after two instants; there is one after each of the other four.
/// assert_eq!(n_windows, 5);
/// ```
#[derive(Clone, Debug)]
pub struct Stream<S, const N: usize> {
    ring: [S; N],
    windows: Windows,
}

/// A [`Stream`] without its ring, for programs that know the length of a window only when they run. The ring is memory of
/// the caller, and every call takes the same memory.
///
/// ```
/// use edgemix_runtime::Windows;
///
/// let mut ring = [0i16; 4];
/// let mut windows = Windows::new(4, 2, 1).unwrap();
/// let mut block = &[1, 2, 3, 4, 5, 6][..];
/// assert_eq!(windows.next_window(&mut ring, &mut block).unwrap().older, [1, 2, 3, 4]);
/// let window = windows.next_window(&mut ring, &mut block).unwrap();
/// assert_eq!((window.older, window.newer, window.start), (&[3, 4][..], &[5, 6][..], 1));
/// assert!(windows.next_window(&mut ring, &mut block).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Windows {
    /// Counts of a window.
    length: usize,
    channels: usize,
    /// Counts from one window to the next.
    step: usize,
    /// Where the next count goes.
    at: usize,
    /// Counts until the next window is complete.
    missing: usize,
    /// Instants before the next one, lost ones included.
    instants: u64,
    /// Counts of an instant that has begun.
    begun: usize,
}

/// A window in a ring: the counts of instant after instant, in two parts.
#[derive(Clone, Copy, Debug)]
pub struct Window<'s, S> {
    /// The first instants.
    pub older: &'s [S],
    /// The instants after them. Both parts have whole instants; this one may be empty.
    pub newer: &'s [S],
    /// The number of the first instant since the stream began. Lost instants count, so that the time of a window is its
    /// number times the period of sampling.
    pub start: u64,
}

/// Why there is no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StreamError {
    /// The window is empty, or the number of channels does not divide its length.
    Channels,
    /// There are no instants from one window to the next.
    Step,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Channels => "a window has at least one instant, and as many counts in each as there are channels",
            Self::Step => "a step has at least one instant",
        })
    }
}

impl core::error::Error for StreamError {}

impl<S: RawCount + Default, const N: usize> Stream<S, N> {
    /// A stream of instants of `channels` counts. Its first window is complete after `N / channels` instants, and each
    /// other one `step` instants after the one before.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn new(channels: usize, step: usize) -> Result<Self, StreamError> {
        Ok(Self { ring: [S::default(); N], windows: Windows::new(N, channels, step)? })
    }

    /// Takes counts from the beginning of `block` until a window is complete, and gives the window; takes all of them
    /// and gives none if they do not suffice. A block may begin and end within an instant.
    pub fn next_window(&mut self, block: &mut &[S]) -> Option<Window<'_, S>> {
        self.windows.next_window(&mut self.ring, block)
    }

    /// Says that `n_lost` instants were lost, for example because a sensor's memory overflowed, and that the next count is
    /// the first of an instant. No window reaches across the gap: the next one begins after it.
    ///
    /// ```
    /// use edgemix_runtime::Stream;
    ///
    /// let mut stream = Stream::<i16, 4>::new(1, 2).unwrap();
    /// assert!(stream.next_window(&mut &[1, 2, 3][..]).is_none());
    /// stream.gap(10);
    /// assert!(stream.next_window(&mut &[14, 15, 16][..]).is_none());
    /// let mut block = &[17, 18][..];
    /// let window = stream.next_window(&mut block).unwrap();
    /// assert_eq!((window.older, window.newer, window.start), (&[14, 15, 16, 17][..], &[][..], 13));
    /// assert_eq!(block, [18]);
    /// ```
    pub fn gap(&mut self, n_lost: u64) {
        self.windows.gap(n_lost);
    }

    /// Counts that are missing until the next window is complete.
    pub fn missing(&self) -> usize {
        self.windows.missing()
    }
}

impl Windows {
    /// Windows of `length` counts with `channels` in each instant. The first window is complete after `length / channels`
    /// instants, and each other one `step` instants after the one before.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn new(length: usize, channels: usize, step: usize) -> Result<Self, StreamError> {
        if length == 0 || length.checked_rem(channels) != Some(0) {
            return Err(StreamError::Channels);
        }
        let step = step.checked_mul(channels).filter(|&step| step > 0).ok_or(StreamError::Step)?;
        Ok(Self { length, channels, step, at: 0, missing: length, instants: 0, begun: 0 })
    }

    /// As [`Stream::next_window`]. A ring that is shorter than a window gives none.
    pub fn next_window<'r, S: RawCount>(&mut self, ring: &'r mut [S], block: &mut &[S]) -> Option<Window<'r, S>> {
        let ring = ring.get_mut(..self.length)?;
        while self.missing > 0 {
            let room = ring.get_mut(self.at..)?;
            let length = block.len().min(self.missing).min(room.len());
            let (taken, rest) = block.split_at_checked(length)?;
            if taken.is_empty() {
                return None;
            }
            room.iter_mut().zip(taken).for_each(|(place, &count)| *place = count);
            *block = rest;
            self.advance(length);
        }
        self.missing = self.step;
        let (newer, older) = ring.split_at_checked(self.at)?;
        let instants = (self.length as u64).checked_div(self.channels as u64)?;
        Some(Window { older, newer, start: self.instants.saturating_sub(instants) })
    }

    fn advance(&mut self, length: usize) {
        self.at = if self.at + length < self.length { self.at + length } else { 0 };
        self.missing -= length;
        let counts = self.begun + length;
        self.instants += counts.checked_div(self.channels).unwrap_or(0) as u64;
        self.begun = counts.checked_rem(self.channels).unwrap_or(0);
    }

    /// As [`Stream::gap`].
    pub fn gap(&mut self, n_lost: u64) {
        (self.at, self.missing, self.begun) = (0, self.length, 0);
        self.instants = self.instants.saturating_add(n_lost);
    }

    /// Counts that are missing until the next window is complete.
    pub fn missing(&self) -> usize {
        self.missing
    }
}
