//! What somebody who looks after the gateway sees of its messages.

use std::path::Path;

use causeway_tests::{Process, exchange, fields, messages, oru, segment, shown, until};
use serde_json::{Value, json};

/// A listed message, once it is.
async fn listed(data: &Path, seq: u64) -> Value {
    let mut found = Value::Null;
    until("it is listed with its end", async || {
        let all = messages(data, &["list"]);
        let ended = |message: &&Value| message["seq"] == seq && message["state"] != "pending";
        found = all.iter().find(ended).cloned().unwrap_or_default();
        !found.is_null()
    })
    .await;
    found
}

/// An analyser that numbers from 1 every day is no news to its sender, and can be seen by whoever looks.
#[tokio::test(flavor = "multi_thread")]
async fn a_control_id_used_again_is_noted_and_not_told() {
    let data = tempfile::tempdir().expect("a folder");
    let process = Process::start(data.path(), &[]);
    let (today, tomorrow) = (oru("1", "4.0"), oru("1", "4.1"));
    let other_sender = oru("1", "4.2").replace("|LIS|", "|POCT|");
    for message in [&today, &tomorrow, &tomorrow, &other_sender] {
        let reply = exchange(process.mllp, message).await;
        assert_eq!(fields(segment(&reply, "MSA")[0])[1], "AA", "{reply}");
        assert!(segment(&reply, "ERR").is_empty(), "{reply}");
    }
    let seqs: Vec<u64> = {
        until("all are listed", async || messages(data.path(), &["list"]).len() == 3).await;
        let mut all = messages(data.path(), &["list"]);
        all.reverse();
        all.iter().filter_map(|message| message["seq"].as_u64()).collect()
    };
    for seq in &seqs {
        listed(data.path(), *seq).await;
    }
    let notes = |seq| shown(data.path(), seq)["notes"].clone();
    assert_eq!(notes(seqs[0]), json!([]));
    let again = notes(seqs[1]);
    assert_eq!(
        (&again[0]["code"], &again[0]["severity"]),
        (&json!("control-id-reused"), &json!("information"))
    );
    let text = again[0]["text"]["en"].as_str().unwrap_or_default();
    assert!(text.contains(&format!("message {}", seqs[0])), "{text}");
    assert_eq!(notes(seqs[2]), json!([]), "another sender numbers for itself");
}

/// Nothing is lost: a type without a map is refused, and listed with all that it says of itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_listed_with_what_it_says_of_itself() {
    let data = tempfile::tempdir().expect("a folder");
    let process = Process::start(data.path(), &[]);
    let header = "MSH|^~\\&|PLAN|WARD|CAUSEWAY|HIS|20261124081512+0800||XYZ^Q99|R1|P|2.5.1";
    let reply = exchange(process.mllp, &format!("{header}\rPID|1||P1^^^WARD^MR||Li^Na\r")).await;
    assert_eq!(fields(segment(&reply, "MSA")[0])[1], "AR", "{reply}");
    let message = listed(data.path(), 1).await;
    let said = json!({
        "sender": "PLAN/WARD", "type": "XYZ^Q99", "control_id": "R1", "patient": "P1", "state": "refused",
    });
    for (key, value) in said.as_object().expect("an object") {
        assert_eq!(&message[key], value, "{message}");
    }
}
