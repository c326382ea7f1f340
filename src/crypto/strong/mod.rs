//! Profile `strong`: X25519 for secrecy, Ed25519 for who is who, AES-128-GCM for packets. Mutual authentication by peer ID,
//! forward secrecy, resistance to key-compromise impersonation and misbinding; no identity hiding.

mod component;
mod keying;
mod packets;
mod schedule;
#[cfg(test)]
mod tests;

pub(super) use keying::{Responder, StrongInitiation, respond, screen};
