//! The program `onsale`: hands its arguments over and leaves with the code it gets back.

use std::process::ExitCode;

/// Where memory comes from decides no outcome. With the system's a run takes a tenth longer: millions of
/// small pieces are taken and given back, most of them soon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    onsale::program::main_with(std::env::args_os())
}
