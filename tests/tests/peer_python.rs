//! An MLLP client that is none of ours, from the Python package `hl7`, sends to a running gateway and reads what comes
//! back with its own parser.

use causeway_tests::{Gateway, oru, python};
use serde_json::Value;

/// Sends messages with the client and returns the acknowledgements as it read them; `None` without the client.
fn send(gateway: &Gateway, encoding: &str, messages: &[String]) -> Option<Vec<Value>> {
    let mut command = python("mllp_client.py")?;
    let folder = tempfile::tempdir().expect("a folder");
    let address = gateway.address();
    command.args([
        address.ip().to_string(),
        address.port().to_string(),
        encoding.to_owned(),
    ]);
    for (number, message) in messages.iter().enumerate() {
        let file = folder.path().join(format!("{number}.hl7"));
        std::fs::write(&file, message).expect("a file");
        command.arg(file);
    }
    let output = command.output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    Some(
        lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn its_parser_reads_our_acknowledgements() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let Some(read) = send(&gateway, "utf-8", &[oru("PY1", "4.1"), oru("PY2", "7.1")]) else {
        return;
    };
    assert_eq!(read.len(), 2);
    for (read, id) in read.iter().zip(["PY1", "PY2"]) {
        assert_eq!(
            (&read["type"], &read["code"]),
            (&"ACK^R01^ACK".into(), &"AA".into()),
            "{read}"
        );
        assert_eq!(
            (&read["control_id"], &read["receiver"]),
            (&id.into(), &"LIS".into()),
            "{read}"
        );
    }
    assert_eq!(read[0]["errors"], Value::Array(Vec::new()));
    let errors = read[1]["errors"].as_array().expect("a list");
    let critical = errors
        .iter()
        .find(|error| error["location"].as_str().is_some_and(|at| at.starts_with("OBX^2^5")));
    assert_eq!(critical.expect("the potassium")["severity"], "W", "{errors:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_gb18030_too() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let message = oru("PY3", "7.1")
        .replace("UNICODE UTF-8", "GB 18030-2000")
        .replace("|LIS|", "|检验科|");
    let Some(read) = send(&gateway, "gb18030", &[message]) else {
        return;
    };
    assert_eq!(
        (&read[0]["code"], &read[0]["receiver"]),
        (&"AA".into(), &"检验科".into()),
        "{read:?}"
    );
}
