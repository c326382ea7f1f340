//! Posts and messages on standard input and output: a line each, or ended by NUL.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc;

use crate::cli::failure::Failure;

/// The longest post or message, in bytes.
pub(super) const MAX_BODY: usize = 64 << 10;
/// Lines that are read ahead.
const AHEAD: usize = 64;

/// How messages are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Divided {
    Lines,
    Nul,
    /// All of it is one.
    Not,
}

impl Divided {
    const fn end(self) -> u8 {
        match self {
            Self::Lines => b'\n',
            Self::Nul | Self::Not => 0,
        }
    }
}

/// Reads standard input on a thread of its own, which may be left standing.
pub(super) fn read(divided: Divided) -> mpsc::Receiver<Result<Vec<u8>, Failure>> {
    let (sender, lines) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(message) = next(&mut input, divided).transpose() {
            let failed = message.is_err();
            if sender.blocking_send(message).is_err() || failed || divided == Divided::Not {
                return;
            }
        }
    });
    lines
}

/// The next message; `None` at the end. A last one without its end counts.
fn next(input: &mut impl BufRead, divided: Divided) -> Result<Option<Vec<u8>>, Failure> {
    let mut message = Vec::new();
    let mut limited = input.take(MAX_BODY as u64 + 2);
    let read = if divided == Divided::Not {
        limited.read_to_end(&mut message)
    } else {
        limited.read_until(divided.end(), &mut message)
    };
    read.map_err(|error| Failure::io("read standard input", error))?;
    if message.is_empty() && divided != Divided::Not {
        return Ok(None);
    }
    if divided != Divided::Not && message.last() == Some(&divided.end()) {
        message.pop();
        // As terminals of other systems end lines.
        if divided == Divided::Lines && message.last() == Some(&b'\r') {
            message.pop();
        }
    }
    if message.len() > MAX_BODY {
        return Err(Failure::usage("a message on standard input has more than 65,536 bytes"));
    }
    Ok(Some(message))
}

/// A message as it is printed: a newline in it as `\n`, unless NUL divides.
pub(super) fn shown(body: &[u8], divided: Divided) -> Vec<u8> {
    if divided != Divided::Lines {
        return [body, b"\0"].concat();
    }
    let mut line = Vec::with_capacity(body.len() + 1);
    for &byte in body {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            byte => line.push(byte),
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8], divided: Divided) -> Vec<Vec<u8>> {
        let mut rest = input;
        std::iter::from_fn(|| next(&mut rest, divided).unwrap()).take(9).collect()
    }

    #[test]
    fn messages_end_with_a_newline_or_a_nul() {
        assert_eq!(all(b"one\ntwo\r\n\nlast", Divided::Lines), [&b"one"[..], b"two", b"", b"last"]);
        assert_eq!(all(b"one\nmore\0two\0", Divided::Nul), [&b"one\nmore"[..], b"two"]);
        assert_eq!(next(&mut &b"a\nb\0"[..], Divided::Not).unwrap().unwrap(), b"a\nb\0");
        assert_eq!(next(&mut &b""[..], Divided::Lines).unwrap(), None);
        let long = [vec![b'a'; MAX_BODY], b"\n".to_vec()].concat();
        assert_eq!(all(&long, Divided::Lines)[0].len(), MAX_BODY);
        let longer = [b"a", &long[..]].concat();
        assert!(next(&mut &longer[..], Divided::Lines).is_err());
    }

    #[test]
    fn a_newline_inside_is_shown() {
        assert_eq!(shown(b"a\nb", Divided::Lines), b"a\\nb\n");
        assert_eq!(shown(b"a\nb", Divided::Nul), b"a\nb\0");
    }
}
