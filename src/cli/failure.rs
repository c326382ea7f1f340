//! What went wrong, told so that the reader can act: what was tried, what came back, what to do next.

use super::status::Status;
use std::fmt;
use std::io;

/// A failure that carries its exit status.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// What was tried, as in "open the identity file /home/a/.local/share/p2pt/identity".
    pub tried: String,
    /// What came back, as in "permission denied".
    pub came: String,
    /// What to do next, if we know.
    pub next: Option<String>,
    /// The causes beneath, shown with `-v`.
    pub source: Option<anyhow::Error>,
}

impl Failure {
    /// "cannot `tried`: `came`".
    pub fn new(status: Status, tried: impl Into<String>, came: impl fmt::Display) -> Self {
        Self { status, tried: tried.into(), came: came.to_string(), next: None, source: None }
    }

    /// A command line that makes no sense, for a reason that the parser cannot see.
    pub fn usage(came: impl fmt::Display) -> Self {
        Self::new(Status::Usage, "", came)
    }

    /// An error of a local file, socket or stream: status 9, but 141 where the reader of a pipe left.
    pub fn io(tried: impl Into<String>, error: io::Error) -> Self {
        let status = if error.kind() == io::ErrorKind::BrokenPipe { Status::BrokenPipe } else { Status::LocalIo };
        Self::new(status, tried, describe(&error)).caused_by(error)
    }

    /// The reader of our standard output left: status 141, and nothing is said.
    #[must_use]
    pub fn broken_pipe() -> Self {
        Self::new(Status::BrokenPipe, "write to standard output", "the reader left")
    }

    /// With advice.
    #[must_use]
    pub fn next(mut self, advice: impl Into<String>) -> Self {
        self.next = Some(advice.into());
        self
    }

    /// With the cause beneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// What the system said, without the "(os error 2)" that helps nobody, with a capital as the system writes it.
#[must_use]
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tried.is_empty() {
            write!(f, "{}", self.came)
        } else {
            write!(f, "cannot {}: {}", self.tried, self.came)
        }
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Status::Failed, "", &error).caused_by(error)
    }
}

/// Turns a result of the system's into one of ours.
pub trait OrFail<T> {
    /// A local input or output error becomes a [`Failure`] that says what was tried.
    ///
    /// # Errors
    /// The failure, status 9 (or 141 for a broken pipe).
    fn or_fail(self, tried: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T> OrFail<T> for io::Result<T> {
    fn or_fail(self, tried: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::io(tried(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_says_what_was_tried_and_what_came_back() {
        let missing = std::fs::File::open("/nonexistent/file").or_fail(|| "open /nonexistent/file".into()).unwrap_err();
        assert_eq!(missing.status, Status::LocalIo);
        assert_eq!(missing.to_string(), "cannot open /nonexistent/file: No such file or directory");
        let gone = Failure::io("write", io::ErrorKind::BrokenPipe.into());
        assert_eq!(gone.status, Status::BrokenPipe);
    }
}
