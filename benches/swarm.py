#!/usr/bin/env python3
"""One file from one to many on loopback, with p2pt and with BitTorrent clients, as real processes.

    benches/swarm.py [--size 1G] [--fetchers 8] [--rounds 3] [--only NAME,...] [--folder DIR] [--p2pt PROGRAM]

The tools take turns within a round, so that a disturbance hits all of them; the figures are medians over the rounds.
Counted is from when the fetchers start, the one who shares being ready, until the last of them has all: the time that
passed, and what all processes together used of the processors. Everybody shares until then. What came is compared
byte for byte afterwards. A tool that is not installed is passed over; only Python's own library is needed.

p2pt encrypts and authenticates everything and looks for the others by itself; the BitTorrent clients speak plain TCP
and are told of each other by a tracker, which is this script.
"""

import argparse
import hashlib
import http.server
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

PATIENCE = 900
TICKS = os.sysconf("SC_CLK_TCK")


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


class Tracker:
    """Tells everybody of everybody."""

    def __init__(self):
        peers = self.peers = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query, encoding="latin-1")
                own = (self.client_address[0], int(query["port"][0]))
                others = peers.setdefault(query["info_hash"][0], set())
                compact = b"".join(
                    bytes(map(int, host.split("."))) + port.to_bytes(2, "big") for host, port in others - {own}
                )
                others.add(own)
                body = bencode({"interval": 5, "min interval": 1, "peers": compact})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/announce"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def torrent(file, url):
    """A torrent with pieces of 1 MiB, as p2pt has for 1 GiB."""
    pieces = b""
    with open(file, "rb") as data:
        while piece := data.read(1 << 20):
            pieces += hashlib.sha1(piece).digest()
    info = {"name": "film", "length": file.stat().st_size, "piece length": 1 << 20, "pieces": pieces}
    return bencode({"announce": url, "info": info})


class P2pt:
    def __init__(self, program):
        self.program = program

    def place(self, place):
        environment = dict(os.environ, XDG_DATA_HOME=str(place), XDG_STATE_HOME=str(place), XDG_CACHE_HOME=str(place))
        return {"env": environment, "cwd": place}

    def seed(self, bench, place):
        self.address = place / "address"
        command = [self.program, "replicate-file", "share", "-q", "--ready-file", self.address, bench.film]
        child = bench.start(command, place, **self.place(place))
        bench.wait(lambda: self.address.exists() and self.address.read_text().endswith("\n"))
        return child

    def fetch(self, bench, place, _number):
        command = [self.program, "replicate-file", "fetch", "--json", "--stay", "-o", "film", f"@{self.address}"]
        return bench.start(command, place, **self.place(place))

    def is_done(self, place):
        return (place / "film").exists()


class Aria2:
    program = "aria2c"
    # Nothing that looks for others elsewhere or waits; files grow as they come, with p2pt as well.
    options = [
        "--no-conf", "--quiet", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
        "--file-allocation=none", "--seed-ratio=0", "--seed-time=60", "--bt-max-peers=100", "--disable-ipv6",
        "--bt-tracker-interval=1", "--summary-interval=0",
    ]

    def run(self, bench, place, *options):
        command = [self.program, *self.options, *options, f"--dir={place}"]
        return bench.start([*command, f"--listen-port={bench.port()}", bench.torrent()], place)

    def seed(self, bench, place):
        (place / "film").hardlink_to(bench.film)
        child = self.run(bench, place, "--bt-seed-unverified=true")
        bench.wait(lambda: any(bench.tracker.peers.values()))
        return child

    def fetch(self, bench, place, _number):
        hook = place / "hook"
        hook.write_text('#!/bin/sh\n: >"${0%/*}/done"\n')
        hook.chmod(0o755)
        return self.run(bench, place, f"--on-bt-download-complete={hook}")

    def is_done(self, place):
        return (place / "done").exists()


class Rqbit:
    # Nothing that looks for others elsewhere.
    options = [
        "-v", "info", "--disable-dht", "--disable-lsd", "--disable-upnp-port-forward", "--ipv4-only",
        "--listen-ip", "127.0.0.1", "-i", "1s",
    ]

    def __init__(self, program):
        self.program = program

    def run(self, bench, place):
        port = str(bench.port())
        command = [self.program, *self.options, "--listen-port", port, "--announce-port", port, "download"]
        return bench.start([*command, "--disable-http-api", "--overwrite", "-o", place, bench.torrent()], place)

    def seed(self, bench, place):
        (place / "film").hardlink_to(bench.film)
        child = self.run(bench, place)
        bench.wait(lambda: any(bench.tracker.peers.values()))
        return child

    def fetch(self, bench, place, _number):
        return self.run(bench, place)

    def is_done(self, place):
        return b"torrent finished downloading" in (place / "log").read_bytes()


class Bench:
    def __init__(self, folder, size, fetchers):
        self.folder = folder
        self.fetchers = fetchers
        self.children = []
        self.film = folder / "film"
        self.last_port = 20000 + os.getpid() % 20000
        with open(self.film, "wb") as film:
            for _ in range(size >> 20):
                film.write(os.urandom(1 << 20))
        self.tracker = Tracker()
        self.made = None

    def torrent(self):
        if self.made is None:
            self.made = self.folder / "film.torrent"
            self.made.write_bytes(torrent(self.film, self.tracker.url))
        return self.made

    def port(self):
        self.last_port += 1
        return self.last_port

    def start(self, command, place, **how):
        with open(place / "log", "wb") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **how)
        self.children.append((child, place))
        return child

    def wait(self, until):
        begun = time.monotonic()
        while not until():
            for child, place in self.children:
                if child.poll() is not None:
                    said = (place / "log").read_text(errors="replace")
                    raise SystemExit(f"{child.args[0]} has ended with {child.returncode}: {said}")
            if time.monotonic() > begun + PATIENCE:
                raise SystemExit("this takes too long")
            time.sleep(0.02)

    def used(self):
        """Seconds of processor of all children, by user and system."""
        user, system = 0, 0
        for child, _ in self.children:
            fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
            user, system = user + int(fields[11]), system + int(fields[12])
        return user / TICKS, system / TICKS

    def run(self, tool):
        """Time passed, and processor time by user and system."""
        self.tracker.peers.clear()
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            places = [Path(own) / str(number) for number in range(self.fetchers + 1)]
            for place in places:
                place.mkdir()
            try:
                tool.seed(self, places[0])
                before, begun = self.used(), time.monotonic()
                for number, place in enumerate(places[1:]):
                    tool.fetch(self, place, number)
                self.wait(lambda: all(map(tool.is_done, places[1:])))
                wall, after = time.monotonic() - begun, self.used()
            finally:
                for child, _ in self.children:
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                self.children.clear()
            for place in places[1:]:
                subprocess.run(["cmp", "--", self.film, place / "film"], check=True)
        return wall, after[0] - before[0], after[1] - before[1]


def size(text):
    return int(text[:-1]) << {"G": 30, "M": 20}[text[-1]]


def main():
    of = argparse.ArgumentParser(description="One file from one to many on loopback, by several tools.")
    of.add_argument("--size", type=size, default=1 << 30, help="in M or G (default: 1G)")
    of.add_argument("--fetchers", type=int, default=8)
    of.add_argument("--rounds", type=int, default=3)
    of.add_argument("--only", help="names, divided by commas")
    of.add_argument("--folder", help="where the files go: the size times one more than the fetchers (default: $TMPDIR)")
    own = Path(__file__).resolve().parent.parent / "target/release/p2pt"
    of.add_argument("--p2pt", default=own, help="default: what cargo build --release made")
    of.add_argument("--rqbit", default=os.environ.get("RQBIT", "rqbit"), help="default: $RQBIT, or what is on the path")
    args = of.parse_args()
    tools = {"p2pt": P2pt(args.p2pt), "aria2": Aria2(), "rqbit": Rqbit(args.rqbit)}
    for name in list(tools):
        if args.only and name not in args.only.split(","):
            del tools[name]
        elif not shutil.which(tools[name].program):
            print(f"{name} is passed over: {tools[name].program} is not installed")
            del tools[name]
    runs = {name: [] for name in tools}
    with tempfile.TemporaryDirectory(prefix="swarm-", dir=args.folder) as folder:
        bench = Bench(Path(folder), args.size, args.fetchers)
        print(f"{args.size >> 20} MiB from one to {args.fetchers}, medians of {args.rounds} rounds")
        for number in range(args.rounds):
            for name, tool in tools.items():
                wall, user, system = bench.run(tool)
                runs[name].append((wall, user + system, user, system))
                print(f"  round {number + 1} {name:8} {wall:7.2f} s, {user:6.2f} + {system:6.2f} s of processor", file=sys.stderr)
    best = None
    medians = {name: [statistics.median(column) for column in zip(*found)] for name, found in runs.items()}
    others = [found for name, found in medians.items() if name != "p2pt"]
    if others:
        best = [min(column) for column in zip(*others)]
    print(f"{'':8} {'wall s':>8} {'of best':>8} {'cpu s':>8} {'of best':>8} {'user s':>8} {'system s':>8}")
    for name, (wall, cpu, user, system) in medians.items():
        ratio = [f"{value / least:.2f}" for value, least in zip((wall, cpu), best)] if best else ["-", "-"]
        print(f"{name:8} {wall:8.2f} {ratio[0]:>8} {cpu:8.2f} {ratio[1]:>8} {user:8.2f} {system:8.2f}")


if __name__ == "__main__":
    main()
