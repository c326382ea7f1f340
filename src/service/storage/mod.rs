//! Distributed storage: values by key, at the members nearest to the key's digest.
//!
//! A *slot* is one author's place under one key; content-addressed values, whose key is their SHA-256, share a slot without
//! author. A slot holds one record: the one with the highest sequence, and with equal ones the larger signature; of content the
//! later expiry. A record whose time is over, or a tombstone, keeps its place until whatever it replaced would have ended too, so that
//! no older copy comes back. The *holders* of a key are the six members nearest to SHA-256(key) on the ring.
//!
//! **Put.** The record goes to the nearest member, which holds it, gives copies to the other holders that it sees, and says how many;
//! each confirms to the asker. Who has a newer record answers with it. **Get.** The question goes to the nearest member, which answers with
//! what it has and has the other holders, and two more, answer with the versions that they have; the asker fetches what is newer than
//! what it got, and takes the newest of each author. It verifies everything itself. Where nothing was found, or fewer were asked than it
//! knows holders, it asks those that it knows itself before it believes that. It has enough when
//! most of them have answered and what they have is there. A question that is not answered is asked again after 15 and after
//! 45 hundredths of its time, over another first hop.
//!
//! **Keeping.** When members come or go, and each 30 s, a member looks through what it holds. A holder that is not known to have a
//! record is offered its version, by the two nearest other holders and by whoever need not hold the record any more; every tenth
//! time by everybody, anew. It says what it wants, and gets that at a bounded rate. What a member need not hold, being none of the nearest
//! eight, and two holders are known to have, makes room for other records and is dropped after a minute.
//!
//! Records live in memory, nowhere else. A value is gone when all its holders went before others had copied it, and with the last
//! member of the group; a member that comes back holds nothing until it is offered what is its to hold. Whoever wants a value to
//! outlast that puts it again.
//!
//! # Records
//!
//! Numbers are VLUs, *field* is a length and its bytes:
//!
//! ```text
//! 01 signed    field key (≤ 1,024) ‖ field certificate ‖ sequence ‖ expiry ‖ flags (1) ‖ [field value (≤ 65,536)] ‖ [field grant] ‖ signature (64)
//!              flags: 01 a tombstone, without value   02 with a grant
//! 02 content   expiry ‖ flags (1) ‖ field value ‖ [field certificate ‖ sequence ‖ field grant ‖ signature (64)]
//!              flags: 02 with a warrant, which groups with a posting key ask for
//! ```
//!
//! Nothing follows, and other flags are refused. The signature is over the label, numbers in 8 bytes, LP(x) = length in 4 bytes ‖ x; a tombstone has no LP(value); in a
//! warrant the key is the digest:
//!
//! ```text
//! "p2pt/1 store" 00 ‖ group ID ‖ LP(key) ‖ author's peer ID ‖ sequence ‖ expiry ‖ LP(value)
//! ```
//!
//! The sequence is the larger of the last one plus 1 and the time in ms since 1970; more than ten minutes ahead is refused. The expiry is at
//! most 30 days (and ten minutes) away. Where the groupspec has a posting key the grant must have held when the record was
//! written, by its sequence, and the 30 days count from then.
//!
//! # On the wire
//!
//! Lane [`crate::group::Lane::Records`]: letters ([`crate::group::Relay`]), in any receive mode, all with tickets. PUT and GET are for the nearest
//! member to the key's place and enter their gateway, all others are for one member. The first byte of a payload is its kind, unknown ones
//! are dropped. *Asker* is question (8) ‖ its address (32) ‖ flags (1) ‖ [gateway (32), if flag 01]; answers go to that address via the
//! gateway. A *version* is a sequence and the first 8 bytes of a signature, zeros for content. A *slot* is the start of
//! SHA-256(LP(key) ‖ author's peer ID, or 32 zeros) (16).
//!
//! ```text
//! 01 PUT     asker ‖ record                     02 COPY    asker ‖ record              question 0: no answer
//! 03 HELD    question ‖ holder's address (32) ‖ verdict (1) ‖ total ‖ [newer record]
//!            verdict: 0 held  1 a newer one is there  2 no grant  3 no room  4 signature  5 clock  6 its time
//! 04 GET     asker ‖ key                        05 LOOK    asker ‖ flags (1): 01 full values ‖ key
//! 06 VALUE   question ‖ holder ‖ total ‖ values that the holder sends ‖ [record]     one letter for each value
//! 07 HOLDS   question ‖ holder ‖ *(author (32), zeros for content ‖ version)                         at most 64
//! 08 FETCH   asker ‖ author (32) ‖ key          answered by VALUE
//! 09 OFFER   sender's address (32) ‖ number ‖ *(slot ‖ version)                                      at most 512
//! 0a WANT    sender's address (32) ‖ number of the offer ‖ count ‖ that many slots wanted ‖ slots on their way from others
//! ```
//!
//! The *total* is how many members, the sender included, answer the question; only the member that was asked first knows, others say 0.
//!
//! # Limits
//!
//! [`StorageConfig::capacity`] for what is held, 512 bytes more counted for each record; a quarter of it for one author and half for
//! content; 64 authors under a key. 1,024 questions; the oldest gives way. Copies are sent at 2 MiB a second, 8 KiB more counted for
//! each; whoever asks gets values at 8 MiB a second. What a neighbour sends is limited by [`crate::group::MESSAGE_RATE`] and [`crate::group::BYTE_RATE`].

mod letter;
mod question;
mod record;
mod replica;
mod service;
mod shelf;
mod types;

pub use letter::{Asker, Offer, Payload};
pub use record::{Fault, MAX_RECORD, SignedRecord, content_record, sign_record};
pub use service::Storage;
pub use types::{MAX_KEY, MAX_LIFE, MAX_VALUE, Record, StorageConfig, StorageEvent, StorageStats, StoreError, StoreId};
