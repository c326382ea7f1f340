//! On streams that ffmpeg 5.1 made (`tests/vectors/media`): a test picture, 10 a second with a key frame each second, and a tone.

use super::*;
use crate::base::Rng;
use crate::wire::message::message_kind;

const AV_FLV: &[u8] = include_bytes!("../../../../tests/vectors/media/av.flv");
const A_FLV: &[u8] = include_bytes!("../../../../tests/vectors/media/a.flv");
const AV_TS: &[u8] = include_bytes!("../../../../tests/vectors/media/av.ts");
const HEVC_TS: &[u8] = include_bytes!("../../../../tests/vectors/media/hevc.ts");
const A_TS: &[u8] = include_bytes!("../../../../tests/vectors/media/a.ts");
const ALL: [(&[u8], Format); 5] = [
    (AV_FLV, Format::Flv),
    (A_FLV, Format::Flv),
    (AV_TS, Format::MpegTs),
    (HEVC_TS, Format::MpegTs),
    (A_TS, Format::MpegTs),
];

/// Every unit, with the head as it was then, of bytes that come in pieces of any length.
fn cut(stream: &[u8], format: Format, rng: &mut Rng) -> Vec<(Unit, Head)> {
    let mut splitter = Splitter::new(format);
    let mut units = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let len = 1 + rng.below(3000.min(rest.len() as u64)) as usize;
        splitter.push(&rest[..len]);
        rest = &rest[len..];
        let flush = rng.below(2) == 0;
        while let Some(unit) = splitter.next(flush).expect("a good stream") {
            units.push((unit, splitter.head()));
        }
    }
    while let Some(unit) = splitter.next(true).expect("a good stream") {
        units.push((unit, splitter.head()));
    }
    units.extend(splitter.rest().map(|unit| (unit, splitter.head())));
    units
}

/// What a player writes that gets the units from `from` on.
fn play(units: &[(Unit, Head)], from: usize) -> Vec<u8> {
    let (mut joiner, mut out) = (Joiner::new(), Vec::new());
    for (at, (unit, head)) in units.iter().enumerate().skip(from) {
        joiner.put(unit, at == 0, head, &mut out);
    }
    out
}

#[test]
fn formats_are_known_by_their_first_bytes() {
    for (stream, format) in ALL {
        let told = (1..=Format::ENOUGH).find_map(|len| Format::detect(&stream[..len]));
        assert_eq!(told, Some(format));
    }
    assert_eq!(Format::detect(b"G\0\0"), None, "it may become one");
    assert_eq!(Format::detect(b"FL"), None);
    assert_eq!(Format::detect(b"FLW"), Some(Format::Raw));
    assert_eq!(Format::detect(&[[0x47; 188].as_slice(), &[0; 200]].concat()), Some(Format::Raw));
}

#[test]
fn who_plays_from_the_beginning_gets_the_same_bytes_however_they_came() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut rng = Rng::for_simulation(seed);
        for (stream, format) in ALL {
            let units = cut(stream, format, &mut rng);
            assert!(play(&units, 0) == stream, "{format:?}");
            let raw = cut(stream, Format::Raw, &mut rng);
            assert!(play(&raw, 0) == stream);
        }
    }
}

/// Where key frames are, as ffprobe says: the positions of their first tags or packets.
#[test]
fn key_frames_are_where_ffprobe_finds_them() {
    for (stream, format, expected) in [
        (AV_FLV, Format::Flv, [661, 7760, 12229]),
        (AV_TS, Format::MpegTs, [564, 13160, 23124]),
        (HEVC_TS, Format::MpegTs, [564, 12220, 24440]),
    ] {
        let units = cut(stream, format, &mut Rng::for_simulation(1));
        let (mut found, mut at) = (Vec::new(), units[0].1.header.len());
        for (unit, _) in &units {
            if unit.key {
                found.push(at);
            }
            at += unit.data.len() + if format == Format::Flv { 15 } else { 0 };
        }
        assert_eq!(found, expected, "{format:?}");
    }
}

#[test]
fn who_begins_in_the_middle_begins_with_the_tables_and_a_key_frame() {
    for (stream, format) in ALL {
        let units = cut(stream, format, &mut Rng::for_simulation(1));
        for from in 1..units.len() {
            let Some(first) = (from..units.len()).find(|at| units[*at].0.key) else {
                assert!(play(&units, from).is_empty());
                continue;
            };
            let (unit, head) = &units[first];
            assert!(!head.tables.is_empty());
            let expected =
                [&head.header[..], &head.tables[..], &play(&units[first..], 0)[head.header.len()..]].concat();
            assert!(play(&units, from) == expected, "{format:?} from {from}");
            assert_eq!(format == Format::Flv, head.header == stream[..head.header.len()] && unit.kind < 0x20);
        }
    }
}

#[test]
fn clocks_are_read() {
    let times = |stream, format| -> Vec<u32> {
        let units = cut(stream, format, &mut Rng::for_simulation(1));
        units.iter().filter(|(unit, _)| unit.key).map(|(unit, _)| unit.timestamp).collect()
    };
    // Pictures at 0, 1 and 2 s; the sound began 128 ms before them.
    assert_eq!(times(AV_FLV, Format::Flv), [128, 1128, 2128]);
    let [_, second, third] = times(AV_TS, Format::MpegTs)[..] else { panic!("three key frames") };
    assert!((900..1100).contains(&(third - second)), "{second} {third}");
    // The highest byte of a tag's time comes last.
    let mut late = AV_FLV[..13].to_vec();
    late.extend([9, 0, 0, 2, 0x02, 0x03, 0x04, 0x01, 0, 0, 0, 0x27, 1, 0, 0, 0, 13]);
    let units = cut(&late, Format::Flv, &mut Rng::for_simulation(1));
    assert_eq!(units[0].0.timestamp, 0x0102_0304);
    assert!(play(&units, 0) == late);
}

/// Tags as Enhanced RTMP describes them; no program here writes such.
#[test]
fn enhanced_tags_are_told_apart() {
    let mut flv = AV_FLV[..13].to_vec();
    for (kind, data) in [(9, *b"\x90hvc1"), (8, *b"\x90Opus"), (9, *b"\x91hvc1"), (9, *b"\xa1hvc1")] {
        flv.extend([kind, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        flv.extend(data);
        flv.extend([0, 0, 0, 16]);
    }
    let units = cut(&flv, Format::Flv, &mut Rng::for_simulation(1));
    assert_eq!(units.iter().map(|(unit, _)| unit.key).collect::<Vec<_>>(), [false, false, true, false]);
    let head = &units[2].1;
    assert_eq!(head.tables.len(), 2 * 20);
    assert!(head.tables[11..].starts_with(b"\x90hvc1") && head.tables[31..].starts_with(b"\x90Opus"));
    assert_eq!(units[1].0.kind, message_kind::AUDIO);
}

#[test]
fn what_is_no_tag_ends_a_flash_video_and_says_where() {
    let mut splitter = Splitter::new(Format::Flv);
    splitter.push(&AV_FLV[..13]);
    splitter.push(&[0x47; 20]);
    assert_eq!(splitter.next(false), Err(MediaError::Flv(13)));
    let mut splitter = Splitter::new(Format::Flv);
    splitter.push(b"FLV\x01\x05\xff\xff\xff\xff");
    assert_eq!(splitter.next(false), Err(MediaError::Flv(0)));
}

#[test]
fn a_transport_stream_that_is_damaged_passes_as_it_is() {
    for seed in 0..50 {
        println!("seed {seed}");
        let mut rng = Rng::for_simulation(seed);
        let mut damaged = AV_TS.to_vec();
        for _ in 0..20 {
            let at = rng.below(damaged.len() as u64) as usize;
            match rng.below(3) {
                0 => damaged[at] = rng.u32() as u8,
                1 => drop(damaged.drain(at..(at + 100).min(damaged.len()))),
                _ => damaged.insert(at, 0x47),
            }
        }
        let units = cut(&damaged, Format::MpegTs, &mut rng);
        assert!(play(&units, 0) == damaged);
    }
}

#[test]
fn large_tags_and_endless_packets_are_cut() {
    let mut flv = AV_FLV[..13].to_vec();
    flv.extend([9, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x17, 1]);
    flv.resize(flv.len() + (2 << 20) - 2, 7);
    flv.extend(((2 << 20) + 11u32).to_be_bytes());
    let units = cut(&flv, Format::Flv, &mut Rng::for_simulation(1));
    assert_eq!((units.len(), units[0].0.data.len(), units[0].0.key), (1, 2 << 20, true));
    assert!(play(&units, 0) == flv);
    let packets = AV_TS[564..752].repeat(2000);
    let mut splitter = Splitter::new(Format::MpegTs);
    splitter.push(&packets);
    let unit = splitter.next(false).expect("no error").expect("enough for one");
    assert!((64 << 10..65 << 10).contains(&unit.data.len()));
}

#[test]
fn a_stream_that_follows_another_has_no_second_header() {
    let first = cut(AV_FLV, Format::Flv, &mut Rng::for_simulation(1));
    let second = cut(A_FLV, Format::Flv, &mut Rng::for_simulation(2));
    let (mut joiner, mut out) = (Joiner::new(), Vec::new());
    for (at, (unit, head)) in first.iter().enumerate() {
        joiner.put(unit, at == 0, head, &mut out);
    }
    assert!(out == AV_FLV);
    joiner.follow();
    assert!(!joiner.has_begun());
    for (at, (unit, head)) in second.iter().enumerate() {
        joiner.put(unit, at == 0, head, &mut out);
    }
    assert!(out[AV_FLV.len()..] == A_FLV[second[0].1.header.len()..]);
}
