//! Neighbours that are silent, lie or flood.
