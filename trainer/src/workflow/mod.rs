//! What the commands of the program do, as a library: start and resume runs, fit, quantise, export, train with several seeds,
//! evaluate, compare, and write a Rust module for a firmware.
//!
//! ```
//! use edgemix::data::{self, Source};
//! use edgemix::methods::FitConfig;
//! use edgemix::workflow::{ExistingRun, Evaluation, FitOptions, Plan, fit, start};
//!
//! # let folder = tempfile::tempdir()?;
//! # let out = folder.path();
//! let (source, dataset) = (Source::new("digits"), data::digits());
//! let epochs = edgemix::training::PhaseSettings::with_epochs(1);
//! let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
//! // Whatever can be refused is refused here, before the directory is touched.
//! let plan = Plan::new(&source, &dataset, config)?;
//! let run = start(out, &plan, ExistingRun::Refuse)?;
//! let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
//! let summary = fit(&run, &plan, &options, &mut ())?;
//!
//! let model = run.model()?;
//! let evaluation = Evaluation::new(&dataset, Some(&summary.trained), &model.model()?)?;
//! assert!(evaluation.agreement.is_some_and(|share| share > 0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod c_module;
mod calibration;
mod cluster_names;
mod compare;
mod compared;
mod error;
mod evaluate;
mod evaluation;
mod export;
mod fine_tuning;
mod firmware_samples;
mod fit;
mod generated;
mod import;
mod import_encoder;
#[cfg(test)]
mod killed;
mod models;
mod plan;
mod recorder;
mod remarks;
mod rust_module;
mod seeds;
mod start;
mod start_from;
mod table;
mod window_variations;

pub use c_module::CModule;
pub use calibration::{CalibrationErrors, PosteriorCalibration};
pub use cluster_names::check_cluster_names;
pub use compare::Comparison;
pub use compared::{Compared, ComparisonRun};
pub use error::WorkflowError;
pub use evaluate::{evaluate_model, evaluate_run};
pub use evaluation::{Evaluation, HeldOutEvaluation, ModelScores, Smoothed};
pub use export::Export;
pub use fine_tuning::FineTuning;
pub use fit::{FitOptions, FitSummary, fit};
pub use generated::Generated;
pub use import::{ImportOptions, ImportPlan, import};
pub use import_encoder::{EncoderFile, EncoderPlan, fit_import, start_import};
pub use models::{RunModels, check_features, is_finished};
pub use plan::Plan;
pub use recorder::Recorder;
pub use remarks::{Remark, remarks_on_count};
pub use rust_module::RustModule;
pub use seeds::{SeedSeries, SeedSummary};
pub use start::{ExistingRun, start};
pub use table::{ComparisonRow, Outcome, TableFormat, comparison_table};
