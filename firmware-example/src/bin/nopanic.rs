//! Links only if no panic can be reached from the runtime: the panic handler calls a function that does not exist, and
//! the linker finds out whether the handler is needed. The model and the sample are unknown to the compiler.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use edgemix_runtime::{Drift, Model, Workspace};

#[repr(C, align(16))]
struct Flash([u8; 4096]);
static FLASH: Flash = Flash([0; 4096]);

#[cortex_m_rt::entry]
fn main() -> ! {
    let length = black_box(4096usize);
    let bytes = black_box(&FLASH.0[..]).get(..length).unwrap_or(&[]);
    let mut workspace = Workspace::<4096>::new();
    if let Ok(model) = Model::from_bytes(bytes) {
        if let Ok(mut drift) = Drift::<8>::new(&model, black_box(1000)) {
            drift.observe(black_box(3), black_box(edgemix_runtime::Novelty(7)));
            black_box((drift.has_drifted(), drift.evidence(), drift.cluster_share(black_box(9))));
        }
        let raw = black_box([0i16; 64]);
        if let Ok(found) = model.assign_raw(raw.get(..black_box(64)).unwrap_or(&[]), black_box(&mut workspace)) {
            black_box((found.cluster, found.novelty, found.posterior(black_box(0))));
        }
        let sample = black_box([0f32; 64]);
        if let Ok(found) = model.assign(sample.get(..black_box(64)).unwrap_or(&[]), black_box(&mut workspace)) {
            black_box(found.posterior(black_box(0)));
        }
    }
    #[cfg(feature = "reachable-panic")]
    black_box(FLASH.0[black_box(5000usize)]);
    loop {}
}

unsafe extern "C" {
    /// Defined nowhere.
    fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: a program that reaches this does not link.
    unsafe { a_panic_is_reachable() }
}
