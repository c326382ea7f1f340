//! Bytes of which nothing is known.

use bytes::BytesMut;

use super::unit::{Unit, unit_kind};

/// Bytes of a unit at most.
pub(super) const UNIT: usize = 16 << 10;

/// The next unit: a full one, or, if `flush`, whatever is there.
pub(super) fn next(buffer: &mut BytesMut, flush: bool) -> Option<Unit> {
    let len = buffer.len().min(UNIT);
    let is_due = len == UNIT || flush && len > 0;
    is_due.then(|| Unit { kind: unit_kind::RAW, timestamp: 0, key: true, data: buffer.split_to(len).freeze() })
}
