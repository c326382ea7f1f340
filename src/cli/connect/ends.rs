//! The local ends of a pipe: standard input and output, a command, a TCP connection.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::Stdio;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use crate::base::PeerId;
use crate::cli::failure::Failure;
use crate::cli::output::{Escaper, stdout_failure};
use crate::cli::status::Status;

/// Bytes read at once: one message.
pub(super) const PIECE: usize = 64 << 10;
/// Pieces between the thread that reads or writes a standard stream and the event loop.
const PIECES_AHEAD: usize = 8;

/// What stands at this end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EndKind {
    /// Standard input and output.
    Standard,
    /// `sh -c` of this.
    Exec(String),
    /// A TCP connection to this host and port.
    Tcp(String, u16),
    /// Datagrams to this host and port.
    Udp(String, u16),
}

impl EndKind {
    /// Whether each pipe can have one of its own.
    pub(super) fn is_shared(&self) -> bool {
        *self == Self::Standard
    }
}

/// Where a pipe's bytes come from.
pub(super) enum Source {
    Standard(mpsc::Receiver<io::Result<Bytes>>),
    Stream { stream: Box<dyn AsyncRead + Unpin + Send>, buffer: BytesMut, tried: String },
    Empty,
}

/// Where they go.
pub(super) enum Sink {
    Standard { pieces: mpsc::Sender<Bytes>, done: oneshot::Receiver<io::Result<()>> },
    Stream { stream: Box<dyn AsyncWrite + Unpin + Send>, tried: String },
    Nowhere,
}

/// A local end.
pub(super) struct Ends {
    pub(super) source: Source,
    pub(super) sink: Sink,
    child: Option<Child>,
}

impl Ends {
    /// Opens the end for a pipe to `peer`.
    pub(super) async fn open(kind: &EndKind, peer: PeerId) -> Result<Self, Failure> {
        match kind {
            EndKind::Standard => Ok(Self { source: Source::standard(), sink: Sink::standard(), child: None }),
            EndKind::Exec(command) => Self::exec(command, peer),
            EndKind::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| {
                    Failure::io(format!("connect to {host}:{port} over TCP"), error)
                        .next("see whether a server listens there")
                })?;
                Ok(Self::tcp(stream))
            }
            EndKind::Udp(..) => Err(Failure::usage("datagrams are no pipe")),
        }
    }

    /// A TCP connection.
    pub(super) fn tcp(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        Self {
            source: Source::stream(read, "read from the TCP connection"),
            sink: Sink::stream(write, "write to the TCP connection"),
            child: None,
        }
    }

    fn exec(command: &str, peer: PeerId) -> Result<Self, Failure> {
        let spawned = Command::new("sh")
            .args(["-c", command])
            .env("P2PT_PEER", peer.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| Failure::io(format!("run {command:?}"), error))?;
        let source =
            child.stdout.take().map_or(Source::Empty, |out| Source::stream(out, "read what the command prints"));
        let sink = child.stdin.take().map_or(Sink::Nowhere, |input| Sink::stream(input, "write to the command"));
        Ok(Self { source, sink, child: Some(child) })
    }

    /// Takes the end apart; what is returned last waits for the command.
    pub(super) fn split(self) -> (Source, Sink, Option<Child>) {
        (self.source, self.sink, self.child)
    }
}

/// Waits for a command to end and says whether it was content.
pub(super) async fn ended(child: Option<Child>) -> Result<(), Failure> {
    let Some(mut child) = child else { return Ok(()) };
    let status = child.wait().await.map_err(|error| Failure::io("wait for the command", error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(Status::Failed, "finish the command", status))
}

impl Source {
    fn standard() -> Self {
        let (send, receive) = mpsc::channel(PIECES_AHEAD);
        // A thread, since standard input can't be waited for; it ends with the process.
        std::thread::spawn(move || {
            let mut input = io::stdin().lock();
            loop {
                let mut piece = vec![0; PIECE];
                let read = match input.read(&mut piece) {
                    Ok(0) => return,
                    Ok(read) => Ok(read),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let ends = read.is_err();
                let sent = send.blocking_send(read.map(|read| {
                    piece.truncate(read);
                    Bytes::from(piece)
                }));
                if ends || sent.is_err() {
                    return;
                }
            }
        });
        Self::Standard(receive)
    }

    fn stream(stream: impl AsyncRead + Unpin + Send + 'static, tried: &str) -> Self {
        Self::Stream { stream: Box::new(stream), buffer: BytesMut::new(), tried: tried.to_owned() }
    }

    /// The next piece, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Standard(pieces) => match pieces.recv().await {
                Some(Ok(piece)) => Ok(Some(piece)),
                Some(Err(error)) => Err(Failure::io("read standard input", error)),
                None => Ok(None),
            },
            Self::Stream { stream, buffer, tried } => {
                buffer.reserve(PIECE);
                match stream.read_buf(buffer).await {
                    Ok(0) => Ok(None),
                    Ok(_) => Ok(Some(buffer.split().freeze())),
                    Err(error) => Err(Failure::io(tried.clone(), error)),
                }
            }
            Self::Empty => Ok(None),
        }
    }
}

impl Sink {
    fn standard() -> Self {
        let (pieces, mut received) = mpsc::channel::<Bytes>(PIECES_AHEAD);
        let (tell, done) = oneshot::channel();
        std::thread::spawn(move || {
            let mut output = io::stdout().lock();
            // A terminal is shown the peer's control characters and does not obey them; a pipe gets every byte.
            let mut escaper = output.is_terminal().then(Escaper::default);
            let mut write = || {
                while let Some(piece) = received.blocking_recv() {
                    match &mut escaper {
                        Some(escaper) => output.write_all(escaper.push(&piece).as_bytes())?,
                        None => output.write_all(&piece)?,
                    }
                    // Whoever reads the pipe sees each piece when it comes.
                    output.flush()?;
                }
                Ok(())
            };
            let _ = tell.send(write());
        });
        Self::Standard { pieces, done }
    }

    fn stream(stream: impl AsyncWrite + Unpin + Send + 'static, tried: &str) -> Self {
        Self::Stream { stream: Box::new(stream), tried: tried.to_owned() }
    }

    /// Writes a piece.
    pub(super) async fn write(&mut self, piece: Bytes) -> Result<(), Failure> {
        match self {
            Self::Standard { pieces, done } => {
                if pieces.send(piece).await.is_ok() {
                    return Ok(());
                }
                Err(standard_failed(done.await))
            }
            Self::Stream { stream, tried } => {
                stream.write_all(&piece).await.map_err(|error| Failure::io(tried.clone(), error))
            }
            Self::Nowhere => Ok(()),
        }
    }

    /// Waits until whoever reads here has left. Never returns where that can't be seen.
    pub(super) async fn abandoned(&mut self) -> Failure {
        match self {
            Self::Standard { pieces, done } => {
                pieces.closed().await;
                standard_failed(done.await)
            }
            Self::Stream { .. } | Self::Nowhere => std::future::pending().await,
        }
    }

    /// Ends the output and waits until all of it is written.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Standard { pieces, done } => {
                drop(pieces);
                match done.await {
                    Ok(Ok(())) => Ok(()),
                    other => Err(standard_failed(other)),
                }
            }
            Self::Stream { mut stream, tried } => match stream.shutdown().await {
                // Whoever was there has all it wanted.
                Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(Failure::io(tried, error)),
                _ => Ok(()),
            },
            Self::Nowhere => Ok(()),
        }
    }
}

fn standard_failed(done: Result<io::Result<()>, oneshot::error::RecvError>) -> Failure {
    match done {
        Ok(Err(error)) => stdout_failure(error),
        _ => Failure::new(Status::LocalIo, "write to standard output", "the writing thread ended"),
    }
}
