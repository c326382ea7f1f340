//! Opening sessions: the handshake of RFC 7016 section 3.5.1 between endpoints in virtual time, on good days and under
//! attack.
#![allow(unreachable_pub, reason = "a test program exports nothing")]

mod flash;
mod floods;
mod forged;
mod forward;
mod glare;
mod net;
mod normal;
mod replaced;
mod strangers;
mod weak;
