//! `causeway send` over HTTP: every format goes to its own endpoint as what it is, the answers are printed, and the exit
//! status says whether all was taken. And `causeway translate` of FHIR.

use std::path::Path;
use std::process::Command;

use causeway_tests::{EXAMPLE, Process, binary, json_lines, oru, until};
use serde_json::{Value, json};

const STANZA: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/hl7v2', format = 'hl7v2'}, {path = '/x12', format = 'x12'}, {path = '/fhir', format = 'fhir'}]\n";

const CLAIM: &[u8] = include_bytes!("../fuzz/seeds/claims/claim.837");

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    std::fs::write(&file, bytes).expect("a file");
    file.to_str().expect("a path").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_format_goes_to_its_endpoint_and_its_answer_is_printed() {
    let data = tempfile::tempdir().expect("a folder");
    let process = Process::configured(data.path(), STANZA, &[]);
    let target = format!("http://{}", process.http.expect("a listener"));
    let send = |target: &str, files: &[&str]| {
        let all: Vec<&str> = ["send", target].into_iter().chain(files.iter().copied()).collect();
        process.command(data.path(), &all)
    };
    let patient = json!({"resourceType": "Patient", "id": "p1", "gender": "male"}).to_string();
    let patient = put(data.path(), "patient.json", patient.as_bytes());
    until("writes are taken", async || send(&target, &[&patient]).0 == Some(0)).await;
    let (code, said) = send(&target, &[&patient]);
    assert!(code == Some(0) && said.contains(r#""id":"p1""#), "{code:?} {said}");
    // One more version of the same resource: it was put under its id.
    assert!(said.contains(r#""versionId":"2""#), "{said}");
    let message = put(data.path(), "oru.hl7", EXAMPLE.as_bytes());
    let claim = put(data.path(), "claim.837", CLAIM);
    let (code, said) = send(&target, &[&message, &claim]);
    assert!(
        code == Some(0) && said.contains("\nMSA|AA|LIS-20261124-000117\n"),
        "{code:?} {said}"
    );
    assert!(said.contains("IK5*A~"), "{said}");
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}},
        {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Observation"}},
    ]});
    let batch = put(data.path(), "batch.json", bundle.to_string().as_bytes());
    let (code, said) = send(&format!("{target}/fhir"), &[&batch]);
    assert!(
        code == Some(1) && said.contains("batch-response"),
        "one entry was refused: {code:?} {said}"
    );
    let (code, said) = send(&format!("{target}/elsewhere"), &["--json", &message]);
    let told: Value = serde_json::from_str(said.trim()).expect("JSON");
    assert_eq!(
        (code, &told["status"], &told["file"]),
        (Some(1), &json!(404), &json!(message))
    );
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = nobody.local_addr().expect("an address");
    drop(nobody);
    assert_eq!(send(&format!("http://{free}"), &[&message]).0, Some(4));
    assert_eq!(send("http://", &[&message]).0, Some(2));
    assert_eq!(send(&target, &[&message, "--count", "5"]).0, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_to_who_asks_for_it() {
    let data = tempfile::tempdir().expect("a folder");
    let token = put(data.path(), "token", b"s3cret\n");
    let stanza = format!("{STANZA}[listener.http]\ntoken-file = '{token}'\n");
    let process = Process::configured(data.path(), &stanza, &[]);
    let target = format!("http://{}", process.http.expect("a listener"));
    let message = put(data.path(), "oru.hl7", EXAMPLE.as_bytes());
    let (code, said) = process.command(data.path(), &["send", &target, &message]);
    assert!(code == Some(1) && said.contains("HTTP 401"), "{code:?} {said}");
    let (code, said) = process.command(data.path(), &["send", &target, &message, "--token-file", &token]);
    assert!(code == Some(0) && said.contains("MSA|AA|"), "{code:?} {said}");
}

#[test]
fn fhir_is_shown_as_the_gateway_takes_it() {
    let data = tempfile::tempdir().expect("a folder");
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": {"resourceType": "Patient", "id": "a"}, "request": {"method": "PUT", "url": "Patient/a"}},
        {"resource": {"resourceType": "Patient"}, "request": {"method": "PATCH", "url": "Patient/b"}},
    ]});
    let file = put(data.path(), "batch.json", bundle.to_string().as_bytes());
    for from in ["auto", "fhir"] {
        let run = Command::new(binary())
            .args(["translate", "--from", from, "--output", "ndjson", &file])
            .output()
            .expect("the command line");
        let parts = String::from_utf8_lossy(&run.stdout).lines().count();
        assert_eq!((run.status.code(), parts), (Some(1), 2));
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(said.contains("method-not-allowed"), "{said}");
    }
}

/// What `translate` prints of a file, a value a line.
fn translated(file: &str) -> Vec<Value> {
    let run = Command::new(binary())
        .args(["translate", "--output", "ndjson", file])
        .output()
        .expect("the command line");
    json_lines(&run.stdout)
}

/// Every coding below a value.
fn codings<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            let own = members.get("coding").and_then(Value::as_array);
            found.extend(own.into_iter().flatten());
            members.values().for_each(|member| codings(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| codings(item, found)),
        _ => {}
    }
}

#[test]
fn a_coding_system_without_a_code_is_kept_and_is_no_coding_system() {
    let data = tempfile::tempdir().expect("a folder");
    let message = oru("SYSTEM", "4.0").replace("ORC|RE|", "ORC|^^HL70119|");
    let bundles = translated(&put(data.path(), "system.hl7", message.as_bytes()));
    let mut all = Vec::new();
    codings(&bundles[0], &mut all);
    assert!(all.len() > 10, "{all:?}");
    let alone: Vec<_> = all
        .into_iter()
        .filter(|coding| coding.get("system").is_some() && coding.get("code").is_none())
        .collect();
    assert!(alone.is_empty(), "{alone:?}");
    assert!(bundles[0].to_string().contains("HL70119"), "it is kept");
}

#[test]
fn a_set_that_says_nothing_in_fhir_is_no_line() {
    let data = tempfile::tempdir().expect("a folder");
    let other = String::from_utf8_lossy(CLAIM).replace("ST*837*0001*005010X222A1", "ST*276*0001*005010X212");
    let other = other
        .replace("GS*HC*", "GS*HR*")
        .replace("*X*005010X222A1~", "*X*005010X212~");
    assert_eq!(translated(&put(data.path(), "claim.837", CLAIM)).len(), 1);
    assert_eq!(translated(&put(data.path(), "other.276", other.as_bytes())).len(), 0);
}
