//! The program from its arguments to its exit code.
//!
//! Owns what happens around a command: invalid arguments, and panics that nothing else catches. Refuses to know
//! any command.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;
use onsale_reports::plain;
use onsale_sim::wall::NoThread;

use crate::cli::Cli;
use crate::command;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Carries out a command line, beginning with the program's name, and returns the exit code.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let words = error.render().to_string();
            // Help whose reader goes away early is no error.
            let _ = match plain::text(&words) {
                // The argument may contain control sequences, such as a strange file name.
                Cow::Owned(escaped) => io::stderr().write_all(escaped.as_bytes()),
                Cow::Borrowed(_) => error.print(),
            };
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Passed.into() };
        }
    };
    // A run catches its own panics and reports them; a panic that gets here is a bug of the program around it.
    let terminal = Terminal::new(cli.color, cli.quiet);
    let ended = catch_unwind(AssertUnwindSafe(|| command::carry_out(cli)));
    let ended = ended.unwrap_or_else(|thrown| {
        if let Some(NoThread(error)) = thrown.downcast_ref() {
            terminal.error(&format!("the system starts no more threads: {error}"));
        }
        Exit::Internal
    });
    ended.into()
}
