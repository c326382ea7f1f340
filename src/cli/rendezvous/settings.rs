//! What the command line says, read and checked.

use crate::cli::address::Rendezvous;
use crate::cli::call::Call;
use crate::cli::failure::{Failure, OrFail};
use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// How the service is to run.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) advertise: Option<(String, Option<u16>)>,
    pub(super) developer_keys: Option<BTreeSet<String>>,
    pub(super) redirect_to: Vec<(String, u16)>,
    pub(super) probe_from: Option<IpAddr>,
    pub(super) keepalive: Duration,
    pub(super) flash: bool,
    pub(super) hostname: Option<String>,
}

impl Settings {
    pub(super) fn read(call: &Call) -> Result<Self, Failure> {
        let keepalive = call.duration("keepalive").expect("the table has a default");
        if keepalive < Duration::from_secs(1) {
            return Err(Failure::usage("--keepalive: wanted a second or more"));
        }
        let probe_from = call.text("probe-from").map(|text| {
            text.trim_matches(['[', ']']).parse::<IpAddr>().map_err(|_| {
                Failure::usage(format_args!("--probe-from {text}: wanted an address of this machine, as in 192.0.2.8"))
            })
        });
        Ok(Self {
            listen: call.socket("listen").expect("the table has a default"),
            advertise: call.text("advertise").map(|text| host(&text)).transpose()?,
            developer_keys: call.path("developer-keys").map(|path| developer_keys(&path)).transpose()?,
            redirect_to: call.host_ports("redirect-to"),
            probe_from: probe_from.transpose()?,
            keepalive,
            flash: call.switch("flash"),
            hostname: call.text("hostname"),
        })
    }
}

/// `HOST` or `HOST:PORT`.
fn host(text: &str) -> Result<(String, Option<u16>), Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format_args!("--advertise {text}: {why}"));
    if text.contains(['/', '?', '#']) {
        return Err(wrong(&"wanted HOST or HOST:PORT"));
    }
    let bare = text.parse::<std::net::Ipv6Addr>().is_ok();
    let uri = if bare { format!("rtmfp://[{text}]") } else { format!("rtmfp://{text}") };
    let parsed = Rendezvous::parse(&uri).map_err(|why| wrong(&why))?;
    let parsed = parsed.ok_or_else(|| wrong(&"wanted HOST or HOST:PORT"))?.host;
    let says_port = !bare && text.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    Ok((parsed.host, says_port.then_some(parsed.port)))
}

/// The keys of a file: one a line, without empty lines and those that begin with `#`.
fn developer_keys(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let tried = || format!("read the developer keys in {}", path.display());
    let text = Zeroizing::new(fs::read_to_string(path).or_fail(tried)?);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: BTreeSet<String> = lines.map(str::to_owned).collect();
    if keys.is_empty() {
        return Err(Failure::usage(format_args!("there is no developer key in {}", path.display()))
            .next("write one key a line, or leave --developer-keys away to serve everybody"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertised_host_may_leave_its_port_out() {
        let read = |text: &str| host(text).map_err(|failure| failure.to_string());
        assert_eq!(read("example.org"), Ok(("example.org".into(), None)));
        assert_eq!(read("example.org:7"), Ok(("example.org".into(), Some(7))));
        assert_eq!(read("2001:db8::1"), Ok(("2001:db8::1".into(), None)));
        assert_eq!(read("[2001:db8::1]"), Ok(("2001:db8::1".into(), None)));
        assert_eq!(read("[2001:db8::1]:7"), Ok(("2001:db8::1".into(), Some(7))));
        for wrong in ["", "a/b", "a?id=1", "a#b", "a:70000"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_of_keys_has_one_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "# friends\n\n alpha \nbeta\n").unwrap();
        let keys: Vec<String> = developer_keys(file.path()).unwrap().into_iter().collect();
        assert_eq!(keys, ["alpha", "beta"]);
        fs::write(file.path(), "# nobody\n").unwrap();
        assert!(developer_keys(file.path()).is_err());
    }
}
