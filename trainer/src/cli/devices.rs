//! `edgemix devices`, and the device that a command trains on.

use clap::Args;
use serde_json::json;

use super::error::CliError;
use super::output::{output_error, show_by, tell};
use crate::device::{Device, DeviceChoice, Extent, TOLERANCE, check_operations};

/// The device of this name, which can be used. What is chosen by itself, and every GPU, is named.
pub(super) fn resolve(name: &str) -> Result<Device, CliError> {
    let choice: DeviceChoice = name.parse()?;
    let device = choice.resolve()?;
    if choice == DeviceChoice::Auto || matches!(device, Device::Gpu(_)) {
        tell(&format!("device: {}", device.describe()));
    }
    Ok(device)
}

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix devices
  edgemix devices --check cuda:0")]
pub(super) struct Devices {
    /// Computes every operation of the training on this device and on the CPU, and compares the results and gradients.
    #[arg(long, value_name = "DEVICE")]
    check: Option<String>,
    /// Checks each operation at one small shape alone, on devices that are slow.
    #[arg(long, requires = "check")]
    small: bool,
    /// Prints JSON, one line for each device or operation.
    #[arg(long)]
    json: bool,
}

impl Devices {
    pub(super) fn run(self) -> Result<(), CliError> {
        match &self.check {
            Some(name) => self.check(resolve(name)?),
            None => self.list(),
        }
    }

    fn list(&self) -> Result<(), CliError> {
        let (devices, problems) = Device::available();
        show_by(|out| {
            for device in devices {
                let line = match self.json {
                    true => json!({ "device": device.to_string(), "description": device.describe() }).to_string(),
                    false => device.describe(),
                };
                writeln!(out, "{line}").map_err(output_error)?;
            }
            Ok(())
        })?;
        problems.iter().for_each(|problem| tell(&format!("note: {problem}")));
        Ok(())
    }

    fn check(&self, device: Device) -> Result<(), CliError> {
        let extent = if self.small { Extent::Small } else { Extent::Whole };
        let (mut count, mut wrong) = (0, 0);
        let mut failure = None;
        check_operations(device, extent, &mut |checked| {
            count += 1;
            wrong += usize::from(!checked.is_right());
            let verdict = if checked.is_right() { "right" } else { "WRONG" };
            let line = match (&checked.failure, self.json) {
                (failure, true) => json!({
                    "operation": checked.name,
                    "right": checked.is_right(),
                    "difference": checked.difference,
                    "failure": failure,
                })
                .to_string(),
                (Some(failure), false) => format!("{verdict}  {}: {failure}", checked.name),
                (None, false) => format!("{verdict}  {}: {:.1e}", checked.name, checked.difference),
            };
            // Each line at once: a driver that crashes then costs none of them.
            let shown = show_by(|out| writeln!(out, "{line}").map_err(output_error));
            failure = failure.take().or(shown.err());
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        let summary = format!("{} of {count} operations differ by at most {TOLERANCE:.0e}", count - wrong);
        if wrong > 0 {
            return Err(CliError::WrongDevice { device: device.describe(), summary });
        }
        tell(&summary);
        Ok(())
    }
}
