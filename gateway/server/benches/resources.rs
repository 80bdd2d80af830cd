//! What resources with versions and search cost a message: CPU of their thread for result messages of twelve analytes, a new
//! patient, order and results in each, made by the real chain into a real log. First as messages come, then again from the
//! whole log. `cargo bench -p causeway-server --bench resources [messages]`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench is a tool, not the product"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use causeway_core::{Frame, Head, Store};
use causeway_server::chain::HookSet;
use causeway_server::config::Config;
use causeway_server::resources::{Resources, Sequencer};
use causeway_server::wire;
use causeway_store::{Options, SqliteLog};
use jiff::Timestamp;
use tower::ServiceExt;

const ORU: &str = include_str!("../../../tests/benches/figures/oru-12.hl7");

fn main() {
    let messages: u64 = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(5_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir_in(".").unwrap();
    let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
    runtime.block_on(async {
        let here = tempfile::tempdir_in(".").unwrap();
        let (resources, sequencer) = start(here.path(), &log);
        let begun = Instant::now();
        fill(&log, messages).await;
        println!(
            "{:<12} {:>8.0} messages a second",
            "the chain",
            messages as f64 / begun.elapsed().as_secs_f64()
        );
        level(&log, &sequencer).await;
        told("as they come", messages);
        drop(resources);
        let again = tempfile::tempdir_in(".").unwrap();
        let begun = Instant::now();
        let (resources, sequencer) = start(again.path(), &log);
        level(&log, &sequencer).await;
        told("from the log", messages);
        println!(
            "{:<12} {:>8.0} messages a second",
            "",
            messages as f64 / begun.elapsed().as_secs_f64()
        );
        drop(resources);
        let bytes = |path: &Path| path.metadata().unwrap().len() as f64 / messages as f64;
        println!(
            "{:<12} {:>8.0} bytes a message",
            "fhir.db",
            bytes(&again.path().join("fhir.db"))
        );
        println!(
            "{:<12} {:>8.0} bytes a message",
            "log.sqlite",
            bytes(&folder.path().join("log.sqlite"))
        );
    });
}

fn start(folder: &Path, log: &Arc<SqliteLog>) -> (Resources, Arc<Sequencer>) {
    let sequencer = Arc::new(Sequencer::default());
    let resources = Resources::start(folder, log.clone(), Arc::clone(&sequencer), wire::UNITES).unwrap();
    (resources, sequencer)
}

/// Sends messages through the chain, 64 at a time.
async fn fill(log: &Arc<SqliteLog>, messages: u64) {
    let config = Config::default();
    let house = wire::house(&config, log.clone() as Arc<dyn Store>, HookSet::default()).unwrap();
    let listener = config.listeners.first().cloned().unwrap();
    let wired = wire::wired(&listener, &config, &house).unwrap();
    for first in (0..messages).step_by(64) {
        let all = (first..messages.min(first + 64)).map(|number| {
            let (service, frame) = (wired.service.clone(), frame(number));
            async move {
                let Ok(replies) = service.oneshot(frame).await;
                replies.collect().await
            }
        });
        futures_util::future::join_all(all).await;
    }
}

fn frame(number: u64) -> Frame {
    let mut text = ORU.replace('\n', "\r");
    let spread = number.wrapping_mul(0x9E37_79B9) % 100_000_000;
    for (from, to) in [
        ("|L1|", format!("|B{number}|")),
        ("0084512", format!("{spread:08}")),
        ("I2026112300045", format!("I{number:013}")),
        ("HIS-778812", format!("HIS-{number:07}")),
        ("LIS-55120", format!("LIS-{number:07}")),
    ] {
        text = text.replace(from, &to);
    }
    Frame {
        listener: "mllp".into(),
        peer: "127.0.0.1:4711".into(),
        received: Timestamp::now(),
        head: Head::Mllp,
        body: Bytes::from(text),
    }
}

async fn level(log: &SqliteLog, sequencer: &Sequencer) {
    while sequencer.position() < log.health().tail {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// CPU time of the thread so far.
fn told(what: &str, messages: u64) {
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "resources" {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
            let nanoseconds: f64 = stat.split(' ').next().unwrap().parse().unwrap();
            println!(
                "{what:<12} {:>8.1} us of CPU a message",
                nanoseconds / 1e3 / messages as f64
            );
        }
    }
}
