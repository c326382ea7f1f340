//! The loop between sockets and a sans-IO machine: receive what is there, feed it, send what comes out, sleep until the
//! next deadline.
//!
//! Receive buffers are used again and again, a clock is read once per batch, the lock is held while the machine works and
//! not during system calls, and the timer is set anew only when a deadline comes nearer.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Sleep;

use super::clock::Clock;
use super::interfaces::{self, LocalAddress, Watcher};
use super::multicast::{self, Listener};
use super::udp::{Buffers, Sent, UdpSocket};
use crate::base::{Instant, Received, Transmit};

/// System calls that one turn makes per socket before others get theirs.
const RECEIVES_PER_TURN: usize = 4;
/// Sends of one turn, of up to 64 KiB each.
const SENDS_PER_TURN: usize = 32;
/// Sends that may wait for a socket to become writable; what comes beyond is lost, as in a network.
const MAX_BLOCKED: usize = 64;
/// How long to wait with a socket that says it is writable and is not.
const BLOCKED_RETRY: Duration = Duration::from_millis(1);
/// How long the end waits for a socket to become writable.
const LAST_CHANCE: Duration = Duration::from_millis(50);
/// Far enough to mean never, near enough for every clock.
const NEVER: Duration = Duration::from_secs(86_400);

/// What the driver drives.
pub(super) trait Machine: Send + 'static {
    fn handle(&mut self, now: Instant, received: Received<'_>);
    fn handle_timeout(&mut self, now: Instant);
    fn deadline(&self) -> Option<Instant>;
    fn poll_transmit(&mut self, now: Instant) -> Option<Transmit>;
    /// Hands events to whoever waits for them.
    fn deliver(&mut self, now: Instant);
    /// The network said that `remote` cannot be reached.
    fn unreachable(&mut self, now: Instant, remote: SocketAddr);
    /// The machine's own addresses, and those under which others may reach it; at the start, and whenever they or the
    /// routes change.
    fn interfaces(&mut self, now: Instant, own: &[LocalAddress], reachable: Vec<SocketAddr>, changed: bool);
    /// The driver has ended; nothing will move any more.
    fn stopped(&mut self);
}

/// A machine, its clock, and the way to wake its driver.
pub(super) struct Shared<M> {
    clock: Clock,
    inner: Mutex<Inner<M>>,
}

struct Inner<M> {
    machine: M,
    driver: Option<Waker>,
    /// Whether a command has been given since the driver looked last.
    dirty: bool,
    stop: bool,
    /// The machine's addresses as just found to have changed.
    addresses: Option<Vec<LocalAddress>>,
}

impl<M: Machine> Shared<M> {
    pub(super) fn new(clock: Clock, machine: M) -> Self {
        Self { clock, inner: Mutex::new(Inner { machine, driver: None, dirty: true, stop: false, addresses: None }) }
    }

    /// Runs a command, after which the driver looks for what it gave rise to.
    pub(super) fn command<R>(&self, run: impl FnOnce(&mut M, Instant) -> R) -> R {
        self.attempt(|machine, now| (run(machine, now), true))
    }

    /// Runs what may change the machine, which it says, like [`Shared::command`].
    pub(super) fn attempt<R>(&self, run: impl FnOnce(&mut M, Instant) -> (R, bool)) -> R {
        let now = self.clock.now();
        let mut inner = self.lock();
        let (result, changed) = run(&mut inner.machine, now);
        inner.dirty |= changed;
        let driver = if changed { inner.driver.take() } else { None };
        drop(inner);
        if let Some(driver) = driver {
            driver.wake();
        }
        result
    }

    /// Looks, without giving the driver anything to do.
    pub(super) fn look<R>(&self, run: impl FnOnce(&mut M) -> R) -> R {
        run(&mut self.lock().machine)
    }

    /// Ends the driver, after what is to be sent at this moment.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.wake();
    }

    fn wake(&self) {
        let driver = self.lock().driver.take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner.lock().expect("a panic under the lock has ended the program's trust in this host")
    }
}

/// The task that moves a machine's packets.
pub(super) struct Driver<M> {
    shared: Arc<Shared<M>>,
    sockets: Vec<UdpSocket>,
    listeners: Vec<Listener>,
    addresses: Vec<LocalAddress>,
    buffers: Buffers,
    blocked: VecDeque<(Transmit, usize)>,
    timer: Pin<Box<Sleep>>,
    armed: Option<Instant>,
}

impl<M: Machine> Driver<M> {
    /// A driver over `sockets`, the number of each being its interface, and over `listeners` on discovery groups.
    pub(super) fn new(
        shared: Arc<Shared<M>>,
        sockets: Vec<UdpSocket>,
        listeners: Vec<Listener>,
        addresses: Vec<LocalAddress>,
    ) -> Self {
        sockets.iter().for_each(multicast::prepare_sender);
        let mut driver = Self {
            shared,
            sockets,
            listeners,
            addresses,
            buffers: Buffers::new(),
            blocked: VecDeque::new(),
            timer: Box::pin(tokio::time::sleep(NEVER)),
            armed: None,
        };
        driver.tell_addresses(false);
        driver
    }

    /// Runs until the machine's owner stops it.
    pub(super) async fn run(mut self, mut watcher: Watcher) {
        // A socket counts as writable only after the event loop has looked once; until then a multicast datagram would
        // be lost, and the peer found a second later.
        for socket in &self.sockets {
            poll_fn(|cx| socket.poll_writable(cx)).await;
        }
        let shared = Arc::clone(&self.shared);
        let watch = async move {
            loop {
                let found = watcher.changed().await.to_vec();
                shared.lock().addresses = Some(found);
                shared.wake();
            }
        };
        tokio::select! {
            () = watch => {}
            () = self.turns() => {}
        }
        self.shared.lock().machine.stopped();
    }

    async fn turns(&mut self) {
        loop {
            let more = self.turn();
            if self.shared.lock().stop {
                return self.flush().await;
            }
            if more {
                tokio::task::yield_now().await;
            } else {
                let mut first = true;
                poll_fn(|cx| self.poll_wait(cx, std::mem::take(&mut first))).await;
            }
        }
    }

    /// Gives what could not leave at once a last chance.
    async fn flush(&mut self) {
        let Some(socket) = self.blocked.front().and_then(|(first, _)| self.sockets.get(interface_of(first))) else {
            return;
        };
        let _ = tokio::time::timeout(LAST_CHANCE, poll_fn(|cx| socket.poll_writable(cx))).await;
        self.send();
    }

    /// Moves what is there to move, within bounds; whether there is more.
    fn turn(&mut self) -> bool {
        let found = self.shared.lock().addresses.take();
        if let Some(found) = found {
            self.addresses = found;
            self.tell_addresses(true);
        }
        let received_all = self.receive();
        self.report_unreachable();
        let sent_all = self.send();
        !(received_all && sent_all)
    }

    /// Feeds the machine; `false` if a socket may have more.
    fn receive(&mut self) -> bool {
        let mut all = true;
        let listeners = self.listeners.iter_mut().map(Listener::socket);
        for socket in self.sockets.iter_mut().chain(listeners) {
            let mut turns = 0;
            while socket.try_recv(&mut self.buffers) {
                let interface = socket.interface();
                let now = self.shared.clock.now();
                let mut inner = self.shared.lock();
                for received in self.buffers.received(interface) {
                    inner.machine.handle(now, received);
                }
                turns += 1;
                if turns == RECEIVES_PER_TURN {
                    all = false;
                    break;
                }
            }
        }
        all
    }

    fn report_unreachable(&mut self) {
        for socket in &mut self.sockets {
            while let Some(remote) = socket.poll_unreachable() {
                let now = self.shared.clock.now();
                self.shared.lock().machine.unreachable(now, remote);
            }
        }
    }

    /// Sends what the machine has; `false` if it may have more.
    fn send(&mut self) -> bool {
        let now = self.shared.clock.now();
        let mut inner = self.shared.lock();
        inner.dirty = false;
        if inner.machine.deadline().is_some_and(|deadline| deadline <= now) {
            inner.machine.handle_timeout(now);
        }
        inner.machine.deliver(now);
        drop(inner);
        while let Some((transmit, from)) = self.blocked.front_mut() {
            if let Some(socket) = self.sockets.get_mut(interface_of(transmit))
                && socket.try_send(transmit, from) == Sent::Blocked
            {
                return true;
            }
            self.blocked.pop_front();
        }
        for _ in 0..SENDS_PER_TURN {
            let Some(transmit) = self.shared.lock().machine.poll_transmit(now) else {
                // What was sent may have made room, or given up what was waited for.
                self.shared.lock().machine.deliver(now);
                return true;
            };
            self.transmit(transmit);
            if self.blocked.len() >= MAX_BLOCKED {
                return true;
            }
        }
        false
    }

    fn transmit(&mut self, transmit: Transmit) {
        let Some(socket) = self.sockets.get_mut(interface_of(&transmit)) else {
            tracing::debug!(?transmit.path, "no such interface to send from");
            return;
        };
        if transmit.path.remote.ip().is_multicast() {
            multicast::send_everywhere(socket, &transmit, &self.addresses);
            return;
        }
        let mut from = 0;
        if !self.blocked.is_empty() || socket.try_send(&transmit, &mut from) == Sent::Blocked {
            self.blocked.push_back((transmit, from));
        }
    }

    /// Ready when there is something to do. `first` is whether this wait begins.
    fn poll_wait(&mut self, cx: &mut Context<'_>, first: bool) -> Poll<()> {
        let mut ready = false;
        let listeners = self.listeners.iter_mut().map(Listener::socket);
        for socket in self.sockets.iter_mut().chain(listeners) {
            ready |= socket.poll_readable(cx).is_ready();
            ready |= socket.poll_errors(cx).is_ready();
        }
        let deadline = {
            let mut inner = self.shared.lock();
            if inner.dirty && self.blocked.len() < MAX_BLOCKED || inner.stop || inner.addresses.is_some() {
                return Poll::Ready(());
            }
            if !inner.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                inner.driver = Some(cx.waker().clone());
            }
            inner.machine.deadline()
        };
        let now = self.shared.clock.now();
        let mut wanted = deadline;
        if let Some((transmit, _)) = self.blocked.front()
            && let Some(socket) = self.sockets.get(interface_of(transmit))
            && socket.poll_writable(cx).is_ready()
        {
            // After an ICMP error tokio takes a socket for writable for ever: believe it only after a wait.
            ready |= !first;
            let retry = now + BLOCKED_RETRY;
            wanted = Some(wanted.map_or(retry, |wanted| wanted.min(retry)));
        }
        if ready || wanted.is_some_and(|wanted| wanted <= now) {
            return Poll::Ready(());
        }
        self.poll_timer(cx, wanted)
    }

    /// Sleeps until `wanted`, or less: a deadline that moved away lets the timer fire early once.
    fn poll_timer(&mut self, cx: &mut Context<'_>, wanted: Option<Instant>) -> Poll<()> {
        if let Some(wanted) = wanted
            && self.armed.is_none_or(|armed| wanted < armed)
        {
            let real = self.shared.clock.real(wanted).map(tokio::time::Instant::from_std);
            let far = tokio::time::Instant::now() + NEVER;
            self.timer.as_mut().reset(real.map_or(far, |real| real.min(far)));
            self.armed = Some(wanted);
        }
        if self.armed.is_none() {
            return Poll::Pending;
        }
        let poll = self.timer.as_mut().poll(cx);
        if poll.is_ready() {
            self.armed = None;
        }
        poll
    }

    fn tell_addresses(&mut self, changed: bool) {
        for listener in &mut self.listeners {
            listener.join(&self.addresses);
        }
        let told = self.sockets.first().map_or_else(Vec::new, |socket| {
            let both = socket.reaches(&IpAddr::V4(Ipv4Addr::LOCALHOST)) && socket.reaches(&Ipv6Addr::LOCALHOST.into());
            interfaces::reachable(&self.addresses, socket.local_addr(), both)
        });
        let now = self.shared.clock.now();
        let mut inner = self.shared.lock();
        inner.machine.interfaces(now, &self.addresses, told, changed);
        inner.dirty = true;
    }
}

fn interface_of(transmit: &Transmit) -> usize {
    usize::from(transmit.path.interface.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Ecn, Interface, Path};

    /// Sends what it is told to, echoes nothing, and notes what happens.
    #[derive(Default)]
    struct Recorder {
        outgoing: VecDeque<Transmit>,
        deadline: Option<Instant>,
        received: Vec<u8>,
        timeouts: Vec<Instant>,
        unreachable: Vec<SocketAddr>,
        told: usize,
        waiter: Option<Waker>,
        ended: bool,
    }

    impl Machine for Recorder {
        fn handle(&mut self, _: Instant, received: Received<'_>) {
            self.received.extend_from_slice(received.data);
        }
        fn handle_timeout(&mut self, now: Instant) {
            self.timeouts.push(now);
            self.deadline = None;
        }
        fn deadline(&self) -> Option<Instant> {
            self.deadline
        }
        fn poll_transmit(&mut self, _: Instant) -> Option<Transmit> {
            self.outgoing.pop_front()
        }
        fn deliver(&mut self, _: Instant) {
            if let Some(waiter) = self.waiter.take() {
                waiter.wake();
            }
        }
        fn unreachable(&mut self, _: Instant, remote: SocketAddr) {
            self.unreachable.push(remote);
        }
        fn interfaces(&mut self, _: Instant, _: &[LocalAddress], _: Vec<SocketAddr>, changed: bool) {
            assert!(!changed || self.told > 0, "the addresses of the start come first");
            self.told += 1;
        }
        fn stopped(&mut self) {
            self.ended = true;
        }
    }

    struct Running {
        shared: Arc<Shared<Recorder>>,
        address: SocketAddr,
        task: tokio::task::JoinHandle<()>,
    }

    fn start() -> Running {
        let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap(), Interface::MAIN).unwrap();
        let _ = socket.enlarge_buffers();
        let address = socket.local_addr();
        let shared = Arc::new(Shared::new(Clock::start(), Recorder::default()));
        let watcher = Watcher::start().unwrap();
        let driver = Driver::new(Arc::clone(&shared), vec![socket], Vec::new(), watcher.current().to_vec());
        Running { shared, address, task: tokio::spawn(driver.run(watcher)) }
    }

    impl Running {
        /// Waits until the recorder shows what is wanted; it is looked at whenever the driver has moved something.
        async fn until(&self, shows: impl Fn(&Recorder) -> bool) {
            let wait = poll_fn(|cx| {
                self.shared.look(|recorder| {
                    if shows(recorder) {
                        return Poll::Ready(());
                    }
                    recorder.waiter = Some(cx.waker().clone());
                    Poll::Pending
                })
            });
            tokio::time::timeout(Duration::from_secs(20), wait).await.expect("what is waited for happens");
        }
    }

    #[tokio::test]
    async fn more_than_a_turn_can_move_arrives_in_order_and_whole() {
        let (near, far) = (start(), start());
        // A window of turns at a time, as a machine with congestion control would.
        for round in 0..8_u8 {
            let batch = |n: u8| Transmit {
                path: Path::to(far.address),
                ecn: Ecn::Ect,
                segment: 200,
                data: vec![round.wrapping_mul(31) ^ n; 500],
            };
            let want: Vec<u8> = (0..40).flat_map(|n| batch(n).data).collect();
            near.shared.command(|recorder, _| recorder.outgoing.extend((0..40).map(batch)));
            far.until(|recorder| recorder.received.len() >= want.len()).await;
            far.shared.look(|recorder| assert!(std::mem::take(&mut recorder.received) == want, "round {round}"));
        }
    }

    #[tokio::test]
    async fn a_deadline_is_kept_also_when_it_moves() {
        let near = start();
        let after = |ms| {
            move |recorder: &mut Recorder, now: Instant| {
                recorder.deadline = Some(now + Duration::from_millis(ms));
                now + Duration::from_millis(ms)
            }
        };
        near.shared.command(after(60_000));
        let wanted = near.shared.command(after(30));
        near.until(|recorder| recorder.timeouts.len() == 1).await;
        let late = near.shared.command(after(60));
        near.until(|recorder| recorder.timeouts.len() == 2).await;
        near.shared.look(|recorder| {
            assert!(recorder.timeouts[0] >= wanted && recorder.timeouts[1] >= late, "none comes early");
            assert_eq!(recorder.told, 1);
        });
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_unreachable_remote_is_reported_while_nothing_else_happens() {
        let near = start();
        let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        near.shared.command(|recorder, _| recorder.outgoing.push_back(Transmit::single(Path::to(gone), vec![1])));
        near.until(|recorder| recorder.unreachable == [gone]).await;
    }

    #[tokio::test]
    async fn what_is_due_leaves_before_the_end() {
        let (near, far) = (start(), start());
        near.shared.command(|recorder, _| {
            recorder.outgoing.push_back(Transmit::single(Path::to(far.address), b"farewell".to_vec()));
        });
        near.shared.stop();
        near.task.await.unwrap();
        assert!(near.shared.look(|recorder| recorder.ended));
        far.until(|recorder| recorder.received == b"farewell").await;
    }
}
