//! What follows from a FHIR server's answer: by its status, and for a transaction that was taken by the status of each entry,
//! since a server that works entry by entry may say 200 and have refused one. 401, 403, 407 and redirects are about this
//! gateway and not about what it sends, as is a 404 or 405 that no FHIR server said: the destination rests and nothing is
//! lost until somebody put it right.

use std::time::Duration;

use causeway_core::fhir::{Limits, NodeId, Tree, parse};
use hyper::header::{HeaderMap, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::ANSWER;
use crate::outbox::{Class, Delivered, Failure};

/// The longest that a server can ask for.
const LONGEST: Duration = Duration::from_hours(24);

/// What an answer means.
pub(super) fn judge(status: u16, wait: Option<Duration>, body: &[u8]) -> Result<Delivered, Failure> {
    if (200..300).contains(&status) {
        return taken(status, body);
    }
    let spoken = || tree(body).is_some_and(|tree| is(&tree, "OperationOutcome"));
    let (class, cause) = match status {
        401 => (Class::Busy, "HTTP 401: the peer wants another token".to_owned()),
        403 => (Class::Busy, "HTTP 403: the peer does not let us write".to_owned()),
        300..=399 => (Class::Busy, format!("HTTP {status}: redirects are not followed")),
        404 | 405 if !spoken() => (Class::Busy, format!("HTTP {status}: no FHIR server is there")),
        407 | 429 | 503 => (Class::Busy, format!("HTTP {status}")),
        _ => (class(status), format!("HTTP {status}")),
    };
    Err(Failure {
        retry_after: wait,
        ..Failure::new(class, cause)
    })
}

/// What another status says of what was sent: 408, 409, 412, 423 and 5xx may pass.
fn class(status: u16) -> Class {
    match status {
        408 | 409 | 412 | 423 | 429 => Class::Failed,
        400..=499 => Class::Rejected,
        _ => Class::Failed,
    }
}

/// Whether every entry was taken.
fn taken(status: u16, body: &[u8]) -> Result<Delivered, Failure> {
    let tree = tree(body).filter(|tree| is(tree, "Bundle"));
    let kind = tree.as_ref().and_then(|tree| tree.get_str(NodeId::ROOT, "type"));
    let (Some(tree), Some("transaction-response" | "batch-response")) = (&tree, kind) else {
        let cause = format!("HTTP {status} without a transaction-response");
        return Err(Failure::new(Class::Failed, cause));
    };
    let entries = tree.get(NodeId::ROOT, "entry").map(|entries| tree.children(entries));
    let refused = entries.into_iter().flatten().map(|entry| said(tree, entry));
    let refused = refused.filter(|said| !(200..300).contains(said));
    // The one that says most about trying again: what will never be taken.
    match refused.max_by_key(|said| class(*said)) {
        None => Ok(Delivered::said(status.to_string())),
        Some(said) => Err(Failure::new(class(said), format!("HTTP {status}, an entry {said}"))),
    }
}

/// The status of an entry, `201 Created`; 0 where there is none.
fn said(tree: &Tree, entry: NodeId) -> u16 {
    let response = tree.get(entry, "response");
    let status = response.and_then(|response| tree.get_str(response, "status"));
    let digits = status.and_then(|status| status.split(' ').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn tree(body: &[u8]) -> Option<Tree> {
    let limits = Limits {
        bytes: ANSWER,
        ..Limits::default()
    };
    parse(body, limits).ok()
}

fn is(tree: &Tree, kind: &str) -> bool {
    tree.get_str(NodeId::ROOT, "resourceType") == Some(kind)
}

/// How long a server wants to be left alone, as seconds or a date (RFC 9110 10.2.3).
pub(super) fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = said.parse().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| {
        let until = DateTimeParser::new().parse_timestamp(said).ok()?;
        Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
    })?;
    Some(wait.min(LONGEST))
}
