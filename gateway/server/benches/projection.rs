//! What the read model costs a message: CPU of the projector's thread while messages come at a steady pace, and while it
//! catches up with a log that is there already. `cargo bench -p causeway-server --bench projection [messages]`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::format_push_string,
    clippy::indexing_slicing,
    reason = "a bench is a tool, not the product"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use causeway_core::inbox::Budget;
use causeway_core::store::{Decided, Facts, Index, KeyKind};
use causeway_core::{Context, Frame, Head, Inbox, Store, Verdict};
use causeway_server::projection::Projector;
use causeway_store::{Options, SqliteLog};
use jiff::Timestamp;

/// Messages that come together, every 10 ms: 1,000 a second.
const PACE: u64 = 10;

fn main() {
    let messages: u64 = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(5_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir_in(".").unwrap();
    let log = SqliteLog::open(dir.path(), Options::default()).unwrap();
    let inbox = Inbox::new(log.clone() as Arc<dyn Store>, Budget::default());
    let paced = tempfile::tempdir_in(".").unwrap();
    let projector = start(paced.path(), &log);
    for first in (0..messages).step_by(PACE as usize) {
        let began = Instant::now();
        (first..first + PACE).for_each(|number| runtime.block_on(answer(&inbox, number)));
        std::thread::sleep(Duration::from_millis(10).saturating_sub(began.elapsed()));
    }
    finish("paced", projector, &log, messages);
    let later = tempfile::tempdir_in(".").unwrap();
    let projector = start(later.path(), &log);
    finish("catching up", projector, &log, messages);
    let bytes = later.path().join("read.db").metadata().unwrap().len();
    println!("{:<12} {:>8.1} bytes a message", "file", bytes as f64 / messages as f64);
}

fn start(folder: &Path, log: &Arc<SqliteLog>) -> Projector {
    Projector::start(folder, log.clone(), Arc::new(|_| Context::default())).unwrap()
}

fn finish(what: &str, projector: Projector, log: &SqliteLog, messages: u64) {
    while projector.lag().position() < log.health().tail {
        std::thread::sleep(Duration::from_millis(1));
    }
    let micros = cpu().as_secs_f64() * 1e6 / messages as f64;
    println!("{what:<12} {micros:>8.1} us of CPU a message");
    drop(projector);
}

/// CPU time of the projector's thread so far.
fn cpu() -> Duration {
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "projector" {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
            return Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap());
        }
    }
    Duration::ZERO
}

async fn answer(inbox: &Inbox, number: u64) {
    let frame = Frame {
        listener: "lab".into(),
        peer: "127.0.0.1:4711".into(),
        received: Timestamp::now(),
        head: Head::Mllp,
        body: Bytes::from(format!("MSH|{number:<2000}")),
    };
    let permits = inbox.try_admit(frame.body.len()).unwrap();
    let receipt = inbox.receive(frame, permits, "maps".into());
    let decided = Decided {
        part: 0,
        verdict: Verdict::Accepted,
        bundle: Bytes::from(vec![7; 2_000]),
        facts: serde_json::to_vec(&facts(number)).unwrap().into(),
        deliveries: Vec::new(),
    };
    inbox.answered(&receipt, vec![decided], Vec::new()).await.unwrap();
}

/// Of a result message of twelve analytes: numbers of its own, names and analytes that many share.
fn facts(number: u64) -> Facts {
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let keys = [
        (KeyKind::Patient, format!("{:08}", spread % 100_000_000)),
        (KeyKind::Visit, format!("I{number:09}")),
        (KeyKind::Order, format!("HIS-{number}")),
        (KeyKind::Order, format!("LIS-{number}")),
    ];
    let names = ["张\n伟", "王\n建国", "Smith\nJohn", "Garcia\nMaria"];
    let mut words = names[spread as usize % names.len()].to_owned();
    for (_, key) in &keys {
        words.extend(["\n", key]);
    }
    for analyte in 0..12 {
        words.push_str(&format!(
            "\n{}-{}\nAnalyte {analyte} in serum or plasma\n项目",
            1_000 + analyte * 37,
            analyte % 10
        ));
    }
    Facts {
        context: Context {
            format: "hl7v2".to_owned(),
            message_type: "ORU^R01".to_owned(),
            control_id: format!("L{number}"),
            sender: "LIS|CITY".to_owned(),
            patient: Some(format!("Patient/{spread:032x}")),
            ..Context::default()
        },
        findings: Vec::new(),
        rules: None,
        index: Index {
            keys: keys.into(),
            words,
        },
        applied: Vec::new(),
        removed: Vec::new(),
    }
}
