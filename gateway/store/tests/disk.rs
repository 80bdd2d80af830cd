//! What only the log on disk promises: the folder is private and one gateway's, a bad record costs only itself, reading
//! goes on beside writing, files of other versions are brought forward or refused.

mod common;

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use causeway_core::store::Event;
use causeway_core::{Arrival, FaultKind, Store, Verdict};
use causeway_store::{Options, SqliteLog};
use common::{Bench, delivery, frame, late, part, said, texts};
use rusqlite::Connection;

#[tokio::test]
async fn the_folder_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep/data");
    let log = SqliteLog::open(&data, Options::default()).unwrap();
    let bench = Bench::on(log);
    bench.accept("MSH|one", "AA").await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut files: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .flatten()
        .map(|file| file.path())
        .collect();
    files.sort();
    let names: Vec<_> = files
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["lock", "log.sqlite", "log.sqlite-shm", "log.sqlite-wal"]);
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[test]
fn an_open_folder_is_closed_to_others() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let _log = SqliteLog::open(dir.path(), Options::default()).unwrap();
    assert_eq!(dir.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_second_gateway_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let first = SqliteLog::open(dir.path(), Options::default()).unwrap();
    let fault = SqliteLog::open(dir.path(), Options::default()).unwrap_err();
    assert!(fault.inside.contains("another gateway uses the data folder"), "{fault}");
    first.close();
    SqliteLog::open(dir.path(), Options::default()).unwrap();
}

/// What outlives a process: not how often this one committed.
fn lasting(health: causeway_core::store::Health) -> causeway_core::store::Health {
    causeway_core::store::Health {
        commits: 0,
        committed: 0,
        ..health
    }
}

#[tokio::test]
async fn all_of_it_is_there_after_a_restart() {
    let bench = Bench::sqlite();
    let number = bench.accept("MSH|one", "AA 1").await;
    let open = bench.keep("MSH|two").await;
    bench.receive(frame("MSH|one")).kept().await.unwrap();
    let (health, next) = (lasting(bench.store.health()), bench.store.next_number());
    let records = bench.records().len();
    let bench = bench.reopen();
    assert_eq!(
        (lasting(bench.store.health()), bench.store.next_number()),
        (health, next)
    );
    assert_eq!(bench.records().len(), records);
    let again = bench.receive(frame("MSH|one"));
    let sent = bench.answer(&again, Verdict::Accepted, "other").await.unwrap();
    assert_eq!((texts(&sent), sent.again), (vec!["AA 1".to_owned()], Some(number)));
    assert_eq!(bench.pending(), [(open.number(), 0)], "an orderly end is no death");
}

#[tokio::test]
async fn a_bad_record_costs_only_itself() {
    let bench = Bench::sqlite();
    // A second inbox gives out the same numbers.
    let twice = Bench::on(Arc::clone(&bench.store));
    let first = bench.receive(frame("MSH|first"));
    let mut wrong = frame("MSH|wrong");
    wrong.peer = "x".repeat(1 << 20).into();
    let wrong = bench.receive(wrong);
    let mut others: Vec<_> = (0..20).map(|n| bench.receive(frame(&format!("MSH|{n}")))).collect();
    let taken = twice.receive(frame("MSH|taken"));
    assert_eq!(first.number(), taken.number());
    let answer = bench
        .inbox
        .answered(&others[3], vec![part(0, Verdict::Accepted)], vec![said(true, "AA")]);
    others.extend([first, bench.receive(frame("MSH|last"))]);
    assert_eq!(wrong.kept().await.unwrap_err().kind, FaultKind::TooLarge);
    assert_eq!(taken.kept().await.unwrap_err().kind, FaultKind::Storage);
    for receipt in &others {
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::New(_)));
    }
    assert_eq!(texts(&answer.await.unwrap().sent), ["AA"]);
    let positions: Vec<u64> = bench.records().iter().map(|record| record.position).collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<_>>());
    let health = bench.store.health();
    assert_eq!((health.broken, health.accepted, health.answered), (None, 22, 1));
}

/// The table refuses the answer after the frame was taken out of the open ones.
#[tokio::test]
async fn an_answer_that_cannot_be_written_leaves_its_frame_open() {
    let bench = Bench::sqlite();
    let db = Connection::open(bench.path().join("log.sqlite")).unwrap();
    db.execute_batch(
        "CREATE TRIGGER refuse BEFORE INSERT ON answer WHEN length(new.replies) > 1000
         BEGIN SELECT RAISE(ABORT, 'refused by the test'); END",
    )
    .unwrap();
    let (refused, fine) = (bench.receive(frame("MSH|refused")), bench.receive(frame("MSH|fine")));
    let mut large = said(true, "");
    large.bytes = vec![b'x'; 2_000].into();
    let answer = bench
        .inbox
        .answered(&refused, vec![part(0, Verdict::Accepted)], vec![large]);
    bench.answer(&fine, Verdict::Accepted, "AA").await.unwrap();
    let fault = answer.await.unwrap_err();
    assert!(fault.inside.contains("refused by the test"), "{fault}");
    assert!(matches!(refused.kept().await.unwrap(), Arrival::New(_)));
    let health = bench.store.health();
    assert_eq!(
        (health.broken, health.accepted, health.answered, health.tail),
        (None, 2, 1, 3)
    );
    assert_eq!(bench.crash().pending(), [(refused.number(), 1)]);
    // Nobody works on it any more, so the same message runs as new.
    bench.keep("MSH|refused").await;
}

#[tokio::test]
async fn a_reader_stands_beside_a_gateway_and_alone() {
    let bench = Bench::sqlite();
    let number = bench.accept("MSH|one", "AA").await;
    let reader = SqliteLog::read_only(bench.path()).unwrap();
    assert_eq!(reader.frame(number).unwrap().unwrap().frame.body, "MSH|one");
    bench.accept("MSH|two", "AA").await;
    assert_eq!(reader.read_from(0, 10).unwrap().len(), 4);
    assert_eq!(reader.health().unwrap(), lasting(bench.store.health()));
    assert_eq!(reader.outcome(number).unwrap().unwrap().replies[0].bytes, "AA");
    bench.store.close();
    drop(reader);
    let alone = SqliteLog::read_only(bench.path()).unwrap();
    assert_eq!(alone.read_from(0, 10).unwrap().len(), 4);
    alone.frame(number).unwrap().unwrap();
    drop(alone);
    // What a killed gateway leaves is read too, with the records that are in its journal only.
    let killed = Bench::sqlite();
    killed.accept("MSH|one", "AA").await;
    let copy = tempfile::tempdir().unwrap();
    for file in ["log.sqlite", "log.sqlite-wal"] {
        std::fs::copy(killed.path().join(file), copy.path().join(file)).unwrap();
    }
    assert_eq!(
        SqliteLog::read_only(copy.path())
            .unwrap()
            .read_from(0, 10)
            .unwrap()
            .len(),
        2
    );
    let nowhere = SqliteLog::read_only(bench.path().join("nowhere")).unwrap_err();
    assert!(nowhere.inside.contains("there is no log in"), "{nowhere}");
}

#[tokio::test]
async fn asking_for_parked_frames_in_vain_writes_nothing() {
    let bench = Bench::sqlite();
    bench.accept("MSH|one", "AA").await;
    let db = Connection::open(bench.path().join("log.sqlite")).unwrap();
    let version = || {
        db.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let before = version();
    for _ in 0..5 {
        assert!(bench.store.claim(10).unwrap().is_empty());
        assert!(bench.store.pending(0, 10).unwrap().is_empty());
    }
    assert_eq!(version(), before);
    bench.accept("MSH|two", "AA").await;
    assert_ne!(version(), before);
}

/// Answers end in another order than their frames; whoever follows the log sees every record once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_the_log_misses_nothing() {
    const FRAMES: u64 = 1_500;
    let bench = Arc::new(Bench::sqlite());
    let store = Arc::clone(&bench.store);
    let follower = std::thread::spawn(move || {
        let (mut position, mut received, mut answered) = (0, HashSet::new(), HashSet::new());
        while answered.len() < usize::try_from(FRAMES).unwrap() {
            for record in store.read_from(position, 100).unwrap() {
                assert_eq!(record.position, position + 1);
                position = record.position;
                match record.event {
                    Event::Received { .. } => assert!(received.insert(record.number)),
                    Event::Answered { .. } => {
                        assert!(received.contains(&record.number) && answered.insert(record.number));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        position
    });
    let work = |worker: u64| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            for n in 0..FRAMES / 30 {
                let one = bench.receive(frame(&format!("{worker}|{n}")));
                if n.is_multiple_of(3) {
                    one.kept().await.unwrap();
                }
                bench.answer(&one, Verdict::Accepted, "AA").await.unwrap();
            }
        })
    };
    for worker in (0..30).map(work).collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let last = tokio::task::spawn_blocking(|| follower.join().unwrap()).await.unwrap();
    assert_eq!((last, bench.store.health().tail), (2 * FRAMES, 2 * FRAMES));
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes() {
    let bench = Bench::sqlite();
    for n in 0..5 {
        bench.keep(&format!("{n}{}", "x".repeat(3 << 20))).await;
    }
    let page = bench.store.read_from(0, 100).unwrap();
    assert_eq!(page.len(), 3, "the third passes 8 MiB");
    assert_eq!(bench.records().len(), 5);
}

#[tokio::test]
async fn forgetting_much_goes_in_steps_and_gives_room_again() {
    let bench = Bench::sqlite();
    let mut receipts = Vec::new();
    for n in 0..300 {
        receipts.push(bench.receive(frame(&format!("{n:04}{}", "x".repeat(3_000)))));
    }
    for receipt in &receipts[..299] {
        drop(bench.inbox.answered(receipt, vec![part(0, Verdict::Accepted)], vec![]));
    }
    let mut decided = part(0, Verdict::Accepted);
    decided.deliveries = vec![delivery("ward")];
    bench.answered(&receipts[299], vec![decided], vec![]).await.unwrap();
    let bytes = || SqliteLog::read_only(bench.path()).unwrap().bytes().unwrap();
    let before = bytes();
    assert!(before > 300 * 3_000);
    assert_eq!(bench.store.forget(jiff::Timestamp::now()).unwrap(), 299);
    assert!(bytes() < before / 4);
    assert_eq!(bench.records().len(), 2);
    let path = bench.path().join("log.sqlite");
    bench.store.close();
    let db = Connection::open(path).unwrap();
    let (pages, free): (i64, i64) = db
        .query_row(
            "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert!(free * 10 > pages * 8, "{free} of {pages} pages are free");
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_newer_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    SqliteLog::open(dir.path(), Options::default()).unwrap().close();
    let db = Connection::open(dir.path().join("log.sqlite")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    for fault in [
        SqliteLog::open(dir.path(), Options::default()).unwrap_err(),
        SqliteLog::read_only(dir.path()).unwrap_err(),
    ] {
        assert!(
            fault.inside.contains("newer version of the gateway (schema 99"),
            "{fault}"
        );
    }
}

#[test]
fn a_file_that_is_no_log_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("log.sqlite"),
        "this is a text and no database ".repeat(100),
    )
    .unwrap();
    SqliteLog::open(dir.path(), Options::default()).unwrap_err();
    SqliteLog::read_only(dir.path()).unwrap_err();
}

/// A file as version 1 wrote it, made by hand.
#[tokio::test]
async fn a_file_of_version_1_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let db = Connection::open(dir.path().join("log.sqlite")).unwrap();
    db.execute_batch(include_str!("v1.sql")).unwrap();
    drop(db);
    let bench = Bench::on(SqliteLog::open(dir.path(), Options::default()).unwrap());
    let health = bench.store.health();
    assert_eq!(
        (health.tail, health.accepted, health.answered, health.held),
        (4, 2, 1, 0)
    );
    let records = bench.records();
    let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, [1, 1, 1, 3]);
    let Event::Received { frame: kept, .. } = &records[0].event else {
        panic!("{:?}", records[0])
    };
    assert_eq!(
        (&*kept.listener, &*kept.peer, &kept.body[..]),
        ("lab", "10.0.0.9:1", &b"MSH|one"[..])
    );
    assert_eq!(kept.received.to_string(), "2026-01-02T03:04:05.678Z");
    let Event::Answered { ended, .. } = &records[2].event else {
        panic!("{:?}", records[2])
    };
    assert_eq!(
        (ended.decided[0].part, ended.decided[0].verdict),
        (7, Verdict::Remarked)
    );
    assert_eq!(ended.decided[0].facts, "{}");
    assert_eq!(ended.decided[0].deliveries[0].destination, "ward");
    let audit = bench.store.deliveries().audit().unwrap();
    assert!(audit.iter().all(causeway_core::store::Audit::agrees));
    let waiting = bench.store.deliveries().waiting("ward", None, 0, 9).unwrap();
    let posted = waiting[0].posted.to_string(); // when its frame was answered
    assert_eq!(
        (waiting[0].id, waiting[0].number, posted.as_str()),
        (1, 1, "2026-01-02T03:04:07Z")
    );
    assert_eq!(
        (&ended.replies[0].bytes[..], ended.replies[0].positive),
        (&b"AA"[..], true)
    );
    assert_eq!(bench.pending(), [(3, 1)]);
    assert_eq!(bench.store.next_number(), 4);
    bench.store.late(late(1, "lab"));
    bench.accept("MSH|new", "AA").await;
    assert_eq!(bench.store.came_late(1).unwrap(), [late(1, "lab")]);
}
