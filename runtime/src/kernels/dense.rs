//! The dense kernel of the core that this is built for.

use edgemix_format::view::Dense;

use super::Width;
#[cfg(not(edgemix_core = "host"))]
use super::blocks;
#[cfg(edgemix_core = "dsp")]
use super::dsp;
#[cfg(any(edgemix_core = "baseline", edgemix_core = "riscv"))]
use super::four_rows;
#[cfg(edgemix_core = "mainline")]
use super::mainline;
#[cfg(all(edgemix_core = "host", not(target_arch = "x86_64")))]
use super::portable;
#[cfg(edgemix_core = "scalar")]
use super::scalar;
#[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
use super::x86;

/// The fewest outputs and inputs of a layer that the kernel of this core computes; smaller layers take longer for a
/// multiply-accumulate. Then the number of positions of a convolution that it computes at a time.
#[cfg(not(edgemix_core = "host"))]
pub const TILE: [usize; 3] =
    [<Kernel as blocks::DenseKernel>::TILE, <Kernel as blocks::DenseKernel>::MIN_INPUTS, POSITIONS];
#[cfg(not(edgemix_core = "host"))]
const POSITIONS: usize = if cfg!(edgemix_core = "dsp") { 2 } else { 1 };

#[cfg(edgemix_core = "dsp")]
type Kernel = dsp::Dsp;
#[cfg(edgemix_core = "mainline")]
type Kernel = mainline::Mainline;
#[cfg(any(edgemix_core = "baseline", edgemix_core = "riscv"))]
type Kernel = four_rows::FourRows;
#[cfg(edgemix_core = "scalar")]
type Kernel = scalar::Scalar;

/// The fastest dense kernel of the core that this is built for.
pub(super) fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    #[cfg(not(edgemix_core = "host"))]
    blocks::dense::<Kernel>(layer, width, input, output);
    #[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
    x86::dense(layer, width, input, output);
    // Where vectors are always there, compilers make good code of the definition itself.
    #[cfg(all(edgemix_core = "host", not(target_arch = "x86_64")))]
    portable::dense(layer, width, input, output);
}
