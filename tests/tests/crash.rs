//! What a power cut may not do: lose what was acknowledged, answer twice, or forget what was accepted.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use causeway_core::store::{Event, Record};
use causeway_store::SqliteLog;
use causeway_tests::{Peer, Process, exchange, fields, framed, oru, segment};

/// Sends one message after another until the connection breaks; every acknowledged id goes to `acked`.
async fn send_until_killed(address: SocketAddr, prefix: String, acked: Arc<Mutex<BTreeSet<String>>>) {
    let mut peer = Peer::connect(address).await;
    for number in 0.. {
        let id = format!("{prefix}N{number}");
        if !peer.send(&framed(oru(&id, "7.0").as_bytes())).await {
            return;
        }
        let Some(reply) = peer.reply().await else { return };
        let msa = segment(&reply, "MSA");
        if msa
            .first()
            .is_some_and(|msa| fields(msa)[1] == "AA" && fields(msa)[2] == id)
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
                tokio::spawn(send_until_killed(process.mllp, prefix, Arc::clone(&acked)))
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
    assert!(process.terminate(), "a drain ends well");
    check(&records(folder.path()), &acked.lock().expect("no panic"));
}

fn check(records: &[Record], acked: &BTreeSet<String>) {
    assert!(acked.len() > 50, "only {} were acknowledged", acked.len());
    let (mut accepted, mut answered, mut held) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut answered_ids = BTreeSet::new();
    for record in records {
        match &record.event {
            Event::Received { .. } => assert!(accepted.insert(record.number), "a frame was kept twice"),
            Event::Answered { ended, .. } => {
                assert!(answered.insert(record.number), "a frame was answered twice");
                for reply in ended.replies.iter() {
                    let text = String::from_utf8_lossy(&reply.bytes).into_owned();
                    answered_ids.extend(segment(&text, "MSA").first().map(|msa| fields(msa)[2].to_owned()));
                }
            }
            Event::Held => drop(held.insert(record.number)),
            Event::Again { .. } => {}
        }
    }
    let pending = accepted.difference(&answered).count();
    assert_eq!(accepted.len(), answered.len() + pending);
    assert!(pending <= held.len(), "{pending} frames are neither answered nor held");
    let missing: Vec<_> = acked.difference(&answered_ids).collect();
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
