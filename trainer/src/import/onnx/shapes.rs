//! Operators that change sizes and order.

use super::operation::Operation;
use super::problem::NodeProblem;
use super::value::Value;
use super::windows::global_pooling;
use crate::trained::PoolingOperation;

/// The number of an axis, of `rank` with that of the samples; negative ones count from the last.
fn axis(name: &'static str, axis: i64, rank: usize) -> Result<usize, NodeProblem> {
    let counted = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    let found = counted.and_then(|axis| usize::try_from(axis).ok()).filter(|axis| (1..rank).contains(axis));
    found.ok_or(NodeProblem::Attribute {
        name,
        found: axis.to_string(),
        expected: "an axis of the value other than the first, along which samples lie",
    })
}

/// All numbers of a sample in a row.
pub(super) fn flatten(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let rank = value.sizes.len() + 1;
    match operation.int("axis", 1)? {
        axis if axis == 1 || axis == 1 - rank as i64 => value.reshape(vec![value.len()]),
        axis => Err(NodeProblem::Attribute { name: "axis", found: axis.to_string(), expected: "1" }),
    }
}

pub(super) fn reshape(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let shape = operation.constant(1, "2")?.ints();
    // It says what a size of 0 means, and changes nothing where there is none.
    if shape.contains(&0) {
        operation.requires("allowzero", 0, 0, "0")?;
    }
    let wrong = || value.wrong_sizes(format!("sizes that can become {shape:?}"));
    let Some((&first, rest)) = shape.split_first() else { return Err(wrong()) };
    // The first axis keeps its length: it is open, copied, or that of one sample.
    if !matches!(first, -1..=1) || rest.len() > 8 {
        return Err(wrong());
    }
    let size = |(at, &size): (usize, &i64)| match size {
        0 => value.sizes.get(at).copied(),
        -1 => Some(0),
        size => usize::try_from(size).ok(),
    };
    let mut sizes = rest.iter().enumerate().map(size).collect::<Option<Vec<usize>>>().ok_or_else(wrong)?;
    let open: Vec<usize> = (0..rest.len()).filter(|&at| rest[at] == -1).collect();
    match open[..] {
        [] => {}
        [at] if first != -1 => {
            let known = sizes.iter().filter(|&&size| size > 0).try_fold(1usize, |n, &size| n.checked_mul(size));
            let known = known.filter(|known| value.len().is_multiple_of(*known)).ok_or_else(wrong)?;
            sizes[at] = value.len() / known;
        }
        _ => return Err(wrong()),
    }
    value.reshape(sizes)
}

/// The axes of a node, from its second input or from its attribute.
fn axes(operation: &Operation, rank: usize) -> Result<Option<Vec<usize>>, NodeProblem> {
    let listed = match operation.optional(1)? {
        Some(constant) => Some(constant.ints()),
        None => operation.ints("axes")?,
    };
    let Some(listed) = listed else { return Ok(None) };
    let mut axes = listed.into_iter().map(|own| axis("axes", own, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(Some(axes))
}

/// Removes axes of length 1.
pub(super) fn squeeze(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let removed = axes(operation, value.sizes.len() + 1)?;
    let is_removed = |at: usize| removed.as_ref().map_or(value.sizes[at] == 1, |axes| axes.contains(&(at + 1)));
    let kept = (0..value.sizes.len()).filter(|&at| !is_removed(at)).map(|at| value.sizes[at]).collect();
    value.reshape(kept)
}

/// Inserts axes of length 1.
pub(super) fn unsqueeze(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let listed = operation.constant(1, "2")?.values.len();
    let inserted = axes(operation, value.sizes.len() + 1 + listed.min(8))?.unwrap_or_default();
    let mut sizes = value.sizes.clone();
    for at in inserted {
        if at > sizes.len() + 1 {
            return Err(value.wrong_sizes("fewer axes than are inserted"));
        }
        sizes.insert(at - 1, 1);
    }
    value.reshape(sizes)
}

/// Changes the order of the axes, which only changes where later layers find their inputs.
pub(super) fn transpose(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let rank = value.sizes.len() + 1;
    let reversed = || (0..rank as i64).rev().collect();
    let permutation = operation.ints("perm")?.unwrap_or_else(reversed);
    let refused = || NodeProblem::Attribute {
        name: "perm",
        found: format!("{permutation:?}"),
        expected: "each axis of the value once, with the first, along which samples lie, in its place",
    };
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if sorted != (0..rank as i64).collect::<Vec<_>>() || permutation.first() != Some(&0) {
        return Err(refused());
    }
    let from: Vec<usize> = permutation[1..].iter().map(|&axis| axis as usize - 1).collect();
    let mut steps = vec![1; value.sizes.len()];
    (0..value.sizes.len().saturating_sub(1)).rev().for_each(|at| steps[at] = steps[at + 1] * value.sizes[at + 1]);
    let sizes: Vec<usize> = from.iter().map(|&axis| value.sizes[axis]).collect();
    let place = |index: usize| {
        let (mut rest, mut at) = (index, 0);
        for (size, axis) in sizes.iter().zip(&from).rev() {
            at += rest % size * steps[*axis];
            rest /= size;
        }
        value.order[at]
    };
    value.order = (0..value.len()).map(place).collect();
    value.sizes = sizes;
    Ok(())
}

/// The mean over all axes but the first two, as a pooling.
pub(super) fn reduce_mean(operation: &Operation, value: &mut Value) -> Result<(), NodeProblem> {
    let rank = value.sizes.len() + 1;
    let found = axes(operation, rank)?.unwrap_or_default();
    if rank < 3 || found != (2..rank).collect::<Vec<_>>() {
        let found = format!("{found:?}");
        return Err(NodeProblem::Attribute { name: "axes", found, expected: "all axes but the first two" });
    }
    global_pooling(value, PoolingOperation::Average, operation.int("keepdims", 1)? != 0)
}
