//! Streams: what neighbours tell each other of them, and what they are made of.

use bytes::Bytes;
use p2pt::group::GroupId;
use p2pt::service::multicast::media::{Format, Joiner, Splitter};
use p2pt::service::multicast::{Fragment, MAX_BITMAP, MAX_FRAGMENTS, Manifest, OwnMessage, StreamMessage, Title};

/// A message on a stream's flow, and the same bytes as a fragment, as one of ours, and as proofs.
pub fn streams_message(data: &[u8]) {
    if let Ok(message) = StreamMessage::decode(data) {
        if let StreamMessage::Map(map) = &message {
            assert!(map.ids().count() <= 1 + 8 * MAX_BITMAP && map.ids().all(|id| map.has(id)));
        }
        assert_eq!(StreamMessage::decode(&message.encode()), Ok(message));
    }
    if let Ok(fragment) = Fragment::decode(data) {
        let mut out = Vec::new();
        fragment.put(&mut out);
        assert_eq!(Fragment::decode(&out), Ok(fragment));
    }
    let (group, bytes) = (GroupId([9; 32]), Bytes::copy_from_slice(data));
    if let Ok(own) = OwnMessage::decode(&bytes) {
        assert_eq!(OwnMessage::decode(&own.encode()), Ok(own));
    }
    if let Ok(title) = Title::decode(&bytes, group) {
        assert!(!title.is_signed(GroupId([8; 32])));
    }
    if let Ok(manifest) = Manifest::decode(&bytes) {
        assert!(manifest.fragments.len() <= MAX_FRAGMENTS && manifest.of(manifest.first - 1).is_none());
    }
}

/// What is published, in pieces: the first byte says in which format and how long they are. Whoever plays from the beginning
/// gets the same bytes, but for a tag of Flash video that was cut off.
pub fn media(data: &[u8]) {
    let Some((&how, stream)) = data.split_first() else { return };
    let format = [Format::Flv, Format::MpegTs, Format::Raw][usize::from(how % 3)];
    let (mut splitter, mut joiner, mut out) = (Splitter::new(format), Joiner::new(), Vec::new());
    let mut first = true;
    for piece in stream.chunks(1 + usize::from(how)) {
        splitter.push(piece);
        loop {
            match splitter.next(how & 1 == 0) {
                Ok(Some(unit)) => {
                    joiner.put(&unit, std::mem::take(&mut first), &splitter.head(), &mut out);
                }
                Ok(None) => break,
                Err(_) => return assert!(out.len() <= stream.len()),
            }
        }
    }
    if let Some(unit) = splitter.rest() {
        joiner.put(&unit, first, &splitter.head(), &mut out);
    }
    assert!(stream.starts_with(&out) || format == Format::Flv && !out.is_empty());
    assert!(format == Format::Flv || out.len() == stream.len());
}
