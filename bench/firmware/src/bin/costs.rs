//! Runs the parts of many small models, each by a function of its own, by whose name the emulator's trace finds it. Prints
//! what each part consists of: a line with its name and how often each operation happens, in the order of the first line.
#![no_std]
#![no_main]

use core::hint::black_box;

#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
use edgemix_runtime::kernels::{self, TILE, Width};
use edgemix_runtime::{Model, Workspace, front_ends, heads, include_model};
#[cfg(target_arch = "riscv32")]
use riscv as _;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;
use semihosting::{print, println, process::exit};

#[path = "../../../../trainer/src/assessment/chips/work.rs"]
mod work;

use work::{OPERATIONS, Tile, Work};

/// Models whose parts are measured, with their names.
static MEASURED: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/measured.rs"));
/// Models on which the estimate is tried: nothing is derived from them.
static TRIED: [(&str, &[u8]); 4] = [
    ("anomaly", include_model!(concat!(env!("OUT_DIR"), "/anomaly.emx"))),
    ("spectrum", include_model!(concat!(env!("OUT_DIR"), "/spectrum.emx"))),
    ("full-8x16", include_model!(concat!(env!("OUT_DIR"), "/full-8x16.emx"))),
    ("digits", include_model!("../../../../firmware-example/assets/digits.emx")),
];

const OF_CORE: Tile = Tile { rows: TILE[0], inputs: TILE[1], positions: TILE[2] };
/// The largest input or output of a part.
const MOST: usize = 2048;

/// What parts write to.
struct Room {
    input: [i16; MOST],
    output: [i16; MOST],
    scratch: [i16; 4 * MOST],
    words: [i32; MOST],
    scores: [i32; 64],
}

/// Runs a part: what is executed from here until it returns is counted.
#[inline(never)]
fn measured_part(run: &mut dyn FnMut()) {
    run();
}

/// Prints what a part consists of, and runs it.
fn part(name: &str, kind: &str, add: impl FnOnce(&mut Work), mut run: impl FnMut()) {
    let mut work = Work::new(OF_CORE);
    add(&mut work);
    line(name, kind, &work);
    measured_part(black_box(&mut run));
}

fn line(name: &str, kind: &str, work: &Work) {
    print!("{name}/{kind}");
    for count in work.counts {
        print!(" {count}");
    }
    println!();
}

fn parts(name: &str, bytes: &'static [u8], room: &mut Room) -> Option<()> {
    let model = Model::from_bytes(black_box(bytes)).ok()?;
    let file = model.file();
    let Room { input, output, scratch, words, scores } = room;
    if let Some((first, last)) = file.front_ends.first().zip(file.front_ends.last()) {
        let window = input.get(..first.inputs())?;
        let features = output.get_mut(..last.outputs())?;
        part(
            name,
            "front-end",
            |work| work.add_front_ends(&file.front_ends),
            || {
                front_ends::run(&file.front_ends, black_box(window), black_box(features), black_box(words));
            },
        );
    }
    // Of a filter, what is before and after it is measured with other models.
    if file.front_ends.len() > 1 {
        return Some(());
    }
    for (layer, index) in file.encoder.iter().zip(1..) {
        let width = if index == file.encoder.len() { Width::Wide } else { Width::Narrow };
        let (x, y) = (input.get_mut(..layer.inputs())?, output.get_mut(..layer.outputs())?);
        let scratch = scratch.get_mut(..layer.scratch())?;
        let mut copy = [0; MOST];
        let x_copy = copy.get_mut(..x.len())?;
        x_copy.copy_from_slice(x);
        part(
            name,
            layer.kind(),
            |work| work.add_layer(layer),
            || {
                kernels::run(layer, width, black_box(x_copy), black_box(y), black_box(scratch));
            },
        );
    }
    let takes = if file.head.takes_sample() { model.input_len() } else { model.latent_len() };
    let (latent, scores) = (input.get(..takes)?, scores.get_mut(..model.n_components())?);
    let scratch = scratch.get_mut(..file.head.scratch())?;
    part(
        name,
        "head",
        |work| work.add_head(&file.head),
        || {
            heads::run(&file.head, black_box(latent), black_box(scores), black_box(scratch));
        },
    );
    whole(name, bytes, room)
}

fn whole(name: &str, bytes: &'static [u8], room: &Room) -> Option<()> {
    let model = Model::from_bytes(black_box(bytes)).ok()?;
    let mut workspace = Workspace::<8192>::new();
    let sample = room.input.get(..model.input_len())?;
    line(name, "assign", &Work::of_assignment(model.file(), OF_CORE));
    measured_part(black_box(&mut || {
        black_box(model.assign_raw(black_box(sample), black_box(&mut workspace)).ok());
    }));
    Some(())
}

#[entry]
fn main() -> ! {
    let mut room =
        Room { input: [0; MOST], output: [0; MOST], scratch: [0; 4 * MOST], words: [0; MOST], scores: [0; 64] };
    for (x, i) in room.input.iter_mut().zip(0i16..) {
        *x = i16::from(i.wrapping_mul(37).wrapping_add(11) as i8);
    }
    print!("{} {} {}", TILE[0], TILE[1], TILE[2]);
    OPERATIONS.iter().for_each(|name| print!(" {name}"));
    println!();
    for &(name, bytes) in MEASURED {
        if parts(name, bytes, &mut room).is_none() {
            exit(1)
        }
    }
    for (name, bytes) in TRIED {
        if whole(name, bytes, &room).is_none() {
            exit(2)
        }
    }
    exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
