//! Text from outside, made safe to print.
//!
//! Owns the sequences that a terminal or a log would act on: control characters, characters that change the
//! direction of a line, and lines that CI systems take for commands. A title, an id, a file name or foreign
//! results may contain any of them; people only see them escaped. Refuses to know where the text goes, and which
//! colours are our own.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal acts on the character, or hides its neighbours because of it.
pub fn is_obeyed(letter: char) -> bool {
    (letter.is_control() && letter != '\n' && letter != '\t')
        || matches!(
            letter,
            '\u{61c}'
                | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// The text with all such characters escaped as in Rust, `\u{1b}`. Line breaks are kept.
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed, |letter| format!("\\u{{{:x}}}", u32::from(letter)))
}

/// The same on one line: line breaks are escaped as well.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(
        text,
        |letter| letter == '\n' || is_obeyed(letter),
        |letter| format!("\\u{{{:x}}}", u32::from(letter)),
    )
}

/// An equivalent JSON document, with escapes inside its strings.
pub fn json(text: &str) -> Cow<'_, str> {
    // Outside of strings JSON has none of these characters.
    escaped(text, is_obeyed, |letter| format!("\\u{:04x}", u32::from(letter)))
}

fn escaped(
    text: &str,
    is_escaped: impl Fn(char) -> bool,
    escape: impl Fn(char) -> String,
) -> Cow<'_, str> {
    let mut whole = String::new();
    // The text before this point is copied.
    let mut taken = 0;
    let mut starts_line = true;
    for (place, letter) in text.char_indices() {
        let commands = letter == '#' && begins_command(&text[place..])
            || starts_line && text[place..].starts_with("::");
        if commands || is_escaped(letter) {
            whole.push_str(&text[taken..place]);
            whole.push_str(&escape(letter));
            taken = place + letter.len_utf8();
        }
        starts_line = letter == '\n' || starts_line && letter.is_whitespace();
    }
    if taken == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(&text[taken..]);
    Cow::Owned(whole)
}

/// `##[error]`, `##vso[task.setvariable]`: CI systems obey them anywhere in a line.
fn begins_command(text: &str) -> bool {
    let name = text.strip_prefix("##");
    name.is_some_and(|name| {
        name.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[')
    })
}

/// A word quoted for a shell, with all such characters in the shell's own escapes.
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:@%,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) && !word.starts_with("::") {
        return word.to_owned();
    }
    if line(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for letter in word.chars() {
        match letter {
            '\'' | '\\' => quoted.extend(['\\', letter]),
            '#' | ':' | '\n' | '\t' => write_bytes(&mut quoted, letter),
            letter if is_obeyed(letter) => write_bytes(&mut quoted, letter),
            letter => quoted.push(letter),
        }
    }
    quoted + "'"
}

/// Bytes as bash, ksh and zsh read them in `$'…'` in any locale.
fn write_bytes(quoted: &mut String, letter: char) {
    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
        write!(quoted, "\\x{byte:02x}").expect("a string takes what is written to it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_obeyed_is_escaped_and_all_else_is_as_it_was() {
        let table = [
            ("Zürich · ✓ 日本 🎫\n\tnext", "Zürich · ✓ 日本 🎫\n\tnext"),
            ("\x1b[2J\x1b]0;pwn\x07", r"\u{1b}[2J\u{1b}]0;pwn\u{7}"),
            ("nul\0 del\x7f c1\u{9b}31m", r"nul\u{0} del\u{7f} c1\u{9b}31m"),
            (
                "a\u{202e}b\u{2066}c\u{200f}\u{2028}\u{feff}",
                r"a\u{202e}b\u{2066}c\u{200f}\u{2028}\u{feff}",
            ),
            ("over\rwritten", r"over\u{d}written"),
            ("::error::x\n  ::add-mask::y", "\\u{3a}:error::x\n  \\u{3a}:add-mask::y"),
            ("std::fs, a ::b", "std::fs, a ::b"),
            (
                "see ##[error]x and ##vso[y] ## [z] #1",
                r"see \u{23}#[error]x and \u{23}#vso[y] ## [z] #1",
            ),
        ];
        for (raw, shown) in table {
            assert_eq!(text(raw), shown);
            assert_eq!(text(shown), shown, "an escape needs none");
        }
        assert!(matches!(text("plain"), Cow::Borrowed("plain")));
        assert_eq!(line("one\ntwo"), r"one\u{a}two");
    }

    #[test]
    fn json_says_the_same_with_escapes() {
        let value =
            serde_json::json!({ "title": "\x1b[2J \u{9b}31m \u{202e} ##[error]x\n::error::y é" });
        let raw = serde_json::to_string_pretty(&value).unwrap();
        let shown = json(&raw);
        assert!(!shown.chars().any(is_obeyed) && !shown.contains("##["), "{shown}");
        assert!(shown.contains(r"\u009b31m \u202e \u0023#[error]"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let table = [
            ("fast/crash", "fast/crash"),
            ("", "''"),
            ("my sales/it's.toml", r"'my sales/it'\''s.toml'"),
            ("\x1b[2Jx\n::error::'hi'.toml", r"$'\x1b[2Jx\x0a\x3a\x3aerror\x3a\x3a\'hi\'.toml'"),
            ("a\u{9b}b", r"$'a\xc2\x9bb'"),
        ];
        for (word, expected) in table {
            assert_eq!(quoted(word), expected);
            assert_eq!(line(expected), expected);
        }
    }
}
