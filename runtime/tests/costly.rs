//! Models whose inference takes long say so: the time grows with the multiply-accumulates that the header states.

use std::time::{Duration, Instant};

use edgemix_format::testing::costly;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;

/// With the checks of the development profile, it takes some ten times as long.
const MOST_NS_A_MAC: u64 = if cfg!(debug_assertions) { 1000 } else { 40 };

/// The fastest of several, since other programs run beside this one.
fn assign_time(model: &Model) -> Duration {
    let sample = vec![77u8; model.input_len()];
    let mut arena = AlignedBytes::zeroed(model.arena_len());
    let mut assign = |_| {
        let begin = Instant::now();
        model.assign_raw(&sample, &mut arena).expect("the sample fits");
        begin.elapsed()
    };
    (0..3).map(&mut assign).min().unwrap()
}

#[test]
fn the_time_of_an_assignment_grows_with_the_multiply_accumulates_alone() {
    for (name, bytes) in costly(50_000) {
        let Ok(model) = Model::from_bytes(&bytes) else { continue };
        let (time, macs) = (assign_time(&model), model.macs());
        println!("{name}: {time:?} for {macs}, {:.2} ns each", time.as_nanos() as f64 / macs as f64);
        assert!(time <= Duration::from_nanos(MOST_NS_A_MAC * macs), "{name}: {time:?} for {macs} multiply-accumulates");
    }
}
