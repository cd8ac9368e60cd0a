//! What each operator does to the value.
//!
//! Their definitions: <https://onnx.ai/onnx/operators/>.

use super::operation::Operation;
use super::problem::NodeProblem;
use super::proto::kinds;
use super::tensor::Constant;
use super::value::Value;
use super::{shapes, windows};
use crate::trained::{Activation, PoolingOperation};

/// Whether a node changed the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Its output is another value.
    Changed,
    /// Its output is another name of the same value.
    Renamed,
}

/// Applies a node to the value.
pub(super) fn apply(operation: &Operation, value: &mut Value) -> Result<Effect, NodeProblem> {
    match &*operation.node.operator {
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(operation, value)?,
        operator => {
            operation.takes_value_first()?;
            match operator {
                "Identity" => return Ok(Effect::Renamed),
                "Dropout" => return dropout(operation),
                "Cast" => return cast(operation),
                "Gemm" => gemm(operation, value)?,
                "MatMul" => matmul(operation, value)?,
                "BatchNormalization" => normalization(operation, value)?,
                "Conv" => windows::convolution(operation, value)?,
                "MaxPool" => windows::pooling(operation, value, PoolingOperation::Max)?,
                "AveragePool" => windows::pooling(operation, value, PoolingOperation::Average)?,
                "GlobalMaxPool" => windows::global_pooling(value, PoolingOperation::Max, true)?,
                "GlobalAveragePool" => windows::global_pooling(value, PoolingOperation::Average, true)?,
                "ReduceMean" => shapes::reduce_mean(operation, value)?,
                "Flatten" => shapes::flatten(operation, value)?,
                "Reshape" => shapes::reshape(operation, value)?,
                "Squeeze" => shapes::squeeze(operation, value)?,
                "Unsqueeze" => shapes::unsqueeze(operation, value)?,
                "Transpose" => shapes::transpose(operation, value)?,
                _ => value.stack.activation(activation(operation)?)?,
            }
        }
    }
    Ok(Effect::Changed)
}

fn activation(operation: &Operation) -> Result<Activation, NodeProblem> {
    Ok(match &*operation.node.operator {
        "Relu" => Activation::Relu,
        "LeakyRelu" => Activation::LeakyRelu(operation.float("alpha", 0.01)? as f32),
        "Tanh" => Activation::Tanh,
        "Sigmoid" => Activation::Sigmoid,
        "Elu" => match operation.float("alpha", 1.0)? {
            1.0 => Activation::Elu,
            alpha => {
                return Err(NodeProblem::Attribute { name: "alpha", found: alpha.to_string(), expected: "1" });
            }
        },
        _ => return Err(NodeProblem::Operator),
    })
}

/// Dropout does nothing once a model is trained.
fn dropout(operation: &Operation) -> Result<Effect, NodeProblem> {
    match operation.node.inputs.get(2).filter(|name| !name.is_empty()) {
        None => Ok(Effect::Renamed),
        Some(name) => Err(NodeProblem::Attribute {
            name: "training_mode",
            found: format!("given by {name}"),
            expected: "none: export the model after model.eval()",
        }),
    }
}

/// Computation is in f32 whatever the type.
fn cast(operation: &Operation) -> Result<Effect, NodeProblem> {
    match operation.int("to", 0)? as i32 {
        kinds::FLOAT | kinds::DOUBLE => Ok(Effect::Renamed),
        kind => Err(NodeProblem::Attribute { name: "to", found: kind.to_string(), expected: "1, which is float32" }),
    }
}

/// A fully connected layer; `weight` gives that of an output and an input, row-major.
fn dense(
    value: &mut Value,
    outputs: usize,
    weight: impl Fn(usize, usize) -> f64,
    bias: &[f64],
) -> Result<(), NodeProblem> {
    let inputs = value.len();
    let mut weights = vec![0.0; inputs * outputs];
    for (output, row) in weights.chunks_exact_mut(inputs).enumerate() {
        value.order.iter().enumerate().for_each(|(input, &at)| row[at as usize] = weight(output, input));
    }
    value.stack.dense(&weights, bias)?;
    let mut sizes = value.sizes.clone();
    sizes.pop();
    sizes.push(outputs);
    value.becomes_flat(sizes);
    Ok(())
}

/// `alpha A B + beta C`.
fn gemm(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    operation.requires("transA", 0, 0, "0")?;
    let is_transposed = operation.int("transB", 0)? != 0;
    let [inputs] = value.sizes[..] else { return Err(value.wrong_sizes("a single axis: flatten it before")) };
    let b = operation.constant(1, "2 or 3")?;
    let outputs = match (is_transposed, &b.sizes[..]) {
        (false, &[own, outputs]) | (true, &[outputs, own]) if own == inputs && outputs > 0 => outputs,
        _ => return Err(operation.wrong_sizes(1, &b, format!("a matrix for {inputs} inputs"))),
    };
    let (alpha, beta) = (operation.float("alpha", 1.0)?, operation.float("beta", 1.0)?);
    let bias = match operation.optional(2)? {
        None => vec![0.0; outputs],
        Some(c) => {
            let is_row = matches!(c.sizes[..], [] | [1] | [1, 1]) || c.sizes == [outputs] || c.sizes == [1, outputs];
            if !is_row {
                return Err(operation.wrong_sizes(2, &c, format!("{outputs}")));
            }
            c.values.iter().cycle().take(outputs).map(|value| beta * value).collect()
        }
    };
    let weight = |output: usize, input: usize| {
        alpha * b.values[if is_transposed { output * inputs + input } else { input * outputs + output }]
    };
    dense(value, outputs, weight, &bias)
}

fn matmul(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let inputs = value.len();
    if value.sizes.last() != Some(&inputs) {
        return Err(value.wrong_sizes("a single axis that is longer than 1: flatten it before"));
    }
    let b = operation.constant(1, "2")?;
    let outputs = match b.sizes[..] {
        [own, outputs] if own == inputs && outputs > 0 => outputs,
        _ => return Err(operation.wrong_sizes(1, &b, format!("{inputs} rows"))),
    };
    dense(value, outputs, |output, input| b.values[input * outputs + output], &vec![0.0; outputs])
}

/// `(x - mean) / sqrt(variance + epsilon) scale + bias` of each channel.
fn normalization(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    operation.requires("training_mode", 0, 0, "0: export the model after model.eval()")?;
    let channels = *value.sizes.first().ok_or_else(|| value.wrong_sizes("an axis of channels"))?;
    let epsilon = operation.float("epsilon", 1e-5)?;
    let each = |input| operation.sized(input, &[channels], "5").map(|constant| constant.values);
    let (scale, bias, mean, variance) = (each(1)?, each(2)?, each(3)?, each(4)?);
    let factor: Vec<f64> = scale.iter().zip(&variance).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
    let pixels = value.len() / channels;
    let (factor, shift) = (&factor, |c: usize| bias[c] - mean[c] * factor[c]);
    value.scale(|i| factor[i / pixels], |i| shift(i / pixels))
}

/// Sums, differences, products and quotients with a constant, element by element.
fn arithmetic(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let place = 1 - operation.place.min(1);
    let constant = operation.constant(place, "2")?;
    let at = broadcast(operation, place, &constant, value)?;
    let of = |i: usize| constant.values[at(i)];
    match (&*operation.node.operator, operation.place) {
        ("Add", _) => value.scale(|_| 1.0, of),
        ("Sub", 0) => value.scale(|_| 1.0, |i| -of(i)),
        ("Sub", _) => value.scale(|_| -1.0, of),
        ("Mul", _) => value.scale(of, |_| 0.0),
        ("Div", 0) => value.scale(|i| of(i).recip(), |_| 0.0),
        (_, place) => Err(NodeProblem::DataPlace(place)),
    }
}

/// Which element of a constant belongs to each element of the value.
fn broadcast(
    operation: &Operation,
    input: usize,
    constant: &Constant,
    value: &Value,
) -> Result<impl Fn(usize) -> usize + use<>, NodeProblem> {
    let wrong = || operation.wrong_sizes(input, constant, format!("those of the value, {:?}, or 1", value.sizes));
    // The first axis, along which samples lie, must be 1 if the constant has it.
    let own = match constant.sizes.len().checked_sub(value.sizes.len()) {
        Some(0) | None => &constant.sizes[..],
        Some(1) if constant.sizes[0] == 1 => &constant.sizes[1..],
        Some(_) => return Err(wrong()),
    };
    let missing = value.sizes.len() - own.len();
    // For each axis from the last: its length, and the step in the constant.
    let (mut axes, mut step) = (vec![], 1);
    for (axis, &length) in value.sizes.iter().enumerate().rev() {
        let own = if axis < missing { 1 } else { own[axis - missing] };
        if own != 1 && own != length {
            return Err(wrong());
        }
        axes.push((length, if own == 1 { 0 } else { step }));
        step *= own;
    }
    Ok(move |index: usize| {
        let (mut rest, mut at) = (index, 0);
        for &(length, step) in &axes {
            at += rest % length * step;
            rest /= length;
        }
        at
    })
}
