//! Calls of libraries that panic on some damaged files.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a library answers about a file; a panic is an answer, too. Nothing that the call used may be used after a panic.
pub(super) fn guarded<T, E: Display>(read: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(found) => found.map_err(|error| error.to_string()),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason is known");
            Err(format!("its contents contradict each other ({message}): write the file again"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_answer() {
        assert_eq!(guarded(|| Ok::<_, String>(3)), Ok(3));
        assert_eq!(guarded(|| Err::<u8, _>("it is cut off")), Err("it is cut off".into()));
        let index = std::hint::black_box(3);
        let error = guarded(|| Ok::<_, String>([1, 2][index])).unwrap_err();
        assert!(error.contains("index out of bounds") && error.contains("write the file again"), "{error}");
    }
}
