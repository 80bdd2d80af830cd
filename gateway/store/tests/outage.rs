//! A disk that fails: full, failing writes, failing fsyncs. Nothing positive is said meanwhile, and when the cause is
//! gone the log recovers by itself. The failures are made below SQLite by `failing.c`, in a process of its own; as root
//! a small tmpfs that is really full comes on top.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use causeway_core::store::Event;
use causeway_core::{Arrival, FaultKind, Store, Verdict};
use causeway_store::{Options, SqliteLog};
use common::{Bench, frame, part, said};
use rusqlite::Connection;

/// Runs a scenario of this file in a process whose disk can fail.
fn under_the_shim(scenario: &str) {
    let dir = tempfile::tempdir().unwrap();
    let shim = dir.path().join("failing.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failing.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&shim)
        .arg(source)
        .status()
        .unwrap();
    assert!(built.success());
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", scenario, "--ignored", "--nocapture"])
        .env("LD_PRELOAD", &shim)
        .env("CAUSEWAY_FAIL", dir.path().join("fail"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

/// From now on the disk fails so; with nothing it works again.
fn fail(how: &str) {
    let file = PathBuf::from(std::env::var_os("CAUSEWAY_FAIL").unwrap());
    std::fs::write(file, how).unwrap();
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// What is in the log agrees with what it says of itself.
fn audit(bench: &Bench) {
    let health = bench.store.health();
    let records = bench.records();
    let count = |which: fn(&Event) -> bool| records.iter().filter(|record| which(&record.event)).count() as u64;
    assert_eq!(count(|event| matches!(event, Event::Received { .. })), health.accepted);
    assert_eq!(count(|event| matches!(event, Event::Answered { .. })), health.answered);
    assert_eq!(records.last().map_or(0, |record| record.position), health.tail);
    let positions: Vec<u64> = records.iter().map(|record| record.position).collect();
    assert_eq!(positions, (1..=health.tail).collect::<Vec<_>>());
    let db = Connection::open(bench.path().join("log.sqlite")).unwrap();
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

async fn outage(how: &str) {
    let bench = Bench::sqlite();
    bench.accept("MSH|before", "AA before").await;
    let running = bench.keep("MSH|running").await;
    let partial = bench.keep("batch").await;
    let again = bench.receive(frame("MSH|running"));
    again.kept().await.unwrap();
    let waiter = bench.inbox.answered(&again, vec![], vec![]);
    let tail = bench.store.health().tail;
    assert_eq!(bench.store.health().broken, None);

    fail(how);
    let first = bench.receive(frame("MSH|during 1"));
    let second = bench.receive(frame("MSH|during 2"));
    let answer = bench
        .inbox
        .answered(&second, vec![part(0, Verdict::Accepted)], vec![said(true, "AA")]);
    for receipt in [&first, &second] {
        let fault = receipt.kept().await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (FaultKind::Storage, true), "{how}");
    }
    answer.await.unwrap_err();
    until("broken", || bench.store.health().broken.is_some()).await;
    bench
        .answer(&running, Verdict::Accepted, "AA running")
        .await
        .unwrap_err();
    waiter.await.unwrap_err();
    let lost = bench.store.decided(partial.number(), vec![part(0, Verdict::Accepted)]);
    let _ended = lost.await; // and does not wait for the disk
    bench.receive(frame("MSH|during 3")).kept().await.unwrap_err();
    bench.store.claim(1).unwrap_err();
    // Attempts to write again fail too, and it still says so.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(bench.store.health().broken.is_some(), "{how}");
    assert_eq!(bench.store.health().tail, tail);
    assert_eq!(
        bench.store.read_from(0, 100).unwrap().len() as u64,
        tail,
        "reading goes on"
    );

    fail("");
    // A process that dies now may leave the failed commit on disk; both are right.
    let dead = bench.crash();
    audit(&dead);
    for text in ["MSH|during 1", "MSH|during 2", "MSH|running"] {
        let receipt = dead.receive(frame(text));
        receipt.kept().await.unwrap();
    }
    let healthy = || bench.store.health().broken.is_none();
    until("healthy", healthy).await;

    // Whoever sends again is served: what failed runs as new.
    for text in ["MSH|during 1", "MSH|during 2", "MSH|during 3", "MSH|running"] {
        let receipt = bench.keep(text).await;
        bench.answer(&receipt, Verdict::Accepted, "AA after").await.unwrap();
    }
    let before = bench.receive(frame("MSH|before"));
    assert!(matches!(before.kept().await.unwrap(), Arrival::Again(_)));
    // An answer without all its parts is none; the frame is run again for what is missing.
    bench
        .answered(&partial, vec![part(1, Verdict::Accepted)], vec![said(true, "AA")])
        .await
        .unwrap_err();
    let claimed = bench.store.claim(10).unwrap();
    let numbers: Vec<u64> = claimed.iter().map(|pending| pending.number).collect();
    assert!(
        numbers.contains(&running.number()) && numbers.contains(&partial.number()),
        "{how}: {numbers:?}"
    );
    for pending in claimed {
        let receipt = bench.inbox.resume(pending, None);
        bench.answer(&receipt, Verdict::Accepted, "AA").await.unwrap();
    }
    assert_eq!(bench.store.health().pending(), 0);
    audit(&bench);
    let bench = bench.reopen();
    audit(&bench);
    assert_eq!(bench.pending(), []);
}

#[tokio::test]
#[ignore = "runs in a process whose disk can fail"]
async fn full() {
    outage("full").await;
}

#[tokio::test]
#[ignore = "runs in a process whose disk can fail"]
async fn write() {
    outage("write").await;
}

#[tokio::test]
#[ignore = "runs in a process whose disk can fail"]
async fn fsync() {
    outage("fsync").await;
}

#[test]
fn a_full_disk_is_an_outage_and_no_more() {
    under_the_shim("full");
}

#[test]
fn a_failed_write_is_an_outage_and_no_more() {
    under_the_shim("write");
}

#[test]
fn a_failed_fsync_is_an_outage_and_no_more() {
    under_the_shim("fsync");
}

/// A tmpfs for as long as the test runs.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=8m", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(dir.path()).output().ok()?;
        mounted.status.success().then_some(Self(dir))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[tokio::test]
async fn a_tmpfs_that_is_full() {
    let Some(tmpfs) = Tmpfs::mount() else {
        return println!("skipped: only root may mount a tmpfs");
    };
    let data = tmpfs.0.path().join("data");
    let ballast = tmpfs.0.path().join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    let log = SqliteLog::open(&data, Options::default()).unwrap();
    let bench = Bench::on(log.clone());
    let mut kept = Vec::new();
    for n in 0.. {
        assert!(n < 10_000, "the tmpfs is never full");
        let receipt = bench.receive(frame(&format!("{n}|{}", "x".repeat(30_000))));
        match bench.answer(&receipt, Verdict::Accepted, "AA").await {
            Ok(_) => kept.push(receipt.number()),
            Err(fault) => {
                assert_eq!(fault.kind, FaultKind::Storage);
                break;
            }
        }
    }
    let broken = log.health().broken.unwrap();
    assert!(broken.contains("full"), "{broken}");
    std::fs::remove_file(ballast).unwrap();
    until("healthy", || log.health().broken.is_none()).await;
    kept.push(bench.accept("MSH|after", "AA").await);
    assert!(kept.len() > 10);
    for number in kept {
        assert!(log.outcome(number).unwrap().is_some(), "{number} was said to be kept");
    }
    bench.store.close();
}
