//! `causeway`: a table of contents. Reads the command line, runs one command, and leaves with its status.

use std::process::ExitCode;

fn main() -> ExitCode {
    causeway_server::cli::main()
}
