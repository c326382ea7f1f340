//! What one process measures, and how it tells the process that started it.

use std::fmt::Write as _;
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Set-ups that go on side by side.
const SIDE_BY_SIDE: usize = 8;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    /// Bytes in one direction.
    Bulk(u64),
    /// Small messages, there and back, one after the other.
    Echo(usize),
    /// Sessions set up and closed for a time.
    Handshakes(Duration),
}

/// One process's part.
pub(crate) struct Side {
    pub(crate) task: Task,
    pub(crate) count: u64,
    begun: (Instant, Duration),
    laps: Vec<Duration>,
}

impl Side {
    pub(crate) fn new(task: Task) -> Self {
        let laps = Vec::with_capacity(if let Task::Echo(count) = task { count } else { 0 });
        Self { task, count: 0, begun: (Instant::now(), cpu()), laps }
    }

    /// Says on stdout where to dial and what the dialler must know.
    pub(crate) fn ready(&self, address: SocketAddr, credential: &[u8]) {
        let hex = credential.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        println!("ready {address} {hex}");
    }

    pub(crate) fn begin(&mut self) {
        self.begun = (Instant::now(), cpu());
    }

    /// Says on stdout what it took.
    pub(crate) fn end(&mut self) {
        let wall = self.begun.0.elapsed().as_secs_f64();
        let cpu = (cpu() - self.begun.1).as_secs_f64();
        self.laps.sort();
        let lap = |part: f64| {
            let index = (self.laps.len() as f64 * part) as usize;
            self.laps.get(index).map_or(0.0, |lap| lap.as_secs_f64() * 1e6)
        };
        println!("result {wall} {cpu} {} {} {}", self.count, lap(0.5), lap(0.99));
    }

    pub(crate) fn lap(&self) -> Instant {
        Instant::now()
    }

    pub(crate) fn lapped(&mut self, since: Instant) {
        self.laps.push(since.elapsed());
    }
}

/// Runs several of `one` at a time and adds up what they counted.
pub(crate) async fn side_by_side<F: Future<Output = u64>>(one: impl Fn() -> F) -> u64 {
    let mut running: Vec<_> = (0..SIDE_BY_SIDE).map(|_| Box::pin(one())).collect();
    let mut counts = vec![None; running.len()];
    std::future::poll_fn(|cx| {
        for (one, count) in running.iter_mut().zip(&mut counts) {
            if count.is_none()
                && let std::task::Poll::Ready(found) = one.as_mut().poll(cx)
            {
                *count = Some(found);
            }
        }
        match counts.iter().copied().sum::<Option<u64>>() {
            Some(sum) => std::task::Poll::Ready(sum),
            None => std::task::Poll::Pending,
        }
    })
    .await
}

/// Processor time of this process.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
