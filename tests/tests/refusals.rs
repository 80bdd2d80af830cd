//! Every no over HTTP, read by a client that is none of ours: below a FHIR listener it is an OperationOutcome with the status
//! and the header fields of the standard, also where no request came through at all; below others it is a sentence.

use causeway_tests::{Process, python, until};
use serde_json::{Value, json};

const LISTENERS: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/hl7v2', format = 'hl7v2'}, {path = '/fhir', format = 'fhir'}]\n\
    http = {token-file = 'TOKEN', max-body = '64KiB', header = '300ms', body = '300ms'}\n\
    [[listener]]\nname = 'one-a-peer'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/fhir', format = 'fhir'}]\nhttp = {connections-per-peer = 1}\n\
    [[listener]]\nname = 'one-in-all'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/fhir', format = 'fhir'}]\nhttp = {connections = 1}\n";

/// What the standards ask for: RFC 9110 15.5 for statuses and fields, FHIR R4's value set issue-type for the third.
fn expected() -> Value {
    let none = json!({});
    let again = json!({"retry-after": "5"});
    let bearer = json!({"www-authenticate": "Bearer"});
    json!({
        "no JSON": [400, "not-json", "structure", none],
        "another type": [400, "wrong-body", "structure", none],
        "wrong search": [400, "wrong-search", "value", none],
        "no HTTP": [400, "unreadable", "structure", none],
        "no token": [401, "unauthenticated", "login", bearer],
        "wrong token": [401, "unauthenticated", "login", bearer],
        "foreign page": [403, "forbidden", "forbidden", none],
        "no route": [404, "unknown-path", "not-found", none],
        "no path": [404, "unknown-path", "not-found", none],
        "no type": [404, "unknown-type", "not-supported", none],
        "no resource": [404, "not-found", "not-found", none],
        "PATCH": [405, "method-not-allowed", "not-supported", {"allow": "GET, HEAD, PUT, DELETE"}],
        "POST to metadata": [405, "method-not-allowed", "not-supported", {"allow": "GET, HEAD"}],
        "DELETE of all": [405, "method-not-allowed", "not-supported", {"allow": "POST"}],
        "PUT to a version": [405, "method-not-allowed", "not-supported", {"allow": "GET, HEAD"}],
        "XML wanted": [406, "not-acceptable", "not-supported", none],
        "slow header": [408, "timed-out", "timeout", none],
        "slow body": [408, "timed-out", "timeout", none],
        "twice at once": [409, "same-resource-twice", "duplicate", none],
        "deleted": [410, "gone", "deleted", none],
        "old version": [412, "version-conflict", "conflict", none],
        "large": [413, "too-large", "too-long", none],
        "large, unsaid": [413, "too-large", "too-long", none],
        "long address": [414, "too-large", "too-long", none],
        "large header": [431, "too-large", "too-long", none],
        "XML sent": [415, "media-type", "not-supported", {"accept": "application/fhir+json"}],
        "zipped": [415, "unsupported", "not-supported", {"accept-encoding": "identity"}],
        "foreign name": [421, "misdirected", "processing", none],
        "robot": [422, "code-unknown", "code-invalid", none],
        "one too many": [429, "too-many", "throttled", again],
        "all taken": [503, "overloaded", "transient", again],
        "a message without a token":
            [401, "text/plain", "Authorization: Bearer TOKEN is needed\n", bearer],
        "GET of messages": [405, "text/plain", "messages are sent with POST\n", {"allow": "POST"}],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_no_is_said_as_the_listeners_own_api_says_it() {
    let Some(mut command) = python("http_refusals.py") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "open-sesame\n").expect("a file");
    let stanzas = LISTENERS.replace("TOKEN", &token.display().to_string());
    let process = Process::configured(folder.path(), &stanzas, &[]);
    let mut http = causeway_tests::Http::connect(process.address("one-a-peer")).await;
    until("writes are taken", async || {
        http.ask("DELETE", "/fhir/Patient/nobody", "", b"").await.status == 404
    })
    .await;
    drop(http);
    for name in ["http", "one-a-peer", "one-in-all"] {
        command.arg(process.address(name).port().to_string());
    }
    command.arg("open-sesame");
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("a thread")
        .expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut saw: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let message = saw.as_object_mut().expect("cases").remove("a message as JSON");
    let message = message.expect("the case");
    assert_eq!(message[0], 415);
    assert_eq!(
        message[3]["accept"],
        "application/hl7-v2, x-application/hl7-v2+er7, application/hl7-v2+er7, text/plain"
    );
    let expected = expected();
    for (case, answer) in expected.as_object().expect("cases") {
        assert_eq!(&saw[case], answer, "{case}");
    }
    assert_eq!(
        saw.as_object().map(serde_json::Map::len),
        expected.as_object().map(serde_json::Map::len)
    );
}
