//! What several test files share: running the binary, and saying loudly what was skipped.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod schema;
pub mod skip;

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// More than any command needs that does not wait for the network.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The binary under test.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_p2pt"))
}

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A home of its own for a test, so that no user's identity is read or made.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the identity is.
    pub fn identity(&self) -> PathBuf {
        self.path().join("data/p2pt/identity")
    }

    /// The binary with these arguments, this home, and nothing of ours in the environment; no input, output taken.
    pub fn p2pt<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(binary());
        command.args(args);
        self.clean(&mut command);
        command
    }

    /// The same for any program.
    pub fn clean(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("P2PT_") {
                command.env_remove(name);
            }
        }
        command.env_remove("NO_COLOR").env("HOME", self.path()).env("XDG_DATA_HOME", self.path().join("data"));
        command.env("XDG_STATE_HOME", self.path().join("state")).env("XDG_RUNTIME_DIR", self.path());
        command.env("RUST_BACKTRACE", "0").env("TERM", "xterm");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Runs it to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ended {
        Running::start(&mut self.p2pt(args)).end(PATIENCE)
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status as a shell counts it: 128 and the signal for those that died of one.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub took: Duration,
}

impl Ended {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("standard output is text")
    }
}

/// A command on its way. Its output is read meanwhile, so it never stands still for that; dropped, it is killed.
pub struct Running {
    pub child: Child,
    stdout: Taken,
    stderr: Taken,
    started: Instant,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let started = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = Taken::from(child.stdout.take());
        let stderr = Taken::from(child.stderr.take());
        Self { child, stdout, stderr, started }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// What has come out of standard error so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.stderr.so_far()).into_owned()
    }

    /// What has come out of standard output so far.
    pub fn wrote(&self) -> String {
        String::from_utf8_lossy(&self.stdout.so_far()).into_owned()
    }

    /// How many bytes have come out of standard output so far.
    pub fn wrote_bytes(&self) -> usize {
        self.stdout.bytes.lock().unwrap().len()
    }

    /// Waits until something holds of it; what never does fails the test.
    pub fn await_that(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "never came: {what}; it said: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end; a command that has not ended in time fails the test.
    pub fn end(mut self, patience: Duration) -> Ended {
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("still running after {patience:?}; it said: {}", self.said());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let took = self.started.elapsed();
        let stdout = self.stdout.whole();
        let stderr = String::from_utf8_lossy(&self.stderr.whole()).into_owned();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status).map_or(0, |signal| signal + 128);
        Ended { status: status.code().unwrap_or(signal), stdout, stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes out of a pipe, taken as it comes.
#[derive(Default)]
struct Taken {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Taken {
    fn from(pipe: Option<impl Read + Send + 'static>) -> Self {
        let Some(mut pipe) = pipe else { return Self::default() };
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 1 << 16];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    fn whole(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}
