//! An accelerometer's counts go in; clusters, novelty and drift come out: a starting point for your own firmware.
#![no_std]
#![no_main]

mod platform;
mod sensor;

use cortex_m as _;
use edgemix_runtime::{
    Assignment, DriftMonitor, Limits, Model, Stream, Workspace, arena_len, include_model, input_len, n_clusters,
};
use platform::{exit, stack_used};
use sensor::{CHANNELS, RATE, Reading, Sensor};

static MODEL: &[u8] = include_model!("../assets/motion.emx");
const ARENA: usize = arena_len(MODEL);
const WINDOW: usize = input_len(MODEL);
const CLUSTERS: usize = n_clusters(MODEL);

/// What the clusters are, by comparison with the labels of the training data.
static NAMES: [&str; CLUSTERS] = ["moving", "upright and still", "lying"];

/// What this firmware can spend on a window. A model that needs more does not compile.
const LIMITS: Limits = Limits { macs: 10_000, arena: 1024 };
const _: () = assert!(LIMITS.allow(MODEL), "the model is too slow, or needs too much RAM");

/// Windows do not overlap, so that each gives the drift monitor news.
const STEP: usize = WINDOW / CHANNELS;
/// A window is novel if at most 2 of 100 held-out windows are as unusual.
const NOVEL: f32 = 0.02;
/// The drift monitor raises a false alarm in one of so many devices.
const ONE_IN: u32 = 1000;

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Err(message) = run() {
        defmt::error!("{=str}", message);
        exit(1)
    }
    defmt::info!("{=usize} bytes of stack used", stack_used());
    exit(0)
}

fn run() -> Result<(), &'static str> {
    let model = Model::from_bytes(MODEL).map_err(|_| "the model was refused")?;
    let mut workspace = Workspace::<ARENA>::new();
    let mut stream = Stream::<i16, WINDOW>::new(CHANNELS, STEP).map_err(|_| "the window has other channels")?;
    let mut drift = DriftMonitor::<CLUSTERS>::new(&model, ONE_IN).map_err(|_| "the model has no held-out samples")?;
    let mut sensor = Sensor::new();
    defmt::info!("{=str}: {=usize} clusters, {=usize} bytes of RAM", model.name(), CLUSTERS, ARENA);
    loop {
        match sensor.read() {
            Reading::Counts(mut block) => {
                while let Some(window) = stream.next_window(&mut block) {
                    let found = model.assign_window(&window, &mut workspace).map_err(|_| "a window was refused")?;
                    let had_drifted = drift.has_drifted();
                    drift.observe(found.cluster, found.novelty);
                    log(window.start, &found);
                    if drift.has_drifted() && !had_drifted {
                        defmt::warn!("drift: the data are no longer what the model was trained on");
                    }
                }
            }
            // The next window begins after the gap.
            Reading::Lost(instants) => {
                defmt::warn!("{=u64} instants lost", instants);
                stream.gap(instants);
            }
            // Time begins anew. What the monitor knows stays true.
            Reading::Restarted => {
                defmt::warn!("the sensor restarted");
                stream = Stream::new(CHANNELS, STEP).map_err(|_| "the window has other channels")?;
            }
            Reading::End => return Ok(()),
        }
    }
}

/// A line for each window: when it began, in seconds, what it shows, and how unusual it is.
fn log(start: u64, found: &Assignment) {
    let tenths = start * 10 / RATE;
    let name = NAMES.get(usize::from(found.cluster)).copied().unwrap_or("?");
    let novel = if found.novelty.is_novel(NOVEL) { ", novel" } else { "" };
    let p = found.novelty.p_value();
    defmt::info!("{=u64}.{=u64} s: {=str}, p-value {=f32}{=str}", tenths / 10, tenths % 10, name, p, novel);
}
