//! Faults of layers and of what they give.

use super::*;

#[test]
fn layers() {
    let at = |index, fault| LoadError::Layer { index, fault };
    let spec = spec();
    // The number of inputs is right for the weights, but not what the layer before gives.
    let narrow = |d: &mut Description| (dense(d, 1).inputs, dense(d, 1).weights.len) = (4, 20);
    assert_eq!(described(&spec, narrow), at(1, Fault::Inputs));
    assert_eq!(described(&spec, |d| dense(d, 0).inputs += 1), at(0, Fault::TensorLength));
    assert_eq!(described(&spec, |d| dense(d, 0).inputs = 0), at(0, Fault::Size));
    assert_eq!(described(&spec, |d| dense(d, 1).outputs = 0), at(1, Fault::Size));
    assert_eq!(described(&spec, |d| dense(d, 1).outputs = 65537), at(1, Fault::Size));
    assert_eq!(described(&spec, |d| dense(d, 1).weights.len -= 1), at(1, Fault::TensorLength));
    assert_eq!(described(&spec, |d| dense(d, 2).weights.offset = 1 << 20), at(2, Fault::TensorOutside));
    assert_eq!(described(&spec, |d| dense(d, 2).output.scale = 0.0), at(2, Fault::Scale));
    assert_eq!(described(&spec, |d| dense(d, 2).output.zero_point = 1), at(2, Fault::ZeroPoint));
    assert_eq!(described(&spec, |d| d.encoder.truncate(2)), at(1, Fault::TableInLastLayer));
    for bias in [1 << 30, -(1 << 30), i32::MIN] {
        assert_eq!(element(&spec, |d| dense_of(d, 1).bias, 4, bias), at(1, Fault::Bias));
    }
    assert_eq!(element(&spec, |d| dense_of(d, 0).requantize.multiplier, 0, -1), at(0, Fault::Multiplier));
    let slope = |d: &Description| {
        let ActivationRecord::LeakyRelu(negative) = dense_of(d, 0).activation else { panic!("not leaky") };
        negative.shift
    };
    assert_eq!(element(&spec, slope, 4, 63u8), at(0, Fault::Shift));
    let short = described(&spec, |d| dense(d, 1).activation = ActivationRecord::Table(Tensor::new(0, 255)));
    assert_eq!(short, at(1, Fault::TensorLength));
}

#[test]
fn too_many_layers() {
    let spec = Spec { layers: vec![(1, Follow::Identity); 16], ..Spec::default() };
    let encoded = |spec: &Spec| {
        let (description, _) = spec.parts();
        let before =
            [description.name.len() + 1, description.method.len() + 1, 16 + 1 + 1 + 5, 1].iter().sum::<usize>();
        HEADER_LEN + before
    };
    let mut bytes = spec.build().unwrap();
    // The input after the front ends: two lengths, three tensors, a zero point. The list's length is after it.
    let place = (encoded(&spec)..).find(|&at| bytes[at] == 16 && bytes[at + 1] == 0).unwrap();
    bytes.as_mut()[place] = 17;
    mend(bytes.as_mut());
    assert_eq!(load(&bytes), LoadError::Encoder(Fault::LayerCount));
}

#[test]
fn convolutions() {
    let shape =
        Convolution { filters: 4, kernel: [3, 2], stride: [2, 1], padding: [1, 0, 2, 1], follow: Follow::LeakyRelu };
    let layers = vec![(3, Follow::Interpolated)];
    let image_layers = vec![ImageLayer::Convolution(shape)];
    let spec = Spec { input: 60, channels: 2, image: [5, 6, 2], image_layers, layers, ..Spec::default() };
    let at = |fault| LoadError::Layer { index: 0, fault };
    let altered = |alter: fn(&mut Conv2dRecord)| described(&spec, |d| alter(conv2d(d)));
    assert_eq!(altered(|c| c.window.height += 1), at(Fault::Inputs));
    assert_eq!(altered(|c| (c.window.height, c.window.width) = (60, 0)), at(Fault::Size));
    assert_eq!(altered(|c| c.window.channels = 0), at(Fault::Size));
    assert_eq!(altered(|c| c.window.channels = 1), at(Fault::Inputs));
    assert_eq!(altered(|c| c.filters.outputs = 0), at(Fault::Size));
    assert_eq!(altered(|c| c.filters.outputs = 3), at(Fault::TensorLength));
    assert_eq!(altered(|c| c.filters.inputs = 6), at(Fault::TensorLength));
    assert_eq!(altered(|c| (c.filters.inputs, c.filters.weights.len) = (6, 24)), at(Fault::Inputs));
    assert_eq!(altered(|c| c.window.kernel = [255, 255]), at(Fault::Size));
    for i in 0..2 {
        assert_eq!(described(&spec, |d| conv2d(d).window.kernel[i] = 0), at(Fault::Window));
        assert_eq!(described(&spec, |d| conv2d(d).window.stride[i] = 0), at(Fault::Window));
    }
    // Windows that lie in the padding alone.
    for (i, kernel) in [3, 2, 3, 2].into_iter().enumerate() {
        assert_eq!(described(&spec, |d| conv2d(d).window.padding[i] = kernel), at(Fault::Window));
    }
    assert_eq!(altered(|c| c.filters.weights.len -= 1), at(Fault::TensorLength));
    assert_eq!(altered(|c| c.filters.bias.len += 1), at(Fault::TensorLength));
    assert_eq!(altered(|c| c.filters.weights.offset = 1 << 20), at(Fault::TensorOutside));
    assert_eq!(altered(|c| c.filters.output.scale = f32::NAN), at(Fault::Scale));
    assert_eq!(element(&spec, |d| conv2d(&mut d.clone()).filters.bias, 3, 1 << 30), at(Fault::Bias));
    let shift = |d: &Description| conv2d(&mut d.clone()).filters.requantize.shift;
    assert_eq!(element(&spec, shift, 3, 0u8), at(Fault::Shift));
    // The next layer takes what the filters give: one column less.
    let narrow = described(&spec, |d| conv2d(d).window.padding[3] = 0);
    assert_eq!(narrow, LoadError::Layer { index: 1, fault: Fault::Inputs });
}

/// 18 positions of 4000 filters.
#[test]
fn convolutions_with_too_many_outputs() {
    let shape = Convolution { filters: 4000, kernel: [1, 1], stride: [1, 1], padding: [0; 4], follow: Follow::Relu };
    let image_layers = vec![ImageLayer::Convolution(shape)];
    let spec =
        Spec { input: 18, image: [3, 6, 1], image_layers, layers: vec![(1, Follow::Identity)], ..Spec::default() };
    assert_eq!(spec.build(), Err(WriteError::Refused(LoadError::Layer { index: 0, fault: Fault::Size })));
}

#[test]
fn pooling() {
    let shape = |pooling, padding| PoolingSpec { pooling, kernel: [3, 2], stride: [2, 1], padding };
    let spec = |pooling, padding| {
        let image_layers = vec![ImageLayer::Pooling(shape(pooling, padding))];
        let layers = vec![(3, Follow::Identity)];
        Spec { input: 60, channels: 2, image: [5, 6, 2], image_layers, layers, ..Spec::default() }
    };
    let refused = |spec: &Spec, alter: fn(&mut Pool2d)| {
        described(spec, |d| {
            let LayerRecord::Pool2d(layer) = &mut d.encoder[0] else { panic!("not pooling") };
            alter(layer);
        })
    };
    let at = |fault| LoadError::Layer { index: 0, fault };
    let max = spec(Pooling::Max, [1, 0, 2, 1]);
    assert!(max.build().is_ok() && spec(Pooling::Average, [0; 4]).build().is_ok());
    assert_eq!(refused(&max, |p| p.window.height += 1), at(Fault::Inputs));
    assert_eq!(refused(&max, |p| p.window.channels = 0), at(Fault::Size));
    assert_eq!(refused(&max, |p| p.window.padding[1] = 2), at(Fault::Window));
    assert_eq!(refused(&max, |p| p.window.stride[0] = 0), at(Fault::Window));
    assert_eq!(refused(&max, |p| p.window.kernel = [9, 2]), at(Fault::Window));
    assert_eq!(refused(&max, |p| p.output.scale = 0.0), at(Fault::Scale));
    assert_eq!(refused(&max, |p| p.pooling = Pooling::Average), at(Fault::AveragePadding));
    assert_eq!(refused(&max, |p| p.window.stride = [1, 1]), LoadError::Layer { index: 1, fault: Fault::Inputs });
    let last = Spec { layers: vec![], ..max };
    assert_eq!(last.build(), Err(WriteError::Refused(at(Fault::PoolingInLastLayer))));
    // More outputs than the format allows, because of the padding: 255 x 259 positions.
    let padded = PoolingSpec { pooling: Pooling::Max, kernel: [3, 5], stride: [1; 2], padding: [2, 4, 2, 4] };
    let image_layers = vec![ImageLayer::Pooling(padded)];
    let large = Spec {
        channels: 1,
        input: 253 * 255,
        image: [253, 255, 1],
        image_layers,
        layers: vec![(1, Follow::Identity)],
        ..last
    };
    assert_eq!(large.build(), Err(WriteError::Refused(at(Fault::Size))));
}

#[test]
fn curves_end_the_encoder_and_stand_nowhere_else() {
    let curve = Tensor::new(0, 257);
    let at = |index, fault| LoadError::Layer { index, fault };
    let error = described(&spec(), |d| dense(d, 1).activation = ActivationRecord::Interpolated(curve));
    assert_eq!(error, at(1, Fault::CurveBeforeLastLayer));
    let last = Spec { layers: vec![(3, Follow::Interpolated)], ..Spec::default() };
    assert!(last.build().is_ok());
    assert_eq!(described(&last, |d| dense(d, 0).output.zero_point = 1), at(0, Fault::ZeroPoint));
    let short = described(&last, |d| dense(d, 0).activation = ActivationRecord::Interpolated(Tensor::new(0, 256)));
    assert_eq!(short, at(0, Fault::TensorLength));
}

#[test]
fn latent() {
    let spec = spec();
    assert_eq!(described(&spec, |d| d.latent.len = 4), LoadError::Latent(Fault::Inputs));
    assert_eq!(described(&spec, |d| d.latent.len = 0), LoadError::Latent(Fault::Inputs));
    assert_eq!(described(&spec, |d| d.latent.scale = -0.5), LoadError::Latent(Fault::Scale));
    let wide = Spec { input: 1025, channels: 1, layers: vec![], ..Spec::default() };
    assert_eq!(wide.build(), Err(WriteError::Refused(LoadError::Latent(Fault::Size))));
}
