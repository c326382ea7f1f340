//! Groups and others share sessions.
