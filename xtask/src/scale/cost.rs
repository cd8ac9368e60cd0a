//! What is measured.

/// Seconds and greatest memory of a program, in MiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) memory: f64,
}

/// What training and assigning cost at a point of an axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: usize,
    pub(super) train: Cost,
    pub(super) assign: Cost,
}
