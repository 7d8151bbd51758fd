//! `onsale completions`: completion scripts for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Failure;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Prints the completion script of a shell.
pub(super) fn completions(shell: Shell, terminal: Terminal) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "onsale", &mut script);
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Passed)
}
