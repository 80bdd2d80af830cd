//! What the log costs: the writer's time a message in groups, and how long one message takes alone. The disk's own rate
//! stands beside the figures, since it drifts. `cargo bench -p causeway-store [messages]`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a bench is a tool, not the product"
)]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use causeway_core::frame::Head;
use causeway_core::inbox::Budget;
use causeway_core::reply::{ReplyHead, ReplyKind};
use causeway_core::store::Decided;
use causeway_core::{Frame, Inbox, Reply, Store, Verdict};
use causeway_store::{Options, SqliteLog};
use jiff::Timestamp;

fn main() {
    let messages = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(20_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let dir = tempfile::tempdir_in(".").unwrap();
    println!("raw fdatasync of 1 KiB   {:>9.1} us", raw(dir.path()));
    let log = SqliteLog::open(dir.path(), Options::default()).unwrap();
    let inbox = Arc::new(Inbox::new(log.clone() as Arc<dyn Store>, Budget::default()));
    alone(&runtime, &inbox, messages.min(3_000));
    grouped(&runtime, &inbox, messages);
    println!("raw fdatasync of 1 KiB   {:>9.1} us", raw(dir.path()));
    let start = Instant::now();
    let mut position = 0;
    while let Some(last) = log.read_from(position, 1_000).unwrap().last() {
        position = last.position;
    }
    println!("read a record            {:>9.1} us", micros(start.elapsed(), position));
    let start = Instant::now();
    log.close();
    drop(log);
    println!(
        "close                    {:>9.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let log = SqliteLog::open(dir.path(), Options::default()).unwrap();
    println!(
        "open                     {:>9.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    println!(
        "file                     {:>9.1} MB",
        dir.path().join("log.sqlite").metadata().unwrap().len() as f64 / 1e6
    );
    let (start, before) = (Instant::now(), writer_time());
    let dropped = log.forget(Timestamp::now()).unwrap();
    println!("forget a frame           {:>9.1} us", micros(start.elapsed(), dropped));
    println!(
        "   of that the writer    {:>9.1} us",
        micros(writer_time().saturating_sub(before), dropped)
    );
}

/// One message after the other, frame and answer in one commit.
fn alone(runtime: &tokio::runtime::Runtime, inbox: &Inbox, messages: u64) {
    let mut times: Vec<Duration> = (0..messages)
        .map(|_| {
            let frame = frame();
            let decided = vec![decided()];
            let start = Instant::now();
            let permits = inbox.try_admit(frame.body.len()).unwrap();
            let receipt = inbox.receive(frame, permits, "maps".into());
            runtime
                .block_on(inbox.answered(&receipt, decided, vec![reply()]))
                .unwrap();
            start.elapsed()
        })
        .collect();
    times.sort();
    for percent in [50, 99] {
        let time = times[times.len() * percent / 100];
        println!("alone, {percent} %              {:>9.1} us", time.as_secs_f64() * 1e6);
    }
}

/// Sixty-four in flight.
fn grouped(runtime: &tokio::runtime::Runtime, inbox: &Arc<Inbox>, messages: u64) {
    let (start, before) = (Instant::now(), writer_time());
    let mut slowest = Duration::ZERO;
    for _ in 0..messages / 64 {
        let began = Instant::now();
        let waits: Vec<_> = (0..64)
            .map(|_| {
                let frame = frame();
                let permits = inbox.try_admit(frame.body.len()).unwrap();
                let receipt = inbox.receive(frame, permits, "maps".into());
                inbox.answered(&receipt, vec![decided()], vec![reply()])
            })
            .collect();
        runtime.block_on(async {
            for wait in waits {
                wait.await.unwrap();
            }
        });
        slowest = slowest.max(began.elapsed());
    }
    println!(
        "in groups, wall          {:>9.1} us a message",
        micros(start.elapsed(), messages)
    );
    println!(
        "in groups, writer's CPU  {:>9.1} us a message",
        micros(writer_time().saturating_sub(before), messages)
    );
    println!("slowest group            {:>9.1} ms", slowest.as_secs_f64() * 1e3);
}

fn micros(time: Duration, by: u64) -> f64 {
    time.as_secs_f64() * 1e6 / by.max(1) as f64
}

/// CPU time of the writer's thread so far.
fn writer_time() -> Duration {
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "causeway-log" {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
            return Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    Duration::ZERO
}

fn raw(dir: &Path) -> f64 {
    let path = dir.join("raw");
    let mut file = File::create(&path).unwrap();
    let start = Instant::now();
    for _ in 0..2_000 {
        file.write_all(&[b'x'; 1024]).unwrap();
        file.sync_data().unwrap();
    }
    std::fs::remove_file(path).unwrap();
    micros(start.elapsed(), 2_000)
}

/// Bytes that do not compress, new ones each time.
fn noise(length: usize) -> Bytes {
    use std::cell::Cell;
    thread_local!(static STATE: Cell<u64> = const { Cell::new(0x9E37_79B9_7F4A_7C15) });
    let next = || {
        let mut x = STATE.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        STATE.set(x);
        x.to_le_bytes()
    };
    std::iter::repeat_with(next)
        .flatten()
        .take(length)
        .collect::<Vec<u8>>()
        .into()
}

fn frame() -> Frame {
    Frame {
        listener: "lab".into(),
        peer: "127.0.0.1:4711".into(),
        received: Timestamp::now(),
        head: Head::Mllp,
        body: noise(2_000),
    }
}

fn decided() -> Decided {
    Decided {
        part: 0,
        verdict: Verdict::Accepted,
        bundle: noise(2_000),
        facts: noise(500),
        deliveries: Vec::new(),
    }
}

fn reply() -> Reply {
    Reply {
        head: ReplyHead::None,
        kind: ReplyKind::Application,
        bytes: noise(300),
        positive: true,
    }
}
