//! A stream of bytes, cut into units.

use bytes::BytesMut;

use super::flv::Flv;
use super::mpegts::{self, MpegTs};
use super::raw;
use super::unit::{Head, Unit, unit_kind};

/// A format that streams come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Flash video: tags of audio, video and data with timestamps.
    Flv,
    /// An MPEG transport stream: packets of 188 bytes.
    MpegTs,
    /// Any bytes.
    Raw,
}

impl Format {
    /// So many bytes tell the format for sure.
    pub const ENOUGH: usize = 2 * mpegts::PACKET + 1;

    /// The format that begins like this; `None` if that needs more bytes. What is still `None` at the end of the bytes is
    /// [`Format::Raw`].
    #[must_use]
    pub fn detect(begin: &[u8]) -> Option<Self> {
        const FLV: &[u8] = b"FLV\x01";
        if begin.starts_with(FLV) {
            return Some(Self::Flv);
        }
        if FLV.starts_with(begin) {
            return None;
        }
        let is_ts = begin.iter().step_by(mpegts::PACKET).all(|sync| *sync == mpegts::SYNC);
        match is_ts {
            true => (begin.len() >= Self::ENOUGH).then_some(Self::MpegTs),
            false => Some(Self::Raw),
        }
    }
}

/// Why bytes are not what they began as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The header is none, or a tag is none.
    #[error("not Flash video any more, at byte {0}")]
    Flv(u64),
}

#[derive(Debug)]
enum Inner {
    Flv(Flv),
    MpegTs(MpegTs),
    Raw,
}

/// Cuts what is published.
#[derive(Debug)]
pub struct Splitter {
    inner: Inner,
    /// What came and was not cut yet.
    buffer: BytesMut,
    /// Bytes before the buffer.
    at: u64,
}

impl Splitter {
    /// For a stream of that format, from its beginning.
    #[must_use]
    pub fn new(format: Format) -> Self {
        let inner = match format {
            Format::Flv => Inner::Flv(Flv::default()),
            Format::MpegTs => Inner::MpegTs(MpegTs::default()),
            Format::Raw => Inner::Raw,
        };
        Self { inner, buffer: BytesMut::new(), at: 0 }
    }

    /// Bytes came. Take the units before there are more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next unit. Of formats whose units may have any length, what may become part of a longer one is kept back unless
    /// `flush`: nothing more comes soon.
    ///
    /// # Errors
    /// [`MediaError`]; the splitter is of no use any more.
    pub fn next(&mut self, flush: bool) -> Result<Option<Unit>, MediaError> {
        let before = self.buffer.len();
        let unit = match &mut self.inner {
            Inner::Flv(flv) => flv.next(&mut self.buffer),
            Inner::MpegTs(ts) => Ok(ts.next(&mut self.buffer, flush)),
            Inner::Raw => Ok(raw::next(&mut self.buffer, flush)),
        };
        self.at += (before - self.buffer.len()) as u64;
        unit.map_err(|()| MediaError::Flv(self.at))
    }

    /// The stream has ended: what is left beside whole units. A tag of Flash video that was cut off is dropped.
    pub fn rest(&mut self) -> Option<Unit> {
        let (kind, timestamp) = match &self.inner {
            Inner::Flv(_) => return None,
            Inner::MpegTs(ts) => (unit_kind::MPEG_TS, ts.timestamp()),
            Inner::Raw => (unit_kind::RAW, 0),
        };
        let data = self.buffer.split().freeze();
        (!data.is_empty()).then_some(Unit { kind, timestamp, key: false, data })
    }

    /// What must be written before the unit that came last.
    #[must_use]
    pub fn head(&self) -> Head {
        match &self.inner {
            Inner::Flv(flv) => flv.head(),
            Inner::MpegTs(ts) => ts.head(),
            Inner::Raw => Head::default(),
        }
    }
}
