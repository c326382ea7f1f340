//! Addresses: one string carries everything.
//!
//! ```text
//! rtmfp://HOST[:PORT][/DEVELOPER-KEY][?id=RENDEZVOUS-ID]#PEER-ID      a peer
//! rtmfp://HOST[:PORT][/DEVELOPER-KEY][?id=RENDEZVOUS-ID]#G:0102…      a group
//! …#G:0102…/b3=HASH[/NAME]                                            a file in a group, and its name
//! …#G:0102…/b3list=HASH[/NAME]                                        a list of files, and the folder's name
//! rtmfp:#PEER-ID   rtmfp:#G:0102…   rtmfp:#PEER-ID@HOST:PORT[,…]      no server
//! ```

mod parse;
mod percent;
mod source;
mod value;

pub use parse::AddressError;
pub use source::{Stdin, group, groupspec_alone, has_default_group, object, peer_ids, rendezvous, resolve};
pub use value::{Address, DEFAULT_PORT, HostPort, Object, Rendezvous, Target};

#[cfg(test)]
mod tests;
