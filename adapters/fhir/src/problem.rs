//! What is wrong with a request, in the words of a finding. The code decides the status, see `status`.

use std::borrow::Cow;

use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

/// An error of the request.
pub fn problem(
    code: &'static str,
    class: Class,
    zh: impl Into<Cow<'static, str>>,
    en: impl Into<Cow<'static, str>>,
) -> Finding {
    let by = Actor::new(ActorKind::Gateway, "fhir");
    Finding::new(code, Severity::Error, class, by, Text::new(zh, en))
}
