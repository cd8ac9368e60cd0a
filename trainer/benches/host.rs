//! Assigning 70,000 digits in the chip's integers, beside the f32 forward pass of the same encoder in burn.
//!
//! ```text
//! cargo bench -p edgemix --bench host
//! ```

use std::hint::black_box;

use burn::backend::Flex;
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use edgemix::assessment::inference::assign;
use edgemix::data::digits;
use edgemix_format::File;
use edgemix_format::view::{Activation, Layer};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::kernels::batch::Instructions;
use edgemix_runtime::{Batch, Model};
use rayon::{ThreadPool, ThreadPoolBuilder};

const MODEL: &[u8] = include_bytes!("../../firmware-example/assets/digits.emx");
const SAMPLES: usize = 70_000;
/// Rows that burn takes at once; the fastest counts.
const BATCHES: [usize; 4] = [64, 256, 1024, 4096];

/// The encoder's layers in burn, in int8's steps: what they are multiplied with takes no time.
fn encoder(bytes: &[u8]) -> Vec<(Linear<Flex>, bool)> {
    let file = File::from_bytes(bytes).expect("the example's model is readable");
    let layers = file.encoder.iter().map(|layer| {
        let Layer::Dense(dense) = layer else { panic!("the example's encoder is dense") };
        let (inputs, outputs) = (dense.inputs, dense.bias.len());
        let at = |row: usize, column: usize| f32::from(dense.weights[column * inputs + row]) / 1024.0;
        let weights = (0..inputs).flat_map(|row| (0..outputs).map(move |column| at(row, column))).collect::<Vec<_>>();
        let mut linear = LinearConfig::new(inputs, outputs).init(&Default::default());
        linear.weight = Param::from_data(TensorData::new(weights, [inputs, outputs]), &Default::default());
        (linear, matches!(dense.activation, Activation::Relu))
    });
    layers.collect()
}

fn forward(encoder: &[(Linear<Flex>, bool)], samples: &Tensor<Flex, 2>, batch: usize) {
    for x in samples.clone().split(batch, 0) {
        let z = encoder.iter().fold(x, |x, (linear, is_relu)| {
            let y = linear.forward(x);
            if *is_relu { relu(y) } else { y }
        });
        black_box(z);
    }
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")
}

fn host(criterion: &mut Criterion) {
    let bytes = AlignedBytes::from(MODEL);
    let model = Model::from_bytes(&bytes).expect("the example's model is readable");
    let encoder = encoder(&bytes);
    let digits = digits().samples;
    let digits = digits.all().expect("the digits are in memory");
    let values: Vec<f32> = digits.iter().copied().cycle().take(SAMPLES * model.input_len()).collect();
    let samples = TensorData::new(values.clone(), [SAMPLES, model.input_len()]);
    let samples = Tensor::<Flex, 2>::from_data(samples, &Default::default());
    for (name, threads) in [("one thread", 1), ("all threads", 0)] {
        let pool = pool(threads);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(SAMPLES as u64)).sample_size(20);
        for batch in BATCHES {
            let id = BenchmarkId::new("f32 encoder in burn, at once", batch);
            group.bench_function(id, |b| b.iter(|| pool.install(|| forward(&encoder, &samples, batch))));
        }
        for instructions in Instructions::available().filter(|_| threads == 1) {
            let batch = Batch::with(&model, Some(instructions));
            let mut workspace = batch.workspace();
            group.bench_function(format!("whole assignment in integers, {instructions:?}"), |b| {
                b.iter(|| {
                    let mut all = Vec::with_capacity(SAMPLES);
                    batch.summarise(&values, &mut workspace, |found| all.push(found)).expect("all values are finite");
                    all
                });
            });
        }
        group.bench_function("whole assignment in integers", |b| {
            b.iter(|| pool.install(|| black_box(assign(&model, &values))));
        });
    }
}

criterion_group!(benches, host);
criterion_main!(benches);
