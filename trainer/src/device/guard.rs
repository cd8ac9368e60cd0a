//! GPUs that fail while they work. burn has no errors for that: its operations panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::choice::Device;
use crate::training::FitError;

/// Words in the messages of drivers and of burn's backends for GPUs that have no memory left.
const NO_MEMORY: [&str; 4] = ["out of memory", "outofmemory", "out_of_memory", "can't allocate buffer"];

/// Does work on a device. On a GPU, a panic becomes an error that says what the device did.
pub(super) fn guarded<T>(device: Device, work: impl FnOnce() -> Result<T, FitError>) -> Result<T, FitError> {
    if !matches!(device, Device::Gpu(_)) {
        return work();
    }
    // After a panic, nothing that the work changed is used again.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(failure(device, panic.as_ref())))
}

/// What a panic says.
pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no reason was given",
    }
}

fn failure(device: Device, panic: &(dyn Any + Send)) -> FitError {
    let message = message(panic);
    let device = device.to_string();
    let lower = message.to_lowercase();
    if NO_MEMORY.iter().any(|words| lower.contains(words)) {
        return FitError::GpuMemory { device };
    }
    // Further lines are a backtrace.
    let problem = message.lines().next().unwrap_or_default().trim().to_owned();
    FitError::Gpu { device, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(work: impl FnOnce() -> u32) -> String {
        let device = "cuda:1".parse().unwrap();
        guarded(device, || Ok(work())).unwrap_err().to_string()
    }

    #[test]
    fn a_gpu_that_fails_is_an_error_that_names_it() {
        let lost = error(|| panic!("{}", "parent device is lost\n   0: backtrace"));
        assert_eq!(lost, "cuda:1 failed: parent device is lost");
        for words in [
            "called `Result::unwrap()` on an `Err` value: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "can't allocate buffer of size: 99999999999\n   0: backtrace",
            "wgpu error: Out of Memory",
        ] {
            assert_eq!(error(|| panic!("{words}")), "cuda:1 has too little memory", "{words}");
        }
    }

    #[test]
    fn what_is_no_panic_passes() {
        let device = Device::default();
        assert_eq!(guarded(device, || Ok(5)).unwrap(), 5);
        let error = guarded(device, || Err::<(), _>(FitError::TooFew { found: 1, needed: 2 })).unwrap_err();
        assert!(matches!(error, FitError::TooFew { found: 1, needed: 2 }));
    }
}
