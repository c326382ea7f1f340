//! Object replication as NetGroup offers it: members say which objects they have, and get those that they want from
//! neighbours.
//!
//! Objects are known by their index, 0 to 2^53, and are bytes without meaning here: whoever wants one looks at what came, and says
//! [`Replication::bad`] if it is not what it should be. Nothing is pushed: what is wanted is asked for, once, of a
//! neighbour that has it.
//!
//! # On the wire
//!
//! Lane [`crate::group::Lane::Objects`] carries objects and nothing else, in whatever order they arrive:
//!
//! ```text
//! index ‖ object (the rest; at most 1,049,600 bytes)
//! ```
//!
//! Lane [`crate::group::Lane::Asks`] carries messages of at most 16,384 bytes, each a sequence of records: type (1) ‖ length ‖ that
//! many bytes, which count in their order. Numbers are VLUs; unknown types are passed over. A record cut off, an index above 2^53, or a longer message is what
//! nobody sends by mistake.
//!
//! ```text
//! 01 HAVE      ranges     the sender has these, too
//! 02 GONE      ranges     it does not have these any more: requests for them are answered by that. Said before anything else
//! 03 WANT      ranges     it wants these and nothing else, or less: at most 256 ranges, with gaps filled if there were more.
//!                         Said to every new neighbour and when the owner changes what it wants, not when something came
//! 04 REQUEST   indices    it asks for these, the most wanted first
//! 05 DENY      indices    it does not give these; they are not asked of it again unless it says HAVE again
//! 06 CANCEL    indices    it does not ask for these any more; an object may be on its way nevertheless
//! 07 GOT       indices    it has received these: the place on the way is free again. Says nothing of whether they were right
//! 08 BUSY      indices    it has these and will not give them soon: the requests are none any more, others had better be asked
//! ```
//!
//! Indices stand one after the other. A range is two numbers: how far its first index is from the one that follows the last range's
//! (from 0 for the first), and how many indices follow the first.
//!
//! # Who asks whom
//!
//! An object is asked of one neighbour, the rarest (or lowest) first, by lot among equals. As many are asked of a neighbour as keep
//! it busy: one at most waits there, by the shortest time of its answers and by what they take now; so requests go where the queues
//! are short. Who has given nothing yet that the owner found good is asked for one at a time. When everything that
//! is left has been asked for, what takes long is asked of a second neighbour, and withdrawn from the other when it comes.
//! A request that is not answered in 4 s and four times the usual time is given up, asked elsewhere, and its neighbour tried with
//! one request at a time.
//!
//! A request that waits for longer than 20 ms for what two other neighbours of the holder have is answered by `BUSY`: so not all
//! of them wait for whoever had it first, while others who have it by now have nothing to do. The same object is asked of
//! that holder again after 1.5 s, or after 0.3 s if nobody else is known to have it.
//!
//! A holder gives first what the fewest of its neighbours have, an older request counting as a rarer one and a neighbour
//! that has little as one that needs more; after all others those who have taken 64 objects more than they gave
//! while they owe us some, but for each eighth. What is on its way to all neighbours together is bounded by how long packets wait in
//! the uplink: if that is more than 80 ms ([`ReplicationConfig::polite`]; 800 ms otherwise), less is sent, down to an object
//! now and then, so that a full uplink does not spoil other traffic. Sessions measure it
//! ([`Replication::queue_to`]); without them it is the time to [`GOT`](Record::Got) beyond the shortest of that neighbour.
//!
//! What a member has and no neighbour seems to have is shown to one of those who want it, in ascending order and a few ahead of
//! what they ask; everybody is told when all of it has gone out. So the uplink of whoever begins carries everything once before it
//! carries anything twice. What came from others is announced to who lacks it within 20 ms, within 100 ms if an object is on its
//! way there, and to others within half a second.
//!
//! # Limits
//!
//! Of each neighbour: 65,536 ranges that it has and 256 that it wants (more: it is left), together at most 1 MiB; 256 requests that wait (more
//! are denied), 128 requests of ours, 256 of ours that were given up and may be answered. In all: 262,144 wanted objects of which
//! it is counted who has them (the rest waits until there is room), 2,048 requests of ours and 16 MiB of what they usually bring,
//! 1,024 objects that the owner has not judged, 64 requests of others that it has not answered, 16 MiB on their way.
//!
//! What a neighbour says may cost 524,288 looked-up indices and ranges at once, and 131,072 a second in the long run, of about
//! half a microsecond each; one that causes more is left. So nobody gains by saying and unsaying, or by many small records.
//!
//! One that has confirmed nothing for 2 s and four times its shortest time gets nothing more until it does, and what is on its
//! way to it takes no room from others; before its first confirmation it gets an eighth of that room. One that does not ask within
//! 3 s for what it was shown, or does not take it, is shown nothing for 10 s, unless it confirms something or nobody else is there.
//!
//! One that says to have everything that we have shown to nobody is not believed, so that we go on giving each object to one neighbour before
//! another gets it. Who has given nothing good yet is asked for one object at a time, and somebody else, too, if it takes
//! more than half a second; after three requests in a row without an answer in time it is asked only for what nobody else has.
//!
//! A neighbour is left at once for a wrong object or a message of a wrong form, and after 32 doings that happen but not so often,
//! good ones undoing them: objects that nobody asked for, promises not kept, the same request twice, requests for what was not
//! promised, more requests than are answered, objects that are not confirmed within 30 s. A message counts once if it withdraws
//! what was asked for, asks for what has been withdrawn, or takes back requests that something was done for: whoever stops
//! giving or wanting much at once is not to blame.

mod announce;
mod budget;
mod charge;
mod fetch;
mod message;
mod neighbour;
mod pipe;
mod serve;
mod service;
#[cfg(test)]
mod tests;
mod types;
mod wanted;

pub use message::{MAX_MESSAGE, Record, Span, decode};
pub use service::Replication;
pub use types::{
    HEADROOM, MAX_INDEX, MAX_OBJECT, ReplicationConfig, ReplicationError, ReplicationEvent, ReplicationStats,
    RequestId, Strategy,
};
