//! The program `onsale`: hands its arguments over and leaves with the code it gets back.

use std::process::ExitCode;

fn main() -> ExitCode {
    onsale_sim::cli::main_with(std::env::args_os())
}
