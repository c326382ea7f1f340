//! Stories of memberships, message by message.

mod figures;
mod growth;
mod handshake;
mod healing;
mod hostile;
mod net;
