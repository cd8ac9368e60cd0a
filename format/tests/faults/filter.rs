//! Faults of filters.

use edgemix_format::description::{FilterRecord, FrontEndRecord};
use edgemix_format::view::{MAX_SECTIONS, front_end_macs, front_end_scratch};
use edgemix_format::write::FilterSettings;

use super::*;

const ONE: i32 = 1 << 30;
/// Lets constants pass: y is a quarter of x and three quarters of the y before.
const LOW: [i32; 5] = [ONE / 4, 0, 0, ONE / 4 * 3, 0];
/// Blocks constants.
const HIGH: [i32; 5] = [ONE / 2, -ONE, ONE / 2, ONE, -ONE / 2];

/// The spectrum of the other tests takes 20 instants of two channels; 61 instants become 20.
fn with_filter() -> Spec {
    let filter = FilterSettings { instants: 61, channels: 2, factor: 3, sections: vec![LOW, HIGH] };
    Spec { filter: Some(filter), ..front_ends::with_spectrum() }
}

fn altered(alter: impl FnOnce(&mut FilterRecord)) -> LoadError {
    described(&with_filter(), |description| {
        let FrontEndRecord::Filter(filter) = &mut description.front_ends[0] else { panic!("not a filter") };
        alter(filter);
    })
}

fn with_sections(sections: Vec<[i32; 5]>) -> Result<(), Fault> {
    FilterSettings { instants: 61, channels: 2, factor: 3, sections }.filter().check()
}

#[test]
fn what_a_filter_is() {
    let bytes = with_filter().build().unwrap();
    let file = File::from_bytes(&bytes).unwrap();
    let front_end = &file.front_ends[0];
    assert_eq!((file.sample.len, file.input.len), (122, 15));
    assert_eq!((front_end.inputs(), front_end.outputs(), front_end.kind()), (122, 40, "filter"));
    // Two words for each channel before, between and after two sections.
    assert_eq!((front_end.scratch(), front_end.flash()), (2 * 2 * 3, 2 * 5 * 4));
    assert_eq!(front_end_scratch(&file.front_ends), 12 + file.front_ends[1].scratch());
    assert_eq!(file.header.arena_len as usize, 2 * 16 + 4 * front_end_scratch(&file.front_ends));
    // Two channels and the magnitude of both: each channel is filtered twice.
    assert_eq!(front_end_macs(&file.front_ends), front_end_macs(&file.front_ends[1..]) + 4 * 61 * 2 * 5);
    assert_eq!(front_end_macs(&file.front_ends[..1]), 2 * 61 * 2 * 5);
}

#[test]
fn filter_sizes() {
    let size = LoadError::FrontEnds(Fault::Size);
    assert_eq!(altered(|filter| filter.instants = 0), size);
    assert_eq!(altered(|filter| filter.instants = 32_769), size);
    assert_eq!(altered(|filter| filter.channels = 0), size);
    assert_eq!(altered(|filter| filter.channels = 33), size);
    assert_eq!(altered(|filter| filter.factor = 0), size);
    assert_eq!(altered(|filter| filter.factor = 62), size);
    assert_eq!(altered(|filter| filter.sections.len = 9), LoadError::FrontEnds(Fault::TensorLength));
    assert_eq!(altered(|filter| filter.sections.len = 0), LoadError::FrontEnds(Fault::SectionCount));
    assert_eq!(with_sections(vec![LOW; MAX_SECTIONS]), Ok(()));
    assert_eq!(with_sections(vec![LOW; MAX_SECTIONS + 1]), Err(Fault::SectionCount));
}

#[test]
fn a_filter_gives_the_window_that_the_spectrum_takes() {
    let order = LoadError::FrontEnds(Fault::FrontEndOrder);
    assert_eq!(altered(|filter| filter.instants = 63), order);
    assert_eq!(altered(|filter| filter.factor = 2), order);
    assert_eq!(altered(|filter| filter.channels = 1), order);
    assert_eq!(described(&with_filter(), |description| description.front_ends.reverse()), order);
    assert_eq!(described(&with_filter(), |description| description.front_ends[1] = description.front_ends[0]), order);
}

#[test]
fn unstable_sections_are_refused() {
    let quarter = ONE / 4;
    for section in [
        // Poles on the unit circle, and beyond it.
        [0, 0, 0, ONE, 0],
        [quarter, -quarter, 0, ONE, 0],
        [0, 0, 0, -ONE, 0],
        [0, 0, 0, 0, -ONE],
        [0, 0, 0, 0, ONE],
        [0, 0, 0, i32::MAX, -ONE + 1],
        [0, 0, 0, i32::MIN, 0],
        // The gain for a constant is neither 1 nor 0.
        [quarter, 0, 0, 0, 0],
        [ONE, 1, 0, 0, 0],
        [-ONE, 0, 0, 0, 0],
    ] {
        assert_eq!(with_sections(vec![LOW, section]), Err(Fault::Section), "{section:?}");
    }
    for section in [[0; 5], [ONE, 0, 0, 0, 0], [0, 0, 0, i32::MAX - 1, -ONE + 1]] {
        assert_eq!(with_sections(vec![section]), Ok(()), "{section:?}");
    }
}
