//! The desk of tests of the command line: a directory with small sales, and the program.
//!
//! Owns how the program is started and waited for. Refuses to know its expected output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use assert_cmd::assert::OutputAssertExt;
use serde_json::Value;

/// A sale of a minute, so that a debug build plays a seed in a moment.
pub(super) const TINY: &str = r#"
title = "A tiny sale and one crash"
duration = "1m"
calm = "20s"

[cluster]
shards = 2

[sale]
shows = 2
hold = "10s"

[crowd]
users = 15

[crowd.arrivals]
constant = { over = "40s" }

[crowd.session]
pick-think = { median = "2s", sigma = 0.8 }
checkout-think = { median = "2s", sigma = 0.6 }

[[fault]]
crash = { at = "20s", node = "leader", down = "5s" }

[expect]
exercised = ["hold"]
"#;

/// An impossible promise: elections take seconds, and a microsecond is allowed.
pub(super) const NEVER: &str = r#"
title = "Nobody is back a microsecond after a blackout"
duration = "1m"
calm = "1us"

[cluster]
shards = 2
election-ticks = 100

[sale]
shows = 2
hold = "10s"

[crowd]
users = 200

[crowd.arrivals]
constant = { over = "60s" }

[crowd.session]
pick-think = { median = "2s", sigma = 0.8 }

[[fault]]
power-loss = { at = "20s", down = "1s" }
"#;

/// A sale that takes a moment: few people, one crash.
pub(super) const SMALL: &str = r#"
title = "A small sale and one crash"
duration = "2m"
calm = "20s"

[cluster]
shards = 4

[sale]
shows = 2
hold = "20s"

[crowd]
users = 60

[crowd.arrivals]
constant = { over = "90s" }

[crowd.session]
pick-think = { median = "5s", sigma = 0.8 }
checkout-think = { median = "5s", sigma = 0.6 }

[[fault]]
crash = { at = "30s", node = "leader", down = "5s" }

[expect]
exercised = ["double-booking", "hold"]
"#;

/// An impossible promise, to see how a broken one is reported.
pub(super) const BLACKOUT: &str = r#"
title = "No cluster comes back from a blackout within a microsecond"
duration = "2m"
calm = "1us"

[cluster]
election-ticks = 100

[sale]
hold = "20s"

[crowd]
users = 300

[crowd.arrivals]
constant = { over = "100s" }

[[fault]]
power-loss = { at = "60s", down = "15s" }
"#;

/// The directory of one test, removed at its end. Commands run in it.
pub(super) struct Desk(pub(super) PathBuf);

impl Desk {
    pub(super) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("onsale-cli-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room for a test's directory");
        let desk = Self(path);
        desk.put("small.toml", SMALL);
        desk
    }

    /// A desk with two scenarios that pass and one that cannot.
    pub(super) fn of_sweeps(test: &str) -> Self {
        let desk = Self::new(&format!("check-{test}"));
        desk.put("tiny.toml", TINY);
        let (calm, _) = TINY.split_once("[[fault]]").expect("it has a fault");
        desk.put("calm.toml", calm);
        desk.put("never.toml", NEVER);
        desk
    }

    pub(super) fn put(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("a test writes into its own directory");
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(super) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("what onsale writes as JSON is JSON")
    }

    /// `onsale` with these arguments. Sweeps leave the regressions out: they have tests of their own.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.whole(arguments);
        if arguments.first() == Some(&"check") && !arguments.contains(&"--unsafe") {
            command.arg("--skip-regressions");
        }
        command
    }

    /// `onsale` with these arguments and no others.
    pub(super) fn whole(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onsale-under-test"));
        command
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("COLUMNS")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env_remove("GITHUB_WORKSPACE")
            .env_remove("CARGO");
        command
    }

    /// Runs `onsale` and expects this exit code.
    pub(super) fn onsale(&self, arguments: &[&str], code: i32) -> Said {
        let Output { stdout, stderr, .. } =
            self.command(arguments).assert().code(code).get_output().clone();
        let text = |bytes| String::from_utf8(bytes).expect("onsale speaks UTF-8");
        let said = Said { out: text(stdout), err: text(stderr) };
        assert!(!said.err.contains("panicked"), "{}", said.err);
        said
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // A directory that stays behind harms no other test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) struct Said {
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("standard output is JSON and nothing else")
    }
}

/// A sweep of the tiny scenarios, its results in `file`.
pub(super) fn sweep<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["check", "tiny.toml", "calm.toml", "--seeds", "1..7", "--results", file], more].concat()
}

/// Waits until a sweep under way has written `lines` lines.
#[cfg(unix)]
pub(super) fn await_lines(desk: &Desk, file: &str, lines: usize, child: &mut Child) {
    loop {
        let over = child.try_wait().expect("a child can be asked").is_some();
        let text = fs::read_to_string(desk.0.join(file)).unwrap_or_default();
        if text.matches('\n').count() >= lines {
            return;
        }
        assert!(!over, "the sweep was over after {} lines", text.lines().count());
        std::thread::yield_now();
    }
}

/// Waits until the process catches the signal: a bit of the mask that the kernel shows.
#[cfg(target_os = "linux")]
pub(super) fn await_handler(pid: u32, signal: u32) {
    let status = PathBuf::from(format!("/proc/{pid}/status"));
    let catches = |path: &Path| {
        let text = fs::read_to_string(path).ok()?;
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"))?.trim().to_owned();
        Some(u64::from_str_radix(&mask, 16).ok()? >> (signal - 1) & 1 == 1)
    };
    while !catches(&status).expect("the run is still there") {
        std::thread::yield_now();
    }
}
