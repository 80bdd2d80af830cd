//! No, before a request is a frame: in the words of the API that stands at its path, else in a sentence. And what is said on
//! a connection where no request came through at all, made ready once, since there may be many to say it to.

use bytes::Bytes;
use causeway_core::{Fault, FaultKind, Head, HttpHead, Leave};
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use hyper::body::Body;

use super::response::{self, Answer, of_fault};
use super::route::{Kind, Route};
use crate::replies::Outgoing;

/// Says no to a request at a route, or where nothing is.
pub(super) fn no(route: Option<&Route>, head: HttpHead, fault: Fault) -> Answer {
    match route {
        Some(route) if matches!(route.kind, Kind::Rest { .. }) => {
            let reply = (route.refuse)(&Head::Http(Box::new(head)), &[], fault.clone());
            let leave = Leave::NotKept(fault);
            response::replies(&[Outgoing { leave, reply }], "application/octet-stream")
        }
        _ => response::said(of_fault(fault.kind), &fault.outside),
    }
}

/// Who speaks where no path says it: the first API of a listener.
pub(super) fn speaker(routes: &[Route]) -> Option<&Route> {
    routes.iter().find(|route| matches!(route.kind, Kind::Rest { .. }))
}

/// What is said on connections, as the bytes that are sent before they are closed.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    /// All places are taken.
    pub(super) full: Bytes,
    /// One address has too many.
    pub(super) too_many: Bytes,
    /// A header did not come to its end in time.
    pub(super) late: Bytes,
    /// What cannot be read, by the status of it.
    garbled: [(StatusCode, Bytes); 3],
}

impl LastWords {
    /// Those of a listener with these routes.
    pub(super) fn of(routes: &[Route]) -> Self {
        let speaker = speaker(routes);
        let words = |status: Option<StatusCode>, kind, text: &'static str| {
            let mut answer = no(speaker, HttpHead::default(), Fault::new(kind, text));
            if let Some(status) = status {
                *answer.status_mut() = status;
            }
            bare(answer)
        };
        let garbled = |status: StatusCode, kind, text| (status, words(Some(status), kind, text));
        Self {
            full: words(None, FaultKind::Overload, "all connections are taken; try again"),
            too_many: words(None, FaultKind::TooMany, "too many connections of one address"),
            late: words(None, FaultKind::Timeout, "the header took too long to arrive"),
            garbled: [
                garbled(
                    StatusCode::BAD_REQUEST,
                    FaultKind::Unreadable,
                    "this is no request of HTTP/1.1",
                ),
                garbled(StatusCode::URI_TOO_LONG, FaultKind::TooLarge, "the address is too long"),
                garbled(
                    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                    FaultKind::TooLarge,
                    "the header is too large",
                ),
            ],
        }
    }

    /// What is said instead of a head that hyper writes by itself when a request cannot be read, which has no body. Heads
    /// of ours with such a status have one.
    pub(super) fn instead_of(&self, written: &[u8]) -> Option<Bytes> {
        let code = written.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
        let (_, words) = self
            .garbled
            .iter()
            .find(|(status, _)| status.as_str().as_bytes() == code)?;
        let empty = b"content-length: 0\r\n";
        let bare = written.ends_with(b"\r\n\r\n") && written.windows(empty.len()).any(|part| part == empty);
        bare.then(|| words.clone())
    }
}

/// A whole response as bytes; nothing comes after it.
fn bare(answer: Answer) -> Bytes {
    let (head, body) = answer.into_parts();
    let length = body.size_hint().lower();
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("connection: close\r\ncontent-length: {length}\r\n\r\n").as_bytes());
    bytes.extend_from_slice(&whole(body));
    bytes.into()
}

/// A body that is in memory is there at once.
fn whole(body: Full<Bytes>) -> Bytes {
    let collected = futures_util::FutureExt::now_or_never(body.collect());
    collected
        .and_then(Result::ok)
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default()
}
