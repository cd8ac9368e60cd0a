//! How much memory the samples may take.

use std::str::FromStr;

use bytesize::ByteSize;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The limit in bytes up to which samples are held in memory. Larger samples are read from their file when needed.
///
/// ```
/// use edgemix::data::MemoryLimit;
///
/// assert_eq!("500 MB".parse(), Ok(MemoryLimit(500_000_000)));
/// assert!("much".parse::<MemoryLimit>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit(pub u64);

/// The limit if the memory of the machine is unknown.
const UNKNOWN: u64 = 1 << 30;

impl MemoryLimit {
    /// The limit in f32 values.
    pub(super) fn values(self) -> usize {
        usize::try_from(self.0 / size_of::<f32>() as u64).unwrap_or(usize::MAX)
    }
}

/// A quarter of the machine's memory, or of what the control group of the program allows.
impl Default for MemoryLimit {
    fn default() -> Self {
        let system =
            System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
        let all = system.cgroup_limits().map_or(system.total_memory(), |limits| limits.total_memory);
        Self(if all > 0 { all / 4 } else { UNKNOWN })
    }
}

/// Reads `2GB`, `500 MB`, `1GiB` or a number of bytes.
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
