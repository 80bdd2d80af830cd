//! What is said to a read: the resource with its tag and time, that nothing changed, that it is gone, or was never there.

use causeway_core::finding::Lang;
use causeway_core::{Class, Finding, HttpHead};
use causeway_fhir::outcome::outcome;
use causeway_fhir::{etag, fields, http_date, problem, status};
use jiff::Timestamp;

use crate::resources::Found;
use crate::transport::http::Passing;

/// The media type of every body.
pub(super) const JSON: &str = "application/fhir+json; fhirVersion=4.0";

/// A body with its media type.
pub(super) fn json(status: u16, bytes: Vec<u8>) -> Passing {
    Passing {
        status,
        headers: vec![("content-type", JSON.to_owned())],
        bytes: bytes.into(),
    }
}

/// An outcome with the status that its findings ask for.
pub(super) fn refused(findings: &[Finding], path: &str, lang: Lang) -> Passing {
    let status = status(findings).unwrap_or(200);
    let mut answer = json(status, outcome(findings, lang));
    answer.headers.extend(fields(status, findings, path));
    answer
}

/// The resources cannot be read, or not yet.
pub(super) fn behind() -> Box<Finding> {
    Box::new(problem(
        "behind",
        Class::Busy,
        "资源库尚未就绪，请稍后重试",
        "the resources cannot be looked at now; try again",
    ))
}

type Read = anyhow::Result<Option<Found>>;

/// The current version.
pub(super) fn current(read: Read, head: &HttpHead) -> Result<Passing, Box<Finding>> {
    let found = read.map_err(|_| behind())?.ok_or_else(nothing)?;
    if found.deleted {
        return Err(Box::new(problem(
            "gone",
            Class::UnknownKey,
            "此资源已删除",
            "the resource was deleted",
        )));
    }
    Ok(shown(found, head))
}

/// One version.
pub(super) fn version(read: Read, head: &HttpHead) -> Result<Passing, Box<Finding>> {
    current(read, head)
}

fn nothing() -> Box<Finding> {
    Box::new(problem(
        "not-found",
        Class::UnknownKey,
        "没有此资源",
        "there is no such resource",
    ))
}

fn shown(found: Found, head: &HttpHead) -> Passing {
    let tag = etag(found.version);
    let time = Timestamp::from_microsecond(found.updated).unwrap_or_default();
    let has = head
        .if_none_match
        .split(',')
        .any(|known| known.trim() == tag || known.trim() == "*");
    let mut answer = json(200, found.body);
    if has {
        (answer.status, answer.bytes) = (304, bytes::Bytes::new());
        answer.headers.clear();
    }
    answer.headers.push(("etag", tag));
    answer.headers.push(("last-modified", http_date(time)));
    answer
}
