//! Floor 8: everything below as one sans-IO object.
