//! Stories of two sessions, in virtual time.

mod closing;
mod critical;
mod pair;
mod paths;
mod puppet;
mod transfers;
