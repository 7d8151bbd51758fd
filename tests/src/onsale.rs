//! The program `onsale` for the tests of its command line: the same entry point, the same code.

use std::process::ExitCode;

fn main() -> ExitCode {
    onsale::program::main_with(std::env::args_os())
}
