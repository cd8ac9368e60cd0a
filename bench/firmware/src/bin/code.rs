//! The smallest firmware that loads a model and assigns raw samples, for measuring the code size of format and runtime.
//! The model is hidden from the compiler, so that all layers and heads that a file can hold are linked.
#![no_std]
#![no_main]

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

#[repr(C, align(16))]
struct Flash([u8; 4096]);
static FLASH: Flash = Flash([0; 4096]);

#[entry]
fn main() -> ! {
    let bytes = black_box(&FLASH.0[..]);
    let mut workspace = Workspace::<1024>::new();
    if let Ok(model) = Model::from_bytes(bytes)
        && let Ok(found) = model.assign_raw(black_box(&[0u8; 64]), black_box(&mut workspace))
    {
        black_box((found.cluster, found.novelty));
    }
    loop {}
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
