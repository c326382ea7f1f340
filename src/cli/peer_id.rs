//! `p2pt peer-id`: who we are.

use super::call::Call;
use super::failure::Failure;
use super::key::{self, Whose};
use super::output::Event;
use super::table::row::Json;

/// Prints the peer ID, making an identity on first use or when asked for a new one.
///
/// # Errors
/// The identity file cannot be used, or standard output not be written.
pub(super) fn run(call: Call) -> Result<(), Failure> {
    let (keyed, kept) = if call.switch("new") {
        key::renew(&call, Whose::User, call.switch("flash"))?
    } else {
        (key::load(&call, Whose::User)?, None)
    };
    if let Some(kept) = &kept {
        call.out.say(format_args!("the old identity is kept in {}", kept.display()));
    }
    let id = keyed.identity.peer_id();
    if call.out.json() == Some(Json::Stdout) {
        return call.out.event(
            Event::new("peer-id")
                .with("peer_id", id.to_string())
                .with("key_file", keyed.path.display().to_string())
                .with("made", keyed.made)
                .with("kept", kept.map(|path| path.display().to_string())),
        );
    }
    call.out.line(id)
}
