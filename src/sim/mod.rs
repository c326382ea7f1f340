//! Floor 9: the virtual world: links, NATs, scenarios, invariants.
