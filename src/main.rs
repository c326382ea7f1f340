//! The multi-call binary.

fn main() -> std::process::ExitCode {
    p2pt::cli::main()
}
