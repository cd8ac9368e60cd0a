//! Runs each workload with the model in RAM and in flash, and prints a line for each:
//! `workload instructions-RAM instructions-flash multiply-accumulates model-bytes arena-bytes`.
#![no_std]
#![no_main]

mod counter;

use core::hint::black_box;

#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use edgemix_runtime::kernels::{self, Width};
use edgemix_runtime::view::{Layer, front_end_macs};
use edgemix_runtime::{Model, Workspace, arena_len, front_ends, heads, include_model};
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;
use semihosting::{println, process::exit};

static ANOMALY: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/anomaly.emx"));
static DIAGONAL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/diagonal-8x16.emx"));
static FULL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/full-8x16.emx"));
static LARGE: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/diagonal-100x10.emx"));
static DEPICT: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/depict.emx"));
static PAIRS: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/pairs-10x64.emx"));
static FILTER: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/filter.emx"));
static SPECTRUM: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/spectrum.emx"));
static DIGITS: &[u8] = include_model!("../../../firmware-example/assets/digits.emx");

/// The largest arena of the models.
const ARENA: usize = arena_len(DEPICT);
/// The largest input or output of a layer.
const MOST: usize = 13 * 13 * 50;
/// The largest patch of a convolution.
const PATCH: usize = 5 * 5 * 50;

/// RAM for a copy of the largest model.
#[repr(C, align(16))]
struct Ram([u8; 384 * 1024]);

/// The number of instructions for each placement of the model.
#[derive(Clone, Copy)]
struct Counts {
    ram: u32,
    flash: u32,
}

struct Bench {
    ram: Ram,
}

impl Bench {
    /// Measures `work` with the model in RAM and in flash, and prints the line.
    fn line(&mut self, name: &str, bytes: &'static [u8], macs: fn(&Model) -> u64, work: fn(&Model) -> u32) {
        let Some(place) = self.ram.0.get_mut(..bytes.len()) else { exit(3) };
        place.copy_from_slice(bytes);
        let (Ok(in_ram), Ok(in_flash)) = (Model::from_bytes(black_box(place)), Model::from_bytes(black_box(bytes)))
        else {
            exit(1)
        };
        let counts = Counts { ram: work(&in_ram), flash: work(&in_flash) };
        let (macs, arena) = (macs(&in_flash), in_flash.arena_len());
        println!("{name} {} {} {macs} {} {arena}", counts.ram, counts.flash, bytes.len());
    }
}

fn layer_macs(model: &Model) -> u64 {
    model.file().encoder.iter().map(|layer| layer.macs()).sum()
}

fn one_layer_macs(model: &Model, index: usize) -> u64 {
    model.file().encoder.get(index).map_or(0, Layer::macs)
}

fn head_macs(model: &Model) -> u64 {
    model.file().head.macs()
}

fn all_macs(model: &Model) -> u64 {
    model.file().header.macs
}

/// The instructions of the layers in `range`, without the handling of the arena.
fn layers(model: &Model, range: core::ops::Range<usize>) -> u32 {
    let encoder = &model.file().encoder;
    let mut total = 0;
    for (layer, index) in encoder.iter().zip(0usize..) {
        if !range.contains(&index) {
            continue;
        }
        let width = if index + 1 == encoder.len() { Width::Wide } else { Width::Narrow };
        let (mut input, mut output, mut scratch) = ([0i16; MOST], [0i16; MOST], [0i16; PATCH]);
        for (x, i) in input.iter_mut().zip(0i16..) {
            *x = i16::from((i.wrapping_mul(37).wrapping_add(11)) as i8);
        }
        let Some(input) = input.get_mut(..layer.inputs()) else { exit(3) };
        let Some(output) = output.get_mut(..layer.outputs()) else { exit(3) };
        let Some(scratch) = scratch.get_mut(..layer.scratch()) else { exit(3) };
        total += counter::count(|| run_layer(layer, width, black_box(input), black_box(output), scratch));
    }
    total
}

#[inline(never)]
fn run_layer(layer: &Layer, width: Width, input: &mut [i16], output: &mut [i16], scratch: &mut [i16]) {
    kernels::run(layer, width, input, output, scratch);
}

fn head(model: &Model) -> u32 {
    let (mut latent, mut scores) = ([0i16; MOST], [0i32; 128]);
    for (z, i) in latent.iter_mut().zip(0i16..) {
        *z = i.wrapping_mul(1237).wrapping_sub(4000);
    }
    let Some(latent) = latent.get(..model.latent_len()) else { exit(3) };
    let Some(scores) = scores.get_mut(..model.n_components()) else { exit(3) };
    counter::count(|| run_head(model, black_box(latent), black_box(scores)))
}

#[inline(never)]
fn run_head(model: &Model, latent: &[i16], scores: &mut [i32]) {
    heads::run(&model.file().head, latent, scores, &mut []);
}

fn features_macs(model: &Model) -> u64 {
    front_end_macs(&model.file().front_ends)
}

/// The instructions of the front ends on a window of waves.
fn features(model: &Model) -> u32 {
    let (mut window, mut features, mut scratch) = ([0i16; MOST], [0i16; MOST], [0i32; MOST]);
    for (x, i) in window.iter_mut().zip(0i16..) {
        *x = 4000 + (i.wrapping_mul(97) >> 4) + (i.wrapping_mul(1237) >> 8);
    }
    let front_ends = &model.file().front_ends;
    let Some(window) = window.get(..model.input_len()) else { exit(3) };
    let Some(features) = front_ends.last().and_then(|last| features.get_mut(..last.outputs())) else { exit(3) };
    counter::count(|| front_ends::run(front_ends, black_box(window), black_box(features), black_box(&mut scratch)))
}

fn assign(model: &Model) -> u32 {
    let mut workspace = Workspace::<ARENA>::new();
    let mut sample = [0u8; MOST];
    for (x, i) in sample.iter_mut().zip(0u16..) {
        *x = (i.wrapping_mul(37).wrapping_add(11) % 17) as u8;
    }
    let Some(sample) = sample.get(..model.input_len()) else { exit(3) };
    counter::count(|| match model.assign_raw(black_box(sample), black_box(&mut workspace)) {
        Ok(found) => found.cluster,
        Err(_) => exit(2),
    })
}

#[entry]
fn main() -> ! {
    counter::start();
    let mut bench = Bench { ram: Ram([0; 384 * 1024]) };
    bench.line("anomaly/layers", ANOMALY, layer_macs, |model| layers(model, 0..16));
    bench.line("anomaly/640x128", ANOMALY, |_| 640 * 128, |model| layers(model, 0..1));
    bench.line("anomaly/128x128", ANOMALY, |_| 128 * 128, |model| layers(model, 1..2));
    bench.line("anomaly/assign", ANOMALY, all_macs, assign);
    bench.line("depict/layers", DEPICT, layer_macs, |model| layers(model, 0..16));
    bench.line("depict/4x4x1", DEPICT, |model| one_layer_macs(model, 0), |model| layers(model, 0..1));
    bench.line("depict/5x5x50", DEPICT, |model| one_layer_macs(model, 1), |model| layers(model, 1..2));
    bench.line("depict/assign", DEPICT, all_macs, assign);
    bench.line("autoencoders/assign-10x64", PAIRS, all_macs, assign);
    bench.line("mixture/diagonal-8x16", DIAGONAL, head_macs, head);
    bench.line("mixture/full-8x16", FULL, head_macs, head);
    bench.line("mixture/diagonal-100x10", LARGE, head_macs, head);
    bench.line("spectrum/128x6", SPECTRUM, features_macs, features);
    bench.line("spectrum/assign", SPECTRUM, all_macs, assign);
    bench.line("filter/512x6", FILTER, features_macs, features);
    bench.line("filter/assign", FILTER, all_macs, assign);
    bench.line("digits/layers", DIGITS, layer_macs, |model| layers(model, 0..16));
    bench.line("digits/head", DIGITS, head_macs, head);
    bench.line("digits/assign", DIGITS, all_macs, assign);
    exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
