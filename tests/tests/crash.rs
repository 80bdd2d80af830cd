//! What a power cut may not do: lose what was acknowledged, answer twice, or forget what was accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use causeway_core::Frame;
use causeway_core::store::{Event, Record};
use causeway_store::SqliteLog;
use causeway_tests::{Peer, Process, exchange, fields, framed, get, oru, segment, until};

/// Sends one message after another until the connection breaks; every acknowledged id goes to `acked`. Some senders want
/// to hear what was decided (AA), others only that the message is kept (CA, HL7 v2.9 2.9.2.2).
async fn send_until_killed(address: SocketAddr, prefix: String, commits: bool, acked: Arc<Mutex<BTreeSet<String>>>) {
    let mut peer = Peer::connect(address).await;
    for number in 0.. {
        let id = format!("{prefix}N{number}");
        let (message, code) = if commits {
            (oru(&id, "7.0").replace("|P|2.5.1||||||", "|P|2.5.1|||AL|NE||"), "CA")
        } else {
            (oru(&id, "7.0"), "AA")
        };
        if !peer.send(&framed(message.as_bytes())).await {
            return;
        }
        let Some(reply) = peer.reply().await else { return };
        let msa = segment(&reply, "MSA");
        if msa
            .first()
            .is_some_and(|msa| fields(msa)[1] == code && fields(msa)[2] == id)
        {
            acked.lock().expect("no panic").insert(id);
        }
    }
}

fn records(data: &std::path::Path) -> Vec<Record> {
    let log = SqliteLog::read_only(data).expect("a log");
    let mut all: Vec<Record> = Vec::new();
    loop {
        let page = log
            .read_from(all.last().map_or(0, |last| last.position), 1_000)
            .expect("a page");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_under_load_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let acked = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 0..50u64 {
        let process = Process::start(folder.path(), &[]);
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let prefix = format!("R{round}S{sender}");
                tokio::spawn(send_until_killed(
                    process.mllp,
                    prefix,
                    sender % 2 == 1,
                    Arc::clone(&acked),
                ))
            })
            .collect();
        // Different points of a message's way: between 20 and 216 ms.
        tokio::time::sleep(Duration::from_millis(20 + round * 4)).await;
        process.kill();
        for sender in senders {
            sender.await.expect("a sender");
        }
    }
    let process = Process::start(folder.path(), &[]);
    // A message of its own tells that the gateway answers again.
    let reply = exchange(process.mllp, &oru("LAST", "4.0")).await;
    assert_eq!(fields(segment(&reply, "MSA")[0])[1], "AA");
    let token = std::fs::read_to_string(folder.path().join("admin-token")).expect("a token");
    let settled = async || {
        let (_, status) = get(process.admin, "/status", token.trim()).await;
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        status["log"]["pending"] == status["log"]["held"]
    };
    until("what was left behind is answered", settled).await;
    assert!(process.terminate(), "a drain ends well");
    check(&records(folder.path()), &acked.lock().expect("no panic"));
}

/// The control id of a message.
fn control_id(frame: &Frame) -> String {
    let text = String::from_utf8_lossy(&frame.body).into_owned();
    fields(segment(&text, "MSH")[0])[9].to_owned()
}

fn check(records: &[Record], acked: &BTreeSet<String>) {
    assert!(acked.len() > 100, "only {} were acknowledged", acked.len());
    let (mut accepted, mut answered, mut held) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for record in records {
        match &record.event {
            Event::Received { frame, .. } => {
                let again = accepted.insert(record.number, control_id(frame));
                assert_eq!(again, None, "a frame was kept twice");
            }
            Event::Answered { ended, .. } => {
                assert!(answered.insert(record.number), "a frame was answered twice");
                for reply in ended.replies.iter() {
                    let text = String::from_utf8_lossy(&reply.bytes).into_owned();
                    let whose = accepted.get(&record.number).map(String::as_str);
                    assert_eq!(Some(fields(segment(&text, "MSA")[0])[2]), whose);
                }
            }
            Event::Held => drop(held.insert(record.number)),
            Event::Again { .. } | Event::Late(_) => {}
        }
    }
    let ended = |number: &u64| answered.contains(number) || held.contains(number);
    let left: Vec<_> = accepted.keys().filter(|number| !ended(number)).collect();
    assert!(left.is_empty(), "neither answered nor held: {left:?}");
    assert!(answered.iter().chain(&held).all(|number| accepted.contains_key(number)));
    let kept: BTreeSet<_> = accepted.into_values().collect();
    let missing: Vec<_> = acked.difference(&kept).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path(), &[]);
    let reply = exchange(process.mllp, &oru("BEFORE", "4.0")).await;
    assert_eq!(fields(segment(&reply, "MSA")[0])[1], "AA");
    assert!(process.terminate());
    let answered = records(folder.path())
        .iter()
        .filter(|record| matches!(record.event, Event::Answered { .. }))
        .count();
    assert_eq!(answered, 1);
}
