//! Faults of layers and of what they give.

use super::*;

#[test]
fn layers() {
    let at = |index, fault| LoadError::Layer { index, fault };
    let spec = spec();
    assert_eq!(described(&spec, |d| dense(d, 0).inputs += 1), at(0, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 1).outputs = 0), at(1, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 1).outputs = 65537), at(1, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 1).weights.len -= 1), at(1, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 2).weights.offset = 1 << 20), at(2, Fault::Tensor));
    assert_eq!(described(&spec, |d| dense(d, 2).output.scale = 0.0), at(2, Fault::Scale));
    assert_eq!(described(&spec, |d| dense(d, 2).output.zero_point = 1), at(2, Fault::Activation));
    assert_eq!(described(&spec, |d| d.encoder.truncate(2)), at(1, Fault::Activation));
    for bias in [1 << 30, -(1 << 30), i32::MIN] {
        assert_eq!(element(&spec, |d| dense_of(d, 1).bias, 4, bias), at(1, Fault::Bias));
    }
    let multiplier = element(&spec, |d| dense_of(d, 0).requantize.multiplier, 0, -1);
    assert_eq!(multiplier, at(0, Fault::Requantisation));
    let slope = |d: &Description| {
        let Activation::LeakyRelu(negative) = dense_of(d, 0).activation else { panic!("not leaky") };
        negative.shift
    };
    assert_eq!(element(&spec, slope, 4, 63u8), at(0, Fault::Requantisation));
    let short = described(&spec, |d| dense(d, 1).activation = Activation::Table(Tensor::new(0, 255)));
    assert_eq!(short, at(1, Fault::Shape));
}

#[test]
fn convolutions() {
    let shape =
        Convolution { filters: 4, kernel: [3, 2], stride: [2, 1], padding: [1, 0, 2, 1], follow: Follow::LeakyRelu };
    let layers = vec![(3, Follow::Interpolated)];
    let spec = Spec { input: 60, channels: 2, image: [5, 6, 2], convolutions: vec![shape], layers, ..Spec::default() };
    let at = |fault| LoadError::Layer { index: 0, fault };
    let altered = |alter: fn(&mut Conv2d)| described(&spec, |d| alter(conv2d(d)));
    assert_eq!(altered(|c| c.height += 1), at(Fault::Shape));
    assert_eq!(altered(|c| (c.height, c.width) = (60, 0)), at(Fault::Shape));
    assert_eq!(altered(|c| c.channels = 0), at(Fault::Shape));
    assert_eq!(altered(|c| c.filters = 0), at(Fault::Shape));
    assert_eq!(altered(|c| c.filters = 3), at(Fault::Shape));
    // 3 x 6 places of 65535 filters, and taps beyond the limit, do not get as far as their tensors.
    assert_eq!(altered(|c| (c.filters, c.weights.offset) = (u16::MAX, 1)), at(Fault::Shape));
    assert_eq!(altered(|c| c.kernel = [255, 255]), at(Fault::Shape));
    for i in 0..2 {
        assert_eq!(described(&spec, |d| conv2d(d).kernel[i] = 0), at(Fault::Shape));
        assert_eq!(described(&spec, |d| conv2d(d).stride[i] = 0), at(Fault::Shape));
    }
    // Places in the padding alone.
    for (i, kernel) in [3, 2, 3, 2].into_iter().enumerate() {
        assert_eq!(described(&spec, |d| conv2d(d).padding[i] = kernel), at(Fault::Shape));
    }
    assert_eq!(altered(|c| c.weights.len -= 1), at(Fault::Shape));
    assert_eq!(altered(|c| c.bias.len += 1), at(Fault::Shape));
    assert_eq!(altered(|c| c.weights.offset = 1 << 20), at(Fault::Tensor));
    assert_eq!(altered(|c| c.output.scale = f32::NAN), at(Fault::Scale));
    assert_eq!(element(&spec, |d| conv2d(&mut d.clone()).bias, 3, 1 << 30), at(Fault::Bias));
    let shift = |d: &Description| conv2d(&mut d.clone()).requantize.shift;
    assert_eq!(element(&spec, shift, 3, 0u8), at(Fault::Requantisation));
    // The next layer takes what the filters give: one column less.
    let narrow = described(&spec, |d| conv2d(d).padding[3] = 0);
    assert_eq!(narrow, LoadError::Layer { index: 1, fault: Fault::Shape });
}

#[test]
fn curves_end_the_encoder_and_stand_nowhere_else() {
    let curve = Tensor::new(0, 257);
    let at = |index, fault| LoadError::Layer { index, fault };
    let error = described(&spec(), |d| dense(d, 1).activation = Activation::Interpolated(curve));
    assert_eq!(error, at(1, Fault::Activation));
    let last = Spec { layers: vec![(3, Follow::Interpolated)], ..Spec::default() };
    assert!(last.build().is_ok());
    assert_eq!(described(&last, |d| dense(d, 0).output.zero_point = 1), at(0, Fault::Activation));
    let short = described(&last, |d| dense(d, 0).activation = Activation::Interpolated(Tensor::new(0, 256)));
    assert_eq!(short, at(0, Fault::Shape));
}

#[test]
fn latent() {
    let spec = spec();
    assert_eq!(described(&spec, |d| d.latent.len = 4), LoadError::Latent(Fault::Shape));
    assert_eq!(described(&spec, |d| d.latent.len = 0), LoadError::Latent(Fault::Shape));
    assert_eq!(described(&spec, |d| d.latent.scale = -0.5), LoadError::Latent(Fault::Scale));
    let wide = Spec { input: 1025, channels: 1, layers: vec![], ..Spec::default() };
    assert_eq!(wide.build(), Err(WriteError::Refused(LoadError::Latent(Fault::Shape))));
}
