//! Floor 1: RFC 7016 section 2 and AMF, bytes to values and back. No state, time or keys.
