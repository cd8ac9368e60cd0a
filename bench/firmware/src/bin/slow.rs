//! Assigns samples with models that were made to be slow, and prints a line for each:
//! `instructions-to-load bytes instructions-to-assign multiply-accumulates name`.
#![no_std]
#![no_main]

#[path = "../counter.rs"]
mod counter;

use core::hint::black_box;

#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use edgemix_runtime::{Model, Workspace};
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;
use semihosting::{println, process::exit};

static MODELS: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/slow.rs"));

#[entry]
fn main() -> ! {
    counter::start();
    let mut workspace = Workspace::<{ 256 * 1024 }>::new();
    let mut sample = [0i16; 128 * 128];
    for (x, i) in sample.iter_mut().zip(0i16..) {
        *x = i.wrapping_mul(1237);
    }
    for (name, bytes) in MODELS {
        let load = counter::count(|| Model::from_bytes(black_box(bytes)).is_ok());
        // Some are refused, which takes as long as if they were not.
        let Ok(model) = Model::from_bytes(bytes) else {
            println!("{load} {} 0 0 {name}", bytes.len());
            continue;
        };
        let Some(sample) = sample.get(..model.input_len()) else { exit(3) };
        let assign = counter::count(|| match model.assign_raw(black_box(sample), black_box(&mut workspace)) {
            Ok(found) => found.cluster,
            Err(_) => exit(1),
        });
        println!("{load} {} {assign} {} {name}", bytes.len(), model.macs());
    }
    exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
