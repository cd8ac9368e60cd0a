//! Whether a device computes what the CPU computes: the operations of the trainer, their gradients, and steps of its networks and
//! mixtures.

mod case;
mod mixtures;
mod networks;
mod tensors;

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::backend::AutodiffBackend;

use super::backend::Work;
use super::choice::Device;
use super::error::DeviceError;
use super::guard::message;
use case::Case;
pub use case::Extent;

/// The greatest difference that is taken for rounding, as a share of the greatest value. The two backends of the CPU differ by
/// a quarter of it in the divergences, and by a hundredth in sums of 2,000 products.
pub const TOLERANCE: f64 = 5e-4;

/// An operation that two devices have computed.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedOperation {
    /// The operation and its shape.
    pub name: String,
    /// The greatest difference of a value or gradient, as a share of the greatest one of its array. Not a number if a result
    /// is not.
    pub difference: f64,
    /// Why there is no result, if there is none.
    pub failure: Option<String>,
}

impl CheckedOperation {
    /// Whether the results are the same within rounding.
    pub fn is_right(&self) -> bool {
        self.failure.is_none() && self.difference <= TOLERANCE
    }
}

/// Computes each operation of the trainer, forward and backward, on a device and on the CPU, and reports each.
///
/// ```
/// use edgemix::device::{Device, Extent, check_operations};
///
/// check_operations(Device::Cpu, Extent::Small, &mut |checked| assert!(checked.is_right(), "{checked:?}"))?;
/// # Ok::<(), edgemix::device::DeviceError>(())
/// ```
///
/// # Errors
/// [`DeviceError`] if the device can't be used.
pub fn check_operations(
    device: Device,
    extent: Extent,
    report: &mut dyn FnMut(&CheckedOperation),
) -> Result<(), DeviceError> {
    device.check()?;
    // One after the other on both, so that each is reported as soon as it is known.
    let count = Device::Cpu.run(Count(extent)).unwrap_or(0);
    for index in 0..count {
        let Some((name, expected)) = Device::Cpu.run(Compute(extent, index)) else { break };
        let found = catch_unwind(AssertUnwindSafe(|| device.run(Compute(extent, index))));
        report(&match found {
            Ok(Some((_, found))) => CheckedOperation { name, difference: difference(&found, &expected), failure: None },
            Ok(None) => CheckedOperation { name, difference: f64::NAN, failure: Some("no backend".into()) },
            Err(panic) => {
                let failure = message(panic.as_ref()).lines().next().unwrap_or_default().to_owned();
                CheckedOperation { name, difference: f64::NAN, failure: Some(failure) }
            }
        });
    }
    Ok(())
}

/// All operations.
fn cases<B: AutodiffBackend>(extent: Extent) -> Vec<Case<B>> {
    let mut cases = tensors::cases(extent);
    cases.extend(networks::cases(extent));
    cases.extend(mixtures::cases(extent));
    cases
}

/// Counts the operations.
struct Count(Extent);

impl Work for Count {
    type Output = usize;

    fn on<B: AutodiffBackend>(self, _: &B::Device) -> usize {
        cases::<B>(self.0).len()
    }
}

/// Computes the operation of this index: its name, and the arrays that it results in.
struct Compute(Extent, usize);

impl Work for Compute {
    type Output = (String, Vec<Vec<f32>>);

    fn on<B: AutodiffBackend>(self, device: &B::Device) -> Self::Output {
        let case = cases::<B>(self.0).swap_remove(self.1);
        let results = case.compute(device);
        (case.name, results)
    }
}

/// The greatest difference of two lists of arrays, as a share of the greatest value of each array.
fn difference(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f64 {
    let sizes = |arrays: &[Vec<f32>]| arrays.iter().map(Vec::len).collect::<Vec<_>>();
    if sizes(found) != sizes(expected) {
        return f64::INFINITY;
    }
    let of_arrays = found.iter().zip(expected).map(|(found, expected)| {
        let greatest = expected.iter().fold(f64::MIN_POSITIVE, |greatest, &value| greatest.max(f64::from(value).abs()));
        let differences = found.iter().zip(expected).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs() / greatest);
        differences.fold(0.0, greatest_or_nan)
    });
    of_arrays.fold(0.0, greatest_or_nan)
}

/// The greater one; not a number if one of them is not.
fn greatest_or_nan(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_backends_of_the_cpu_agree_on_every_operation() {
        let (mut wrong, mut count) = (vec![], 0);
        check_operations(Device::NdArray, Extent::Whole, &mut |checked| {
            count += 1;
            if !checked.is_right() {
                wrong.push(checked.clone());
            }
        })
        .unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(count > 150, "{count} operations");
    }

    #[test]
    fn differences_are_relative_and_what_is_no_number_is_one() {
        assert_eq!(difference(&[vec![1.0, 9.0]], &[vec![1.0, 10.0]]), 0.1);
        assert!(difference(&[vec![f32::NAN, 10.0], vec![1.0]], &[vec![1.0, 10.0], vec![1.0]]).is_nan());
        assert!(difference(&[vec![0.0]], &[vec![f32::NAN]]).is_nan());
        assert_eq!(difference(&[vec![1.0]], &[vec![1.0, 2.0]]), f64::INFINITY);
    }
}
