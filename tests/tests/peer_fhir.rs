//! A FHIR client that is none of ours, `fhirpy` from the Python index, works with a running gateway as it would with any server.

use causeway_tests::{Fhir, python};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_independent_client_writes_reads_searches_and_is_refused() {
    let Some(mut command) = python("fhir_client.py") else {
        return;
    };
    let house = Fhir::start().await;
    let address = house.process.http.expect("an HTTP listener");
    command.arg(format!("http://{address}/fhir"));
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("a thread")
        .expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let saw: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected = json!({
        "id": true, "gender": "female", "family": "王", "version": "2", "results": 12, "value": 4.1,
        "refused": {"nobody": "not found", "robot": ["Patient.gender"]}, "left": 1,
    });
    assert_eq!(saw, expected);
}
