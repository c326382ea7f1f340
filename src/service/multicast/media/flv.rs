//! Flash video: a header, then tags, each with its length behind it (Video File Format Specification version 10, annex E).

use bytes::{Buf as _, Bytes, BytesMut};

use super::unit::{Head, MAX_TABLES, Unit};
use crate::wire::message::message_kind::{AUDIO, DATA, VIDEO};

/// `FLV`, version, flags, length of the header.
const HEADER: usize = 9;
/// Type, length, timestamp, stream ID.
pub(super) const TAG: usize = 11;
/// A tag's length, behind it.
const BEHIND: usize = 4;
/// In the flags: there is video.
const HAS_VIDEO: u8 = 1;

/// What describes the codecs, in the order in which a decoder wants it: metadata, video, audio.
const TABLES: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Flv {
    /// The header and the zero length behind it, once it came.
    header: Bytes,
    /// The last of each, as whole tags.
    tables: [Bytes; TABLES],
    has_video: bool,
}

impl Flv {
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Unit>, ()> {
        if self.header.is_empty() {
            let Some(header) = buffer.get(..HEADER) else { return Ok(None) };
            let len = u32::from_be_bytes([header[5], header[6], header[7], header[8]]) as usize;
            if !header.starts_with(b"FLV\x01") || !(HEADER..=1024).contains(&len) {
                return Err(());
            }
            if buffer.len() < len + BEHIND {
                return Ok(None);
            }
            self.has_video = header[4] & HAS_VIDEO != 0;
            self.header = buffer.split_to(len + BEHIND).freeze();
        }
        let Some(&[kind, a, b, c, time @ .., s0, s1, s2]) = buffer.first_chunk::<TAG>() else { return Ok(None) };
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        // The highest byte of the time comes last.
        let [high, middle, low, highest] = time;
        let timestamp = u32::from_be_bytes([highest, high, middle, low]);
        if !matches!(kind, AUDIO | VIDEO | DATA) || [s0, s1, s2] != [0; 3] {
            return Err(());
        }
        let whole = TAG + len + BEHIND;
        if buffer.len() < whole {
            buffer.reserve(whole - buffer.len());
            return Ok(None);
        }
        let mut tag = buffer.split_to(whole).freeze();
        let part = part(kind, &tag[TAG..TAG + len]);
        if let Part::Table(at) = part {
            self.tables[at] = at_zero(&tag);
        }
        self.has_video |= kind == VIDEO;
        // Where there is no video, one can begin with any sound.
        let key = part == Part::Key || kind == AUDIO && part == Part::Rest && !self.has_video;
        tag.advance(TAG);
        tag.truncate(len);
        Ok(Some(Unit { kind, timestamp, key, data: tag }))
    }

    pub(super) fn head(&self) -> Head {
        let mut tables = BytesMut::new();
        for tag in &self.tables {
            if tables.len() + tag.len() <= MAX_TABLES {
                tables.extend_from_slice(tag);
            }
        }
        Head { header: self.header.clone(), tables: tables.freeze() }
    }
}

/// A tag at the time 0: who begins later finds no time in it that has passed.
fn at_zero(tag: &[u8]) -> Bytes {
    let mut tag = BytesMut::from(tag);
    tag[4..8].fill(0);
    tag.freeze()
}

/// Appends a unit as the tag that it was.
pub(super) fn put_tag(unit: &Unit, out: &mut Vec<u8>) {
    let len = u32::try_from(unit.data.len()).unwrap_or(u32::MAX);
    let [_, len_bytes @ ..] = len.to_be_bytes();
    let [highest, time @ ..] = unit.timestamp.to_be_bytes();
    out.push(unit.kind);
    out.extend(len_bytes);
    out.extend(time);
    out.extend([highest, 0, 0, 0]);
    out.extend_from_slice(&unit.data);
    out.extend((len + TAG as u32).to_be_bytes());
}

/// What a tag is to whoever begins in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It must be known before anything else.
    Table(usize),
    /// A key frame.
    Key,
    /// Anything else.
    Rest,
}

fn part(kind: u8, data: &[u8]) -> Part {
    let (first, second) = (data.first().copied().unwrap_or(0), data.get(1).copied().unwrap_or(0));
    match kind {
        // AMF 0: a string, which is its name.
        DATA if data.starts_with(b"\x02\x00\x0aonMetaData") => Part::Table(0),
        // Enhanced RTMP: the packet's type instead of the codec, whose name follows; 0 begins a sequence, 1 and 3 are pictures.
        VIDEO if first & 0x80 != 0 && first & 0x0f == 0 => Part::Table(1),
        VIDEO if first & 0x80 != 0 && matches!(first & 0x0f, 1 | 3) => key_frame(first >> 4 & 7),
        VIDEO if first & 0x80 != 0 => Part::Rest,
        // AVC: 0 begins a sequence, 2 ends it.
        VIDEO if first & 0x0f == 7 && second == 0 => Part::Table(1),
        VIDEO if first & 0x0f == 7 && second != 1 => Part::Rest,
        VIDEO => key_frame(first >> 4),
        // Enhanced RTMP, then AAC.
        AUDIO if first >> 4 == 9 && first & 0x0f == 0 => Part::Table(2),
        AUDIO if first >> 4 == 10 && second == 0 => Part::Table(2),
        _ => Part::Rest,
    }
}

const fn key_frame(kind: u8) -> Part {
    if kind == 1 { Part::Key } else { Part::Rest }
}
