//! Operations on tensors.

use burn::tensor::activation::{leaky_relu, log_softmax, relu, sigmoid, softmax};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor, TensorData};

use super::case::{Case, Draw, Extent, Input};
use crate::divergence::{Divergence, Gaussians};

/// Rows of a batch: a usual one, an odd last one of an epoch, and a single one.
const BATCHES: [usize; 3] = [256, 37, 1];

/// Widths of latents. A row of 10 numbers has 40 bytes, which is no multiple of 16.
const LATENTS: [usize; 3] = [6, 10, 50];

/// Inputs and outputs of fully connected layers.
const WIDTHS: [(usize, usize); 6] = [(784, 500), (500, 2000), (2000, 10), (10, 2000), (64, 6), (6, 50)];

fn normal(rows: usize, columns: usize) -> Input {
    ([rows, columns], Draw::Normal)
}

fn positive(rows: usize, columns: usize) -> Input {
    ([rows, columns], Draw::Positive)
}

/// The cases of this file.
pub(super) fn cases<B: AutodiffBackend>(extent: Extent) -> Vec<Case<B>> {
    let (batches, latents, widths) = match extent {
        Extent::Whole => (&BATCHES[..], &LATENTS[..], &WIDTHS[..]),
        Extent::Small => (&[37][..], &[10][..], &[(64, 10)][..]),
    };
    let mut cases = vec![];
    for &n in batches {
        cases.extend(widths.iter().map(|&(inputs, outputs)| product(n, inputs, outputs)));
        for &d in latents {
            cases.push(product_with_transposed(n, d, 20));
            cases.extend(of_latents(n, d));
        }
    }
    cases.extend(elementwise());
    cases
}

/// A product of matrices as in a fully connected layer.
fn product<B: AutodiffBackend>(n: usize, inputs: usize, outputs: usize) -> Case<B> {
    let name = format!("matmul {n}x{inputs} by {inputs}x{outputs}");
    Case::new(name, &[normal(n, inputs), normal(inputs, outputs)], |x| vec![x[0].clone().matmul(x[1].clone())])
}

/// A product as in mixtures, whose means are rows.
fn product_with_transposed<B: AutodiffBackend>(n: usize, d: usize, k: usize) -> Case<B> {
    Case::new(format!("matmul {n}x{d} by transposed {k}x{d}"), &[normal(n, d), normal(k, d)], |x| {
        vec![x[0].clone().matmul(x[1].clone().transpose())]
    })
}

/// What losses and mixtures compute of latents.
fn of_latents<B: AutodiffBackend>(n: usize, d: usize) -> Vec<Case<B>> {
    let case = |name: &str, computation: fn(Vec<Tensor<B, 2>>) -> Vec<Tensor<B, 2>>| {
        Case::new(format!("{name} {n}x{d}"), &[normal(n, d)], computation)
    };
    let divergence = |name: &str, divergence: Divergence| {
        Case::new(format!("{name} {n}x{d}"), &[normal(n, d), normal(n, d), normal(n, d), normal(n, d)], move |x| {
            let gaussians = |i: usize| Gaussians { mean: x[i].clone(), log_variance: x[i + 1].clone() * 0.3 };
            vec![divergence.between(gaussians(0), gaussians(2)).unsqueeze_dim(1)]
        })
    };
    vec![
        case("sums over rows and columns", |x| vec![x[0].clone().sum_dim(0), x[0].clone().sum_dim(1)]),
        case("means over rows and columns", |x| vec![x[0].clone().mean_dim(0), x[0].clone().mean_dim(1)]),
        case("softmax", |x| vec![softmax(x[0].clone(), 1)]),
        case("log_softmax", |x| vec![log_softmax(x[0].clone(), 1)]),
        case("max_dim", |x| vec![x[0].clone().max_dim(1)]),
        case("standardisation", |x| {
            let z = x[0].clone();
            let centered = z.clone() - z.mean_dim(0);
            vec![centered.clone() / (centered.square().mean_dim(0) + 0.1).sqrt()]
        }),
        case("transpose, then a copy", |x| vec![x[0].clone().transpose() * 1.0]),
        Case::new(format!("distances to 20 centres {n}x{d}"), &[normal(n, d), normal(20, d)], move |x| {
            let (z, centres) = (x[0].clone().unsqueeze_dim::<3>(1), x[1].clone().unsqueeze_dim::<3>(0));
            vec![(z - centres).square().sum_dim(2).squeeze_dim::<2>(2)]
        }),
        Case::new(format!("stack, cat and split {n}x{d}"), &[normal(n, d), normal(n, d)], move |x| {
            let stacked = Tensor::stack::<3>(vec![x[0].clone(), x[1].clone()], 1).reshape([2 * n, d]);
            let joined = Tensor::cat(vec![stacked, x[1].clone()], 0);
            let mut parts = joined.split(n, 0);
            vec![parts.swap_remove(1), x[0].clone().narrow(1, 1, d - 2), x[1].clone().repeat_dim(1, 2)]
        }),
        Case::new(format!("select of rows {n}x{d}"), &[normal(n, d)], move |x| {
            let rows: Vec<i32> = (0..2 * n as i32).map(|i| i * 7 % n as i32).collect();
            let rows = Tensor::<B, 1, Int>::from_data(TensorData::from(&rows[..]), &x[0].device());
            vec![x[0].clone().select(0, rows)]
        }),
        Case::new(format!("gather of columns {n}x{d}"), &[normal(n, d)], move |x| {
            let columns: Vec<i32> = (0..n as i32).map(|i| i * 5 % d as i32).collect();
            let columns = Tensor::<B, 2, Int>::from_data(TensorData::new(columns, [n, 1]), &x[0].device());
            vec![x[0].clone().gather(1, columns)]
        }),
        Case::without_gradient(format!("argmax and one_hot {n}x{d}"), &[normal(n, d)], move |x| {
            let best = x[0].clone().argmax(1);
            vec![best.clone().float(), best.squeeze_dim::<1>(1).one_hot::<2>(d).float()]
        }),
        Case::without_gradient(format!("argmin {n}x{d}"), &[normal(n, d)], |x| vec![x[0].clone().argmin(1).float()]),
        divergence("primal alpha-Jensen-Shannon divergence", Divergence::Primal(0.3)),
        divergence("dual alpha-Jensen-Shannon divergence", Divergence::Dual(0.3)),
        divergence("Kullback-Leibler divergence", Divergence::KullbackLeibler),
    ]
}

/// Functions of each element.
fn elementwise<B: AutodiffBackend>() -> Vec<Case<B>> {
    let (n, columns) = (37, 101);
    let of = |name: &str, input: Input, function: fn(Tensor<B, 2>) -> Tensor<B, 2>| {
        Case::new(format!("{name} {n}x{columns}"), &[input], move |x| vec![function(x[0].clone())])
    };
    let any = normal(n, columns);
    vec![
        of("relu", any, relu),
        of("leaky_relu", any, |x| leaky_relu(x, 0.01)),
        of("tanh", any, Tensor::tanh),
        of("sigmoid", any, sigmoid),
        of("softplus", any, crate::nn::softplus),
        of("exp", any, Tensor::exp),
        of("sin and cos", any, |x| x.clone().sin() * x.cos()),
        of("abs", any, Tensor::abs),
        of("square", any, Tensor::square),
        of("clamp", any, |x| x.clamp(-0.7, 0.9)),
        of("clamp_min and clamp_max", any, |x| x.clamp_min(-0.3).clamp_max(0.8)),
        of("log", positive(n, columns), Tensor::log),
        of("sqrt", positive(n, columns), Tensor::sqrt),
        of("recip", positive(n, columns), Tensor::recip),
        Case::new(format!("division by a row {n}x{columns}"), &[any, positive(1, columns)], |x| {
            vec![x[0].clone() / x[1].clone()]
        }),
        Case::new(format!("product with a column {n}x{columns}"), &[any, normal(n, 1)], |x| {
            vec![x[0].clone() * x[1].clone() - x[0].clone()]
        }),
        Case::without_gradient(format!("round {n}x{columns}"), &[any], |x| vec![(x[0].clone() * 3.1).round()]),
        Case::without_gradient(format!("equal {n}x{columns}"), &[any], |x| {
            let rounded = x[0].clone().round();
            vec![
                rounded.clone().equal(rounded.clone().transpose().transpose()).float(),
                rounded.equal_elem(1.0).float(),
            ]
        }),
    ]
}
