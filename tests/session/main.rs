//! Stories of two sessions, in virtual time.

mod pair;
mod transfers;
