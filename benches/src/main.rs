//! Moves the same bytes over loopback, between two processes, with p2pt and with quinn, and prints the ratios.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml -- [--size 2G] [--rounds 3] [--only NAME,…] [--echo] [--handshakes]`
//!
//! The candidates take turns within a round, so that a disturbance hits all of them; the figures are medians over the
//! rounds. Sender and receiver are processes of their own, one on each of two processors where there are two, each with
//! one thread.

mod measure;
mod quic;
mod rtmfp;

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use measure::{Side, Task};
use rtmfp::Profile;

/// Bytes of one write.
const MESSAGE: usize = 64 << 10;
/// Bytes of a question, and of its answer.
const QUESTION: usize = 100;
/// Largest UDP payload.
const MTU: u16 = 1452;
/// Socket buffers asked for.
const BUFFER: usize = 7 << 20;
/// What is compared; the last is the measure.
const CANDIDATES: [&str; 3] = ["strong", "flash", "quinn"];

/// What one run brought, or the median of several.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    wall: f64,
    sender_cpu: f64,
    receiver_cpu: f64,
    count: f64,
    p50: f64,
    p99: f64,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "--part") {
        return part(&args[1..]);
    }
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let rounds = value("--rounds").map_or(3, |text| text.parse().expect("--rounds takes a number"));
    let only: Vec<&str> = match value("--only") {
        Some(names) => names.split(',').collect(),
        None => CANDIDATES.to_vec(),
    };
    let size = value("--size").map_or(2 << 30, |text| bytes(text));
    if has("--echo") {
        println!("{QUESTION}-byte message and its echo, microseconds, medians of {rounds} rounds");
        println!("{:10} {:>8} {:>8}", "", "p50", "p99");
        for (name, run) in measure_all(&only, rounds, "echo 20000") {
            println!("{name:10} {:8.1} {:8.1}", run.p50, run.p99);
        }
    } else if has("--handshakes") {
        println!("sessions set up per second, 8 side by side, medians of {rounds} rounds");
        println!("{:10} {:>8} {:>14}", "", "per s", "ms cpu, dialler");
        for (name, run) in measure_all(&only, rounds, "handshakes 3") {
            println!("{name:10} {:8.0} {:14.2}", run.count / run.wall, run.sender_cpu / run.count * 1e3);
        }
    } else {
        bulk(&only, rounds, size);
    }
}

fn bulk(only: &[&str], rounds: usize, size: u64) {
    println!("{:.3} GB over loopback, medians of {rounds} rounds", size as f64 / 1e9);
    println!("{:10} {:>8} {:>9} {:>12} {:>14}", "", "MB/s", "of quinn", "cpu-s/GB out", "cpu-s/GB in");
    let runs = measure_all(only, rounds, &format!("bulk {size}"));
    let quinn = runs.iter().find(|(name, _)| *name == "quinn").map(|(_, run)| run.wall);
    for (name, run) in &runs {
        let gigabytes = size as f64 / 1e9;
        println!(
            "{name:10} {:8.0} {:>9} {:12.3} {:14.3}",
            gigabytes * 1e3 / run.wall,
            quinn.map_or_else(|| "-".to_owned(), |quinn| format!("{:.2}", quinn / run.wall)),
            run.sender_cpu / gigabytes,
            run.receiver_cpu / gigabytes,
        );
    }
}

/// Runs each candidate in each round; the medians.
fn measure_all<'a>(only: &[&'a str], rounds: usize, task: &str) -> Vec<(&'a str, Run)> {
    let mut runs: Vec<(&str, Vec<Run>)> = only.iter().map(|name| (*name, Vec::new())).collect();
    for _ in 0..rounds {
        for (name, found) in &mut runs {
            found.push(run(name, task));
        }
    }
    runs.into_iter().map(|(name, found)| (name, median(&found))).collect()
}

fn median(runs: &[Run]) -> Run {
    let of = |field: fn(&Run) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(field).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Run {
        wall: of(|run| run.wall),
        sender_cpu: of(|run| run.sender_cpu),
        receiver_cpu: of(|run| run.receiver_cpu),
        count: of(|run| run.count),
        p50: of(|run| run.p50),
        p99: of(|run| run.p99),
    }
}

/// One run of one candidate: two processes.
fn run(name: &str, task: &str) -> Run {
    let (mut server, mut said) = start(&format!("{name} {task} 1 serve"));
    let ready = find(&mut said, "ready");
    let (mut dialler, mut result) = start(&format!("{name} {task} 0 dial {ready}"));
    let sent = numbers(&find(&mut result, "result"));
    let received = if task.starts_with("handshakes") { vec![0.0; 5] } else { numbers(&find(&mut said, "result")) };
    dialler.wait().expect("the dialler ends");
    let _ = server.kill();
    server.wait().expect("the server ends");
    Run { wall: sent[0], sender_cpu: sent[1], receiver_cpu: received[1], count: sent[2], p50: sent[3], p99: sent[4] }
}

fn start(part: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let own = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(own);
    command.arg("--part").args(part.split(' ')).stdout(Stdio::piped());
    let mut child = command.spawn().expect("this program starts again");
    let out = child.stdout.take().expect("asked for above");
    (child, BufReader::new(out).lines())
}

fn find(lines: &mut Lines<BufReader<ChildStdout>>, word: &str) -> String {
    for line in lines {
        let line = line.expect("text");
        if let Some(rest) = line.strip_prefix(word) {
            return rest.trim().to_owned();
        }
    }
    panic!("a part ended without saying {word}");
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(' ').map(|number| number.parse().expect("a number")).collect()
}

/// What a part does: NAME TASK ARGUMENT PROCESSOR serve, or the same with dial ADDRESS CREDENTIAL.
fn part(args: &[String]) {
    let task = match args[1].as_str() {
        "bulk" => Task::Bulk(args[2].parse().expect("bytes")),
        "echo" => Task::Echo(args[2].parse().expect("a number")),
        _ => Task::Handshakes(Duration::from_secs(args[2].parse().expect("seconds"))),
    };
    let mut own = rustix::thread::CpuSet::new();
    own.set(args[3].parse().expect("a processor"));
    // With one processor only, or a forbidden one, the scheduler decides.
    let _ = rustix::thread::sched_setaffinity(None, &own);
    let mut side = Side::new(task);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let profile = if args[0] == "flash" { Profile::Flash } else { Profile::Strong };
    let quinn = args[0] == "quinn";
    if args[4] == "serve" {
        runtime.block_on(async {
            if quinn { quic::serve(&mut side).await } else { rtmfp::serve(&mut side, profile).await }
        });
    } else {
        let to: SocketAddr = args[5].parse().expect("an address");
        let credential = unhex(&args[6]);
        runtime.block_on(async {
            if quinn {
                quic::dial(&mut side, to, &credential).await;
            } else {
                rtmfp::dial(&mut side, profile, to, &credential).await;
            }
        });
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("hex") as u8;
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// `2G`, `512M`, `100K` or a plain number, in powers of 1,024.
fn bytes(text: &str) -> u64 {
    let (number, shift) = match text.as_bytes().last() {
        Some(b'G') => (&text[..text.len() - 1], 30),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'K') => (&text[..text.len() - 1], 10),
        _ => (text, 0),
    };
    number.parse::<u64>().expect("--size takes a number and K, M or G") << shift
}
