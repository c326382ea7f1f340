//! SIGINT and SIGTERM: leave politely within a second, at once when asked twice. SIGUSR1: a status line.

use super::output::Output;
use super::status::Status;
use std::io;
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a command may take to leave.
const GRACE: Duration = Duration::from_millis(950);

/// What the signals have said. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Signals {
    stop: watch::Receiver<Option<Status>>,
    wanted: watch::Receiver<u64>,
}

impl Signals {
    /// Listens, on a thread of its own, from now on.
    ///
    /// # Errors
    /// The system refuses a thread or a handler.
    pub fn listen(output: &Output) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(None);
        let (want, wanted) = watch::channel(0);
        let (installed, is_installed) = mpsc::channel();
        let output = output.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(installed.send(Err(error))),
            };
            runtime.block_on(listen(&output, &stop, &want, &installed));
        })?;
        is_installed.recv().unwrap_or_else(|_| Err(io::Error::other("the signal thread ended")))?;
        Ok(Self { stop: stopped, wanted })
    }

    /// Waits for the first SIGINT or SIGTERM: whoever returns from this should finish within a second.
    pub async fn stopped(&mut self) -> Status {
        match self.stop.wait_for(Option::is_some).await {
            Ok(stop) => stop.expect("waited for"),
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits for SIGUSR1.
    pub async fn status_wanted(&mut self) {
        if self.wanted.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// The status to end with, once a signal asked to.
    #[must_use]
    pub fn stop(&self) -> Option<Status> {
        *self.stop.borrow()
    }
}

/// Says so, and ends the process if the command has not left in time or is told twice.
async fn stop_soon(output: &Output, stop: &watch::Sender<Option<Status>>, status: Status) {
    if let Some(first) = *stop.borrow() {
        std::process::exit(first.code().into());
    }
    stop.send_replace(Some(status));
    output.say("leaving; once more to stop at once");
    tokio::spawn(async move {
        tokio::time::sleep(GRACE).await;
        std::process::exit(status.code().into());
    });
}

#[cfg(unix)]
async fn listen(
    output: &Output,
    stop: &watch::Sender<Option<Status>>,
    want: &watch::Sender<u64>,
    installed: &mpsc::Sender<io::Result<()>>,
) {
    use tokio::signal::unix::{SignalKind, signal};
    let streams = (|| {
        Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::user_defined1())?))
    })();
    let (mut interrupt, mut terminate, mut usr1) = match streams {
        Ok(streams) => streams,
        Err(error) => return drop(installed.send(Err(error))),
    };
    let _ = installed.send(Ok(()));
    loop {
        tokio::select! {
            _ = interrupt.recv() => stop_soon(output, stop, Status::Interrupted).await,
            _ = terminate.recv() => stop_soon(output, stop, Status::Terminated).await,
            _ = usr1.recv() => want.send_modify(|times| *times += 1),
        }
    }
}

/// Ctrl-C alone. Untested there.
#[cfg(not(unix))]
async fn listen(
    output: &Output,
    stop: &watch::Sender<Option<Status>>,
    _want: &watch::Sender<u64>,
    installed: &mpsc::Sender<io::Result<()>>,
) {
    let _ = installed.send(Ok(()));
    while tokio::signal::ctrl_c().await.is_ok() {
        stop_soon(output, stop, Status::Interrupted).await;
    }
}
