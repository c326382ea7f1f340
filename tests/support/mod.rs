//! What several test files share: running the binary, and saying loudly what was skipped.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod schema;
pub mod skip;

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    started: Instant,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let started = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().map(reader);
        let stderr = child.stderr.take().map(reader);
        Self { child, stdout, stderr, started }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
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
                let said = self.stderr.take().map(|reader| reader.join().unwrap()).unwrap_or_default();
                panic!("still running after {patience:?}; it said: {}", String::from_utf8_lossy(&said));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let took = self.started.elapsed();
        let taken =
            |reader: Option<JoinHandle<Vec<u8>>>| reader.map(|reader| reader.join().unwrap()).unwrap_or_default();
        let stdout = taken(self.stdout.take());
        let stderr = String::from_utf8_lossy(&taken(self.stderr.take())).into_owned();
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

fn reader(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        all
    })
}
