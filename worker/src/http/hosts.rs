//! The hosts for which a deployment accepts requests while authentication is off.
//!
//! A page that a developer visits can let the name of its own host resolve to this machine (DNS rebinding). Then its requests
//! seem to come from a page of this machine. Only the header `Host` still has the name that they were sent to. So a deployment
//! without authentication accepts only requests for this machine, and for the hosts in the variable `SILLOK_HOSTS`.

use std::net::Ipv4Addr;

use sillok::ErrorCode;
use sillok_bridge::Failure;

use super::problem::Problem;
use super::request::{Request, header};
use crate::auth::Policy;

/// Refuses a request for another host, if authentication is off. A request of another Worker over a service binding has no such
/// header. No page can send such a request.
pub(super) fn check_host(request: &Request, policy: &Policy) -> Result<(), Problem> {
    let Policy::Off { hosts } = policy else { return Ok(()) };
    match header(request, "Host") {
        Some(host) if !is_this_machine(&host) && !names(hosts, &host) => {
            let detail = format!(
                "`Host` is {host}; without authentication it must be this machine or a host in SILLOK_HOSTS"
            );
            Err(Failure::new(ErrorCode::HostNotAllowed, detail).in_field("Host").into())
        }
        _ => Ok(()),
    }
}

/// Whether a host, with or without a port, is this machine: `localhost`, a name below it, or a loopback address.
pub(super) fn is_this_machine(authority: &str) -> bool {
    let host = host_of(authority).to_ascii_lowercase();
    let is_loopback = host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback());
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || is_loopback
}

/// Whether a list of hosts contains this one. A host without a port stands for all ports.
fn names(hosts: &[String], authority: &str) -> bool {
    let is_it = |named: &String| {
        named.eq_ignore_ascii_case(authority) || named.eq_ignore_ascii_case(host_of(authority))
    };
    hosts.iter().any(is_it)
}

/// An authority without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine() {
        for host in
            ["localhost", "LOCALHOST:8787", "a.localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:80"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "notlocalhost",
            "127.0.0.1.example.com",
            "127.evil.example",
            "128.0.0.1",
            "0.0.0.0",
            "[::2]:80",
            "localhost:80:80",
            "localhost@evil.example",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn hosts_that_are_named() {
        let hosts = ["bank.test", "Dev.Example:8787"].map(str::to_owned);
        for host in ["bank.test", "BANK.test:99", "dev.example:8787"] {
            assert!(names(&hosts, host), "{host}");
        }
        for host in ["", "dev.example", "dev.example:1", "a.bank.test", "bank.test.evil", ","] {
            assert!(!names(&hosts, host), "{host}");
        }
        assert!(!names(&[], "") && !names(&[], "bank.test"));
    }
}
