//! Questions to the person at the terminal: asked and answered on the terminal itself, never on standard input.

use super::output::escaped;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};

/// The terminal that the process belongs to.
#[derive(Debug)]
pub struct Terminal {
    answers: BufReader<File>,
    questions: File,
}

impl Terminal {
    /// The terminal, if there is one.
    #[must_use]
    pub fn open() -> Option<Self> {
        let name = if cfg!(windows) { "CON" } else { "/dev/tty" };
        let questions = OpenOptions::new().read(true).write(true).open(name).ok()?;
        Some(Self { answers: BufReader::new(questions.try_clone().ok()?), questions })
    }

    /// Asks a question that yes or no answers; anything else, also the end of the terminal, is no. Waits, so it is for a
    /// thread that may.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn confirm(&mut self, question: &str) -> io::Result<bool> {
        write!(self.questions, "{} [y/N] ", escaped(question))?;
        self.questions.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(is_yes(&answer))
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" Yes \r\n"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("yep") && !is_yes("n"));
    }
}
