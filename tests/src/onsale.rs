//! `onsale` for the tests of its command line: the same entry, the same code.

use std::process::ExitCode;

fn main() -> ExitCode {
    onsale::cli::main_with(std::env::args_os())
}
