//! What is said to a read: the resource with its tag and time, that nothing changed, that it is gone, or was never there.

use causeway_core::finding::Lang;
use causeway_core::{Class, Finding, HttpHead};
use causeway_fhir::outcome::outcome;
use causeway_fhir::{etag, fields, http_date, problem, status};
use jiff::Timestamp;

use super::shape::Shape;
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

/// A version that was looked for.
pub(super) fn current(read: Read, head: &HttpHead, shape: &Shape) -> Result<Passing, Box<Finding>> {
    let found = read.map_err(|_| behind())?.ok_or_else(nothing)?;
    if found.deleted {
        return Err(Box::new(problem(
            "gone",
            Class::UnknownKey,
            "此资源已删除",
            "the resource was deleted",
        )));
    }
    Ok(shown(found, head, shape))
}

/// Nothing is shown of which it cannot be kept that it was.
pub(super) fn not_audited() -> Box<Finding> {
    Box::new(problem(
        "not-audited",
        Class::Busy,
        "无法记录审计，暂不提供数据",
        "who looks cannot be put on record now; try again",
    ))
}

/// What stands there is not asked for so.
pub(super) fn not_allowed(method: &str) -> Box<Finding> {
    Box::new(problem(
        "method-not-allowed",
        Class::UnsupportedType,
        format!("此路径不支持 {method}"),
        format!("{method} is not supported here"),
    ))
}

fn nothing() -> Box<Finding> {
    Box::new(problem(
        "not-found",
        Class::UnknownKey,
        "没有此资源",
        "there is no such resource",
    ))
}

fn shown(found: Found, head: &HttpHead, shape: &Shape) -> Passing {
    let tag = etag(found.version);
    let time = Timestamp::from_microsecond(found.updated).unwrap_or_default();
    let has = head
        .if_none_match
        .split(',')
        .any(|known| known.trim() == tag || known.trim() == "*");
    let mut answer = if has {
        Passing {
            status: 304,
            headers: Vec::new(),
            bytes: bytes::Bytes::new(),
        }
    } else {
        json(200, shape.shown(found.body))
    };
    answer.headers.push(("etag", tag));
    answer.headers.push(("last-modified", http_date(time)));
    answer
}
