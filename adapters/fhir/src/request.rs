//! What a request asks for, by method and path (FHIR R4 HTTP 3.1.0), and what it can read.

use causeway_core::finding::Lang;
use causeway_core::frame::media_type;
use causeway_core::{Class, Finding, Head, HttpHead};

use crate::names::{is_id, is_type_name};
use crate::problem::problem;

/// What is asked for, of what changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `POST [base]` with a Bundle.
    Bundle,
    /// `POST [base]/$process-message`.
    ProcessMessage,
    /// `POST [base]/[type]`.
    Create(String),
    /// `PUT [base]/[type]/[id]`.
    Update(String, String),
    /// `PUT [base]/[type]?[condition]`.
    UpdateWhere(String, String),
    /// `DELETE [base]/[type]/[id]`.
    Delete(String, String),
    /// `DELETE [base]/[type]?[condition]`.
    DeleteWhere(String, String),
    /// A file: a Bundle, or a resource to be created.
    File,
}

impl Operation {
    /// The operation of a head.
    ///
    /// # Errors
    /// Nothing stands at that path, or not with that method.
    pub fn of(head: &Head) -> Result<Self, Box<Finding>> {
        let Head::Http(head) = head else { return Ok(Self::File) };
        let steps: Vec<&str> = head.path.split('/').filter(|step| !step.is_empty()).collect();
        match (head.method.as_str(), steps.as_slice()) {
            ("POST", []) => Ok(Self::Bundle),
            ("POST", ["$process-message"]) => Ok(Self::ProcessMessage),
            ("POST", [kind]) if is_type_name(kind) => Ok(Self::Create((*kind).to_owned())),
            ("PUT", [kind, id]) if is_type_name(kind) => Ok(Self::Update((*kind).to_owned(), checked(id)?)),
            ("DELETE", [kind, id]) if is_type_name(kind) => Ok(Self::Delete((*kind).to_owned(), checked(id)?)),
            ("PUT", [kind]) if is_type_name(kind) && !condition(&head.query).is_empty() => {
                Ok(Self::UpdateWhere((*kind).to_owned(), condition(&head.query)))
            }
            ("DELETE", [kind]) if is_type_name(kind) && !condition(&head.query).is_empty() => {
                Ok(Self::DeleteWhere((*kind).to_owned(), condition(&head.query)))
            }
            (method, [] | ["$process-message" | "metadata"]) => Err(not_allowed(method)),
            (method, [kind] | [kind, _] | [kind, _, "_history", _]) if is_type_name(kind) => Err(not_allowed(method)),
            _ => Err(problem(
                "unknown-path",
                Class::UnknownKey,
                "此路径下没有内容",
                "nothing is served at this path",
            )
            .into()),
        }
    }

    /// Whether there is a body to be read.
    pub(crate) fn has_body(&self) -> bool {
        !matches!(self, Self::Delete(..) | Self::DeleteWhere(..))
    }
}

/// The methods that do something at a path below the API's base.
pub(crate) fn allowed(path: &str) -> &'static str {
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    match steps.as_slice() {
        [] | [.., "$process-message" | "$validate" | "_search"] => "POST",
        ["metadata"] | [_, _, "_history", _] => "GET, HEAD",
        [_] => "GET, HEAD, POST, PUT, DELETE",
        _ => "GET, HEAD, PUT, DELETE",
    }
}

/// A query without what says how the answer should look.
fn condition(query: &str) -> String {
    let shape = |pair: &&str| ["_format=", "_pretty="].iter().any(|name| pair.starts_with(name));
    let asked: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !shape(pair))
        .collect();
    asked.join("&")
}

fn checked(id: &str) -> Result<String, Box<Finding>> {
    if is_id(id) {
        return Ok(id.to_owned());
    }
    Err(problem(
        "wrong-id",
        Class::Value,
        "路径中的 id 不合格式",
        "the id in the path is no id: letters, digits, - and ., at most 64",
    )
    .into())
}

fn not_allowed(method: &str) -> Box<Finding> {
    Box::new(problem(
        "method-not-allowed",
        Class::UnsupportedType,
        format!("此路径不支持 {method}"),
        format!("{method} is not supported here"),
    ))
}

/// Media types of FHIR JSON: the registered one, and what clients say instead.
const JSON: &[&str] = &[
    "application/fhir+json",
    "application/json",
    "text/json",
    "application/json+fhir",
];

/// What is wrong with the media types of a request: a body that is not JSON (415), an answer that may not be (406).
pub fn media_problem(head: &HttpHead, has_body: bool) -> Option<Finding> {
    let sent = head.media_type();
    if has_body && !sent.is_empty() && !JSON.contains(&sent.as_str()) {
        return Some(problem(
            "media-type",
            Class::UnsupportedType,
            format!("不接受 {sent}，请发送 application/fhir+json"),
            format!("{sent} is not taken; send application/fhir+json"),
        ));
    }
    let format = head.query.split('&').find_map(|pair| pair.strip_prefix("_format="));
    let format = format.map(|format| format.replace("%2F", "/").replace("%2f", "/").replace("%2B", "+"));
    let wanted = format.as_deref().unwrap_or(&head.accept);
    let reads = |wanted: &str| {
        let wanted = media_type(wanted);
        let any = matches!(wanted.as_str(), "" | "*/*" | "application/*" | "json");
        any || JSON.contains(&wanted.as_str())
    };
    if wanted.split(',').any(reads) {
        return None;
    }
    Some(problem(
        "not-acceptable",
        Class::UnsupportedType,
        "只能以 application/fhir+json 回答",
        "answers are application/fhir+json only",
    ))
}

/// The language that a request asks for (RFC 9110 12.5.4): the first of ours that it names.
pub fn language(head: &HttpHead, usual: Lang) -> Lang {
    let named = head.accept_language.split(',').find_map(|range| {
        let range = range.trim().to_ascii_lowercase();
        match range.get(..2) {
            Some("zh") => Some(Lang::Zh),
            Some("en") => Some(Lang::En),
            _ => None,
        }
    });
    named.unwrap_or(usual)
}
