//! Floor 7: services on top of sessions; they never import one another.
