//! The conformance cases, in process and over a real socket, by the same runner. `UPDATE_EXPECT=1` rewrites the blocks
//! that differ; read them before you keep them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_conformance::{Answered, Case, Failure, Role, Target, run};
use causeway_core::store::Facts;
use causeway_core::{Frame, Head, Store};
use causeway_server::chain::HookSet;
use causeway_server::config::Config;
use causeway_server::{config, wire};
use causeway_store::MemoryLog;
use causeway_tests::{Gateway, Peer, framed};
use tower::ServiceExt;

fn cases() -> Vec<(PathBuf, String, Vec<Case>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the root")
        .join("conformance/cases");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("cases")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).expect("text");
        let cases = Case::read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        (file, text, cases)
    };
    files.into_iter().map(read).collect()
}

fn configuration(case: &Case) -> Config {
    config::parse(case.config(), std::iter::empty()).unwrap_or_else(|error| panic!("{}: {error}", case.title))
}

/// HL7v2 blocks have a line a segment.
fn body(input: &str) -> Bytes {
    Bytes::from(input.replace('\n', "\r") + "\r")
}

struct InProcess {
    wired: wire::Wired,
    log: Arc<MemoryLog>,
    number: u64,
}

impl InProcess {
    fn new(case: &Case) -> Self {
        let config = configuration(case);
        let log = Arc::new(MemoryLog::new());
        let house = wire::house(&config, Arc::clone(&log) as Arc<dyn Store>, HookSet::default()).expect("a house");
        let listener = config.listeners.first().expect("a listener");
        Self {
            wired: wire::wired(listener, &config, &house).expect("a listener"),
            log,
            number: 0,
        }
    }

    fn look(&self, answered: &mut Answered) {
        let Some(ended) = self.log.outcome(self.number).expect("the log") else {
            return;
        };
        let Some(part) = ended.decided.first() else { return };
        let json = causeway_store::decompress(&part.bundle, 1 << 26).expect("a bundle");
        answered.exchange = Some(String::from_utf8(json.to_vec()).expect("text"));
        let facts: Facts = serde_json::from_slice(&part.facts).expect("facts");
        let line = |finding: &causeway_core::Finding| {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            format!(
                "{severity}|{}|{}\n",
                finding.place.as_deref().unwrap_or("-"),
                finding.code
            )
        };
        answered.findings = Some(facts.findings.iter().map(line).collect());
    }
}

impl Target for InProcess {
    async fn send(&mut self, _: &str, input: &str) -> Result<Answered, String> {
        let frame = Frame {
            listener: Arc::from("mllp"),
            peer: Arc::from("case"),
            received: "2026-11-24T08:15:12Z".parse().expect("a time"),
            head: Head::Mllp,
            body: body(input),
        };
        let Ok(replies) = self.wired.service.clone().oneshot(frame).await;
        let texts = replies.collect().await.into_iter();
        let replies = texts
            .map(|outgoing| String::from_utf8_lossy(&outgoing.reply.bytes).into_owned())
            .collect();
        let mut answered = Answered {
            replies,
            ..Answered::default()
        };
        self.number += 1;
        self.look(&mut answered);
        Ok(answered)
    }
}

struct OverTheWire {
    peer: Peer,
    _gateway: Gateway,
    replies: VecDeque<usize>,
}

/// How many replies each `in` of a case has: the `out` blocks after it that say something, or one where nothing is said.
fn replies(case: &Case) -> VecDeque<usize> {
    let mut counts: Vec<Option<usize>> = Vec::new();
    for block in &case.blocks {
        match (block.role, counts.last_mut()) {
            (Role::In, _) => counts.push(None),
            (Role::Out, Some(count)) => *count.get_or_insert(0) += usize::from(!block.text.is_empty()),
            _ => {}
        }
    }
    counts.into_iter().map(|count| count.unwrap_or(1)).collect()
}

impl Target for OverTheWire {
    async fn send(&mut self, _: &str, input: &str) -> Result<Answered, String> {
        if !self.peer.send(&framed(&body(input))).await {
            return Err("the connection ended".to_owned());
        }
        let mut answered = Answered::default();
        for _ in 0..self.replies.pop_front().unwrap_or(1) {
            answered
                .replies
                .push(self.peer.reply().await.ok_or("the connection ended")?);
        }
        Ok(answered)
    }
}

fn told(file: &Path, case: &Case, failures: &[Failure]) -> String {
    let lines = failures.iter().map(|failure| {
        format!(
            "{}:{}: {}: {}\n",
            file.display(),
            failure.line,
            case.title,
            failure.text
        )
    });
    lines.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_process() {
    let update = std::env::vars().any(|(name, _)| name == "UPDATE_EXPECT");
    let mut all = String::new();
    for (file, mut text, cases) in cases() {
        let mut edits = Vec::new();
        for case in &cases {
            let failures = run(case, &mut InProcess::new(case)).await;
            all += &told(&file, case, &failures);
            edits.extend(failures.into_iter().filter_map(|failure| failure.actual));
        }
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, actual) in edits.iter().filter(|_| update) {
            text.replace_range(range.clone(), actual);
        }
        if update && !edits.is_empty() {
            std::fs::write(&file, text).expect("the case file");
        }
    }
    assert!(all.is_empty(), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_wire() {
    let mut all = String::new();
    for (file, _, cases) in cases() {
        for case in &cases {
            let gateway = Gateway::start(Vec::new(), |config| {
                let (data, address) = (
                    config.data.clone(),
                    config.listeners.first().expect("a listener").address,
                );
                *config = configuration(case);
                config.data = data;
                config
                    .listeners
                    .iter_mut()
                    .for_each(|listener| listener.address = address);
            })
            .await;
            let peer = Peer::connect(gateway.address()).await;
            let mut target = OverTheWire {
                peer,
                _gateway: gateway,
                replies: replies(case),
            };
            let failures = tokio::time::timeout(Duration::from_secs(30), run(case, &mut target))
                .await
                .expect("in time");
            all += &told(&file, case, &failures);
        }
    }
    assert!(all.is_empty(), "{all}");
}
