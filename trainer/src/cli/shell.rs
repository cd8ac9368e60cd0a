//! `edgemix completions` and `edgemix man`, mainly for packagers.

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::CliError;
use super::output::{output_error, show};

#[derive(Args)]
#[command(after_help = "Example:
  edgemix completions bash > ~/.local/share/bash-completion/completions/edgemix")]
pub(super) struct Completions {
    /// The shell to print completions for.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, mut program: Command) -> Result<(), CliError> {
        let mut script = vec![];
        clap_complete::generate(self.shell, &mut program, "edgemix", &mut script);
        show(&String::from_utf8_lossy(&script))
    }
}

#[derive(Args)]
#[command(after_help = "Example:
  edgemix man train | man -l -")]
pub(super) struct Man {
    /// The command [default: the program itself].
    command: Option<String>,
}

impl Man {
    pub(super) fn run(self, mut program: Command) -> Result<(), CliError> {
        program.build();
        let page = match &self.command {
            None => program,
            Some(name) => {
                let known: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
                let unknown =
                    || CliError::Usage(format!("no command is named {name:?}: use one of {}", known.join(", ")));
                let found = program.find_subcommand(name).ok_or_else(unknown)?;
                found.clone().display_name(format!("edgemix-{name}"))
            }
        };
        let mut text = vec![];
        clap_mangen::Man::new(page).render(&mut text).map_err(output_error)?;
        show(&String::from_utf8_lossy(&text))
    }
}
