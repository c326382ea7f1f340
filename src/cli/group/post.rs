//! `p2pt post`: post, and leave when members have it.

use serde_json::Value;
use tokio::task::{JoinError, JoinSet};

use super::access::{Access, Need};
use super::lines::{self, Divided};
use super::place::{Place, operands};
use super::writer::Writer;
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::Event;
use crate::cli::password;
use crate::cli::status::Status;
use crate::group::ReceiveMode;

/// Posts whose fate is open at a time.
const AT_ONCE: usize = 64;

/// Posts, and leaves.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn run(call: Call) -> Result<(), Failure> {
    let (group, [message]) = operands(&call, ["MESSAGE"]);
    if message.is_none() && password::takes_stdin(&call, "posting-password") {
        return Err(Failure::usage("standard input carries posts, so it cannot carry the password")
            .next("use a file, --posting-password-fd, or post an argument"));
    }
    let stdin = if message.is_none() { Stdin::Data } else { Stdin::Free };
    let place = Place::of(group.as_deref(), stdin)?;
    net::block_on(async {
        let access = Access::open(&call, &place, Need::Post, ReceiveMode::default()).await?;
        let nick = call.text("nick");
        let mut writer = Writer::new(access.right.author().clone(), access.group, nick, &mut net::rng()?);
        access
            .with(&call, async |access| {
                if let Some(message) = message {
                    if message.len() > lines::MAX_BODY {
                        return Err(Failure::usage("a post has at most 65,536 bytes"));
                    }
                    let post = writer.post(message.as_bytes(), access.grant.as_deref());
                    return posted(&call, Ok(access.ask(post).await));
                }
                many(&call, access, &mut writer).await
            })
            .await
    })
}

/// Posts standard input; the first failure ends it.
async fn many(call: &Call, access: &Access, writer: &mut Writer) -> Result<(), Failure> {
    let divided = match (call.switch("raw"), call.switch("nul")) {
        (true, _) => Divided::Not,
        (_, true) => Divided::Nul,
        _ => Divided::Lines,
    };
    let mut input = lines::read(divided);
    let mut asking = JoinSet::new();
    loop {
        tokio::select! {
            line = input.recv(), if asking.len() < AT_ONCE => match line {
                Some(body) => {
                    let (asker, post) = (access.asker(), writer.post(&body?, access.grant.as_deref()));
                    asking.spawn(async move { asker.ask(post).await });
                }
                None => break,
            },
            Some(ended) = asking.join_next(), if !asking.is_empty() => posted(call, ended)?,
        }
    }
    while let Some(ended) = asking.join_next().await {
        posted(call, ended)?;
    }
    Ok(())
}

/// What became of a post.
fn posted(call: &Call, ended: Result<Result<Value, Failure>, JoinError>) -> Result<(), Failure> {
    let told = ended.map_err(|why| Failure::new(Status::Failed, "post", why))??;
    call.out.event(
        Event::new("posted").with("message_id", told["message_id"].clone()).with("accepted", told["accepted"].clone()),
    )
}
