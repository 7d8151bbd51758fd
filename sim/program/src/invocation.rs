//! How the program was started, which decides how a command to paste begins.
//!
//! Owns the two forms: installed, and by cargo from a checkout. All other code writes `onsale …`.

/// Environment variables that cargo sets for a program that it runs: the path of cargo, and the program's
/// package.
const BY_CARGO: [&str; 2] = ["CARGO", "CARGO_PKG_NAME"];

/// Rewrites a command that begins with `onsale` so that it can be pasted, given how the program was started.
pub fn spoken(line: &str) -> String {
    told(line, by_cargo(|name| std::env::var(name).ok()))
}

fn by_cargo(variable: impl Fn(&str) -> Option<String>) -> bool {
    let [cargo, package] = BY_CARGO.map(variable);
    cargo.is_some() && package.is_some_and(|package| package.starts_with("onsale"))
}

fn told(line: &str, by_cargo: bool) -> String {
    match line.strip_prefix("onsale ") {
        Some(arguments) if by_cargo => format!("cargo run --release -- {arguments}"),
        Some(_) | None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_as_the_program_was_started() {
        assert_eq!(told("onsale replay 7", false), "onsale replay 7");
        assert_eq!(told("onsale replay 7", true), "cargo run --release -- replay 7");
    }

    #[test]
    fn only_cargo_that_runs_this_package_counts() {
        let started = |cargo: bool, package: Option<&str>| {
            by_cargo(|name| match name {
                "CARGO" => cargo.then(|| "/bin/cargo".to_owned()),
                _ => package.map(str::to_owned),
            })
        };
        assert!(started(true, Some("onsale")));
        // Started by hand, or by another project's build.
        assert!(!started(false, None) && !started(true, None) && !started(true, Some("shop")));
    }
}
