//! A small internet in network namespaces: a wide segment, a server with two addresses, and sites behind NATs of the
//! four kinds of RFC 4787. Needs root, `ip` and `nft`; everything is removed on drop.
#![allow(dead_code, reason = "each test program uses its part")]

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What stands between a site's host and the wide segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// Nothing: the host has a public address.
    None,
    /// Endpoint-independent mapping and filtering.
    FullCone,
    /// Endpoint-independent mapping, address-dependent filtering, for each inner port by itself.
    AddressRestricted,
    /// Endpoint-independent mapping, address-and-port-dependent filtering.
    PortRestricted,
    /// Address-and-port-dependent mapping and filtering.
    Symmetric,
}

/// One host and its NAT.
#[derive(Debug, Clone)]
pub struct Site {
    /// Namespace of the host.
    pub host: String,
    /// Address on the wide segment.
    pub outer: Ipv4Addr,
    number: u8,
}

/// The namespaces of one test.
pub struct Lab {
    prefix: String,
    namespaces: Vec<String>,
    sites: u8,
}

/// The server's addresses.
pub const SERVER: [Ipv4Addr; 2] = [Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(198, 51, 100, 2)];

impl Lab {
    /// Why no lab can be made here, if so.
    pub fn unavailable() -> Option<String> {
        for tool in ["ip", "nft"] {
            let found = Command::new(tool).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if found.is_err() {
                return Some(format!("`{tool}` is not installed"));
            }
        }
        static TRIES: AtomicU32 = AtomicU32::new(0);
        let name = format!("p2pt-try-{}-{}", std::process::id(), TRIES.fetch_add(1, Ordering::Relaxed));
        if let Err(error) = run("ip", &["netns", "add", &name]) {
            return Some(format!("network namespaces can't be made (root needed?): {error}"));
        }
        let rules = "table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }";
        let nat = run("ip", &["netns", "exec", &name, "nft", rules]);
        let _ = run("ip", &["netns", "del", &name]);
        nat.err().map(|error| format!("the kernel offers no NAT: {error}"))
    }

    /// A wide segment with the server on it.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("p2pt{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut lab = Self { prefix, namespaces: Vec::new(), sites: 0 };
        let wide = lab.namespace("wide");
        lab.ip(&["-n", &wide, "link", "add", "br0", "type", "bridge"]);
        lab.ip(&["-n", &wide, "link", "set", "br0", "up"]);
        let server = lab.namespace("server");
        lab.attach(&server, "e0", SERVER[0]);
        lab.ip(&["-n", &server, "addr", "add", &format!("{}/24", SERVER[1]), "dev", "e0"]);
        lab
    }

    /// Namespace of the server.
    pub fn server(&self) -> String {
        format!("{}-server", self.prefix)
    }

    /// Adds a host behind a NAT of this kind.
    pub fn site(&mut self, nat: Nat) -> Site {
        let number = self.sites;
        self.sites += 1;
        let outer = Ipv4Addr::new(198, 51, 100, 10 + number);
        let host = self.namespace(&format!("h{number}"));
        if nat == Nat::None {
            self.attach(&host, "e0", outer);
            return Site { host, outer, number };
        }
        let router = self.namespace(&format!("n{number}"));
        self.attach(&router, "w1", outer);
        let inner = Ipv4Addr::new(10, 1, number, 2);
        let gateway = Ipv4Addr::new(10, 1, number, 1);
        self.link(&router, "l1", gateway, &host, "e0", inner);
        self.ip(&["-n", &host, "route", "add", "default", "via", &gateway.to_string()]);
        self.exec(&router, "sysctl", &["-qw", "net.ipv4.ip_forward=1"]);
        self.exec(&router, "nft", &[&nat_rules(nat, inner)]);
        Site { host, outer, number }
    }

    /// Gives the site's host (behind no NAT) another public address in place of the one it has.
    pub fn move_host(&self, site: &Site) -> Ipv4Addr {
        let new = Ipv4Addr::new(198, 51, 100, 110 + site.number);
        self.ip(&["-n", &site.host, "addr", "add", &format!("{new}/24"), "dev", "e0"]);
        self.ip(&["-n", &site.host, "addr", "del", &format!("{}/24", site.outer), "dev", "e0"]);
        // Removing the primary address may take the secondary with it.
        let _ = run("ip", &["-n", &site.host, "addr", "add", &format!("{new}/24"), "dev", "e0"]);
        new
    }

    /// Limits what the site's host sends, by a token bucket.
    pub fn shape(&self, site: &Site, rate: &str) {
        let shape = ["qdisc", "replace", "dev", "e0", "root", "tbf", "rate", rate, "burst", "64kb", "latency", "50ms"];
        self.exec(&site.host, "tc", &shape);
    }

    /// Lets so many of a hundred datagrams to this address, `IP:PORT`, not reach the site's host.
    pub fn lose(&self, site: &Site, address: &str, percent: u32) {
        if percent > 0 {
            let (ip, port) = address.split_once(':').expect("an address and a port");
            let rules = format!(
                "table ip lossy {{ chain in {{ type filter hook input priority 0; \
                 ip daddr {ip} udp dport {port} numgen random mod 100 < {percent} drop; }}; }};"
            );
            self.exec(&site.host, "nft", &[&rules]);
        }
    }

    /// A command that will run in `namespace`.
    pub fn command(&self, namespace: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, program]);
        command
    }

    fn namespace(&mut self, name: &str) -> String {
        let full = format!("{}-{name}", self.prefix);
        self.ip(&["netns", "add", &full]);
        self.namespaces.push(full.clone());
        self.ip(&["-n", &full, "link", "set", "lo", "up"]);
        full
    }

    /// Joins `namespace` to the wide segment.
    fn attach(&self, namespace: &str, device: &str, address: Ipv4Addr) {
        let wide = format!("{}-wide", self.prefix);
        let port = format!("p{}", address.octets()[3]);
        self.ip(&["-n", &wide, "link", "add", &port, "type", "veth", "peer", "name", device, "netns", namespace]);
        self.ip(&["-n", &wide, "link", "set", &port, "master", "br0", "up"]);
        self.up(namespace, device, address);
    }

    fn link(&self, a: &str, a_device: &str, a_addr: Ipv4Addr, b: &str, b_device: &str, b_addr: Ipv4Addr) {
        self.ip(&["-n", a, "link", "add", a_device, "type", "veth", "peer", "name", b_device, "netns", b]);
        self.up(a, a_device, a_addr);
        self.up(b, b_device, b_addr);
    }

    fn up(&self, namespace: &str, device: &str, address: Ipv4Addr) {
        self.ip(&["-n", namespace, "addr", "add", &format!("{address}/24"), "dev", device]);
        self.ip(&["-n", namespace, "link", "set", device, "up"]);
    }

    fn exec(&self, namespace: &str, program: &str, arguments: &[&str]) {
        let mut all = vec!["netns", "exec", namespace, program];
        all.extend(arguments);
        self.ip(&all);
    }

    fn ip(&self, arguments: &[&str]) {
        run("ip", arguments).unwrap_or_else(|error| panic!("ip {}: {error}", arguments.join(" ")));
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for namespace in &self.namespaces {
            let _ = run("ip", &["netns", "del", namespace]);
        }
    }
}

fn nat_rules(nat: Nat, inner: Ipv4Addr) -> String {
    let masquerade = if nat == Nat::Symmetric { "masquerade random" } else { "masquerade" };
    let common = format!(
        "table ip p2pt {{ chain out {{ type nat hook postrouting priority 100; oifname \"w1\" {masquerade}; }}; }};"
    );
    let forward = |only: &str| {
        format!(
            "table ip p2pt {{ chain in {{ type nat hook prerouting priority -100; \
             iifname \"w1\" {only} udp dport 1024-65535 dnat to {inner}; }}; }};"
        )
    };
    // Without this an early packet from outside would take the port, and the mapping would no longer be preserved.
    let closed =
        "table ip p2pt { chain local { type filter hook input priority 0; iifname \"w1\" ct state new drop; }; };";
    match nat {
        Nat::None => String::new(),
        Nat::FullCone => format!("{common} {}", forward("")),
        Nat::AddressRestricted => format!(
            "table ip p2pt {{ set seen {{ type ipv4_addr . inet_service; flags dynamic, timeout; timeout 60s; }}; \
             chain watch {{ type filter hook forward priority 0; \
             oifname \"w1\" add @seen {{ ip daddr . udp sport }}; }}; }}; \
             {common} {} {closed}",
            forward("ip saddr . udp dport @seen")
        ),
        Nat::PortRestricted | Nat::Symmetric => format!("{common} {closed}"),
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}
