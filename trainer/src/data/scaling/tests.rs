//! Scalings against their definitions.

use super::super::image_shape::ImageShape;
use super::*;

#[test]
fn a_table_is_standardised_and_a_constant_feature_becomes_zero() {
    let values = vec![1.0, 5.0, -2.0, 2.0, 5.0, 0.5, 6.0, 5.0, 7.0];
    let samples = Samples::new("table", values, 3);
    let scaled = Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap());
    for feature in 0..3 {
        let column: Vec<f32> = scaled.chunks(3).map(|row| row[feature]).collect();
        let mean = column.iter().sum::<f32>() / 3.0;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 3.0;
        let expected = if feature == 1 { 0.0 } else { 1.0 };
        assert!(mean.abs() < 1e-6 && (variance - expected).abs() < 1e-5, "{feature}: {mean} {variance}");
    }
}

#[test]
fn windows_are_standardised_channel_by_channel_even_if_counts() {
    // Two windows of three instants of two channels; the second channel is a hundred times the first, and offset.
    let values: Vec<f32> = (0..6).flat_map(|t| [t as f32, 100.0 * t as f32 + 7.0]).collect();
    let samples = Samples::new("windows", values, 6).with_layout(Layout::Windows { channels: 2 }).with_count(1.0);
    let scaling = Scaling::fit(&samples).unwrap();
    assert_eq!(scaling.gain.len(), 2);
    for pair in scaling.apply(&samples.all().unwrap()).chunks(2) {
        assert!((pair[0] - pair[1]).abs() < 1e-4, "{pair:?}");
    }
}

#[test]
fn integers_of_like_ranges_go_to_the_unit_interval() {
    let samples = Samples::new("counts", vec![0.0, 12.0, 16.0, 4.0], 2).with_count(1.0);
    assert_eq!(Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap()), [0.0, 0.75, 1.0, 0.25]);
}

#[test]
fn images_that_are_far_from_zero_keep_their_contrast() {
    let image = ImageShape { channels: 1, height: 1, width: 2 };
    let samples = Samples::new("thermal", vec![30_000.0, 30_050.0, 30_010.0, 30_000.0], 2).with_count(1.0);
    let samples = samples.with_layout(Layout::Images(image));
    let scaled = Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap());
    for (found, expected) in scaled.iter().zip([0.0, 1.0, 0.2, 0.0]) {
        assert!((found - expected).abs() < 1e-4, "{scaled:?}");
    }
}

#[test]
fn images_may_have_inputs_on_both_sides_of_zero() {
    let image = Layout::Images(ImageShape { channels: 1, height: 1, width: 2 });
    let within = |values: Vec<f32>, layout| {
        let samples = Samples::new("images", values, 2).with_layout(layout);
        let scaling = Scaling::fit(&samples).unwrap();
        let symmetric = scaling.clone().within(InputRange::Symmetric, &samples);
        assert_eq!(scaling.clone().within(InputRange::Auto, &samples), scaling);
        (symmetric == scaling, symmetric.apply(&samples.all().unwrap()))
    };
    assert_eq!(within(vec![0.0, 256.0, 64.0, 0.0], image), (false, vec![-1.0, 1.0, -0.5, -1.0]));
    assert_eq!(within(vec![30_000.0, 30_064.0, 30_032.0, 30_000.0], image), (false, vec![-1.0, 1.0, 0.0, -1.0]));
    // These have both signs already.
    assert!(within(vec![-2.0, 4.0, 1.0, 0.0], image).0);
    assert!(within(vec![1.0, 5.0, 2.0, 7.5], Layout::Table).0);
}

/// A gain for each column, or one for all.
fn n_gains(columns: &[&[f32]]) -> usize {
    let n = columns.iter().map(|column| column.len()).max().unwrap();
    let values = (0..n).flat_map(|i| columns.iter().map(move |column| column[i % column.len()])).collect();
    Scaling::fit(&Samples::new("counts", values, columns.len()).with_count(1.0)).unwrap().gain.len()
}

#[test]
fn columns_of_different_units_have_a_gain_each() {
    // Degrees, percent, pascal, lux.
    let units: [&[f32]; 4] = [&[18.0, 25.0], &[30.0, 60.0], &[100_900.0, 101_600.0], &[0.0, 20_000.0]];
    assert_eq!(n_gains(&units), 4);
    // As wide as each other, but far from 0: nothing would be left of them.
    assert_eq!(n_gains(&[&[1000.0, 1010.0], &[1002.0, 1012.0]]), 2);
    assert_eq!(n_gains(&[&[0.0, 250.0], &[0.0, 20.0]]), 2);
}

#[test]
fn columns_of_like_ranges_share_a_gain() {
    // Answers from 1 to 5, bytes, flags one of which is never set.
    assert_eq!(n_gains(&[&[1.0, 5.0], &[2.0, 5.0], &[1.0, 4.0]]), 1);
    assert_eq!(n_gains(&[&[3.0, 250.0], &[0.0, 255.0]]), 1);
    assert_eq!(n_gains(&[&[0.0, 1.0], &[1.0, 0.0], &[0.0]]), 1);
}

#[test]
fn pixels_in_a_table_share_a_gain_and_rare_ones_are_not_blown_up() {
    let mut columns: Vec<&[f32]> = vec![&[0.0, 200.0]; 40];
    columns.extend([&[0.0, 3.0][..]; 20]);
    columns.extend([&[0.0][..]; 4]);
    assert_eq!(n_gains(&columns), 1);
    // The same of a few columns, or with one that is far from 0, is a table of different units.
    assert_eq!(n_gains(&columns[34..44]), 10);
    columns[50] = &[90.0, 95.0];
    assert_eq!(n_gains(&columns), 64);
}

#[test]
fn a_column_that_differs_by_rounding_alone_is_left_out() {
    let values = vec![1.0, 101_325.0, 2.0, 101_325.01, 4.0, 101_325.0];
    let scaling = Scaling::fit(&Samples::new("table", values, 2)).unwrap();
    assert!(scaling.gain[0] > 0.0);
    assert_eq!((scaling.gain[1], scaling.offset[1]), (0.0, 0.0));
    // Whatever the sensor shows later.
    assert_eq!(scaling.apply(&[1.0, -7.0])[1], 0.0);
}

/// Columns with one far value each, and the same columns without.
fn with_far(columns: usize, far: f32, to: impl Fn(Samples) -> Samples) -> (Scaling, Scaling) {
    let clean: Vec<f32> = (0..200 * columns).map(|i| ((i * 37) % 101) as f32).collect();
    let mut broken = clean.clone();
    (0..columns).for_each(|column| broken[(20 * column + 3) * columns + column] = far);
    let fit = |values| Scaling::fit(&to(Samples::new("columns", values, columns))).unwrap();
    (fit(clean), fit(broken))
}

#[test]
fn far_values_leave_the_scale_as_it_is_and_saturate() {
    let half = |samples: Samples| {
        let values = samples.all().unwrap().iter().map(|x| 0.5 * x - 7.25).collect();
        Samples::new("floats", values, samples.n_features())
    };
    let window = |samples: Samples| half(samples).with_layout(Layout::Windows { channels: 2 });
    let image = |samples: Samples| {
        samples.with_layout(Layout::Images(ImageShape { channels: 1, height: 2, width: 2 })).with_count(1.0)
    };
    for far in [1e6, 65_535.0, -9999.0] {
        for (clean, broken) in [with_far(3, far, half), with_far(4, far, window), with_far(4, far, image)] {
            assert_eq!((clean.limits, clean.gain.len()), (None, broken.gain.len()));
            for (a, b) in clean.gain.iter().zip(&broken.gain) {
                assert!((a / b - 1.0).abs() < 0.02, "{far}: {clean:?} {broken:?}");
            }
            let inputs = broken.apply(&vec![far; broken.gain.len()]);
            let limits = broken.limits.unwrap();
            assert!(inputs.iter().all(|x| limits.contains(x)), "{inputs:?} {limits:?}");
        }
    }
    // A table of like ranges still is one.
    let (clean, broken) = with_far(3, 65_535.0, |samples| samples);
    assert_eq!((clean.gain, broken.gain, broken.limits), (vec![0.01], vec![0.01], Some([0.0, 1.0])));
}
