//! The control socket of a membership that runs: other commands of this user work through it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWrite;
use tokio::net::UnixStream;
use tokio::sync::{Mutex, Semaphore, broadcast};
use tokio::task::JoinSet;

use super::frames::{self, MAX_REQUEST};
use super::hub::Hub;
use super::request::{Asked, Request, VERSION, encode_answer};
use super::socket::{self, Bound, is_ours};
use crate::cli::failure::{Failure, describe};
use crate::cli::output::Output;
use crate::group::GroupId;

/// Commands that are served at a time; more wait to be taken in.
const MAX_CLIENTS: usize = 64;
/// Requests of one command that are worked on at a time.
const MAX_REQUESTS: usize = 64;
/// When to see whether another membership has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// No request takes longer.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// Serves this user's commands at the socket that was `opened`, until dropped. Where another membership of this group does so already, this one takes its
/// place when it ends.
pub(super) async fn serve(mut opened: io::Result<Bound>, hub: Hub, group: GroupId, out: &Output) {
    let mut is_told = false;
    let bound = loop {
        match opened {
            Ok(bound) => break bound,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if !std::mem::replace(&mut is_told, true) {
                    out.say("another p2pt group join of this group runs here: post and the like go through that one");
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                opened = socket::listen(group);
            }
            Err(error) => {
                out.say(format_args!("post and the like cannot go through this process: {}", describe(&error)));
                return std::future::pending().await;
            }
        }
    };
    let places = Arc::new(Semaphore::new(MAX_CLIENTS));
    let mut clients = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match bound.listener.accept().await {
            Ok((stream, _)) if is_ours(&stream) => {
                let hub = hub.clone();
                clients.spawn(async move {
                    if let Err(error) = client(stream, hub, group).await {
                        tracing::debug!("a command at the control socket: {error}");
                    }
                    drop(place);
                });
            }
            Ok(_) => tracing::warn!("another user's process at the control socket was hung up on"),
            // Too many open files, say: that passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
        while clients.try_join_next().is_some() {}
    }
}

async fn client(stream: UnixStream, hub: Hub, group: GroupId) -> io::Result<()> {
    let (mut from, to) = stream.into_split();
    let to = Arc::new(Mutex::new(to));
    let hello = json!({
        "p2pt": "group", "v": VERSION, "group": group.to_string(), "author": hub.right().author().peer_id().to_string(),
    });
    frames::write(&mut *to.lock().await, &hello).await?;
    let places = Arc::new(Semaphore::new(MAX_REQUESTS));
    let mut working = JoinSet::new();
    while let Some(frame) = frames::read(&mut from, MAX_REQUEST).await? {
        let place = Arc::clone(&places).acquire_owned().await;
        let Some(asked) = Asked::decode(&frame) else {
            let unknown = Failure::usage("the p2pt group join that runs here does not know this request; is it older?");
            let id = frame["id"].as_u64().unwrap_or_default();
            frames::write(&mut *to.lock().await, &encode_answer(id, &Err(unknown))).await?;
            continue;
        };
        let (hub, to) = (hub.clone(), Arc::clone(&to));
        working.spawn(async move {
            if asked.request == Request::Listen {
                listen(&hub, asked.id, &to).await;
            } else {
                let answer = hub.answer(asked.request, asked.timeout.min(MAX_TIMEOUT)).await;
                let _ = frames::write(&mut *to.lock().await, &encode_answer(asked.id, &answer)).await;
            }
            drop(place);
        });
        while working.try_join_next().is_some() {}
    }
    Ok(())
}

/// Passes routed messages on until the command hangs up.
async fn listen(hub: &Hub, id: u64, to: &Mutex<impl AsyncWrite + Unpin>) {
    let mut routed = hub.listen();
    // From now on nothing is missed.
    if frames::write(&mut *to.lock().await, &json!({ "id": id, "item": { "listening": true } })).await.is_err() {
        return;
    }
    loop {
        match routed.recv().await {
            Ok(item) => {
                if frames::write(&mut *to.lock().await, &json!({ "id": id, "item": item })).await.is_err() {
                    return;
                }
            }
            Err(broadcast::error::RecvError::Lagged(lost)) => {
                if frames::write(&mut *to.lock().await, &json!({ "id": id, "item": { "lost": lost } })).await.is_err() {
                    return;
                }
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
