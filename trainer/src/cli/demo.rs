//! `edgemix demo`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::commands::commands;
use super::describe;
use super::describe::title;
use super::error::CliError;
use super::output::show;
use super::progress::{View, during_fit};
use super::report::write_page;
use super::warnings::warn_of_fit;
use crate::assessment::inference::multiply_accumulates;
use crate::data::{self, Source};
use crate::methods::FitConfig;
use crate::run::{RunDir, RunFile, RunState, settings_differences};
use crate::workflow::{Evaluation, ExistingRun, FitOptions, Plan, fit, start};

#[derive(Args)]
pub(super) struct Demo {
    /// The seed of all random draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The directory of the run; a demo that is already there is replaced.
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    out: PathBuf,
    /// Shows the progress on the whole terminal, with curves of the losses and the number of clusters; q stops the run.
    #[arg(long)]
    tui: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let begin = Instant::now();
        let view = View::wanted(self.tui)?;
        let (source, dataset) = (Source::new("digits"), data::digits());
        let plan = Plan::new(&source, &dataset, FitConfig { seed: self.seed, ..FitConfig::default() })?;
        self.refuse_other_runs(&plan)?;
        let run = start(&self.out, &plan, ExistingRun::Replace)?;
        show("1,797 handwritten digits of 8 x 8 pixels; the number of classes is not given\n")?;
        let options = FitOptions::default();
        let summary =
            during_fit(&run, &title(&plan, &self.out), view, |observer| fit(&run, &plan, &options, observer))??;
        warn_of_fit(&summary, plan.config());
        let run = &summary.run;
        let commands = commands(&self.out, &source, None);
        write_page(run, &dataset, &commands)?;
        let file = run.model()?;
        let model = file.model()?;
        let evaluation = Evaluation::new(&dataset, Some(&summary.trained), &model)?;
        show(&format!(
            "{}flash       {} bytes\nRAM         {} bytes\nmultiply-accumulates {}\nfiles       {}\nreport      {}\n{:.0} s\n\
             next: edgemix inspect {}\n      edgemix train YOUR-FILE.csv --out runs/first\n",
            describe::evaluation(&evaluation),
            file.flash(),
            model.arena_len(),
            multiply_accumulates(&model),
            self.out.display(),
            run.file(RunFile::Report).display(),
            begin.elapsed().as_secs_f64(),
            file.path().display()
        ))
    }

    /// Refuses to replace a run that is not a demo.
    fn refuse_other_runs(&self, plan: &Plan) -> Result<(), CliError> {
        let run = RunDir::open(&self.out);
        if run.state()? != RunState::Started {
            return Ok(());
        }
        let before = run.config()?;
        let demo = FitConfig { seed: before.seed, ..FitConfig::default() };
        if run.source()?.as_ref() == Some(&plan.record().source) && settings_differences(&demo, &before)?.is_empty() {
            return Ok(());
        }
        let out = self.out.display();
        Err(CliError::Usage(format!(
            "{out}: the directory contains a run that is not a demo: choose another directory with --out"
        )))
    }
}
