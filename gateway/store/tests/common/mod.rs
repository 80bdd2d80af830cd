//! What the tests of the log share: a bench with an inbox before a log, and short words for frames and answers.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a part of the tests; every test file uses some of it"
)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use causeway_core::frame::Head;
use causeway_core::inbox::Budget;
use causeway_core::reply::{ReplyHead, ReplyKind};
use causeway_core::store::{Decided, Ended, Entry, Health, Late, Outcome, Pending, Record, Sent, parts_of};
use causeway_core::{
    Actor, ActorKind, Arrival, Class, Delivery, Fault, Finding, Frame, Inbox, Receipt, Reply, Severity, Store, Text,
    Verdict,
};
use causeway_store::{MemoryLog, Options, SqliteLog};
use jiff::Timestamp;

/// An inbox before a log, with the log's folder.
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) inbox: Inbox,
    pub(crate) dir: Option<tempfile::TempDir>,
}

impl Bench {
    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        Self {
            inbox: Inbox::new(Arc::clone(&store), Budget::default()),
            store,
            dir: None,
        }
    }

    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteLog::open(dir.path(), Options::default()).unwrap();
        Self {
            dir: Some(dir),
            ..Self::on(store)
        }
    }

    pub(crate) fn memory() -> Self {
        Self::on(Arc::new(MemoryLog::new()))
    }

    /// One of every engine.
    pub(crate) fn all() -> [Self; 2] {
        [Self::memory(), Self::sqlite()]
    }

    /// The same folder, opened again after an orderly end.
    pub(crate) fn reopen(self) -> Self {
        self.store.close();
        let dir = self.dir.unwrap();
        let store = SqliteLog::open(dir.path(), Options::default()).unwrap();
        Self {
            dir: Some(dir),
            ..Self::on(store)
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.as_ref().unwrap().path()
    }

    /// A copy of the files as they are on disk now: what a process that died at this moment leaves behind.
    pub(crate) fn crash(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.path()).unwrap().flatten() {
            if file.file_name() != "log.sqlite-shm" {
                std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
            }
        }
        let store = SqliteLog::open(dir.path(), Options::default()).unwrap();
        Self {
            dir: Some(dir),
            ..Self::on(store)
        }
    }

    /// The numbers that wait to be taken up, with their deaths.
    pub(crate) fn pending(&self) -> Vec<(u64, u32)> {
        let all = self.store.pending(0, 1_000).unwrap();
        all.iter().map(|pending| (pending.number, pending.deaths)).collect()
    }

    /// The parts of a frame that are decided, answered or not.
    pub(crate) fn parts(&self, number: u64) -> Vec<Decided> {
        let ended = self.store.outcome(number).unwrap().unwrap_or_else(Ended::not_yet);
        let parts = parts_of(|from| self.store.decided_earlier(number, from), ended);
        parts.flat_map(Result::unwrap).collect()
    }

    pub(crate) fn receive(&self, frame: Frame) -> Receipt {
        self.receive_under(frame, "maps 1")
    }

    pub(crate) fn receive_under(&self, frame: Frame, snapshot: &str) -> Receipt {
        let permits = self.inbox.try_admit(frame.body.len()).unwrap();
        self.inbox.receive(frame, permits, snapshot.into())
    }

    /// Receives a frame that is new and waits until it is kept.
    pub(crate) async fn keep(&self, text: &str) -> Receipt {
        let receipt = self.receive(frame(text));
        assert!(
            matches!(receipt.kept().await.unwrap(), Arrival::New(_)),
            "{text} is new"
        );
        receipt
    }

    pub(crate) async fn answer(&self, receipt: &Receipt, verdict: Verdict, reply: &'static str) -> Result<Sent, Fault> {
        let positive = verdict.is_positive();
        self.answered(receipt, vec![part(0, verdict)], vec![said(positive, reply)])
            .await
    }

    pub(crate) async fn answered(
        &self,
        receipt: &Receipt,
        decided: Vec<Decided>,
        replies: Vec<Reply>,
    ) -> Result<Sent, Fault> {
        self.inbox
            .answered(receipt, decided, replies)
            .await
            .map(|answered| answered.sent)
    }

    /// Receives a frame and answers it.
    pub(crate) async fn accept(&self, text: &str, reply: &'static str) -> u64 {
        let receipt = self.keep(text).await;
        let sent = self.answer(&receipt, Verdict::Accepted, reply).await.unwrap();
        assert_eq!((texts(&sent), sent.again), (vec![reply.to_owned()], None));
        receipt.number()
    }

    /// Every record, read in pages.
    pub(crate) fn records(&self) -> Vec<Record> {
        let (mut all, mut position) = (Vec::new(), 0);
        loop {
            let page = self.store.read_from(position, 7).unwrap();
            let Some(last) = page.last() else { return all };
            position = last.position;
            all.extend(page);
        }
    }
}

pub(crate) fn frame(text: &str) -> Frame {
    frame_from("lab", text)
}

pub(crate) fn frame_from(listener: &str, text: &str) -> Frame {
    Frame {
        listener: listener.into(),
        peer: "127.0.0.1:4711".into(),
        received: Timestamp::now(),
        head: Head::Mllp,
        body: Bytes::copy_from_slice(text.as_bytes()),
    }
}

pub(crate) fn part(part: u32, verdict: Verdict) -> Decided {
    Decided {
        part,
        verdict,
        bundle: causeway_store::compress(b"{\"resourceType\":\"Bundle\"}"),
        facts: Bytes::from_static(b"{}"),
        deliveries: Vec::new(),
    }
}

pub(crate) fn delivery(destination: &str) -> Delivery {
    Delivery {
        destination: destination.into(),
        order: Some("patient 1".into()),
        message_type: "ORU^R01".into(),
        media_type: "application/fhir+json".into(),
        body: b"{}".to_vec(),
    }
}

pub(crate) fn late(number: u64, service: &str) -> Late {
    let by = Actor::new(ActorKind::Hook, service.to_owned());
    let text = Text::new("钾偏高", "potassium is high");
    Late {
        number,
        part: 1,
        time: Timestamp::UNIX_EPOCH,
        service: service.to_owned(),
        findings: vec![Finding::new("advice", Severity::Warning, Class::Business, by, text)],
        deliveries: Vec::new(),
    }
}

pub(crate) fn said(positive: bool, text: &'static str) -> Reply {
    Reply {
        head: ReplyHead::None,
        kind: ReplyKind::Application,
        bytes: text.into(),
        positive,
    }
}

pub(crate) fn texts(sent: &Sent) -> Vec<String> {
    let text = |reply: &Reply| String::from_utf8_lossy(&reply.bytes).into_owned();
    sent.replies.iter().map(text).collect()
}

/// A store that parks every frame, as an inbox does with its backlog.
pub(crate) struct Parking(pub Arc<dyn Store>);

impl Store for Parking {
    fn receive(&self, mut entry: Entry) {
        entry.parked = true;
        self.0.receive(entry);
    }
    fn want(&self, number: u64) {
        self.0.want(number);
    }
    fn answered(&self, outcome: Outcome) {
        self.0.answered(outcome);
    }
    fn decided(&self, number: u64, decided: Vec<Decided>) -> tokio::sync::oneshot::Receiver<()> {
        self.0.decided(number, decided)
    }
    fn decided_earlier(&self, number: u64, from: u64) -> Result<causeway_core::store::Parts, Fault> {
        self.0.decided_earlier(number, from)
    }
    fn late(&self, late: Late) {
        self.0.late(late);
    }
    fn claim(&self, limit: usize) -> Result<Vec<Pending>, Fault> {
        self.0.claim(limit)
    }
    fn pending(&self, from: u64, limit: usize) -> Result<Vec<Pending>, Fault> {
        self.0.pending(from, limit)
    }
    fn read_from(&self, position: u64, limit: usize) -> Result<Vec<Record>, Fault> {
        self.0.read_from(position, limit)
    }
    fn frame(&self, number: u64) -> Result<Option<Pending>, Fault> {
        self.0.frame(number)
    }
    fn outcome(&self, number: u64) -> Result<Option<Ended>, Fault> {
        self.0.outcome(number)
    }
    fn came_late(&self, number: u64) -> Result<Vec<Late>, Fault> {
        self.0.came_late(number)
    }
    fn deliveries(&self) -> &dyn causeway_core::store::Deliveries {
        self.0.deliveries()
    }
    fn forget(&self, before: Timestamp) -> Result<u64, Fault> {
        self.0.forget(before)
    }
    fn health(&self) -> Health {
        self.0.health()
    }
    fn open_frames(&self) -> Result<causeway_core::store::Open, Fault> {
        self.0.open_frames()
    }
    fn next_number(&self) -> u64 {
        self.0.next_number()
    }
    fn close(&self) {
        self.0.close();
    }
}
