//! `$validate`: what the facts of R4 say of a resource, and nothing kept (FHIR R4 Resource operations, validate). Structural
//! only: invariants and profiles are not judged.

use bytes::Bytes;
use causeway_core::fhir::{Limits, NodeId, parse};
use causeway_core::{Class, Finding};
use causeway_fhir::outcome::outcome;
use causeway_fhir::problem;

use super::{Asked, answer, known};
use crate::transport::http::Passing;

/// The outcome of a resource; 200 whatever it says, since the question was answered.
pub(super) fn validate(asked: &Asked<'_>, steps: &[&str], body: &Bytes) -> Result<Passing, Box<Finding>> {
    let tree = parse(body, Limits::default()).map_err(|error| {
        let text = format!(
            "not JSON: line {}, column {}: {}",
            error.line, error.column, error.reason
        );
        let zh = format!("不是合法的 JSON：第 {} 行第 {} 列", error.line, error.column);
        let mut finding = problem("not-json", Class::Structure, zh, text);
        finding.path = Some(error.path);
        Box::new(finding)
    })?;
    if let [kind, .., _] = steps {
        known(kind)?;
        if tree.get_str(NodeId::ROOT, "resourceType") != Some(*kind) {
            let text = format!("the body must be a {kind}");
            return Err(Box::new(problem(
                "wrong-body",
                Class::Structure,
                format!("请求体应为 {kind}"),
                text,
            )));
        }
    }
    let mut findings = causeway_profiles::validate(&tree);
    for finding in &mut findings {
        if let (None, Some(node)) = (&finding.path, finding.node) {
            finding.path = Some(tree.path(node));
        }
    }
    Ok(answer::json(200, outcome(&findings, asked.lang)))
}
