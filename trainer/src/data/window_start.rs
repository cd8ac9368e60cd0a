//! Where windows begin.

/// Where a window begins in the recording that it was cut from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowStart {
    /// The row, counted from 0.
    pub row: usize,
    /// The row's time, if the recording has a column of times.
    pub time: Option<f64>,
}
