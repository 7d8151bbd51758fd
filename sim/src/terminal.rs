//! The terminal: data to standard output, everything else to standard error.
//!
//! Owns colour, width, and what becomes of a reader that has gone away. Refuses to know what is
//! said.

use std::io::{self, IsTerminal, Write};

use clap::ColorChoice;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// Text that goes to a file or a pipe is laid out for this many columns.
const WIDTH_ELSEWHERE: usize = 100;

/// Where the program speaks.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    colour_out: bool,
    colour_err: bool,
    quiet: bool,
}

impl Terminal {
    /// Settles colour for both streams. `quiet` keeps progress and notes away; errors and
    /// warnings stay.
    pub fn new(choice: ColorChoice, quiet: bool) -> Self {
        Self {
            colour_out: colour(choice, io::stdout().is_terminal()),
            colour_err: colour(choice, io::stderr().is_terminal()),
            quiet,
        }
    }

    /// Whether data may carry colour.
    pub const fn colour(self) -> bool {
        self.colour_out
    }

    /// Columns of the data.
    pub fn width(self) -> usize {
        terminal_size::terminal_size_of(io::stdout())
            .map_or(WIDTH_ELSEWHERE, |(width, _)| usize::from(width.0))
    }

    /// Whether somebody watches standard error.
    pub fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Whether progress may carry colour.
    pub const fn colours_progress(self) -> bool {
        self.colour_err
    }

    /// Data. A reader that has seen enough (`| head`) is no error.
    ///
    /// # Errors
    /// If standard output takes no more for another reason, as on a full disk.
    pub fn data(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Something good to know.
    pub fn note(self, text: &str) {
        if !self.quiet {
            self.err(text);
        }
    }

    /// Workflow commands, bare: GitHub reads them from either stream, and data stays data.
    pub fn annotations(self, commands: &str) {
        if !commands.is_empty() {
            self.err(commands.trim_end());
        }
    }

    /// Something that must be seen.
    pub fn warn(self, text: &str) {
        self.err(&format!("{} {text}", self.label("warning:", "33")));
    }

    /// Why the program does not do what it was asked.
    pub fn error(self, text: &str) {
        self.err(&format!("{} {text}", self.label("error:", "31")));
    }

    /// The same with the places in a text that it is about.
    pub fn diagnostic(self, diagnostic: &dyn Diagnostic) {
        let theme = if self.colour_err {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let width = terminal_size::terminal_size_of(io::stderr())
            .map_or(WIDTH_ELSEWHERE, |(width, _)| usize::from(width.0));
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width);
        let mut text = String::new();
        match handler.render_report(&mut text, diagnostic) {
            Ok(()) => self.err(text.trim_end()),
            Err(_) => self.error(&diagnostic.to_string()),
        }
    }

    fn label(self, label: &str, code: &str) -> String {
        if self.colour_err { format!("\x1b[1;{code}m{label}\x1b[0m") } else { label.to_owned() }
    }

    fn err(self, text: &str) {
        // Nobody is left to be told that nobody listens.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// <https://no-color.org> and <https://bixense.com/clicolors>.
fn colour(choice: ColorChoice, is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is = |name, value: &str| std::env::var_os(name).is_some_and(|found| found == value);
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if set("NO_COLOR") => false,
        ColorChoice::Auto if set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
        ColorChoice::Auto => is_terminal && !is("TERM", "dumb") && !is("CLICOLOR", "0"),
    }
}
