//! Compares the core's kernels with their definition and the results with the host's. Exits with 0 if all are equal.
#![no_std]
#![no_main]

#[path = "../cases.rs"]
mod cases;
#[path = "../convolutions.rs"]
mod convolutions;
#[path = "../filters.rs"]
mod filters;
#[path = "../models.rs"]
mod models;
#[path = "../spectra.rs"]
mod spectra;
#[cfg(target_arch = "aarch64")]
#[path = "../start.rs"]
mod start;

#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use edgemix_runtime::kernels::{self, portable};
use edgemix_runtime::view::Layer;
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;
use semihosting::{println, process::exit};

#[repr(align(4))]
struct AlignedBuffer([i16; 1024 + 1]);

#[cfg_attr(target_arch = "aarch64", unsafe(no_mangle))]
#[cfg_attr(not(target_arch = "aarch64"), entry)]
fn main() -> ! {
    let (mut different, mut odd) = (0, 0);
    let layers = cases::layers(|layer, width, x, output| {
        let mut buffer = AlignedBuffer([0; 1024 + 1]);
        // Inputs begin alternately at the first and the second half of a word.
        odd = 1 - odd;
        let input = &mut buffer.0[odd..odd + x.len()];
        input.copy_from_slice(x);
        kernels::run(&Layer::Dense(*layer), width, input, output, &mut []);
        let mut expected = [0i16; 128];
        let expected = &mut expected[..output.len()];
        portable::dense(layer, width, x, expected);
        if expected != output {
            different += 1;
            println!("{} x {}, {width:?}, {:?}", layer.inputs, output.len(), layer.activation);
        }
    });
    let convolved = convolutions::convolutions(|layer, width, x, output| {
        let (mut buffer, mut scratch) = (AlignedBuffer([0; 1024 + 1]), AlignedBuffer([0; 1024 + 1]));
        odd = 1 - odd;
        let input = &mut buffer.0[odd..odd + x.len()];
        input.copy_from_slice(x);
        kernels::run(&Layer::Conv2d(*layer), width, input, output, &mut scratch.0[..layer.filters.inputs]);
        let mut expected = [0i16; convolutions::MOST_OUTPUTS];
        let expected = &mut expected[..output.len()];
        portable::convolution(layer, width, x, expected);
        if expected != output {
            different += 1;
            println!("{layer:?}");
        }
    });
    let filters = filters::filters(|_, _, _| {}).unwrap_or(0);
    let spectra = spectra::spectra(|_, _, _| {}).unwrap_or(0);
    let found = [layers, convolved, cases::heads(), models::models().unwrap_or(0), filters, spectra];
    println!("{different} layers differ from their definition; digests {found:08x?}");
    let expected =
        [cases::LAYERS, convolutions::CONVOLUTIONS, cases::HEADS, models::MODELS, filters::FILTERS, spectra::SPECTRA];
    exit(i32::from(different > 0 || found != expected))
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    println!("{info}");
    exit(101)
}
