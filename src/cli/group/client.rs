//! The other end of the control socket: what `post`, `route`, `store`, `members` and `info` say to a membership that runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Guard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, mpsc};

use super::frames::{self, MAX_ANSWER};
use super::request::{Answer, Asked, Request, VERSION, decode_answer};
use super::socket;
use crate::base::PeerId;
use crate::cli::failure::Failure;
use crate::cli::status::Status;
use crate::group::GroupId;

/// How long a membership may take to greet; one that stands still is done without.
const GREETING: Duration = Duration::from_secs(2);

type Waiting = Arc<Guard<Option<BTreeMap<u64, mpsc::UnboundedSender<Answer>>>>>;

/// A membership in another process.
pub(super) struct Client {
    to: Mutex<OwnedWriteHalf>,
    waiting: Waiting,
    next: Guard<u64>,
    /// Whose identity it signs with.
    pub(super) author: PeerId,
}

impl Client {
    /// The membership of this group that runs here; `None` if none does, or one that speaks another version.
    pub(super) async fn connect(group: GroupId) -> Option<Self> {
        let stream = socket::connect(group).await?;
        tokio::time::timeout(GREETING, Self::greeted(stream, group)).await.ok().flatten()
    }

    async fn greeted(stream: UnixStream, group: GroupId) -> Option<Self> {
        let (mut from, to) = stream.into_split();
        let hello = frames::read(&mut from, MAX_ANSWER).await.ok()??;
        let ours = hello["v"].as_u64() == Some(VERSION) && hello["group"].as_str() == Some(&group.to_string());
        let author = hello["author"].as_str().and_then(|id| id.parse().ok()).filter(|_| ours)?;
        let waiting: Waiting = Arc::new(Guard::new(Some(BTreeMap::new())));
        tokio::spawn(listen(from, Arc::clone(&waiting)));
        Some(Self { to: Mutex::new(to), waiting, next: Guard::new(0), author })
    }

    /// Asks, and waits for the end.
    pub(super) async fn ask(&self, request: Request, timeout: Duration) -> Result<Value, Failure> {
        let mut answers = self.begin(request, timeout).await?;
        loop {
            match answers.recv().await {
                Some(Answer::End(result)) => return result,
                Some(Answer::Item(_)) => {}
                None => return Err(gone()),
            }
        }
    }

    /// Asks; answers come as they come.
    pub(super) async fn begin(
        &self,
        request: Request,
        timeout: Duration,
    ) -> Result<mpsc::UnboundedReceiver<Answer>, Failure> {
        let id = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next
        };
        let (sender, answers) = mpsc::unbounded_channel();
        match self.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(waiting) => drop(waiting.insert(id, sender)),
            None => return Err(gone()),
        }
        let asked = Asked { id, timeout, request };
        frames::write(&mut *self.to.lock().await, &asked.encode()).await.map_err(|_| gone())?;
        Ok(answers)
    }
}

/// Hands answers to whoever waits for them.
async fn listen(mut from: OwnedReadHalf, waiting: Waiting) {
    while let Ok(Some(frame)) = frames::read(&mut from, MAX_ANSWER).await {
        let Some((id, answer)) = decode_answer(&frame) else { break };
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = waiting.as_mut() else { return };
        match answer {
            Answer::Item(_) => {
                if let Some(sender) = waiting.get(&id) {
                    let _ = sender.send(answer);
                }
            }
            Answer::End(_) => {
                if let Some(sender) = waiting.remove(&id) {
                    let _ = sender.send(answer);
                }
            }
        }
    }
    // Whoever waits learns that nothing will come.
    *waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

fn gone() -> Failure {
    Failure::new(Status::Failed, "go on", "the p2pt group join that this went through has ended").next("try again")
}
