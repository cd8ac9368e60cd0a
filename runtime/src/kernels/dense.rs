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

/// The fastest dense kernel of the core that this is built for.
pub(super) fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    #[cfg(edgemix_core = "dsp")]
    blocks::dense::<dsp::Dsp>(layer, width, input, output);
    #[cfg(edgemix_core = "mainline")]
    blocks::dense::<mainline::Mainline>(layer, width, input, output);
    #[cfg(any(edgemix_core = "baseline", edgemix_core = "riscv"))]
    blocks::dense::<four_rows::FourRows>(layer, width, input, output);
    #[cfg(edgemix_core = "scalar")]
    blocks::dense::<scalar::Scalar>(layer, width, input, output);
    #[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
    x86::dense(layer, width, input, output);
    // Where vectors are always there, compilers make good code of the definition itself.
    #[cfg(all(edgemix_core = "host", not(target_arch = "x86_64")))]
    portable::dense(layer, width, input, output);
}
