//! The `CapabilityStatement`: what works, and nothing else.

use causeway_core::HttpHead;
use causeway_profiles::r4;
use serde_json::{Value, json};

use super::answer;
use crate::resources::search_parameters;
use crate::transport::http::Passing;

/// What is said at `metadata`.
pub(super) fn metadata(head: &HttpHead) -> Passing {
    let resources: Vec<Value> = r4().resources().map(|kind| resource(kind.name())).collect();
    let interactions = ["transaction", "batch"].map(|code| json!({"code": code}));
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-26",
        "kind": "instance",
        "software": {"name": "Causeway", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "Causeway", "url": head.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "resource": resources,
            "interaction": interactions,
            "operation": [{
                "name": "process-message",
                "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
            }],
        }],
    });
    answer::json(200, statement.to_string().into_bytes())
}

fn resource(kind: &str) -> Value {
    let interactions = ["read", "vread", "create", "update", "delete", "search-type"].map(|code| json!({"code": code}));
    let mut parameters = vec![
        json!({"name": "_id", "type": "token"}),
        json!({"name": "_lastUpdated", "type": "date"}),
    ];
    parameters.extend(search_parameters(kind).map(|(name, form)| json!({"name": name, "type": form})));
    json!({
        "type": kind,
        "interaction": interactions,
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": true,
        "conditionalCreate": true,
        "conditionalUpdate": true,
        "conditionalDelete": "single",
        "conditionalRead": "not-match",
        "searchParam": parameters,
        "operation": [{
            "name": "validate",
            "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        }],
    })
}
