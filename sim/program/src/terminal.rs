//! The terminal: data to standard output, everything else to standard error.
//!
//! Owns colour, width, closed pipes, and that neither stream carries control sequences for a terminal or a CI
//! system except our own colours. Refuses to know what is printed.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use clap::ColorChoice;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use onsale_reports::plain;

use crate::progress::Line;

/// Width of text in a file or a pipe, in columns.
const WIDTH_ELSEWHERE: usize = 100;
/// Longest message, in characters; longer ones, which repeat the content of a file, are cut off.
const WORDS_MAX: usize = 4_000;

/// The output streams of the program.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    colour_out: bool,
    colour_err: bool,
    quiet: bool,
}

impl Terminal {
    /// Decides on colour for both streams. `quiet` suppresses progress and notes, but not errors and warnings.
    pub fn new(choice: ColorChoice, quiet: bool) -> Self {
        Self {
            colour_out: colour(choice, io::stdout().is_terminal()),
            colour_err: colour(choice, io::stderr().is_terminal()),
            quiet,
        }
    }

    /// Width of the data, in columns.
    pub fn width(self) -> usize {
        self.line_width().unwrap_or(WIDTH_ELSEWHERE)
    }

    /// Width at which one-item lines are wrapped: that of the terminal, or `COLUMNS`. `None` in a file or a
    /// pipe, where such a line stays whole.
    pub fn line_width(self) -> Option<usize> {
        let terminal = || terminal_size::terminal_size_of(io::stdout());
        let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        asked.or_else(|| terminal().map(|(width, _)| usize::from(width.0)))
    }

    /// Whether standard error is a terminal.
    pub fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// The stream for progress, if it is a terminal.
    pub fn line(self) -> Option<Line> {
        self.shows_progress().then_some(Line { coloured: self.colour_err })
    }

    /// Whether progress may have colour.
    pub const fn colours_progress(self) -> bool {
        self.colour_err
    }

    /// Prints data without colour.
    ///
    /// # Errors
    /// If standard output cannot be written, as on a full disk. A closed pipe (`| head`) is no error.
    pub fn data(self, text: &str) -> io::Result<()> {
        self.out(&plain::text(text))
    }

    /// Prints a page, with or without colour.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub fn page(self, draw: impl Fn(bool) -> String) -> io::Result<()> {
        self.out(&coloured(self.colour_out, draw))
    }

    fn out(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Prints a note.
    pub fn note(self, text: &str) {
        if !self.quiet {
            self.err(text);
        }
    }

    /// Prints workflow commands without decoration: GitHub reads them from either stream, and data stays data.
    pub fn annotations(self, commands: &str) {
        if !commands.is_empty() {
            self.write_err(commands.trim_end());
        }
    }

    /// Prints a warning.
    pub fn warn(self, text: &str) {
        self.labelled("warning:", "33", text);
    }

    /// Prints the error that ends the program.
    pub fn error(self, text: &str) {
        self.labelled("error:", "31", text);
    }

    /// Prints the same, with its places in a text.
    pub fn diagnostic(self, diagnostic: &dyn Diagnostic) {
        let width = terminal_size::terminal_size_of(io::stderr())
            .map_or(WIDTH_ELSEWHERE, |(width, _)| usize::from(width.0));
        let draw = |colour| {
            let theme =
                if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
            let handler =
                GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false);
            let mut text = String::new();
            match handler.render_report(&mut text, diagnostic) {
                Ok(()) => text.trim_end().to_owned(),
                Err(_) => format!("error: {diagnostic}"),
            }
        };
        self.write_err(&coloured(self.colour_err, draw));
    }

    fn labelled(self, label: &str, code: &str, text: &str) {
        let text = match text.char_indices().nth(WORDS_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        let text = plain::text(&text);
        if self.colour_err {
            self.write_err(&format!("\x1b[1;{code}m{label}\x1b[0m {text}"));
        } else {
            self.write_err(&format!("{label} {text}"));
        }
    }

    fn err(self, text: &str) {
        self.write_err(&plain::text(text));
    }

    fn write_err(self, text: &str) {
        // There is no stream left to report this on.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// A page in colour, if wanted and if all its control sequences are ours; otherwise it is drawn without colour
/// and escaped.
fn coloured(wanted: bool, draw: impl Fn(bool) -> String) -> String {
    let page = draw(false);
    match plain::text(&page) {
        Cow::Owned(escaped) => escaped,
        Cow::Borrowed(_) if wanted => draw(true),
        Cow::Borrowed(_) => page,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_our_own_or_there_are_none() {
        let page = |name: &'static str| {
            move |colour| if colour { format!("\x1b[1m{name}\x1b[0m") } else { name.to_owned() }
        };
        assert_eq!(coloured(true, page("hold")), "\x1b[1mhold\x1b[0m");
        assert_eq!(coloured(false, page("hold")), "hold");
        for wanted in [true, false] {
            assert_eq!(coloured(wanted, page("\x1b[31mred")), r"\u{1b}[31mred");
            assert_eq!(coloured(wanted, page("::error::x")), r"\u{3a}:error::x");
        }
    }
}
