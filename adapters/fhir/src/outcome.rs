//! Findings as an OperationOutcome (FHIR R4 OperationOutcome): severity, type of issue, our own code, the sentence in the
//! reader's language, and where it is, as FHIRPath and as the place in what was sent.

use causeway_core::fhir::{NodeId, Tree, Value, compact};
use causeway_core::finding::Lang;
use causeway_core::origin::OriginId;
use causeway_core::{Class, Finding, Severity};

use crate::build::{array, item, object, text};

/// The system of our own finding codes.
const FINDINGS: &str = "https://causeway.health/findings";

/// Compact JSON of the outcome.
pub fn outcome(findings: &[Finding], lang: Lang) -> Vec<u8> {
    let mut tree = Tree::new(Value::Object);
    write(&mut tree, NodeId::ROOT, findings, lang);
    compact(&tree, NodeId::ROOT).into_bytes()
}

/// Writes the outcome into an empty object.
pub(crate) fn write(tree: &mut Tree, into: NodeId, findings: &[Finding], lang: Lang) {
    text(tree, into, "resourceType", "OperationOutcome");
    let issues = array(tree, into, "issue");
    let told = findings.iter().filter(|finding| !finding.is_note());
    for finding in told {
        issue(tree, issues, finding, lang);
    }
    if tree.children(issues).next().is_none() {
        all_is_well(tree, issues, lang);
    }
}

/// An outcome has at least one issue.
fn all_is_well(tree: &mut Tree, issues: NodeId, lang: Lang) {
    let issue = item(tree, issues);
    text(tree, issue, "severity", "information");
    text(tree, issue, "code", "informational");
    let said = match lang {
        Lang::Zh => "未发现问题",
        Lang::En => "nothing was found",
    };
    text(tree, issue, "diagnostics", said);
}

fn issue(tree: &mut Tree, issues: NodeId, finding: &Finding, lang: Lang) {
    let issue = item(tree, issues);
    text(tree, issue, "severity", severity(finding.severity));
    text(tree, issue, "code", kind(finding));
    let details = object(tree, issue, "details");
    let codings = array(tree, details, "coding");
    let coding = item(tree, codings);
    text(tree, coding, "system", FINDINGS);
    text(tree, coding, "code", &finding.code);
    text(tree, issue, "diagnostics", &sentence(finding, lang));
    if let Some(path) = &finding.path {
        let expressions = array(tree, issue, "expression");
        tree.item(expressions, Value::String(path), OriginId::GENERATED);
    }
}

/// The sentence with what it rests on and what may be done.
fn sentence(finding: &Finding, lang: Lang) -> String {
    let mut said = finding.text.get(lang).to_owned();
    if let Some(suggestion) = &finding.suggestion {
        said.push_str(" — ");
        said.push_str(suggestion.get(lang));
    }
    if !finding.evidence.is_empty() {
        said.push_str(" [");
        said.push_str(&finding.evidence.join("; "));
        said.push(']');
    }
    said
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Information => "information",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// `IssueType` of a finding (value set issue-type).
fn kind(finding: &Finding) -> &'static str {
    match (finding.code.as_ref(), finding.class) {
        ("not-found", _) => "not-found",
        ("gone", _) => "deleted",
        ("several-match", _) => "multiple-matches",
        ("timed-out", _) => "timeout",
        ("too-many", _) => "throttled",
        ("unauthenticated", _) => "login",
        ("too-costly", _) => "too-costly",
        ("forbidden", _) => "forbidden",
        ("misdirected", _) => "processing",
        (_, Class::Business) => "business-rule",
        (_, Class::Structure) => "structure",
        (_, Class::Required) => "required",
        (_, Class::Value) => "value",
        (_, Class::Code) => "code-invalid",
        (_, Class::TooLong) => "too-long",
        (_, Class::UnsupportedType | Class::UnsupportedEvent | Class::ProcessingId | Class::Version) => "not-supported",
        (_, Class::UnknownKey) => "not-found",
        (_, Class::Duplicate) => "duplicate",
        (_, Class::Conflict) => "conflict",
        (_, Class::Incomplete) => "incomplete",
        (_, Class::Busy) => "transient",
        (_, Class::Internal) => "exception",
    }
}
