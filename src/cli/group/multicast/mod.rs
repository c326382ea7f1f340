//! `p2pt multicast`: a stream from one to many, each of whom passes it on.

mod figures;
mod input;
mod outlet;
pub(in crate::cli) mod play;
pub(in crate::cli) mod publish;

use std::time::{Duration, Instant};

use super::enter::Entered;
use super::place::{Place, operands};
use crate::base::PeerId;
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::output::{Event, Output};
use crate::group::{GroupAddress, MembershipEvent};
use crate::node::MemberEvent;
use crate::node::multicast::MAX_NAME;

/// How often it is looked what there is to tell.
const LOOK: Duration = Duration::from_millis(250);
/// How often figures are told as events.
const TELL: Duration = Duration::from_secs(2);
/// Who is alone for so long is told.
const LONELY_AFTER: Duration = Duration::from_secs(2);

/// The group and the stream that the command line names.
fn named(call: &Call, stdin: Stdin) -> Result<(Place, String), Failure> {
    let (group, [name]) = operands(call, ["NAME"]);
    let name = name.ok_or_else(|| Failure::usage("which stream? A NAME is wanted behind the group"))?;
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Failure::usage("a stream's name has 1 to 255 bytes"));
    }
    let place = Place::of(group.as_deref(), stdin)?;
    if !place.spec.multicast() {
        return Err(Failure::usage("this group's groupspec has no multicast").next("check which group it is"));
    }
    Ok((place, name))
}

/// What is said of neighbours, and of having none.
struct Company {
    begun: Instant,
    met: bool,
    said: String,
}

impl Company {
    fn new() -> Self {
        Self { begun: Instant::now(), met: false, said: String::new() }
    }

    /// Something happened in the group; the event to tell, if it is about neighbours.
    fn changed(&mut self, out: &Output, event: &MemberEvent) -> Option<Event> {
        let (name, peer) = match event {
            MemberEvent::Membership(MembershipEvent::NeighborConnect { peer }) => {
                if !std::mem::replace(&mut self.met, true) {
                    out.say(format_args!("connected; the first neighbour is {peer:?}"));
                }
                ("NetGroup.Neighbor.Connect", peer)
            }
            MemberEvent::Membership(MembershipEvent::NeighborDisconnect { peer }) => {
                ("NetGroup.Neighbor.Disconnect", peer)
            }
            _ => return None,
        };
        let place = GroupAddress::of(*peer).to_string();
        Some(Event::new(name).with("neighbor", place).with("peer_id", peer.to_string()))
    }

    /// Says so if nobody is there after a moment, and again when the reason changes.
    fn look(&mut self, out: &Output, entered: &Entered) {
        if entered.hub.neighbours() > 0 {
            self.met = true;
        } else if std::mem::take(&mut self.met) {
            out.say("the last neighbour is gone; looking for members");
            self.begun = Instant::now();
        } else if self.begun.elapsed() >= LONELY_AFTER {
            let search = entered.search();
            if search != self.said {
                out.say(format_args!("waiting for a member ({search})"));
                self.said = search;
            }
        }
    }
}

/// A peer ID that an option gives.
fn peer_of(call: &Call, flag: &str) -> Result<Option<PeerId>, Failure> {
    let parse =
        |text: String| text.parse::<PeerId>().map_err(|why| Failure::usage(format_args!("--{flag} {text}: {why}")));
    call.text(flag).map(parse).transpose()
}
