//! `p2pt completions SHELL`.

use super::call::Call;
use super::failure::Failure;
use super::parser;
use clap_complete::{Shell, generate};

/// Prints the script for a shell.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let name = call.text("SHELL").expect("the parser requires it");
    let shell: Shell = name.parse().expect("the table names shells that are known");
    let mut script = Vec::new();
    generate(shell, &mut parser::program(), "p2pt", &mut script);
    call.out.data(&script)
}

#[cfg(test)]
mod tests {
    use crate::cli::table::tools::SHELLS;

    #[test]
    fn every_shell_of_the_table_is_known() {
        assert!(SHELLS.iter().all(|name| name.parse::<clap_complete::Shell>().is_ok()));
    }
}
