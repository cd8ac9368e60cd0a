//! How much memory samples may take.

use std::str::FromStr;

use bytesize::ByteSize;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The most bytes of samples that are held in memory; what has more is read from files again and again.
///
/// ```
/// use edgemix::data::MemoryLimit;
///
/// assert_eq!("500 MB".parse(), Ok(MemoryLimit(500_000_000)));
/// assert!("much".parse::<MemoryLimit>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit(pub u64);

/// Where nothing is known of the machine.
const UNKNOWN: u64 = 1 << 30;

impl MemoryLimit {
    /// So many f32.
    pub(super) fn values(self) -> usize {
        usize::try_from(self.0 / size_of::<f32>() as u64).unwrap_or(usize::MAX)
    }
}

/// A quarter of what the machine has, or of what the program's control group allows.
impl Default for MemoryLimit {
    fn default() -> Self {
        let system =
            System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
        let all = system.cgroup_limits().map_or(system.total_memory(), |limits| limits.total_memory);
        Self(if all > 0 { all / 4 } else { UNKNOWN })
    }
}

/// `2GB`, `500 MB`, `1GiB`, or bytes.
impl FromStr for MemoryLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<ByteSize>()
            .map(|size| Self(size.as_u64()))
            .map_err(|_| "expected bytes, as in 500MB or 2GB".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [("2GB", 2_000_000_000), ("500 MB", 500_000_000), ("1GiB", 1 << 30), ("4096", 4096)] {
            assert_eq!(text.parse(), Ok(MemoryLimit(bytes)), "{text}");
        }
        assert!("much".parse::<MemoryLimit>().is_err() && "-1".parse::<MemoryLimit>().is_err());
        assert!(MemoryLimit::default().0 > 1 << 20);
    }
}
