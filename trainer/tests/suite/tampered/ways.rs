//! The ways in which the commands read the files of a run, without the program.

use std::fs;

use edgemix::report::write_report;
use edgemix::run::{RunError, RunFile};
use edgemix::training::FitError;
use edgemix::workflow::{Comparison, Export, WorkflowError, evaluate_run};

use super::whole::{OPTIONS, Stop, WholeRun};

/// Reads files of the run, and says whether they were accepted.
pub(super) type Way = fn(&WholeRun) -> bool;

/// The ways in which a file is read.
pub(super) fn ways_of(file: RunFile) -> &'static [Way] {
    match file {
        RunFile::Settings => &[begins, inspects, evaluates, exports, reports, resumes],
        RunFile::Data => &[begins, inspects, evaluates, exports, resumes],
        RunFile::Metrics => &[reports, resumes],
        RunFile::Latents => &[reports],
        RunFile::Checkpoint => &[resumes],
        RunFile::Autoencoder => &[starts_another],
        RunFile::ClusterCount | RunFile::StickWeights | RunFile::LoneClusters | RunFile::Interval => {
            &[inspects, reports]
        }
        RunFile::Trained => &[inspects, evaluates, exports, reports],
        RunFile::Model => &[inspects, evaluates, reports],
        RunFile::Outcome => &[compares],
        // A trained run has no record of an import: `import.rs` damages one.
        RunFile::Report | RunFile::Import | RunFile::Generated | RunFile::GeneratedSheet => &[],
    }
}

/// What every start in the directory looks at.
fn begins(whole: &WholeRun) -> bool {
    whole.run().state().is_ok() && whole.run().unfinished().is_ok()
}

fn inspects(whole: &WholeRun) -> bool {
    let run = whole.run();
    let read: [Result<(), RunError>; 7] = [
        run.config().map(drop),
        run.record().map(drop),
        run.cluster_count().map(drop),
        run.stick_weights().map(drop),
        run.interval().map(|interval| drop(interval.map(|interval| format!("{interval:?}")))),
        run.lone_clusters().map(drop),
        run.trained().and(run.model()).map(drop),
    ];
    read.iter().all(Result::is_ok)
}

fn evaluates(whole: &WholeRun) -> bool {
    evaluate_run(&whole.run(), &whole.source, &whole.dataset).is_ok()
}

fn exports(whole: &WholeRun) -> bool {
    let export = Export::new(&whole.run(), &whole.source, &whole.dataset, None);
    export.and_then(|export| export.write(&whole.scratch("x.emx"), true)).is_ok()
}

fn reports(whole: &WholeRun) -> bool {
    write_report(&whole.run(), &whole.dataset, "", &whole.scratch("x.html")).is_ok()
}

/// Whether the training goes on.
fn resumes(whole: &WholeRun) -> bool {
    matches!(whole.resume(), Err(WorkflowError::Fit(FitError::Stopped(_))))
}

/// Whether another run starts from this one.
fn starts_another(whole: &WholeRun) -> bool {
    matches!(whole.start_another(), Err(WorkflowError::Fit(FitError::Stopped(_))))
}

/// Whether the comparison takes the outcome that is there.
fn compares(whole: &WholeRun) -> bool {
    let (out, method) = (whole.comparison(), [whole.config.method.clone()]);
    let mut comparison = Comparison::new(&out, &whole.source, &whole.dataset, &whole.config, &method, 1);
    let run = comparison.runs().remove(0);
    let is_accepted = comparison.train(&run, &OPTIONS, &mut Stop).is_ok();
    // The comparison appends to the metrics, and writes tables.
    for file in [RunFile::Metrics, RunFile::Outcome] {
        fs::write(whole.path().join(file.name()), whole.contents(file)).unwrap();
    }
    is_accepted
}
