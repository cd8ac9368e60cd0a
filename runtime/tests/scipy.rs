//! Spectrum and filter against figures that numpy and scipy computed: `scipy/spectra.py` and `scipy/filters.py` say how.

use edgemix_format::view::{FramePooling, FrontEnd, Statistics};
use edgemix_format::write::{FilterSettings, SpectrumSettings, Taper};
use edgemix_runtime::front_ends;

const FIGURES: &str = include_str!("scipy/spectra.txt");

const FILTERED: &str = include_str!("scipy/filters.txt");

/// The windows of `spectra.py` and `filters.py`.
fn window(amplitude: i64, instants: i64) -> Vec<i16> {
    let mut state = 1i64;
    (0..instants)
        .map(|t| {
            state = (state * 1_103_515_245 + 12_345) % (1 << 31);
            let triangle = (t % 23 - 11).abs() * amplitude / 11;
            (1000 + triangle + (state >> 8) % amplitude / 2) as i16
        })
        .collect()
}

#[test]
fn features_are_those_of_scipy() {
    let mut n_cases = 0;
    for line in FIGURES.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [amplitude, instants, fft, frame, hop] =
            [0, 1, 2, 3, 4].map(|i| words[i].parse::<usize>().expect("an integer"));
        let figures: Vec<f64> = words[7..].iter().map(|word| word.parse().expect("a number")).collect();
        let settings = SpectrumSettings {
            instants,
            channels: 1,
            fft,
            frame,
            hop,
            taper: if words[5] == "hann" { Taper::Hann } else { Taper::None },
            pooling: if words[6] == "max" { FramePooling::Max } else { FramePooling::Mean },
            statistics: Statistics::ALL,
            mean_fraction: 0,
            noise: 0.0,
            signals: vec![1],
            edges: vec![0, 1, 2, 4, 7, 9],
        };
        let tables = settings.tables().unwrap();
        let front_end = FrontEnd::Spectrum(tables.spectrum());
        let (mut features, mut scratch) = (vec![0; front_end.outputs()], vec![0; front_end.scratch()]);
        let window = window(amplitude as i64, instants as i64);
        front_ends::run(&[front_end], &window, &mut features, &mut scratch).unwrap();
        assert_eq!(features.len(), figures.len());
        for (index, (&found, figure)) in features.iter().zip(figures).enumerate() {
            // Counts; then 2^-10, of which moments may be off by more: they take 12 bits of a signal.
            let (unit, error) = match index {
                0 => (1.0, 0.5),
                2 | 3 => (1024.0, 3.0),
                4 => (1024.0, 6.0),
                _ => (1024.0, 1.5),
            };
            assert!((f64::from(found) / unit - figure).abs() * unit <= error, "feature {index}: {found}: {line}");
        }
        n_cases += 1;
    }
    assert_eq!(n_cases, 8);
}

/// The result is off by half a count, by which it is rounded, and by a tenth for factors and values within the filter.
#[test]
fn filtered_windows_are_those_of_scipy() {
    let mut n_cases = 0;
    for line in FILTERED.lines() {
        let (numbers, figures) = line.split_once(" : ").expect("a colon");
        let numbers: Vec<i32> = numbers.split(' ').map(|word| word.parse().expect("an integer")).collect();
        let ([amplitude, instants, factor], sections) = numbers.split_first_chunk().expect("three numbers");
        let sections = sections.as_chunks::<5>().0.to_vec();
        let settings = FilterSettings { instants: *instants as usize, channels: 1, factor: *factor as usize, sections };
        settings.filter().check().unwrap();
        let front_end = FrontEnd::Filter(settings.filter());
        let (mut filtered, mut scratch) = (vec![0; front_end.outputs()], vec![0; front_end.scratch()]);
        let window = window((*amplitude).into(), (*instants).into());
        front_ends::run(&[front_end], &window, &mut filtered, &mut scratch).unwrap();
        let figures: Vec<f64> = figures.split(' ').map(|word| word.parse().expect("a number")).collect();
        assert_eq!(filtered.len(), figures.len());
        for (found, figure) in filtered.iter().zip(figures) {
            assert!((f64::from(*found) - figure).abs() <= 0.6, "{found} is not {figure}: {line}");
        }
        n_cases += 1;
    }
    assert_eq!(n_cases, 18);
}
