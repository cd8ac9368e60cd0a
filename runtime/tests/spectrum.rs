//! The spectrum against its definition in real numbers.

mod common;

use edgemix_format::testing::{Spec, SplitMix64};
use edgemix_format::view::{FramePooling, FrontEnd, Spectrum, Statistics};
use edgemix_format::write::{SpectrumSettings, Taper};
use edgemix_runtime::{AssignError, Assignment, Model, front_ends};
use proptest::prelude::*;

/// The features of a window as the runtime computes them.
fn features(spectrum: &Spectrum, window: &[i16]) -> Vec<i16> {
    let front_end = FrontEnd::Spectrum(*spectrum);
    let (mut features, mut scratch) = (vec![77; front_end.outputs()], vec![-1; front_end.scratch()]);
    front_ends::run(&[front_end], window, &mut features, &mut scratch).expect("lengths are those of the spectrum");
    features
}

/// A feature in real numbers, how many units there are to 1, and how far the integer may be off in such units.
#[derive(Clone, Copy, Debug)]
struct Real {
    value: f64,
    error: f64,
}

/// The definition in f64. A band whose energy is small beside that of all bins may be off by more.
fn real(settings: &SpectrumSettings, window: &[i16]) -> Vec<Real> {
    let instants: Vec<&[i16]> = window.chunks_exact(settings.channels).collect();
    let signals: Vec<Vec<f64>> = settings.signals.iter().map(|&mask| signal(&instants, mask)).collect();
    let of_signals: Vec<Vec<Real>> = signals.iter().map(|signal| of_signal(settings, signal)).collect();
    if settings.pooling != FramePooling::Each {
        return of_signals.concat();
    }
    (0..of_signals[0].len()).flat_map(|i| of_signals.iter().map(move |signal| signal[i])).collect()
}

fn signal(instants: &[&[i16]], mask: u32) -> Vec<f64> {
    let squares = |instant: &&[i16]| -> f64 {
        let of_mask = instant.iter().enumerate().filter(|(c, _)| mask >> c & 1 == 1);
        of_mask.map(|(_, &x)| f64::from(x).powi(2)).sum()
    };
    if mask.count_ones() == 1 {
        return instants.iter().map(|instant| instant[mask.trailing_zeros() as usize].into()).collect();
    }
    instants.iter().map(|instant| squares(instant).sqrt().floor().min(32767.0)).collect()
}

fn of_signal(settings: &SpectrumSettings, signal: &[f64]) -> Vec<Real> {
    let n = signal.len() as f64;
    let mean = signal.iter().sum::<f64>() / n;
    let centred: Vec<f64> = signal.iter().map(|x| x - mean).collect();
    let moment = |power| centred.iter().map(|x| x.powi(power)).sum::<f64>() / n;
    let variance = moment(2) + settings.noise;
    let mut found = vec![];
    let mut put = |statistic, value: f64, unit: f64, error: f64| {
        // What a constant signal has, for want of a quotient.
        let value = if !value.is_nan() {
            value
        } else if statistic == Statistics::KURTOSIS {
            3f64.log2()
        } else {
            0.0
        };
        let error = if error.is_nan() { 1.0 } else { error };
        if settings.statistics.contains(statistic) {
            found.push(Real { value: (value * unit).clamp(-32768.0, 32767.0), error });
        }
    };
    put(Statistics::MEAN, mean, f64::from(1 << settings.mean_fraction), 0.51);
    put(Statistics::DEVIATION, 0.5 * variance.log2(), 1024.0, 1.0);
    let peak = centred.iter().fold(0.0, |peak: f64, x| peak.max(x.abs()));
    put(Statistics::CREST, 0.5 * ((peak * peak + settings.noise) / variance).log2(), 1024.0, 6.0);
    let skewness = moment(3) / variance.powf(1.5);
    put(Statistics::SKEWNESS, skewness, 1024.0, 10.0 + 0.02 * 1024.0 * skewness.abs());
    let fourth = moment(4) + 6.0 * moment(2) * settings.noise + 3.0 * settings.noise.powi(2);
    put(Statistics::KURTOSIS, (fourth / variance.powi(2)).log2(), 1024.0, 30.0);
    if settings.edges.is_empty() {
        return found;
    }
    let frames: Vec<_> =
        centred.windows(settings.frame).step_by(settings.hop).map(|frame| energies(settings, frame)).collect();
    let range = signal.iter().fold(0.0, |most: f64, x| most.max((x - signal[0]).abs()));
    let fraction = (26 - (range + 1.0).log2().ceil() as i32).min(20);
    // What the noise adds, which no frame's energy includes.
    let pool = |band: usize, frames: &[(Vec<f64>, f64)]| {
        let energies = frames.iter().map(|(energies, _)| energies[band]);
        let energy = match settings.pooling {
            FramePooling::Max => energies.fold(0.0, f64::max),
            _ => energies.sum::<f64>() / frames.len() as f64,
        };
        let width = f64::from(settings.edges[band + 1] - settings.edges[band]);
        let energy = energy + settings.noise * 2.0 * width / settings.fft as f64;
        // Steps of the logarithm; a noise 80 dB below everything that the frames hold, from factors of 16 bits; and the last
        // bits of bins in block scale.
        let all = frames.iter().map(|(_, all)| all).fold(0.0, |most: f64, &all| most.max(all));
        let noise =
            1e-8 * all + 4.0 * width * 2f64.powi(2 - 2 * fraction) * 2.0 * settings.fft as f64 / power(settings);
        let error = 1.0 + 1024.0 * ((noise + 2.0 * (noise * energy).sqrt()) / energy).ln_1p() / 2f64.ln();
        Real { value: (energy.log2() * 1024.0).clamp(-32768.0, 32767.0), error }
    };
    let bands = 0..settings.edges.len() - 1;
    if settings.pooling == FramePooling::Each {
        found.extend(frames.chunks(1).flat_map(|frame| bands.clone().map(move |band| pool(band, frame))));
    } else {
        found.extend(bands.map(|band| pool(band, &frames)));
    }
    found
}

fn taper(settings: &SpectrumSettings, t: usize) -> f64 {
    match settings.taper {
        Taper::None => 1.0,
        Taper::Hann => (std::f64::consts::PI * t as f64 / settings.frame as f64).sin().powi(2),
    }
}

fn power(settings: &SpectrumSettings) -> f64 {
    (0..settings.frame).map(|t| taper(settings, t).powi(2)).sum()
}

/// The energies of a frame's bands in square counts, and the energy of all bins.
fn energies(settings: &SpectrumSettings, frame: &[f64]) -> (Vec<f64>, f64) {
    let n = settings.fft;
    let power = power(settings);
    let bins: Vec<f64> = (0..=n / 2)
        .map(|k| {
            let (mut x, mut y) = (0.0, 0.0);
            for (t, value) in frame.iter().enumerate() {
                let angle = std::f64::consts::TAU * ((k * t) % n) as f64 / n as f64;
                x += taper(settings, t) * value * angle.cos();
                y -= taper(settings, t) * value * angle.sin();
            }
            let sides = if k == 0 || k == n / 2 { 1.0 } else { 2.0 };
            sides * (x * x + y * y) / (n as f64 * power)
        })
        .collect();
    let bands = settings.edges.windows(2).map(|edges| bins[edges[0].into()..edges[1].into()].iter().sum());
    (bands.collect(), bins.iter().sum())
}

fn check(settings: &SpectrumSettings, window: &[i16]) {
    let tables = settings.tables().unwrap();
    let found = features(&tables.spectrum(), window);
    let expected = real(settings, window);
    assert_eq!(found.len(), expected.len());
    for (index, (&found, real)) in found.iter().zip(&expected).enumerate() {
        let error = (f64::from(found) - real.value).abs();
        assert!(error <= real.error, "feature {index}: {found}, not {real:?}: {settings:?}");
    }
}

fn settings() -> impl Strategy<Value = SpectrumSettings> {
    let sizes = (1usize..200, 1usize..4, 4u32..9, any::<prop::sample::Index>(), 1usize..100);
    let choices = (any::<bool>(), 0usize..3, 0u8..32, 0u8..9, prop::sample::select(vec![0.0, 1.0 / 12.0, 3.0]));
    (sizes, choices, prop::collection::vec(any::<prop::sample::Index>(), 1..7)).prop_map(
        |((instants, channels, log2, frame, hop), (is_hann, pooling, statistics, mean_fraction, noise), edges)| {
            let fft = 1 << log2;
            let pooling = [FramePooling::Mean, FramePooling::Max, FramePooling::Each][pooling];
            let mut edges: Vec<u16> = edges.iter().map(|edge| edge.index(fft / 2 + 2) as u16).collect();
            edges.sort_unstable();
            edges.dedup();
            if edges.len() == 1 {
                edges = vec![0, (fft / 2 + 1) as u16];
            }
            let of_each = pooling == FramePooling::Each;
            SpectrumSettings {
                instants,
                channels,
                fft,
                frame: (1 + frame.index(instants.min(fft))).max(1 + usize::from(is_hann)).min(instants),
                hop,
                taper: if is_hann && instants > 1 { Taper::Hann } else { Taper::None },
                pooling,
                statistics: Statistics::from_bits(if of_each { 0 } else { statistics }).unwrap(),
                mean_fraction,
                noise,
                signals: (0..channels).map(|c| 1 << c).chain([(1 << channels) - 1]).collect(),
                edges,
            }
        },
    )
}

/// Noise, waves and steps of an amplitude, around a level.
fn window(len: usize, seed: u64) -> Vec<i16> {
    let mut random = SplitMix64::new(seed);
    let amplitude = 1 << random.between(0, 16);
    let level = random.between(-30000, 30000);
    let (kind, period) = (random.between(0, 4), f64::from(random.between(20, 900)) / 10.0);
    (0..len)
        .map(|i| {
            let x = match kind {
                0 => random.between(-amplitude, amplitude),
                1 => (f64::from(amplitude) * (i as f64 / period).sin()) as i32,
                2 => amplitude * i32::from(i as f64 > period),
                3 => amplitude * i32::from(random.next_u64().is_multiple_of(16)),
                _ => (f64::from(amplitude) * (i as f64 / period).sin()) as i32 + random.between(-2, 2),
            };
            (level + x).clamp(-32768, 32767) as i16
        })
        .collect()
}

/// Every length of the transform, and amplitudes from a single count to full scale.
#[test]
fn the_longest_transforms() {
    for (log2, amplitude) in (4..=10).flat_map(|log2| (0..16).step_by(5).map(move |bits| (log2, 1 << bits))) {
        let settings = SpectrumSettings { fft: 1 << log2, frame: 1 << log2, hop: 1 << log2, ..simple(1 << log2) };
        let mut random = SplitMix64::new(log2);
        check(
            &settings,
            &random.many(1 << log2, -amplitude, amplitude - 1).iter().map(|&x| x as i16).collect::<Vec<_>>(),
        );
    }
}

/// One channel with all statistics and four bands.
fn simple(instants: usize) -> SpectrumSettings {
    SpectrumSettings {
        instants,
        channels: 1,
        fft: 16,
        frame: 16.min(instants),
        hop: 8,
        taper: Taper::Hann,
        pooling: FramePooling::Mean,
        statistics: Statistics::ALL,
        mean_fraction: 0,
        noise: 1.0 / 12.0,
        signals: vec![1],
        edges: vec![0, 1, 2, 4, 9],
    }
}

/// A channel at rest has the features of its noise, wherever it rests.
#[test]
fn a_constant_channel() {
    for level in [0, 1, -1, 1000, i16::MIN, i16::MAX] {
        for instants in [1, 2, 3, 16, 100] {
            let window = vec![level; instants];
            let settings = SpectrumSettings { taper: Taper::None, ..simple(instants) };
            check(&settings, &window);
            let silent = SpectrumSettings { noise: 0.0, ..settings };
            let tables = silent.tables().unwrap();
            // log2(3) is the kurtosis of noise; logarithms of 0 saturate.
            let nothing = [level, i16::MIN, 0, 0, 1623, i16::MIN, i16::MIN, i16::MIN, i16::MIN];
            assert_eq!(features(&tables.spectrum(), &window), nothing);
        }
    }
}

/// A square wave from one end of int16 to the other.
#[test]
fn a_saturated_channel() {
    for (half, instants) in [(1, 64), (4, 64), (8, 96), (500, 1024)] {
        let window: Vec<i16> = (0..instants).map(|t| if t / half % 2 == 0 { i16::MIN } else { i16::MAX }).collect();
        check(&simple(instants), &window);
        check(&SpectrumSettings { taper: Taper::None, pooling: FramePooling::Max, ..simple(instants) }, &window);
    }
}

/// One step of one count in the longest window is neither lost nor drowned.
#[test]
fn the_quietest_channel() {
    let mut window = vec![-30000; 1 << 15];
    window[12345] += 1;
    let settings = SpectrumSettings { hop: 129, noise: 0.0, ..simple(1 << 15) };
    check(&settings, &window);
}

#[test]
fn slices_of_other_lengths_are_refused() {
    let tables = simple(20).tables().unwrap();
    let front_end = FrontEnd::Spectrum(tables.spectrum());
    let run = |window: usize, features: usize, scratch: usize| {
        front_ends::run(&[front_end], &vec![0; window], &mut vec![0; features], &mut vec![0; scratch])
    };
    let (features, scratch) = (front_end.outputs(), front_end.scratch());
    assert_eq!(run(20, features, scratch), Some(()));
    for (window, features, scratch) in
        [(19, features, scratch), (20, features - 1, scratch), (20, features, scratch - 1)]
    {
        assert_eq!(run(window, features, scratch), None);
    }
}

/// A model takes windows of every type; the arena is exact and nothing in it matters.
#[test]
fn a_model_with_a_spectrum() {
    let spec = Spec { spectrum: Some(simple(40)), input: 9, channels: 9, seed: 5, ..Spec::default() };
    let bytes = spec.build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    assert_eq!(model.input_len(), 40);
    let mut random = SplitMix64::new(5);
    for amplitude in [0, 1, 100, 127] {
        let raw: Vec<i8> = random.many(40, -amplitude, amplitude).iter().map(|&x| x as i8).collect();
        let wide: Vec<i16> = raw.iter().map(|&x| x.into()).collect();
        let real = common::values(model.file(), &raw);
        let (_, scores) = common::run_raw(model.file(), &raw.iter().map(|&x| x.into()).collect::<Vec<_>>());
        for poison in [0, 0x7f, 0xff] {
            let mut arena = common::Arena::new(model.arena_len(), poison);
            let as_exact = |found: Assignment| found.scores().iter().map(|&s| i128::from(s)).collect::<Vec<_>>();
            assert_eq!(as_exact(model.assign_raw(&raw, &mut arena).unwrap()), scores);
            assert_eq!(as_exact(model.assign_raw(&wide, &mut arena).unwrap()), scores);
            assert_eq!(as_exact(model.assign(&real, &mut arena).unwrap()), scores);
        }
    }
    let mut workspace = common::Arena::new(model.arena_len(), 0);
    let mut sample = [0.0; 40];
    sample[7] = f32::INFINITY;
    assert_eq!(model.assign(&sample, &mut workspace).unwrap_err(), AssignError::NotFinite { index: 7 });
    let features = model.assign_raw(&[0u8; 9], &mut workspace).unwrap_err();
    assert_eq!(features, AssignError::InputLength { expected: 40, given: 9 });
    // Values beyond int16 saturate.
    let far = model.assign(&[f32::MAX; 40], &mut workspace).unwrap().scores().to_vec();
    assert_eq!(model.assign_raw(&[i16::MAX; 40], &mut workspace).unwrap().scores(), far);
}

proptest! {
    #[test]
    fn features_are_close_to_those_of_real_numbers(settings in settings(), seed: u64) {
        check(&settings, &window(settings.instants * settings.channels, seed));
    }
}
