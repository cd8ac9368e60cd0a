//! Links only if no panic can be reached from the runtime.
//!
//! The panic handler calls a function that is defined nowhere, so that linking fails if the optimised program still refers to
//! the handler. `black_box` hides the model and the samples from the compiler, which must therefore allow for all of them.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use edgemix_runtime::{DriftMonitor, Model, Smoother, Stream, Workspace};

#[repr(C, align(16))]
struct Flash([u8; 4096]);
static FLASH: Flash = Flash([0; 4096]);

#[cortex_m_rt::entry]
fn main() -> ! {
    let length = black_box(4096usize);
    let bytes = black_box(&FLASH.0[..]).get(..length).unwrap_or(&[]);
    let mut workspace = Workspace::<4096>::new();
    if let Ok(model) = Model::from_bytes(bytes) {
        if let Ok(mut drift) = DriftMonitor::<8>::new(&model, black_box(1000)) {
            drift.observe(black_box(3), black_box(edgemix_runtime::Novelty(7)));
            black_box((drift.has_drifted(), drift.evidence(), drift.cluster_share(black_box(9))));
        }
        let raw = black_box([0i16; 64]);
        if let Ok(found) = model.assign_raw(raw.get(..black_box(64)).unwrap_or(&[]), black_box(&mut workspace)) {
            black_box((found.cluster, found.novelty, found.posterior(black_box(0))));
        }
        if let (Ok(found), Ok(mut smoother)) =
            (model.assign_raw(&raw, black_box(&mut workspace)), Smoother::<8>::new(&model))
        {
            smoother.observe(&found);
            smoother.miss();
            black_box((smoother.cluster(), smoother.probability(black_box(1))));
            smoother.restart();
        }
        if let Ok(mut stream) = Stream::<i16, 64>::new(black_box(4), black_box(8)) {
            stream.gap(black_box(3));
            let mut block = raw.get(..black_box(64)).unwrap_or(&[]);
            while let Some(window) = stream.next_window(&mut block) {
                if let Ok(found) = model.assign_window(&window, black_box(&mut workspace)) {
                    black_box(found.cluster);
                }
            }
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
    /// Defined nowhere, on purpose.
    fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: never called: the function has no definition, so a program that contains this call does not link.
    unsafe { a_panic_is_reachable() }
}
