//! Floor 5: many sessions and their startup (RFC 7016 section 3.5.1).
