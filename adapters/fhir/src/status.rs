//! The one table from findings to the status of a response, and what its header says besides (FHIR R4 HTTP 3.1.0).

use causeway_core::{Finding, Severity};

use crate::request::allowed;

const TABLE: &[(&str, u16)] = &[
    ("not-json", 400),
    ("wrong-body", 400),
    ("wrong-id", 400),
    ("wrong-search", 400),
    ("unreadable", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("not-found", 404),
    ("unknown-path", 404),
    ("unknown-type", 404),
    ("method-not-allowed", 405),
    ("read-only", 405),
    ("not-acceptable", 406),
    ("timed-out", 408),
    ("version-in-work", 409),
    ("same-resource-twice", 409),
    ("gone", 410),
    ("version-conflict", 412),
    ("several-match", 412),
    ("too-large", 413),
    ("media-type", 415),
    ("unsupported", 415),
    ("misdirected", 421),
    ("too-many", 429),
    ("gateway-defect", 500),
    ("upstream", 502),
    ("overloaded", 503),
    ("not-kept", 503),
    ("draining", 503),
    ("held", 503),
    ("behind", 503),
    ("not-audited", 503),
];

/// The status that findings ask for: that of the first error that has one of its own, else 422 for any other error, else
/// none.
pub fn status(findings: &[Finding]) -> Option<u16> {
    let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
    let own = |finding: &Finding| {
        TABLE
            .iter()
            .find(|(code, _)| *code == finding.code)
            .map(|(_, status)| *status)
    };
    errors().find_map(own).or_else(|| errors().next().map(|_| 422))
}

/// What a search has that is posted (FHIR R4 HTTP 3.1.0.9).
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The header fields that a status asks for: the methods that there are (RFC 9110 15.5.6), what is taken instead (15.5.16),
/// when to come again (10.2.3). The path is that of the request below the API's base.
pub fn fields(status: u16, findings: &[Finding], path: &str) -> Vec<(&'static str, String)> {
    let is = |code: &str| findings.iter().any(|finding| finding.code == code);
    match status {
        405 if is("read-only") && path.trim_matches('/').contains('/') => vec![("allow", "GET, HEAD".to_owned())],
        405 => vec![("allow", allowed(path).to_owned())],
        415 if is("media-type") && path.ends_with("/_search") => vec![("accept", FORM.to_owned())],
        415 if is("media-type") => vec![("accept", "application/fhir+json".to_owned())],
        429 | 503 => vec![("retry-after", "5".to_owned())],
        _ => Vec::new(),
    }
}
