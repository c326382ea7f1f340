//! Floor 3: one direction of one flow (RFC 7016 section 3.6).
