//! A request to stop, which long work looks at between its steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop. Its clones are the same request, so that another thread can make it.
///
/// ```
/// use edgemix::stop::StopFlag;
///
/// let flag = StopFlag::default();
/// flag.clone().raise();
/// assert!(flag.is_raised());
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks whoever looks at the flag to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody asked.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
