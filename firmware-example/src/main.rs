//! Clusters handwritten digits and logs the results: a starting point for your own firmware.
#![no_std]
#![no_main]

mod platform;

use cortex_m as _;
use edgemix_runtime::{Limits, Model, Workspace, arena_len, include_model, input_len};
use platform::{exit, stack_used};

static MODEL: &[u8] = include_model!("../assets/digits.emx");
const ARENA: usize = arena_len(MODEL);

/// What this firmware can spend on a sample. A model that needs more does not compile.
const LIMITS: Limits = Limits { macs: 200_000, arena: 4096 };
const _: () = assert!(LIMITS.allow(MODEL), "the model is too slow, or needs too much RAM");

/// Samples of 8 x 8 pixels, each from 0 to 16, one after another, in the raw counts of a sensor.
static SAMPLES: &[u8] = include_bytes!("../assets/digits-samples.u8");

#[cortex_m_rt::entry]
fn main() -> ! {
    let model = match Model::from_bytes(MODEL) {
        Ok(model) => model,
        Err(error) => {
            defmt::error!("the model was refused: {}", error);
            exit(1)
        }
    };
    defmt::info!("{=str}: {=usize} clusters, {=usize} bytes of RAM", model.name(), model.n_clusters(), ARENA);
    let mut workspace = Workspace::<ARENA>::new();
    for sample in SAMPLES.chunks_exact(input_len(MODEL)) {
        match model.assign_raw(sample, &mut workspace) {
            Ok(found) => defmt::info!("{}", found),
            Err(error) => defmt::error!("{}", error),
        }
    }
    defmt::info!("{=usize} bytes of stack used", stack_used());
    exit(0)
}
