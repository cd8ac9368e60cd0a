//! Updates a model in two flash slots while the power fails again and again: the emulated chip is reset at many bytes of
//! the update, and starts each time with a whole model. Then refuses models that it must not start with.
//!
//! The slots lie in memory that a reset keeps, as flash does. Exit code 0 if everything is as it must be.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use cortex_m as _;
use edgemix_runtime::signature::{SignatureError, Trust};
use edgemix_runtime::update::{Newest, Slots, UpdateError, newest, update};
use edgemix_runtime::{Limits, Model};
use semihosting::{println, process::exit};

// What `build.rs` signs: models with rising counters, and one that someone else signed.
static OLD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/1.emx"));
const NEW: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/2.emx"));
static FOREIGN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/foreign.emx"));
static KEY: [u8; 32] = *include_bytes!(concat!(env!("OUT_DIR"), "/owner.key"));

// Models that are read in place, for what a signature costs.
static SMALL: Aligned<[u8; NEW.len()]> = Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/2.emx")));
static DIGITS: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/digits.emx")));

/// As a model must be to be read in place.
#[repr(C, align(16))]
struct Aligned<T: ?Sized>(T);

const TRUST: Trust = Trust { key: &KEY, least_counter: 1, limits: Limits { macs: 10_000, arena: 1024 } };

const SLOT: usize = 2048;
/// Bytes of the update from one failure of the power to the next. `build.rs` says how often it fails.
const STRIDE: usize = match usize::from_str_radix(env!("EDGEMIX_POWER_FAILURES"), 10) {
    Ok(failures) if failures <= SLOT => (SLOT + NEW.len()) / failures,
    Ok(_) => 1,
    Err(_) => panic!("EDGEMIX_POWER_FAILURES takes a whole number"),
};
/// Says that the memory was set up before the reset.
const IS_SET_UP: u32 = 0x454d_4958;

/// What a reset keeps.
#[repr(C, align(16))]
struct Kept {
    slots: [[u8; SLOT]; 2],
    is_set_up: u32,
    /// Bytes that the next update may erase and write before the power fails.
    power: usize,
    /// Starts with the old model, and with the new one.
    starts: [u32; 2],
}

#[unsafe(link_section = ".uninit")]
static mut KEPT: MaybeUninit<Kept> = MaybeUninit::uninit();

/// Flash whose power fails.
struct Flash<'k> {
    kept: &'k mut Kept,
    power: usize,
}

impl Flash<'_> {
    fn set(&mut self, slot: usize, at: usize, byte: u8) {
        if self.power == 0 {
            cortex_m::peripheral::SCB::sys_reset();
        }
        self.power -= 1;
        self.kept.slots[slot][at] = byte;
    }
}

/// The slot ends.
#[derive(Debug)]
struct OutOfSpace;

impl Slots for Flash<'_> {
    type Error = OutOfSpace;

    fn bytes(&self) -> [&[u8]; 2] {
        [&self.kept.slots[0], &self.kept.slots[1]]
    }

    fn erase(&mut self, slot: usize) -> Result<(), OutOfSpace> {
        (0..SLOT).for_each(|at| self.set(slot, at, 0xff));
        Ok(())
    }

    fn write(&mut self, slot: usize, offset: usize, bytes: &[u8]) -> Result<(), OutOfSpace> {
        if offset + bytes.len() > SLOT {
            return Err(OutOfSpace);
        }
        (offset..).zip(bytes).for_each(|(at, &byte)| self.set(slot, at, byte));
        Ok(())
    }
}

impl Kept {
    /// The first slot has the old model, the other one nothing.
    fn set_up(&mut self) {
        self.slots = [[0xff; SLOT]; 2];
        self.slots[0][..OLD.len()].copy_from_slice(OLD);
    }

    /// The model that the chip starts with. There must be one at every start.
    fn start(&self) -> Newest<'_> {
        newest([&self.slots[0], &self.slots[1]], &TRUST).unwrap_or_else(|| {
            println!("no model after a reset at byte {}", self.power);
            exit(1)
        })
    }

    /// Replaces the model with pieces of another, as they come over a radio.
    fn update(&mut self, bytes: &[u8], power: usize) -> Result<usize, UpdateError<OutOfSpace>> {
        update(&mut Flash { kept: self, power }, &TRUST, bytes.chunks(64))
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: this is the only reference, taken once after each start; integers of any value are valid.
    let kept = unsafe { (&mut *(&raw mut KEPT)).assume_init_mut() };
    if kept.is_set_up != IS_SET_UP {
        kept.set_up();
        (kept.is_set_up, kept.power, kept.starts) = (IS_SET_UP, 0, [0; 2]);
    } else {
        // The power failed during an update.
        let counter = kept.start().counter;
        match kept.starts.get_mut((counter as usize).wrapping_sub(1)) {
            Some(starts) => *starts += 1,
            None => exit(2),
        }
        if counter == 2 {
            kept.set_up();
        }
        kept.power += STRIDE;
    }
    let power = kept.power;
    // Resets the chip until there is power enough.
    if !matches!(kept.update(NEW, power), Ok(1)) {
        exit(3)
    }
    let [old, new] = kept.starts;
    println!("{} power failures: {old} starts with the old model, {new} with the new one", old + new);
    refuse(kept);
    cost();
    exit(0)
}

/// Models that the chip must not start with.
fn refuse(kept: &mut Kept) {
    let mut refused = |name: &str, bytes: &[u8], is_expected: fn(SignatureError) -> bool| {
        match kept.update(bytes, usize::MAX) {
            Err(UpdateError::Refused(error)) if is_expected(error) => println!("{name}: {error}"),
            other => {
                println!("{name}: {other:?}");
                exit(4)
            }
        }
        if kept.start().counter != 2 {
            exit(5)
        }
    };
    refused("old", OLD, |error| matches!(error, SignatureError::Old { .. }));
    refused("foreign", FOREIGN, |error| error == SignatureError::Mismatch);
    refused("half-written", &NEW[..NEW.len() - 70], |error| error == SignatureError::NotSigned);
}

/// What the signature takes beside the checks of an unsigned model, for a small model and for that of the digits.
fn cost() {
    let trust = Trust { limits: Limits { macs: 100_000, arena: 4096 }, ..TRUST };
    timer::start();
    for bytes in [&SMALL.0[..], &DIGITS.0] {
        let begin = timer::now();
        let plain = Model::from_bytes_within(bytes, trust.limits).is_ok();
        let middle = timer::now();
        let signed = Model::from_signed_bytes(bytes, &trust).is_ok();
        let end = timer::now();
        if !(plain && signed) {
            exit(6)
        }
        let (plain, signed) = (timer::between(begin, middle), timer::between(middle, end));
        println!("{} bytes: {plain} instructions to load, {signed} with the signature", bytes.len());
    }
}

/// Counts instructions: CMSDK timer 0 of the MPS2 boards, which counts down at 25 MHz. With QEMU's `-icount shift=7`, an
/// instruction takes 128 ns or 3.2 ticks.
mod timer {
    const TIMER: *mut u32 = 0x4000_0000 as *mut u32;

    pub(crate) fn start() {
        // SAFETY: these are the aligned registers of a device that the emulated board has and nothing else uses.
        unsafe {
            TIMER.write_volatile(0);
            TIMER.add(2).write_volatile(u32::MAX);
            TIMER.add(1).write_volatile(u32::MAX);
            TIMER.write_volatile(1);
        }
    }

    pub(crate) fn now() -> u32 {
        // SAFETY: reads an aligned register of the same device.
        unsafe { TIMER.add(1).read_volatile() }
    }

    pub(crate) fn between(begin: u32, end: u32) -> u32 {
        ((u64::from(begin.wrapping_sub(end)) * 40 + 64) / 128) as u32
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
