//! Sets of instructions for batches, and what a row of values looks like for each.

use super::super::Width;

/// Number of outputs whose weights lie together.
pub(super) const GROUP: usize = 16;
/// Number of groups that are computed together.
pub(super) const PANEL: usize = 4;

/// Instructions for batches that this machine has.
///
/// ```
/// use edgemix_runtime::kernels::batch::Instructions;
///
/// for instructions in Instructions::available() {
///     let mut row = vec![0; 3 * instructions.element()];
///     instructions.write(&[-128, 0, 127], &mut row);
///     assert!(instructions.read(&row).eq([-128, 0, 127]));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions(pub(super) Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    #[cfg(target_arch = "x86_64")]
    Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Instructions {
    /// The sets of instructions that this machine has, the fastest first. None on machines other than x86-64.
    #[cfg(target_arch = "x86_64")]
    pub fn available() -> impl Iterator<Item = Self> {
        let vnni = super::super::x86::has_vnni().then_some(Self(Set::Vnni));
        let avx2 = super::super::x86::has_avx2().then_some(Self(Set::Avx2));
        [vnni, avx2].into_iter().flatten()
    }

    /// The sets of instructions that this machine has, the fastest first. None on machines other than x86-64.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn available() -> impl Iterator<Item = Self> {
        core::iter::empty()
    }

    /// Bytes of an element of a row.
    pub fn element(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Vnni => 1,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => 2,
        }
    }

    /// Puts int8 values into a row.
    pub fn write(self, values: &[i16], row: &mut [u8]) {
        match self.element() {
            1 => row.iter_mut().zip(values).for_each(|(byte, &x)| *byte = x as u8 ^ 0x80),
            _ => row.as_chunks_mut().0.iter_mut().zip(values).for_each(|(pair, &x)| *pair = x.to_ne_bytes()),
        }
    }

    /// The values of a row.
    pub fn read(self, row: &[u8]) -> impl Iterator<Item = i16> {
        let bytes = if self.element() == 1 { row } else { &[] };
        let pairs = if self.element() == 1 { &[] } else { row.as_chunks().0 };
        let narrow = bytes.iter().map(|&byte| i16::from((byte ^ 0x80) as i8));
        narrow.chain(pairs.iter().map(|&pair| i16::from_ne_bytes(pair)))
    }

    /// Number of elements of a word.
    pub(super) fn elements_of_a_word(self) -> usize {
        size_of::<i32>() / self.element()
    }

    /// Whether the sums of outputs that become bytes can be shifted left first.
    pub(super) fn shifts_bytes_left(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Vnni => false,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => true,
        }
    }

    /// The output of an element of a group, in the order in which packing the sums to narrower integers leaves them sorted.
    pub(super) fn output(self, group: usize, element: usize, n_groups: usize, width: Width) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Vnni => {
                let (panel, within) = (group / PANEL, group % PANEL);
                if width == Width::Narrow && (panel + 1) * PANEL <= n_groups {
                    panel * PANEL * GROUP + 16 * (element / 4) + 4 * within + element % 4
                } else {
                    group * GROUP + element
                }
            }
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => group * GROUP + 8 * (element % 8 / 4) + 4 * (element / 8) + element % 4,
        }
    }
}
