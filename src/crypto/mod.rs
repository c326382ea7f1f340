//! Floor 2: the cryptography profiles behind one trait.
