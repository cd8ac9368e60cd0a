//! Constant arrays of a file.

use half::{bf16, f16};

use super::problem::TensorProblem;
use super::proto::{self, kinds};

/// An array of numbers, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) sizes: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Constant {
    /// The numbers of a tensor, whose sizes are compared with how many there are before memory is taken.
    pub(super) fn of(tensor: &proto::Tensor) -> Result<Self, TensorProblem> {
        if tensor.location != 0 {
            return Err(TensorProblem::External);
        }
        let sizes = tensor.sizes.iter().map(|&size| usize::try_from(size).map_err(|_| TensorProblem::Size(size)));
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        let n = sizes.iter().try_fold(1usize, |n, &size| n.checked_mul(size)).ok_or(TensorProblem::TooLarge)?;
        let values = values(tensor, n)?;
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(TensorProblem::NotFinite(value.to_string()));
        }
        Ok(Self { sizes, values })
    }

    /// The numbers as integers.
    pub(super) fn ints(&self) -> Vec<i64> {
        self.values.iter().map(|&value| value as i64).collect()
    }
}

/// `n` numbers.
fn values(tensor: &proto::Tensor, n: usize) -> Result<Vec<f64>, TensorProblem> {
    // Halves in `ints` are bits.
    let half = |bits: u16| f16::from_bits(bits).to_f64();
    let brain = |bits: u16| bf16::from_bits(bits).to_f64();
    match tensor.kind {
        kinds::FLOAT => numbers(tensor, n, &tensor.floats, |&x| x.into(), |b| f32::from_le_bytes(b).into()),
        kinds::DOUBLE => numbers(tensor, n, &tensor.doubles, |&x| x, f64::from_le_bytes),
        kinds::INT32 => numbers(tensor, n, &tensor.ints, |&x| x.into(), |b| i32::from_le_bytes(b).into()),
        kinds::INT64 => numbers(tensor, n, &tensor.longs, |&x| x as f64, |b| i64::from_le_bytes(b) as f64),
        kinds::FLOAT16 => numbers(tensor, n, &tensor.ints, |&x| half(x as u16), |b| half(u16::from_le_bytes(b))),
        kinds::BFLOAT16 => numbers(tensor, n, &tensor.ints, |&x| brain(x as u16), |b| brain(u16::from_le_bytes(b))),
        kind => Err(TensorProblem::Kind(kind)),
    }
}

/// Numbers from the raw bytes, if there are any, or from the list of their type.
fn numbers<T, const SIZE: usize>(
    tensor: &proto::Tensor,
    n: usize,
    listed: &[T],
    of_listed: impl Fn(&T) -> f64,
    of_bytes: impl Fn([u8; SIZE]) -> f64,
) -> Result<Vec<f64>, TensorProblem> {
    let (chunks, rest) = tensor.raw.as_chunks::<SIZE>();
    let found = if tensor.raw.is_empty() { listed.len() } else { chunks.len() };
    if found != n || !rest.is_empty() {
        return Err(TensorProblem::Length { expected: n, found });
    }
    Ok(match tensor.raw.is_empty() {
        true => listed.iter().map(of_listed).collect(),
        false => chunks.iter().map(|bytes| of_bytes(*bytes)).collect(),
    })
}
