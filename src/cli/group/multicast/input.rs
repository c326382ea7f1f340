//! Standard input, read as it comes and cut into units.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use crate::cli::failure::Failure;
use crate::node::multicast::media::{Format, Head, MediaError, Splitter, Unit};

/// Bytes that are read at once at most.
const PIECE: usize = 64 << 10;
/// Pieces that are read ahead.
const AHEAD: usize = 4;

/// Reads standard input on a thread of its own, which may be left standing.
pub(super) fn read() -> mpsc::Receiver<Result<Bytes, Failure>> {
    let (sender, pieces) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = vec![0; PIECE];
        loop {
            let piece = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => Ok(Bytes::copy_from_slice(&buffer[..len])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(Failure::io("read standard input", error)),
            };
            let failed = piece.is_err();
            if sender.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    pieces
}

/// Cuts bytes whose format may have to be found out.
pub(super) struct Cutter {
    /// What came before the format was known.
    begin: BytesMut,
    format: Option<Format>,
    splitter: Option<Splitter>,
}

impl Cutter {
    /// Of this format; `None` to find out.
    pub(super) fn new(format: Option<Format>) -> Self {
        Self { begin: BytesMut::new(), format, splitter: format.map(Splitter::new) }
    }

    /// What the bytes are, once that is known.
    pub(super) const fn format(&self) -> Option<Format> {
        self.format
    }

    /// Bytes came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Some(splitter) = &mut self.splitter {
            return splitter.push(bytes);
        }
        self.begin.extend_from_slice(bytes);
        if let Some(format) = Format::detect(&self.begin) {
            self.is(format);
        }
    }

    fn is(&mut self, format: Format) {
        let splitter = self.splitter.insert(Splitter::new(format));
        splitter.push(&self.begin.split());
        self.format = Some(format);
    }

    /// No more come: what is still unknown is any bytes.
    pub(super) fn end(&mut self) {
        if self.splitter.is_none() {
            self.is(Format::Raw);
        }
    }

    /// The next unit, and what precedes it where a player begins with it. `flush`: nothing more comes soon.
    pub(super) fn next(&mut self, flush: bool) -> Result<Option<(Unit, Head)>, MediaError> {
        let Some(splitter) = &mut self.splitter else { return Ok(None) };
        let unit = splitter.next(flush)?;
        Ok(unit.map(|unit| (unit, splitter.head())))
    }

    /// What is left at the end beside whole units.
    pub(super) fn rest(&mut self) -> Option<(Unit, Head)> {
        let splitter = self.splitter.as_mut()?;
        splitter.rest().map(|unit| (unit, splitter.head()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_to_be_told_is_any_bytes() {
        let mut cutter = Cutter::new(None);
        cutter.push(b"G");
        cutter.push(b"\0");
        assert_eq!((cutter.format(), cutter.next(true).unwrap()), (None, None));
        cutter.end();
        assert_eq!(cutter.format(), Some(Format::Raw));
        let (unit, _) = cutter.next(true).unwrap().expect("what came");
        assert_eq!(&unit.data[..], b"G\0");
        assert!(cutter.rest().is_none());
    }

    #[test]
    fn a_format_that_is_named_is_not_sought() {
        let mut cutter = Cutter::new(Some(Format::Raw));
        cutter.push(b"FLV\x01");
        assert_eq!(&cutter.next(true).unwrap().expect("a unit").0.data[..], b"FLV\x01");
        let mut cutter = Cutter::new(None);
        cutter.push(b"FLV");
        assert_eq!(cutter.format(), None);
        cutter.push(b"\x01");
        assert_eq!(cutter.format(), Some(Format::Flv));
    }
}
