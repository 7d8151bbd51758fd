//! The parts of pages: lines, labelled sections, and words that fill a width.
//!
//! Owns the position and colour of text. Refuses to know its meaning.

/// Least width: a narrower terminal is treated as this wide.
pub(super) const WIDTH_MIN: usize = 40;
/// Column of a section's text; its label stands before it.
pub(super) const TEXT_COLUMN: usize = 14;
/// The parts of a fault's line that stand out.
pub(super) const INERT: &str = "touched nothing";

/// The style of text.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

/// A page in progress, and the terminal that it is for.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) colour: bool,
    pub(super) width: usize,
}

impl Page {
    /// Adds one line. A line break within a name would make two of it.
    pub(super) fn line(&mut self, line: &str) {
        if line.contains('\n') {
            self.text.push_str(&line.replace('\n', "\\u{a}"));
        } else {
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds a label and items separated by dots; an item that does not fit begins a new line.
    pub(super) fn section(&mut self, label: &str, items: &[String]) {
        self.hanging(label, "", items);
    }

    /// The same after a lead, with further lines indented below it.
    pub(super) fn hanging(&mut self, label: &str, lead: &str, items: &[String]) {
        assert!(label.chars().count() < TEXT_COLUMN - 2, "`{label}` leaves no gap before its text");
        let indent = lead.chars().count();
        let room = self.width - TEXT_COLUMN - indent;
        let items = items.iter().map(String::as_str);
        for (position, line) in flow(items, " · ", room).iter().enumerate() {
            let (label, lead) = if position == 0 { (label, lead) } else { ("", "") };
            let label = format!("{label:0$}", TEXT_COLUMN - 2);
            let label = self.paint(Style::Dim, &label);
            let line = line.replace(INERT, &self.paint(Style::Yellow, INERT));
            self.line(&format!("  {label}{lead:indent$}{line}"));
        }
    }

    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Plain => return text.to_owned(),
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Green => "32",
            Style::Yellow => "33",
            Style::Red => "31",
        };
        let blank = text.trim().is_empty();
        if self.colour && !blank { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The noun, in the plural unless the count is one.
pub(super) fn plural(number: u64, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// Fills lines of `width` columns with pieces. A piece that is wider stands alone and unbroken, because cut
/// names and commands are useless.
pub fn flow<'a>(pieces: impl Iterator<Item = &'a str>, between: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line)
                if line.chars().count() + between.chars().count() + piece.chars().count()
                    <= width =>
            {
                line.push_str(between);
                line.push_str(piece);
            }
            Some(_) | None => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// The width of the widest.
pub(super) fn columns<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(|text| text.chars().count()).max().unwrap_or(0)
}
