//! Stories of memberships, message by message.

mod growth;
mod net;
