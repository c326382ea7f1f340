//! Floor 4: one session with one peer, from keyed to closed (RFC 7016 section 3.5).
