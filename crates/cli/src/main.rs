//! The program `tapeworks`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(tapeworks_cli::main(std::env::args_os()))
}
