//! Messages of streams.

use p2pt::service::multicast::{Fragment, MAX_BITMAP, StreamMessage};

/// A message on a stream's flow, and the same bytes as a fragment.
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
}
