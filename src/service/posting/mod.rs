//! Posting: every member that is connected receives each post once.
//!
//! A post is signed by its author and travels from neighbour to neighbour. Each member verifies it, remembers that it has it,
//! and passes it on: *pushed* over the links of one spanning tree that all authors share, *announced* over the others. What
//! was announced and is not pushed soon is *asked* for, so a broken tree costs a moment and never a post. Neighbours that
//! meet *compare* what they hold, and now and then any two neighbours do, which repairs whatever else went wrong.
//!
//! Goals: no post missed by who is connected, none handed out twice; in the usual case no copy but the one that is needed, and
//! one link's latency for each link of the path. Non-goals: secrecy from members, an order among authors.
//!
//! # Messages
//!
//! The lane's flow carries messages. The first byte is the type; messages of other types are ignored. *VLU* and *option list*
//! are those of RFC 7016 (sections 2.1.2, 2.1.4); other numbers are big-endian; ‖ joins; *counted x* = VLU length ‖ x. Where no
//! length is given, a field or a repetition goes to the end of the message.
//!
//! | type | name | fields |
//! |---|---|---|
//! | 1 | POST | VLU hops: links that it crossed before this one, 0 from whoever posts it ‖ signed post |
//! | 2 | HAVE | runs: posts that the sender holds |
//! | 3 | WANT | runs: posts that the sender asks for; those that are not held are passed over |
//! | 4 | LINK | VLU: 0 announce to me, 1 push to me as I do to you, 2 the same and you are my parent; others are ignored |
//! | 5 | ANSWER | (VLU verdict ‖ post ID, 32 bytes) …: 0 accepted, 1 too old, 2 in the future, 3 no grant, 4 malformed |
//! | 6 | COMPARE | spans: what the sender holds of some times |
//! | 7 | LIST | VLU from ‖ VLU length ‖ runs: all that the sender holds of a span; with length 0 only some that the receiver lacks |
//!
//! - Run: stream (12 bytes) ‖ VLU first sequence number (not 0) ‖ VLU count (not 0). *Stream* names one process of one author:
//!   the first 12 bytes of SHA-256(author's peer ID ‖ instance).
//! - Span: VLU from ‖ VLU length (times, in milliseconds since 1970: from..from + length, capped at 2^64 − 1) ‖ VLU count ‖
//!   digest, 8 bytes: the sum modulo 2^64 of the first 8 bytes of SHA-256(stream ‖ sequence number, 8 bytes) of each post.
//!
//! A signed post is: counted certificate of the author ‖ instance, 8 bytes chosen at random by each process ‖ VLU sequence
//! number, counting that process's posts from 1 ‖ VLU time in milliseconds since 1970 ‖ counted grant, empty if there is none ‖
//! counted body ‖ Ed25519 signature, 64 bytes. Signed is
//!
//! ```text
//! "p2pt/1 post" 00 ‖ group ID ‖ author's peer ID ‖ instance ‖ sequence (8 bytes) ‖ time (8 bytes) ‖ length of the body (4 bytes) ‖ body
//! ```
//!
//! and the post ID is SHA-256 of that. The certificate is one of profile `strong`; its fingerprint is the author's peer ID, its
//! key verifies (strictly). A grant ([`crate::group::verify_grant`], kind posting, for the author) is needed where the groupspec
//! has a posting key. The body is an envelope: an option list ‖ content of at most 65,536 bytes. Option 1 is the nickname, UTF-8
//! of at most 64 bytes; option 2 makes it a beat; others are ignored.
//!
//! # Taking a post
//!
//! In this order: form; whether (author, instance, sequence) was seen; time (not older than the retention, at most 10 minutes
//! ahead); signature; grant. Only then it counts as seen, is held, handed out and passed on. A POST that came with hops 0 is
//! answered with what became of it. Who sends a post with a wrong form or signature, or passes on one without a grant, is
//! heard no more ([`PostingEvent::Misbehaved`]).
//!
//! Posts of one process are handed out by sequence number. For a missing one the later ones wait 5 s (and it is asked of those
//! who brought them); the first post that is seen of a process waits 1 s for earlier ones, longer only for those that some
//! neighbour announced. What comes later than that is handed out late rather than never.
//!
//! # The tree
//!
//! A link is eager (posts are pushed over it, both ways) or lazy (they are announced). It begins lazy; whoever has fewer than
//! four eager ones makes a new one eager, and whoever has lost all makes four eager. Over a lazy link comes a HAVE, at once or
//! together with others 40 ms after the one before. A post that was announced is asked for when it did not come by push within
//! the time in which pushes do (a quarter more than the longest lag seen, which is forgotten slowly; 20 to 400 ms), of one
//! announcer after the other, two round trips apart and then ever more slowly. When it comes by that, its link becomes
//! eager (LINK 1), one link in a round trip. A second copy that was not asked for makes the link that brought it lazy (LINK 0),
//! or the one over which the first came if only the former is of the tree; but not if the link changed less than a round trip
//! before the first copy came, and not among up to four neighbours before the first beat.
//!
//! This alone yields some tree. A *beat* gives it a good shape: a signed post with option 2, empty, in a stream of its own, that
//! everybody passes on to all neighbours the first time it comes. While posts flow, one member, the root, beats every 10 s.
//! 400 ms after a beat each member chooses as its parent the neighbour whose copy came first, each link that a copy says it
//! crossed (20 count at most) weighing as much as coming 5 ms later (or keeps the one it has, if that is worse by at most 15 ms),
//! and tells it (LINK 2); 600 ms later it makes all links lazy that lead neither to its parent nor
//! to a child. So all paths to the root are about the fastest that there are, and no path is longer than two such. A parent
//! that goes, or that failed to push three posts in a row, is replaced at once by the next best that cannot be a descendant:
//! one whose copy of the beat came earlier than the link's latency after the first. A root silent for 25 s is replaced: who
//! misses it waits for up to 4 s, the less the lower its peer ID, and then beats. Of two roots the one with the lower peer ID
//! prevails. Beats less than 4 s after the root's last, or 15 s older than it, are ignored; without a grant nobody beats where one is needed.
//!
//! # Comparing
//!
//! Neighbours that meet send a COMPARE of one span, from a little inside the retention on: the first neighbour at once, others 1
//! to 3 s later. Every 5 to 10 s one is sent to some neighbour, without the last 3 s. Whoever gets a span equal to its own says
//! nothing. Otherwise, if the sender's is empty, it tells what it holds in it (LIST of length 0); if its own has at most
//! 48 posts, it sends a LIST of them; else it cuts it into 16 and sends a COMPARE of these. If the span begins before its own
//! retention, it sends a COMPARE of what both keep. Whoever gets a LIST asks for what it lacks, and tells the sender what that lacks.
//!
//! # Limits
//!
//! | what | limit | beyond |
//! |---|---|---|
//! | posts held | 64 MiB, 16 MiB of one author, each counted with 400 bytes more | the oldest go |
//! | processes whose posts are remembered as seen | 16,384 | the one silent longest goes; posts as old as its newest are refused |
//! | gaps in what was seen of a process | 1,024 (8 if there are 131,072 in all) | the lowest is given up |
//! | posts that wait for an earlier one | 4,096 of a process | they wait no longer |
//! | announcements remembered of a neighbour | 4,096 | dropped, and compared again later |
//! | posts that one message names | 2,048 | the rest is passed over |
//! | of a neighbour: signatures verified | 2,000 a second, 8,000 at once | put off |
//! | bytes taken | 32 MiB a second, 64 MiB at once | dropped |
//! | bytes served because it asked | 16 MiB a second, 64 MiB at once | put off |
//! | posts looked for because it compares, or names them | 500,000 a second, 4,000,000 at once | passed over, and compared later |
//! | for a neighbour: announcements that wait | 8,192 | dropped, and compared later |
//! | posts it asked for; small messages that wait | 1,024; 512 | dropped |
//! | posts of ours that wait for a first neighbour | 1,024, 8 MiB | [`PostError::Full`] |
//! | posts of ours within 5 s | the 16 MiB that all members hold of one author | [`PostError::Full`] |
//!
//! A post of ours waits ([`PostError::Full`]) for room at all neighbours that get it by push, for up to 3 s a minute because of
//! one; another's for which there is no room ([`Posting::writable`]) becomes an announcement. Everything dropped, put off or refused is counted in [`PostingStats`].

mod beat;
mod compare;
mod format;
mod lag;
mod machine;
mod missing;
mod neighbour;
mod receive;
mod signed;
mod store;
mod streams;
mod tree;
mod types;

pub use machine::Posting;
pub use signed::{MAX_NICK, read_post, sign_post};
pub use types::{MAX_BODY, Post, PostError, PostId, PostingConfig, PostingEvent, PostingStats, Verdict};

#[cfg(test)]
mod tests;
