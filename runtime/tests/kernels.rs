//! Fast kernels against their definition, on the layers that emulated cores also run.

#[path = "../../bench/firmware/src/cases.rs"]
mod cases;
mod common;
#[path = "../../bench/firmware/src/convolutions.rs"]
mod convolutions;
#[path = "../../bench/firmware/src/filters.rs"]
mod filters;
#[path = "../../bench/firmware/src/models.rs"]
mod models;
#[path = "../../bench/firmware/src/spectra.rs"]
mod spectra;

use edgemix_runtime::kernels::blocks::{self, DenseKernel};
use edgemix_runtime::kernels::scalar::Scalar;
use edgemix_runtime::kernels::{self, Width, portable};
use edgemix_runtime::view::{FrontEnd, Layer};

/// The kernel for the DSP extension, instruction by instruction.
struct Dsp;

/// Bytes 0 and 2 of `word` rotated right by `rotation` bits, sign-extended.
fn sxtb16(word: u32, rotation: u32) -> [i16; 2] {
    let [a, _, c, _] = word.rotate_right(rotation).to_le_bytes();
    [a as i8, c as i8].map(i16::from)
}

fn smlad([a, b]: [i16; 2], x: &[i16], sum: i32) -> i32 {
    sum.wrapping_add(i32::from(a) * i32::from(x[0])).wrapping_add(i32::from(b) * i32::from(x[1]))
}

impl DenseKernel for Dsp {
    const TILE: usize = 5;
    const MIN_INPUTS: usize = 4;
    type Sums = [i32; 128];

    fn arrange(x: &mut [i16]) {
        x.chunks_exact_mut(4).for_each(|four| four.swap(1, 2));
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let (columns, steps) = (x.len(), x.len() / 4 * 4);
        assert!(sums.len() >= Self::TILE && columns >= Self::MIN_INPUTS && weights.len() == columns * sums.len());
        for ((sum, bias), row) in sums.iter_mut().zip(bias).zip(weights.chunks_exact(columns)) {
            *sum = *bias;
            for (w, x) in row[..steps].chunks_exact(4).zip(x.chunks_exact(4)) {
                let word = u32::from_le_bytes([w[0], w[1], w[2], w[3]].map(|w| w as u8));
                *sum = smlad(sxtb16(word, 0), &x[..2], *sum);
                *sum = smlad(sxtb16(word, 8), &x[2..], *sum);
            }
            *sum += row[steps..].iter().zip(&x[steps..]).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>();
        }
    }
}

#[test]
fn every_kernel_equals_its_definition() {
    let digest = cases::layers(|layer, width, x, output| {
        portable::dense(layer, width, x, output);
        let run = |kernel: &mut dyn FnMut(&mut [i16], &mut [i16])| {
            let mut found = vec![77; output.len()];
            kernel(&mut x.to_vec(), &mut found);
            assert_eq!(found, output, "{} inputs, {width:?}, {:?}", layer.inputs, layer.activation);
        };
        run(&mut |x, found| blocks::dense::<Scalar>(layer, width, x, found));
        run(&mut |x, found| blocks::dense::<Dsp>(layer, width, x, found));
        #[cfg(target_arch = "x86_64")]
        edgemix_runtime::kernels::x86::available()
            .for_each(|kernel| run(&mut |x, found| kernel(layer, width, x, found)));
        run(&mut |x, found| kernels::run(&Layer::Dense(*layer), width, x, found, &mut []));
    });
    assert_eq!(digest, cases::LAYERS, "{digest:#010x}");
}

#[test]
fn every_convolution_equals_its_definition() {
    let digest = convolutions::convolutions(|layer, width, x, output| {
        portable::convolution(layer, width, x, output);
        let mut found = vec![77; output.len()];
        let mut patch = vec![99; layer.filters.inputs];
        kernels::run(&Layer::Conv2d(*layer), width, &mut x.to_vec(), &mut found, &mut patch);
        assert_eq!(found, output, "{layer:?}");
        let exact = common::convolution(layer, width == Width::Wide, &x.iter().map(|&x| x.into()).collect::<Vec<_>>());
        assert!(exact.into_iter().eq(output.iter().map(|&q| i128::from(q))), "{layer:?}");
    });
    assert_eq!(digest, convolutions::CONVOLUTIONS, "{digest:#010x}");
}

#[test]
fn every_head_gives_the_scores_that_emulated_cores_give() {
    let digest = cases::heads();
    assert_eq!(digest, cases::HEADS, "{digest:#010x}");
}

#[test]
fn models_give_the_scores_that_emulated_cores_give() {
    let digest = models::models().unwrap();
    assert_eq!(digest, models::MODELS, "{digest:#010x}");
}

#[test]
fn every_spectrum_equals_its_definition() {
    let digest = spectra::spectra(|spectrum, window, features| {
        let window: Vec<i128> = window.iter().map(|&x| x.into()).collect();
        let exact = common::spectrum::features(spectrum, &window);
        assert!(exact.into_iter().eq(features.iter().map(|&x| i128::from(x))), "{spectrum:?}");
    });
    assert_eq!(digest, Some(spectra::SPECTRA), "{digest:#010x?}");
}

#[test]
fn every_filter_equals_its_definition() {
    let digest = filters::filters(|front_ends, window, results| {
        let mut exact: Vec<i128> = window.iter().map(|&x| x.into()).collect();
        for front_end in front_ends {
            exact = match front_end {
                FrontEnd::Filter(filter) => common::filter::filtered(filter, &exact),
                FrontEnd::Spectrum(spectrum) => common::spectrum::features(spectrum, &exact),
            };
        }
        assert!(exact.into_iter().eq(results.iter().map(|&x| i128::from(x))), "{front_ends:?}");
    });
    assert_eq!(digest, Some(filters::FILTERS), "{digest:#010x?}");
}
