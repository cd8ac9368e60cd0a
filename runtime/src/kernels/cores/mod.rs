//! Which kernels each core has. `chosen` is that of the core that this is built for: what it doesn't name is as in [`common`].
//! `build.rs` says which target is which core.

#[cfg(edgemix_core = "baseline")]
mod baseline;
#[cfg(edgemix_core = "dsp")]
mod dsp;
#[cfg(all(edgemix_core = "riscv", not(edgemix_small)))]
mod eight_rows;
#[cfg(edgemix_core = "dsp")]
mod few_taps;
#[cfg(all(edgemix_core = "baseline", not(edgemix_small)))]
mod five_rows;
#[cfg(any(edgemix_core = "baseline", all(edgemix_core = "riscv", edgemix_small)))]
mod four_rows;
#[cfg(edgemix_core = "mainline")]
mod mainline;
#[cfg(edgemix_has = "armv7m")]
mod mixture_arm;
#[cfg(edgemix_core = "mve")]
mod mve;
#[cfg(any(edgemix_core = "dsp", edgemix_core = "mainline"))]
mod outputs_arm;
#[cfg(all(edgemix_core = "host", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod outputs_host;
#[cfg(all(edgemix_core = "host", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod packed;
#[cfg(edgemix_core = "riscv")]
mod riscv;
#[cfg(all(edgemix_core = "host", target_arch = "aarch64"))]
mod sdot;
#[cfg(edgemix_core = "dsp")]
mod two_positions;
#[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
pub mod x86;

pub(super) use chosen::{convolution, dense};
pub(crate) use chosen::{diagonal, full};

/// The fewest outputs and inputs of a layer that the kernel of this core computes; smaller layers take longer for a
/// multiply-accumulate. Then the number of positions of a convolution that it computes at a time.
#[cfg(not(edgemix_core = "host"))]
pub const TILE: [usize; 3] = {
    use super::blocks::DenseKernel;
    [<chosen::Kernel as DenseKernel>::TILE, <chosen::Kernel as DenseKernel>::MIN_INPUTS, chosen::POSITIONS]
};

/// Runs a dense layer with a kernel that is written for the core.
#[cfg(not(edgemix_core = "host"))]
macro_rules! dense_with {
    ($kernel:ty) => {
        pub(crate) type Kernel = $kernel;

        pub(crate) fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
            blocks::dense::<Kernel>(layer, width, input, output);
        }
    };
}

/// What most cores have in common.
mod common {
    #![allow(unused_imports, dead_code)]
    pub(super) use edgemix_format::view::{Conv2d, Dense};

    pub(crate) use super::super::mixture::{diagonal, full};
    pub(super) use super::super::{Width, blocks, portable};

    /// The number of positions of a convolution that are computed at a time.
    pub(crate) const POSITIONS: usize = 1;

    /// Computes a convolution, and returns whether it did: others are dense layers at each position. `patch` has an element
    /// for each weight of a filter.
    pub(crate) fn convolution(_: &Conv2d, _: Width, _: &[i16], _: &mut [i16], _patch: &mut [i16]) -> bool {
        false
    }
}

/// Cortex-M4 and M7; M33, and M55 without MVE, with feature `dsp`.
#[cfg(edgemix_core = "dsp")]
mod chosen {
    use super::common::*;
    pub(crate) use super::mixture_arm::{diagonal, full};
    use super::{dsp, few_taps, two_positions};

    dense_with!(dsp::Dsp);
    pub(crate) const POSITIONS: usize = 2;

    pub(crate) fn convolution(
        layer: &Conv2d,
        width: Width,
        input: &[i16],
        output: &mut [i16],
        patch: &mut [i16],
    ) -> bool {
        few_taps::run(layer, width, input, output) || two_positions::run(layer, width, input, output, patch)
    }
}

/// Cortex-M55 with feature `mve`.
#[cfg(edgemix_core = "mve")]
mod chosen {
    pub(crate) use super::common::*;
    pub(crate) use super::mixture_arm::{diagonal, full};
    use super::mve;
    pub(crate) use mve::convolution;

    dense_with!(mve::Mve);
}

/// Cortex-M3, and M33 without the DSP extension.
#[cfg(edgemix_core = "mainline")]
mod chosen {
    pub(crate) use super::common::*;
    use super::mainline;
    pub(crate) use super::mixture_arm::{diagonal, full};

    dense_with!(mainline::Mainline);
}

/// Cortex-M0, M0+ and M23.
#[cfg(edgemix_core = "baseline")]
mod chosen {
    pub(crate) use super::common::*;

    #[cfg(not(edgemix_small))]
    dense_with!(super::five_rows::FiveRows);
    #[cfg(edgemix_small)]
    dense_with!(super::four_rows::FourRows);
}

/// 32-bit RISC-V with multiplication.
#[cfg(edgemix_core = "riscv")]
mod chosen {
    pub(crate) use super::common::*;

    #[cfg(not(edgemix_small))]
    dense_with!(super::eight_rows::EightRows);
    #[cfg(edgemix_small)]
    dense_with!(super::four_rows::FourRows);
}

/// RISC-V without multiplication.
#[cfg(edgemix_core = "scalar")]
mod chosen {
    use super::super::scalar;
    pub(crate) use super::common::*;

    dense_with!(scalar::Scalar);
}

/// x86-64 hosts, where the kernel is chosen when the program runs.
#[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
mod chosen {
    pub(crate) use super::common::*;
    pub(crate) use super::x86::dense;
}

/// 64-bit Arm hosts, where the kernel is chosen when the program runs.
#[cfg(all(edgemix_core = "host", target_arch = "aarch64"))]
mod chosen {
    pub(crate) use super::common::*;
    pub(crate) use super::sdot::dense;
}

/// Other hosts. Where vectors are always there, compilers make good code of the definition itself.
#[cfg(all(edgemix_core = "host", not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod chosen {
    pub(crate) use super::common::*;

    pub(crate) fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
        portable::dense(layer, width, input, output);
    }
}
