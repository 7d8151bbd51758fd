//! Samples of the program's output in the docs, compared with its real output.
//!
//! Wall-clock times, memory and versions are left out. `ONSALE_BLESS=1 cargo test -p onsale-tests samples`
//! writes the current output into the docs.

use std::fs;

use onsale_scenarios::{Scenario, catalogue};
use serde_json::Value;

use crate::desk::Desk;

/// Beginnings of lines that differ between machines.
const MEASURED: [&str; 4] = ["  time ", "  memory ", "  code ", "  wall "];

/// A block of a document, without its fences.
struct Block<'a> {
    language: &'a str,
    text: &'a str,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = document;
    while let Some((_, after)) = rest.split_once("\n```") {
        let Some((language, after)) = after.split_once('\n') else { break };
        let (text, after) = after.split_once("```").expect("a block has an end");
        blocks.push(Block { language, text });
        rest = after;
    }
    blocks
}

/// The text without the parts that depend on the machine.
fn masked(line: &str) -> String {
    if let Some(measured) = MEASURED.iter().find(|measured| line.starts_with(*measured)) {
        return (*measured).to_owned();
    }
    match line.split_once(" · ") {
        Some((counted, end)) if counted.contains(" runs in ") => end.to_owned(),
        Some(_) | None => line.trim_end().to_owned(),
    }
}

/// The expected sample: the current output, except for lines without a relevant difference.
fn renewed(shown: &str, printed: &str) -> String {
    let (shown, printed): (Vec<&str>, Vec<&str>) =
        (shown.lines().collect(), printed.lines().collect());
    let line = |(place, printed): (usize, &&str)| {
        let same = shown.get(place).filter(|shown| masked(shown) == masked(printed));
        format!("{}\n", same.unwrap_or(printed).trim_end())
    };
    printed.iter().enumerate().map(line).collect()
}

/// As many paragraphs of the output as the sample has.
fn beginning(printed: &str, shown: &str) -> String {
    let count = shown.trim_end().split("\n\n").count();
    let paragraphs: Vec<&str> = printed.trim_end().split("\n\n").take(count).collect();
    paragraphs.join("\n\n") + "\n"
}

/// Runs a shell line: `onsale`, followed by `grep`, `tail` or `jq`.
fn shell(desk: &Desk, line: &str) -> String {
    let mut stages = line.split(" | ");
    let command = stages.next().unwrap_or_default();
    let arguments: Vec<&str> = command.strip_prefix("onsale ").expect(line).split(' ').collect();
    let output = desk.whole(&arguments).output().expect("onsale starts");
    let mut text = String::from_utf8(output.stdout).expect("onsale speaks UTF-8");
    // A pipe within quotes is jq's own.
    let stages: Vec<&str> = match line.split_once(" | jq ") {
        Some((_, expression)) => {
            text = picked(&text, expression.trim_matches('\''));
            Vec::new()
        }
        None => stages.collect(),
    };
    for stage in stages {
        let lines: Vec<&str> = text.lines().collect();
        let kept: Vec<&str> = match stage.split(' ').collect::<Vec<_>>()[..] {
            ["grep", word] => lines.into_iter().filter(|line| line.contains(word)).collect(),
            ["tail", "-n", count] => {
                let count: usize = count.parse().expect(stage);
                lines[lines.len().saturating_sub(count)..].to_vec()
            }
            [..] => panic!("no test knows how to run {stage}"),
        };
        text = kept.join("\n") + "\n";
    }
    text
}

/// The output of `jq '.path.to | {key, key}'`.
fn picked(json: &str, expression: &str) -> String {
    let value: Value = serde_json::from_str(json).expect("onsale prints JSON");
    let (path, keys) = expression.split_once(" | ").expect(expression);
    let value = path.trim_start_matches('.').split('.').fold(&value, |value, key| &value[key]);
    let keys = keys.trim_matches(['{', '}']).split(", ");
    let lines: Vec<String> = keys.map(|key| format!("  \"{key}\": {}", value[key])).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// A block of commands, each with its output.
fn console(desk: &Desk, block: &str) -> String {
    let mut text = String::new();
    for sample in block.split("$ ").skip(1) {
        let (line, shown) = sample.split_once('\n').expect("a command ends its line");
        let printed = shell(desk, line);
        text.extend(["$ ", line, "\n"]);
        if !shown.is_empty() {
            text += &renewed(shown, &beginning(&printed, shown));
        }
    }
    text
}

/// The expected text of a block; `None` if no command prints it.
fn text(desk: &Desk, shown: &str) -> Option<String> {
    if shown.starts_with("fast/crash · seed 1\n") {
        return Some(renewed(shown, &desk.onsale(&["run", "fast/crash"], 0).out));
    }
    if shown.starts_with("    setting ") {
        let settings = ["acknowledge-own-disk", "decide-on-committed", "repeat-anew"];
        let ids = settings.map(|name| format!("unsafe/{name}"));
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let said = desk.onsale(&[&["check", "--unsafe", "--quiet"], &ids[..]].concat(), 0);
        let rows: Vec<&str> = said.out.lines().take(1 + ids.len()).collect();
        return Some(rows.join("\n") + "\n  …\n");
    }
    if shown.starts_with("  × my-sale.toml:") {
        let sale = desk.read("my-sale.toml");
        desk.put("my-sale.toml", &sale.replace("isolate = [\"leader\"]", "isolate = [\"n9\"]"));
        let said = desk.onsale(&["scenarios", "validate", "my-sale.toml"], 2);
        desk.put("my-sale.toml", &sale);
        return Some(renewed(shown, &said.err));
    }
    if shown.starts_with("  00:00.") {
        let story = desk.read("onsale-out/shrink-repeat-anew-1/story.txt");
        let (_, story) = story.split_once("\n\n  00:00.").expect("a story follows the table");
        let lines: Vec<&str> = story.lines().take(shown.lines().count()).collect();
        return Some(renewed(shown, &format!("  00:00.{}", lines.join("\n"))));
    }
    if shown.starts_with("fast/crash.toml:") {
        let entry = catalogue::find("fast/crash").expect("it is in the catalogue");
        let text = entry.text.replacen("node = \"leader\"", "node = \"n9\"", 1);
        let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let wrong = Scenario::from_toml("x", "fast/crash.toml", text.as_bytes(), &no_files);
        return Some(format!("{}\n", wrong.expect_err("there is no node n9")));
    }
    None
}

fn compare(file: &str) {
    let desk = Desk::new(&format!("samples-{}", file.replace('/', "-")));
    let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(&path).expect("the document is there");
    let (mut now, mut compared) = (document.clone(), 0);
    for block in blocks(&document) {
        if let Some(sale) = block.text.split_once("# Two thousand people want one small hall") {
            assert_eq!(block.language, "toml");
            desk.put(
                "my-sale.toml",
                &format!("# Two thousand people want one small hall{}", sale.1),
            );
        }
        let said = match block.language {
            "console" => Some(console(&desk, block.text)),
            "text" => Some(text(&desk, block.text).expect("a command prints what is shown")),
            _ => None,
        };
        if let Some(said) = said {
            compared += 1;
            now = now.replace(block.text, &said);
        }
    }
    assert!(compared > 0, "{file} shows nothing");
    if std::env::var_os("ONSALE_BLESS").is_some() {
        fs::write(&path, now).expect("the document is writable");
    } else {
        let pairs = document.lines().zip(now.lines());
        let first = (1..).zip(pairs).find(|(_, (shown, printed))| shown != printed);
        assert_eq!(first, None, "{file} shows something else than is printed, at this line");
        assert_eq!(document, now, "{file} shows something else than is printed");
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    compare("README.md");
}

#[test]
fn the_format_of_scenarios_shows_what_is_printed() {
    compare("scenarios/README.md");
}
