//! Updates of a model in two flash slots: at whatever byte the power fails, a whole model is there.
#![cfg(feature = "signature")]

use std::cell::Cell;

use edgemix_format::signature::{public_key, sign};
use edgemix_format::testing::{HeadSpec, Spec};
use edgemix_format::view::Covariance;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::signature::{SignatureError, Trust};
use edgemix_runtime::update::{Slots, UpdateError, newest, update};
use edgemix_runtime::{Limits, LoadError, Model};

const SECRET: [u8; 32] = [7; 32];
const SLOT: usize = 1024;
/// What one inference may take.
const LIMITS: Limits = Limits { macs: 10_000, arena: 1024 };

/// Flash whose power fails after a number of bytes that were erased or written.
struct Flash {
    slots: [AlignedBytes; 2],
    power: Cell<usize>,
}

#[derive(Debug, PartialEq)]
struct PowerFailed;

impl Flash {
    fn new() -> Self {
        let mut erased = AlignedBytes::zeroed(SLOT);
        erased.as_mut().fill(0xff);
        Self { slots: [erased.clone(), erased], power: Cell::new(usize::MAX) }
    }

    fn spend(&self) -> Result<(), PowerFailed> {
        self.power.set(self.power.get().checked_sub(1).ok_or(PowerFailed)?);
        Ok(())
    }
}

impl Slots for Flash {
    type Error = PowerFailed;

    fn bytes(&self) -> [&[u8]; 2] {
        [&self.slots[0], &self.slots[1]]
    }

    fn erase(&mut self, slot: usize) -> Result<(), PowerFailed> {
        for at in 0..SLOT {
            self.spend()?;
            self.slots[slot].as_mut()[at] = 0xff;
        }
        Ok(())
    }

    fn write(&mut self, slot: usize, offset: usize, bytes: &[u8]) -> Result<(), PowerFailed> {
        for (at, &byte) in (offset..).zip(bytes) {
            self.spend()?;
            let place = &mut self.slots[slot].as_mut()[at];
            assert_eq!(*place, 0xff, "flash must be erased before it is written");
            *place = byte;
        }
        Ok(())
    }
}

/// A small model.
fn model(seed: u64) -> AlignedBytes {
    let head = HeadSpec::Mixture(Covariance::Diagonal);
    Spec { layers: vec![], head, calibration: 0, seed, ..Spec::default() }.build().unwrap()
}

fn signed(seed: u64, counter: u32) -> AlignedBytes {
    sign(&model(seed), &SECRET, counter).unwrap()
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(100)
}

#[test]
fn wherever_the_power_fails_the_old_or_the_new_model_is_there_and_the_update_can_be_repeated() {
    let key = public_key(&SECRET);
    let trust = Trust { key: &key, least_counter: 1, limits: LIMITS };
    let (old, new) = (signed(1, 1), signed(2, 2));
    let steps = SLOT + new.len();
    let mut n_new = 0;
    for power in 0..=steps {
        let mut flash = Flash::new();
        update(&mut flash, &trust, pieces(&old)).unwrap();
        flash.power.set(power);
        let updated = update(&mut flash, &trust, pieces(&new));
        assert_eq!(updated.is_ok(), power == steps, "{power}");
        let counter = newest(flash.bytes(), &trust).expect("a model is there").counter;
        assert!(counter == 1 || counter == 2);
        // A last byte that is as erased flash is need not be written.
        assert!(counter == 1 || power + 2 > steps, "{power} of {steps}");
        n_new += usize::from(counter == 2);
        flash.power.set(usize::MAX);
        if counter == 1 {
            assert_eq!(update(&mut flash, &trust, pieces(&new)), Ok(1));
        }
        assert_eq!(newest(flash.bytes(), &trust).unwrap().counter, 2);
    }
    assert!(n_new >= 1);
}

#[test]
fn old_foreign_altered_and_half_written_models_are_refused() {
    let key = public_key(&SECRET);
    let trust = Trust { key: &key, least_counter: 1, limits: LIMITS };
    let mut flash = Flash::new();
    assert!(newest(flash.bytes(), &trust).is_none());
    assert_eq!(update(&mut flash, &trust, pieces(&signed(1, 5))), Ok(0));
    assert_eq!(update(&mut flash, &trust, pieces(&signed(2, 6))), Ok(1));

    let whole = signed(3, 7);
    let mut altered = whole.clone();
    altered.as_mut()[200] ^= 1;
    let foreign = sign(&model(3), &[8; 32], 7).unwrap();
    let half = &whole[..whole.len() / 2];
    let mismatch = SignatureError::Mismatch;
    let refused = |flash: &mut Flash, bytes: &[u8]| match update(flash, &trust, pieces(bytes)) {
        Err(UpdateError::Refused(error)) => error,
        other => panic!("{other:?}"),
    };
    for counter in [5, 6] {
        let old = SignatureError::Old { counter, least: 7 };
        assert_eq!(refused(&mut flash, &signed(3, counter)), old);
        assert_eq!(newest(flash.bytes(), &trust).unwrap().counter, 6);
    }
    assert_eq!(refused(&mut flash, &foreign), mismatch);
    assert_eq!(refused(&mut flash, &altered), mismatch);
    let is_half = matches!(refused(&mut flash, half), SignatureError::NotSigned | SignatureError::Mismatch);
    assert!(is_half);
    assert_eq!(refused(&mut flash, &model(3)), SignatureError::NotSigned);
    assert_eq!(refused(&mut flash, b"no model at all"), SignatureError::Load(LoadError::Magic));
    assert_eq!(newest(flash.bytes(), &trust).map(|found| (found.slot, found.counter)), Some((1, 6)));
    assert_eq!(update(&mut flash, &trust, pieces(&whole)), Ok(0));
    assert_eq!(newest(flash.bytes(), &trust).unwrap().counter, 7);
}

/// The header is read before the signature is, so that a model that is too slow is refused at once.
#[test]
fn limits_hold_for_signed_models() {
    let key = public_key(&SECRET);
    let bytes = signed(1, 1);
    let limits = Limits { macs: 1, ..Limits::NONE };
    let refused = Model::from_signed_bytes(&bytes, &Trust { key: &key, least_counter: 0, limits }).unwrap_err();
    assert!(matches!(refused, SignatureError::Load(LoadError::TooSlow { limit: 1, .. })));
}

#[test]
fn every_flipped_bit_of_model_and_trailer_is_refused() {
    let key = public_key(&SECRET);
    let trust = Trust { key: &key, least_counter: 1, limits: Limits::NONE };
    let mut bytes = signed(1, 1);
    for bit in 0..8 * bytes.len() {
        bytes.as_mut()[bit / 8] ^= 1 << (bit % 8);
        assert!(Model::from_signed_bytes(&bytes, &trust).is_err(), "bit {bit}");
        bytes.as_mut()[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(Model::from_signed_bytes(&bytes, &trust).is_ok());
    // A program that knows of no signatures reads the same file.
    assert!(Model::from_bytes(&bytes).is_ok());
}
