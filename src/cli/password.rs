//! Passwords: from a file, standard input, a descriptor, the environment or the terminal, never from the command line.

use super::call::Call;
use super::failure::{Failure, OrFail, describe};
use super::prompt::Terminal;
use super::status::Status;
use std::fs::File;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// No password is longer.
const MAX_LEN: u64 = 4096;

/// The password that `--NAME-file`, `--NAME-fd`, or the variable gives; `None` if none does.
///
/// # Errors
/// Usage or 9, if it cannot be read or is empty.
pub(super) fn given(call: &Call, name: &str, variable: Option<&str>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = call.text(&format!("{name}-file")) {
        let password = match file.as_str() {
            "-" => first_line(io::stdin().lock(), "standard input")?,
            path => first_line(open(path)?, path)?,
        };
        return Ok(Some(password));
    }
    if let Some(fd) = call.number(&format!("{name}-fd")) {
        let file = File::open(format!("/dev/fd/{fd}")).map_err(|error| {
            Failure::usage(format_args!("--{name}-fd {fd}: cannot read this descriptor: {}", describe(&error)))
                .next(format!("open it in the shell, as in `{fd}<password.txt`, or use --{name}-file"))
        })?;
        return first_line(file, &format!("descriptor {fd}")).map(Some);
    }
    let set = variable.and_then(|variable| std::env::var(variable).ok()).filter(|value| !value.is_empty());
    Ok(set.map(Zeroizing::new))
}

/// Whether the password comes by standard input, which then carries nothing else.
pub(super) fn takes_stdin(call: &Call, name: &str) -> bool {
    call.text(&format!("{name}-file")).is_some_and(|file| file == "-")
}

/// Asks on the terminal; `None` if there is none, or nothing is typed.
///
/// # Errors
/// 9, if the terminal is gone.
pub(super) fn asked(question: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(mut terminal) = Terminal::open() else { return Ok(None) };
    let typed = terminal.secret(question).or_fail(|| "ask on the terminal".into())?;
    Ok(Some(typed).filter(|password| !password.is_empty()))
}

fn open(path: &str) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        let status = if error.kind() == io::ErrorKind::NotFound { Status::NotFound } else { Status::LocalIo };
        Failure::new(status, format!("read the password in {path}"), describe(&error)).caused_by(error)
    })
}

fn first_line(source: impl Read, name: &str) -> Result<Zeroizing<String>, Failure> {
    // Grown once, so that no copy of a secret stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN as usize + 1));
    source.take(MAX_LEN + 1).read_to_end(&mut bytes).or_fail(|| format!("read the password from {name}"))?;
    let wrong = |why: &str| Err(Failure::usage(format_args!("the password from {name} {why}")));
    if bytes.len() as u64 > MAX_LEN {
        return wrong("is too long");
    }
    let Ok(text) = std::str::from_utf8(&bytes) else { return wrong("is not text") };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() { wrong("is empty") } else { Ok(Zeroizing::new(line.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line() {
        let read = |bytes: &[u8]| first_line(bytes, "a file").map(|password| password.to_string());
        assert_eq!(read(b"correct horse \r\nrest").unwrap(), "correct horse ");
        assert_eq!(read(b"one").unwrap(), "one");
        for wrong in [&b""[..], b"\nsecond", b"\xff", &[b'a'; 5000]] {
            let failure = read(wrong).unwrap_err();
            assert_eq!(failure.status, Status::Usage);
            assert!(!failure.to_string().contains("second") && !failure.to_string().contains("aaaa"));
        }
    }
}
