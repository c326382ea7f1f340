//! MPEG transport streams (ISO/IEC 13818-1): packets of 188 bytes, of which the tables, the clock and the video's key frames
//! matter here.
//!
//! Of several programs the first one's key frames count, and its tables are the head.

use bytes::{Bytes, BytesMut};

use super::unit::unit_kind::MPEG_TS;
use super::unit::{Head, MAX_TABLES, Unit};

/// Bytes of a packet.
pub(super) const PACKET: usize = 188;
/// With which each begins.
pub(super) const SYNC: u8 = 0x47;
/// Bytes of a unit, about, where no key frame ends it.
const UNIT: usize = 64 << 10;
/// Packets of a table at most: a section has up to 1,021 bytes.
const MAX_TABLE: usize = 8;

const PAT: u16 = 0;

/// How video is found to have a key frame where its packets do not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Avc,
    Hevc,
    Other,
}

#[derive(Debug, Default)]
pub(super) struct MpegTs {
    /// Bytes at the front of the buffer that were looked at, and belong to the next unit.
    scanned: usize,
    /// Whether that begins with a key frame.
    key: bool,
    pat: Table,
    pmt: Table,
    pmt_pid: Option<u16>,
    clock_pid: Option<u16>,
    video: Option<(u16, Codec)>,
    /// Where there is no video: the first of the others.
    other: Option<u16>,
    timestamp: u32,
}

/// The packets of a table, from the one with which it began last.
#[derive(Debug, Default)]
struct Table {
    packets: Vec<Bytes>,
    /// Its section as far as it came.
    section: Vec<u8>,
    /// The last that was complete.
    complete: Vec<Bytes>,
}

impl Table {
    /// A packet of it came; the section, if it is complete now.
    fn push(&mut self, packet: &[u8], parsed: &Packet<'_>) -> Option<&[u8]> {
        if parsed.begins {
            self.packets.clear();
            self.section.clear();
            let skip = usize::from(*parsed.payload.first()?) + 1;
            self.section.extend_from_slice(parsed.payload.get(skip..)?);
        } else if self.packets.is_empty() || self.packets.len() >= MAX_TABLE {
            return None;
        } else {
            self.section.extend_from_slice(parsed.payload);
        }
        self.packets.push(Bytes::copy_from_slice(packet));
        let len = usize::from(u16::from_be_bytes([*self.section.get(1)?, *self.section.get(2)?]) & 0xfff) + 3;
        let section = self.section.get(..len)?;
        self.complete.clone_from(&self.packets);
        Some(section)
    }
}

/// What a packet says.
struct Packet<'a> {
    pid: u16,
    /// A PES packet or a section begins in it.
    begins: bool,
    /// One can begin to decode here.
    random_access: bool,
    /// The program's clock, in 1/90,000 s, modulo 2^33.
    clock: Option<u64>,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    fn read(packet: &'a [u8]) -> Option<Self> {
        let &[SYNC, high, low, control, ref rest @ ..] = packet else { return None };
        let mut rest = rest;
        let (mut random_access, mut clock) = (false, None);
        if control & 0x20 != 0 {
            let (&len, behind) = rest.split_first()?;
            let (field, behind) = behind.split_at_checked(usize::from(len))?;
            rest = behind;
            if let Some((&flags, field)) = field.split_first() {
                random_access = flags & 0x40 != 0;
                if flags & 0x10 != 0
                    && let Some(&[a, b, c, d, e, ..]) = field.first_chunk::<6>()
                {
                    clock = Some(u64::from(u32::from_be_bytes([a, b, c, d])) << 1 | u64::from(e >> 7));
                }
            }
        }
        let payload = if control & 0x10 != 0 { rest } else { &[] };
        let pid = u16::from_be_bytes([high, low]) & 0x1fff;
        Some(Self { pid, begins: high & 0x40 != 0, random_access, clock, payload })
    }
}

impl MpegTs {
    pub(super) fn next(&mut self, buffer: &mut BytesMut, flush: bool) -> Option<Unit> {
        loop {
            // The clock before this packet.
            let timestamp = self.timestamp;
            let Some(packet) = buffer.get(self.scanned..self.scanned + PACKET) else {
                return if flush && self.scanned > 0 { Some(self.cut(buffer, timestamp)) } else { None };
            };
            if packet[0] != SYNC {
                // Whatever it is, it goes with the rest; packets go on where one begins.
                self.scanned += packet.iter().position(|byte| *byte == SYNC).unwrap_or(PACKET);
                continue;
            }
            let packet = Bytes::copy_from_slice(packet);
            let key = self.look(&packet);
            if self.scanned > 0 && (key || self.scanned >= UNIT) {
                let unit = self.cut(buffer, timestamp);
                self.key = key;
                self.scanned = PACKET;
                return Some(unit);
            }
            self.key |= key;
            self.scanned += PACKET;
        }
    }

    fn cut(&mut self, buffer: &mut BytesMut, timestamp: u32) -> Unit {
        let data = buffer.split_to(self.scanned).freeze();
        self.scanned = 0;
        Unit { kind: MPEG_TS, timestamp, key: std::mem::take(&mut self.key), data }
    }

    /// Learns from a packet; whether a key frame begins with it.
    fn look(&mut self, packet: &[u8]) -> bool {
        let Some(parsed) = Packet::read(packet) else { return false };
        if Some(parsed.pid) == self.clock_pid
            && let Some(clock) = parsed.clock
        {
            self.timestamp = u32::try_from(clock / 90).unwrap_or(u32::MAX);
        }
        if parsed.pid == PAT {
            if let Some(pid) = self.pat.push(packet, &parsed).and_then(first_program)
                && self.pmt_pid.replace(pid) != Some(pid)
            {
                self.pmt = Table::default();
            }
        } else if Some(parsed.pid) == self.pmt_pid
            && let Some(program) = self.pmt.push(packet, &parsed).and_then(Program::read)
        {
            (self.clock_pid, self.video, self.other) = (Some(program.clock), program.video, program.other);
        }
        match self.video {
            Some((pid, codec)) => {
                pid == parsed.pid && parsed.begins && (parsed.random_access || begins_sequence(codec, parsed.payload))
            }
            None => Some(parsed.pid) == self.other && parsed.begins,
        }
    }

    pub(super) fn head(&self) -> Head {
        let mut tables = BytesMut::new();
        for table in [&self.pat, &self.pmt] {
            for (count, packet) in table.complete.iter().enumerate() {
                let at = tables.len();
                if at + packet.len() <= MAX_TABLES {
                    tables.extend_from_slice(packet);
                    // Counted from 0 on, so that a table that is repeated makes no other head.
                    tables[at + 3] = tables[at + 3] & 0xf0 | count as u8;
                }
            }
        }
        Head { header: Bytes::new(), tables: tables.freeze() }
    }

    pub(super) const fn timestamp(&self) -> u32 {
        self.timestamp
    }
}

/// Where the tables of the first program are (2.4.4.3).
fn first_program(section: &[u8]) -> Option<u16> {
    let programs = section.get(8..section.len().checked_sub(4)?)?;
    let pairs = programs.chunks_exact(4).map(|entry| (u16::from_be_bytes([entry[0], entry[1]]), [entry[2], entry[3]]));
    // Program 0 is the network's table.
    pairs.filter(|(number, _)| *number != 0).map(|(_, pid)| u16::from_be_bytes(pid) & 0x1fff).next()
}

struct Program {
    clock: u16,
    video: Option<(u16, Codec)>,
    other: Option<u16>,
}

impl Program {
    /// Reads a program's section (2.4.4.8).
    fn read(section: &[u8]) -> Option<Self> {
        if section.first() != Some(&2) {
            return None;
        }
        let number = |at: usize| Some(u16::from_be_bytes([*section.get(at)?, *section.get(at + 1)?]));
        let end = section.len().checked_sub(4)?;
        let mut program = Self { clock: number(8)? & 0x1fff, video: None, other: None };
        let mut at = 12 + usize::from(number(10)? & 0xfff);
        while at + 5 <= end {
            let (kind, pid) = (section[at], number(at + 1)? & 0x1fff);
            match video_codec(kind) {
                Some(codec) => program.video = program.video.or(Some((pid, codec))),
                None => program.other = program.other.or(Some(pid)),
            }
            at += 5 + usize::from(number(at + 3)? & 0xfff);
        }
        Some(program)
    }
}

/// Stream types of video (table 2-34 and its amendments).
const fn video_codec(kind: u8) -> Option<Codec> {
    match kind {
        0x1b => Some(Codec::Avc),
        0x24 => Some(Codec::Hevc),
        // MPEG-1, MPEG-2, MPEG-4 part 2, JPEG 2000, VVC, AVS, VC-1.
        0x01 | 0x02 | 0x10 | 0x21 | 0x33 | 0x42 | 0xd2 | 0xea => Some(Codec::Other),
        _ => None,
    }
}

/// Whether the beginning of a PES packet has parameter sets or a picture that needs no other.
fn begins_sequence(codec: Codec, payload: &[u8]) -> bool {
    let key = |nal: u8| match codec {
        Codec::Avc => matches!(nal & 0x1f, 5 | 7),
        Codec::Hevc => matches!(nal >> 1 & 0x3f, 16..=21 | 32..=34),
        Codec::Other => false,
    };
    // A PES packet's own header begins like a NAL unit (2.4.3.6).
    let Some(stream) = payload.get(8).and_then(|len| payload.get(9 + usize::from(*len)..)) else { return false };
    stream.windows(4).any(|bytes| bytes[..3] == [0, 0, 1] && key(bytes[3]))
}
