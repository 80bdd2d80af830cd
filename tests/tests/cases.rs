//! The conformance cases, in process and over a real socket, by the same runner; cases of the same configuration share a
//! gateway. `UPDATE_EXPECT=1` rewrites the blocks that differ; read them before you keep them.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_conformance::{Answered, Block, Case, Failure, Role, Target, run};
use causeway_core::store::{Event, Facts, Record};
use causeway_core::{Frame, Head, Store};
use causeway_server::chain::HookSet;
use causeway_server::config::Config;
use causeway_server::{config, wire};
use causeway_store::MemoryLog;
use causeway_tests::{Gateway, Peer, framed};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
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

/// The bytes of a block: a segment a line, ended as it says or by CR, in the character set it says or UTF-8. UTF-16 comes
/// with its mark.
fn body(block: &Block) -> Result<Bytes, String> {
    let says = |word: &str| block.how.iter().any(|how| how == word);
    let end = match (says("crlf"), says("lf")) {
        (true, _) => "\r\n",
        (_, true) => "\n",
        _ => "\r",
    };
    let text = block.text.replace('\n', end) + end;
    let set = charset(block)?;
    let bytes = match set {
        _ if set == UTF_16LE => format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        _ if set == UTF_16BE => format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect(),
        _ => set.encode(&text).0.into_owned(),
    };
    Ok(bytes.into())
}

fn charset(block: &Block) -> Result<&'static Encoding, String> {
    let mut labels = block.how.iter().filter(|how| !matches!(how.as_str(), "lf" | "crlf"));
    let Some(label) = labels.next() else { return Ok(UTF_8) };
    Encoding::for_label(label.as_bytes()).ok_or_else(|| format!("{label:?} is no character set"))
}

struct InProcess {
    wired: wire::Wired,
    log: Arc<MemoryLog>,
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
        }
    }

    fn look(&self, answered: &mut Answered) {
        let records = self.log.read_from(0, usize::MAX).expect("the log");
        let received = |record: &&Record| matches!(record.event, Event::Received { .. });
        let number = records.iter().rfind(received).map_or(0, |record| record.number);
        let Some(ended) = self.log.outcome(number).expect("the log") else {
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
    async fn send(&mut self, input: &Block) -> Result<Answered, String> {
        let set = charset(input)?;
        let frame = Frame {
            listener: Arc::from("mllp"),
            peer: Arc::from("case"),
            received: "2026-11-24T08:15:12Z".parse().expect("a time"),
            head: Head::Mllp,
            body: body(input)?,
        };
        let Ok(replies) = self.wired.service.clone().oneshot(frame).await;
        let texts = replies.collect().await.into_iter();
        let replies = texts
            .map(|outgoing| set.decode(&outgoing.reply.bytes).0.into_owned())
            .collect();
        let mut answered = Answered {
            replies,
            ..Answered::default()
        };
        self.look(&mut answered);
        Ok(answered)
    }
}

struct OverTheWire {
    peer: Peer,
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
    async fn send(&mut self, input: &Block) -> Result<Answered, String> {
        let set = charset(input)?;
        if !self.peer.send(&framed(&body(input)?)).await {
            return Err("the connection ended".to_owned());
        }
        let mut answered = Answered::default();
        for _ in 0..self.replies.pop_front().unwrap_or(1) {
            let reply = self.peer.reply_bytes().await.ok_or("the connection ended")?;
            answered.replies.push(set.decode(&reply).0.into_owned());
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
    let (mut all, mut targets) = (String::new(), BTreeMap::new());
    for (file, mut text, cases) in cases() {
        let mut edits = Vec::new();
        for case in &cases {
            let target = targets.entry(case.config().to_owned());
            let failures = run(case, target.or_insert_with(|| InProcess::new(case))).await;
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

async fn gateway(case: &Case) -> Gateway {
    Gateway::start(Vec::new(), |config| {
        let (data, free) = (config.data.clone(), config.listeners.first().map(|one| one.address));
        *config = configuration(case);
        config.data = data;
        for listener in &mut config.listeners {
            listener.address = free.expect("a listener");
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_wire() {
    let (mut all, mut gateways) = (String::new(), BTreeMap::new());
    for (file, _, cases) in cases() {
        for case in &cases {
            if !gateways.contains_key(case.config()) {
                gateways.insert(case.config().to_owned(), gateway(case).await);
            }
            let mut target = OverTheWire {
                peer: Peer::connect(gateways[case.config()].address()).await,
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
