//! Floor 9: the real world: tokio, UDP, files.
