//! Stories of memberships, message by message.

mod growth;
mod handshake;
mod healing;
mod hostile;
mod net;
