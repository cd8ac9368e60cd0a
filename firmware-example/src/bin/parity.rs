//! Assigns the samples that it embeds and prints integers that must equal the host's.
//!
//! Each sample gives one line: `index cluster component log-density novelty`, the evidence of drift if the model has a novelty
//! table of held-out samples, the smoothed cluster and its belief if the model knows how clusters follow each other, and the
//! cluster at each coarser level. Behind them are the bits of the posteriors of all these
//! clusters.
#![no_std]
#![no_main]

use cortex_m as _;
use edgemix_runtime::{DriftMonitor, Model, Smoother, Workspace, arena_len, include_model, input_len, n_clusters};
use semihosting::{print, println, process::exit};

static MODEL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/model.emx"));
static SAMPLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/samples"));
/// Bytes of a raw count: `build.rs` tells by the name of the file.
const COUNT: usize = if cfg!(samples_i16) { 2 } else { 1 };

#[cortex_m_rt::entry]
fn main() -> ! {
    let Ok(model) = Model::from_bytes(MODEL) else { exit(1) };
    let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
    let mut drift = DriftMonitor::<{ n_clusters(MODEL) }>::new(&model, 1000).ok();
    let mut smoother = Smoother::<{ n_clusters(MODEL) }>::new(&model).ok();
    let mut counts = [0i16; input_len(MODEL)];
    for (index, sample) in SAMPLES.chunks_exact(COUNT * input_len(MODEL)).enumerate() {
        let found = if COUNT == 1 {
            model.assign_raw(sample, &mut workspace)
        } else {
            let (pairs, _) = sample.as_chunks::<2>();
            counts.iter_mut().zip(pairs).for_each(|(count, &pair)| *count = i16::from_le_bytes(pair));
            model.assign_raw(&counts, &mut workspace)
        };
        let Ok(found) = found else { exit(2) };
        let (cluster, novelty) = (found.cluster, found.novelty);
        print!("{index} {cluster} {} {} {}", found.component, found.log_density.0, novelty.0);
        if let Some(drift) = &mut drift {
            drift.observe(cluster, novelty);
            print!(" {}", drift.evidence().0);
        }
        if let Some(smoother) = &mut smoother {
            let smoothed = smoother.observe(&found);
            print!(
                " {smoothed} {}",
                smoother.beliefs().get(usize::from(smoothed)).map_or(0, |cluster| cluster.belief())
            );
        }
        let coarser = || model.levels().iter().filter_map(|&level| found.at_level(level));
        coarser().for_each(|coarse| print!(" {}", coarse.cluster));
        print!(" {:08x}", found.posterior(cluster).to_bits());
        coarser().for_each(|coarse| print!(" {:08x}", coarse.posterior(coarse.cluster).to_bits()));
        println!();
    }
    exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
