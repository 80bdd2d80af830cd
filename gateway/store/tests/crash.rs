//! A process that is killed in the middle of a load, several times over the same folder: what was said to be kept is
//! kept, what was said to be answered is answered with the same bytes, and the counters agree.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests"
)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use causeway_core::store::Event;
use causeway_core::{Arrival, Verdict};
use causeway_store::{Options, SqliteLog};
use common::{Bench, frame, part, said, texts};

const ROUNDS: u64 = 5;

/// What the process said before it died: text of the frame by number, whether it was answered.
type Said = BTreeMap<u64, (String, bool)>;

#[test]
fn a_killed_process_loses_nothing_that_it_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut said = Said::new();
    for round in 0..ROUNDS {
        let before = said.values().filter(|(_, answered)| *answered).count();
        load_and_kill(dir.path(), round, &mut said);
        let after = said.values().filter(|(_, answered)| *answered).count();
        assert!(after > before, "round {round} did some work");
        audit(dir.path(), &said);
    }
}

/// Starts a process that puts the log under load and kills it after some lines, fewer or more by the round.
fn load_and_kill(dir: &Path, round: u64, said: &mut Said) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "load", "--ignored", "--nocapture"])
        .env("CAUSEWAY_LOAD", dir)
        .env("CAUSEWAY_ROUND", round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    for line in lines.by_ref().take(400 + 137 * usize::try_from(round).unwrap()) {
        note(&line, said);
    }
    child.kill().unwrap();
    // What it said before it died counts, read or not.
    lines.for_each(|line| note(&line, said));
    assert!(!child.wait().unwrap().success(), "it was killed");
}

fn note(line: &str, said: &mut Said) {
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some("kept"), Some(number), Some(text)) => {
            said.entry(number.parse().unwrap()).or_insert((text.into(), false));
        }
        (Some("answered"), Some(number), Some(text)) => {
            said.insert(number.parse().unwrap(), (text.into(), true));
        }
        _ => {}
    }
}

fn audit(dir: &Path, said: &Said) {
    // A copy, so that looking is neither a start nor a death.
    let looked = tempfile::tempdir().unwrap();
    for file in ["log.sqlite", "log.sqlite-wal"] {
        std::fs::copy(dir.join(file), looked.path().join(file)).unwrap();
    }
    let bench = Bench::on(SqliteLog::open(looked.path(), Options::default()).unwrap());
    let health = bench.store.health();
    for (number, (text, answered)) in said {
        let kept = bench.store.frame(*number).unwrap().unwrap();
        assert_eq!(kept.frame.body, text.as_bytes(), "{number}");
        let ended = bench.store.outcome(*number).unwrap();
        if *answered {
            assert_eq!(
                ended.unwrap().replies[0].bytes,
                format!("AA {text}").as_bytes(),
                "{number}"
            );
        }
    }
    let records = bench.records();
    let count = |which: fn(&Event) -> bool| records.iter().filter(|record| which(&record.event)).count() as u64;
    assert_eq!(count(|event| matches!(event, Event::Received { .. })), health.accepted);
    assert_eq!(count(|event| matches!(event, Event::Answered { .. })), health.answered);
    let positions: Vec<u64> = records.iter().map(|record| record.position).collect();
    assert_eq!(positions, (1..=health.tail).collect::<Vec<_>>());
    let pending = bench.store.pending(0, usize::MAX >> 1).unwrap();
    assert_eq!(
        pending.len() as u64 + health.held,
        health.pending(),
        "accepted = answered + pending"
    );
    assert!(pending.is_sorted_by_key(|pending| pending.number));
    bench.store.close();
}

/// The process that is killed: takes up what the last one left, then receives and answers as fast as it can, with a
/// resend of every tenth frame.
#[tokio::test]
#[ignore = "runs until it is killed"]
async fn load() {
    let dir = std::env::var_os("CAUSEWAY_LOAD").unwrap();
    let round = std::env::var_os("CAUSEWAY_ROUND").unwrap().into_string().unwrap();
    let bench = Arc::new(Bench::on(SqliteLog::open(dir, Options::default()).unwrap()));
    let left = bench.store.pending(0, usize::MAX >> 1).unwrap();
    for pending in left {
        let text = String::from_utf8(pending.frame.body.to_vec()).unwrap();
        let receipt = bench.inbox.resume(pending, None);
        answer(&bench, &receipt, &text).await;
    }
    let workers: Vec<_> = (0..16)
        .map(|worker| {
            let (bench, round) = (Arc::clone(&bench), round.clone());
            tokio::spawn(async move {
                for n in 0u64.. {
                    work(&bench, &format!("{round}-{worker}-{n}"), n).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn work(bench: &Bench, text: &str, n: u64) {
    let receipt = bench.receive(frame(text));
    if n.is_multiple_of(2) {
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::New(_)));
        println!("kept {} {text}", receipt.number());
    }
    let again = n.is_multiple_of(10).then(|| bench.receive(frame(text)));
    answer(bench, &receipt, text).await;
    if let Some(again) = again {
        let sent = bench.answered(&again, vec![], vec![]).await.unwrap();
        assert_eq!(
            (texts(&sent), sent.again),
            (vec![format!("AA {text}")], Some(receipt.number()))
        );
    }
}

async fn answer(bench: &Bench, receipt: &causeway_core::Receipt, text: &str) {
    let mut reply = said(true, "");
    reply.bytes = format!("AA {text}").into();
    bench
        .answered(receipt, vec![part(0, Verdict::Accepted)], vec![reply])
        .await
        .unwrap();
    println!("answered {} {text}", receipt.number());
}
