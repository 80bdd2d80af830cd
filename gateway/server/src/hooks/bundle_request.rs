//! The request of CDS Hooks 2.0, "Calling a CDS Service": hook, a new hookInstance, the context, and the bundle as the
//! one prefetch. The bundle's JSON is written straight from the tree, never through a second model.

use causeway_core::fhir::write_compact;
use causeway_core::{Bundle, NodeId};
use uuid::Uuid;

/// The body of a call.
pub(super) fn body(hook: &str, bundle: &Bundle, frame: u64) -> Vec<u8> {
    let mut body = Vec::with_capacity(bundle.tree.text_len() * 2 + 512);
    body.extend_from_slice(br#"{"hook":"#);
    body.extend_from_slice(serde_json::Value::from(hook).to_string().as_bytes());
    body.extend_from_slice(format!(r#","hookInstance":"{}","context":{{"frame":{frame}"#, Uuid::new_v4()).as_bytes());
    if let Some(patient) = patient_id(bundle) {
        body.extend_from_slice(br#","patientId":"#);
        body.extend_from_slice(serde_json::Value::from(patient).to_string().as_bytes());
    }
    body.extend_from_slice(br#"},"prefetch":{"bundle":"#);
    write_compact(&bundle.tree, NodeId::ROOT, &mut body);
    body.extend_from_slice(b"}}");
    body
}

fn patient_id(bundle: &Bundle) -> Option<&str> {
    let (_, patient) = bundle
        .resources()
        .find(|(resource_type, _)| *resource_type == "Patient")?;
    bundle.tree.get_str(patient, "id")
}
