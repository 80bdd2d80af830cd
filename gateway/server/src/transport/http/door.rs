//! Who is let in to a request: the name that the sender calls us by, the page that it comes from, and the token. A listener
//! on a loopback address is reached by every browser of the machine, so what a foreign page could send is turned away.

use std::net::SocketAddr;

use causeway_core::{Fault, FaultKind};
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};

use super::options::Options;

/// What a listener asks of every request.
#[derive(Debug, Clone, Default)]
pub(super) struct Door {
    /// Empty: every name.
    hosts: Vec<String>,
    token: Option<String>,
}

impl Door {
    /// The door of a bound listener.
    pub(super) fn new(address: SocketAddr, options: &Options, token: Option<String>) -> Self {
        let port = address.port();
        let mut hosts: Vec<String> = options
            .hosts
            .iter()
            .flat_map(|host| [host.clone(), format!("{host}:{port}")])
            .collect();
        if address.ip().is_loopback() {
            hosts.push(address.to_string());
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}")));
        }
        Self { hosts, token }
    }

    /// Why a request is not let in.
    pub(super) fn turns_away(&self, headers: &HeaderMap) -> Option<Fault> {
        let host = text(headers, HOST);
        if !self.hosts.is_empty() && !self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            let why = "this listener does not answer to that Host";
            return Some(Fault::new(FaultKind::Misdirected, why));
        }
        let origin = text(headers, ORIGIN);
        let own = origin.split_once("://").is_some_and(|(_, name)| name == host);
        if !origin.is_empty() && !own {
            let why = "requests of pages of other origins are not taken";
            return Some(Fault::new(FaultKind::Forbidden, why));
        }
        if self.token.as_ref().is_some_and(|token| !knows(headers, token)) {
            let why = "Authorization: Bearer TOKEN is needed";
            return Some(Fault::new(FaultKind::Unauthenticated, why));
        }
        None
    }
}

/// A header field as text; empty where it is not there or none.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn knows(headers: &HeaderMap, token: &str) -> bool {
    let given = text(headers, AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
    // Every byte is looked at, so that time tells nothing.
    let differing = given.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == token.len() && differing == 0
}
