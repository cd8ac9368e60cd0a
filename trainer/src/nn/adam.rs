//! Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015). On the CPU, one parallel pass over each
//! parameter replaces a dozen serial ones; the arithmetic follows burn operation by operation, so both give the same
//! bits.

use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamConfig, AdamState, LearningRate, SimpleOptimizer};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use rayon::prelude::*;

use super::host::has_host_tensors;

/// Decay rates of the gradient's running mean and running mean square.
const BETA: (f32, f32) = (0.9, 0.999);
/// PyTorch's default; burn's is a thousand times larger.
const EPSILON: f32 = 1e-8;
/// Number of parameters that a thread updates at a time.
const CHUNK: usize = 1 << 14;

/// Adam with the usual decay rates.
#[derive(Clone)]
pub(crate) struct Adam(burn::optim::Adam);

/// Adam for the parameters of a module.
pub(crate) type AdamOf<B, M> = OptimizerAdaptor<Adam, M, B>;

/// Adam before its first step.
pub(crate) fn adam<B: AutodiffBackend, M: AutodiffModule<B>>() -> AdamOf<B, M> {
    let config = AdamConfig::new().with_beta_1(BETA.0).with_beta_2(BETA.1).with_epsilon(EPSILON);
    OptimizerAdaptor::from(Adam(config.build()))
}

impl<B: Backend> SimpleOptimizer<B> for Adam {
    type State<const D: usize> = AdamState<B, D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        match state {
            Some(state) if has_host_tensors::<B>() => {
                let (parameter, state) = fused(rate, parameter, gradient, state);
                (parameter, Some(state))
            }
            state => self.0.step(rate, parameter, gradient, state),
        }
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &B::Device) -> Self::State<D> {
        <burn::optim::Adam as SimpleOptimizer<B>>::to_device(state, device)
    }
}

/// Takes a step on tensors in this process's memory, with the moments of earlier steps.
fn fused<B: Backend, const D: usize>(
    rate: LearningRate,
    parameter: Tensor<B, D>,
    gradient: Tensor<B, D>,
    mut state: AdamState<B, D>,
) -> (Tensor<B, D>, AdamState<B, D>) {
    let device = parameter.device();
    let momentum = &mut state.momentum;
    momentum.time += 1;
    let time = momentum.time as i32;
    let second = (1.0 - BETA.1.powi(time)).sqrt();
    let (factor, epsilon) = (second / (1.0 - BETA.0.powi(time)), EPSILON * second);
    let rate = rate as f32;

    let take = |tensor: &mut Tensor<B, D>| std::mem::replace(tensor, Tensor::empty([0; D], &device)).into_data();
    let mut data = [parameter.into_data(), take(&mut momentum.moment_1), take(&mut momentum.moment_2)];
    let gradient = gradient.into_data();
    let [w, m, v] = data.each_mut().map(|data| data.as_mut_slice::<f32>().expect("parameters are f32"));
    let g = gradient.as_slice::<f32>().expect("gradients are f32");
    assert!(w.len() == g.len() && w.len() == m.len() && w.len() == v.len(), "moments of other parameters");
    let chunks = w.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK));
    chunks.zip(m.par_chunks_mut(CHUNK)).zip(v.par_chunks_mut(CHUNK)).for_each(|(((w, g), m), v)| {
        for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
            *m = *m * BETA.0 + g * (1.0 - BETA.0);
            *v = *v * BETA.1 + g * g * (1.0 - BETA.1);
            *w -= *m * factor / (v.sqrt() + epsilon) * rate;
        }
    });
    let [parameter, m, v] = data.map(|data| Tensor::from_data(data, &device));
    (momentum.moment_1, momentum.moment_2) = (m, v);
    (parameter, state)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use proptest::prelude::*;

    use super::*;

    fn values(tensor: Tensor<Flex, 2>) -> Vec<f32> {
        tensor.into_data().into_vec().unwrap()
    }

    proptest! {
        /// Several steps, on parameters that fill more than one chunk, give the same bits as burn's own Adam.
        #[test]
        fn fused_steps_are_burns(
            shape in (1usize..40, prop_oneof![1usize..40, Just(CHUNK / 16)]),
            seed in any::<u64>(),
            rate in 1e-5f64..0.1,
        ) {
            let device = Default::default();
            Flex::seed(&device, seed);
            let normal = burn::tensor::Distribution::Normal(0.0, 1.0);
            let own = Adam(AdamConfig::new().with_epsilon(EPSILON).build());
            let start = Tensor::<Flex, 2>::random([shape.0, shape.1], normal, &device);
            let (mut a, mut b) = ((start.clone(), None), (start, None));
            for _ in 0..4 {
                let gradient = Tensor::<Flex, 2>::random([shape.0, shape.1], normal, &device);
                a = own.step(rate, a.0, gradient.clone(), a.1);
                b = SimpleOptimizer::<Flex>::step(&own.0, rate, b.0, gradient, b.1);
            }
            prop_assert_eq!(values(a.0), values(b.0));
            let (a, b) = (a.1.unwrap().momentum, b.1.unwrap().momentum);
            prop_assert_eq!(values(a.moment_1), values(b.moment_1));
            prop_assert_eq!(values(a.moment_2), values(b.moment_2));
        }
    }
}
