//! What bytes are kept in, so that tests can make it fail.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::trust::Stamp;

/// A file, or what fails like one.
pub trait Medium: Send {
    /// Writes some bytes at this place; fewer than all is no error.
    ///
    /// # Errors
    /// The system's.
    fn write_some(&mut self, at: u64, data: &[u8]) -> io::Result<usize>;

    /// Reads some bytes from this place; 0 at the end.
    ///
    /// # Errors
    /// The system's.
    fn read_some(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Appends `len` bytes from this place.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::UnexpectedEof`]; then some may have been appended.
    fn append_from(&mut self, at: u64, len: usize, to: &mut Vec<u8>) -> io::Result<()> {
        let start = to.len();
        to.resize(start + len, 0);
        self.read_all_at(at, &mut to[start..])
    }

    /// What changes when anybody changes it; `None` if that cannot be told.
    fn stamp(&mut self) -> Option<Stamp> {
        None
    }

    /// Cuts it, or makes it longer by zeros.
    ///
    /// # Errors
    /// The system's.
    fn resize(&mut self, len: u64) -> io::Result<()>;

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// The system's; some of the bytes may have been written.
    fn write_all_at(&mut self, mut at: u64, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            match self.write_some(at, data) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    at += written as u64;
                    data = &data[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until `into` is full.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::UnexpectedEof`].
    fn read_all_at(&mut self, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
        while !into.is_empty() {
            match self.read_some(at, into) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    at += read as u64;
                    into = &mut into[read..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Medium for File {
    fn write_some(&mut self, at: u64, data: &[u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(at))?;
        self.write(data)
    }

    fn read_some(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(at))?;
        self.read(into)
    }

    fn append_from(&mut self, at: u64, len: usize, to: &mut Vec<u8>) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        to.reserve_exact(len);
        // Without zeros first.
        match self.take(len as u64).read_to_end(to)? {
            read if read == len => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn stamp(&mut self) -> Option<Stamp> {
        Stamp::of(&self.metadata().ok()?)
    }

    fn resize(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
