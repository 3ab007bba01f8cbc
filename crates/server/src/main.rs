//! The `latchkey` binary: takes the arguments and hands them to the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    latchkey::main(std::env::args_os())
}
