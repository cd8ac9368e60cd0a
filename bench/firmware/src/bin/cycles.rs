//! Runs the workloads whose cycles are estimated. Each has a function of its own, by whose name it is found in the
//! emulator's trace.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use edgemix_runtime::kernels::{self, Width};
use edgemix_runtime::{Model, front_ends, heads, include_model};
use semihosting::process::exit;

static ANOMALY: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/anomaly.emx"));
static DIAGONAL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/diagonal-8x16.emx"));
static FULL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/full-8x16.emx"));
static SPECTRUM: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/spectrum.emx"));

/// Runs each layer once. The number of cycles does not depend on the values in the buffers.
#[inline(never)]
fn measured_layers(model: &Model, x: &mut [i16], y: &mut [i16]) {
    let encoder = &model.file().encoder;
    for (layer, last) in encoder.iter().zip((0..encoder.len()).rev()) {
        let width = if last == 0 { Width::Wide } else { Width::Narrow };
        if let (Some(x), Some(y)) = (x.get_mut(..layer.inputs()), y.get_mut(..layer.outputs())) {
            kernels::run(layer, width, x, y, &mut []);
        }
    }
}

#[inline(never)]
fn measured_diagonal(model: &Model, latent: &[i16; 16], scores: &mut [i32; 8]) {
    heads::run(&model.file().head, latent, scores, &mut []);
}

#[inline(never)]
fn measured_full(model: &Model, latent: &[i16; 16], scores: &mut [i32; 8]) {
    heads::run(&model.file().head, latent, scores, &mut []);
    black_box(scores);
}

#[inline(never)]
fn measured_spectrum(model: &Model, window: &[i16; 768], features: &mut [i16; 60], scratch: &mut [i32]) {
    front_ends::run(&model.file().front_ends, window, features, scratch);
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let (mut x, mut y, mut scores) = ([5i16; 640], [0i16; 640], [0; 8]);
    let latent = black_box([1234i16; 16]);
    let mut window = [0; 768];
    for (x, i) in window.iter_mut().zip(0i16..) {
        *x = 4000 + (i.wrapping_mul(97) >> 4) + (i.wrapping_mul(1237) >> 8);
    }
    let models = [ANOMALY, DIAGONAL, FULL, SPECTRUM].map(|bytes| Model::from_bytes(black_box(bytes)));
    let [Ok(anomaly), Ok(diagonal), Ok(full), Ok(spectrum)] = models else { exit(1) };
    measured_layers(black_box(&anomaly), black_box(&mut x), black_box(&mut y));
    measured_diagonal(black_box(&diagonal), &latent, black_box(&mut scores));
    measured_full(black_box(&full), &latent, black_box(&mut scores));
    measured_spectrum(black_box(&spectrum), black_box(&window), black_box(&mut [0; 60]), black_box(&mut [0; 256]));
    exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
