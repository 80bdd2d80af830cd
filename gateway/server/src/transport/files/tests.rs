//! A folder with a service behind it that says what it got.

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;
use causeway_core::{Leave, ReplyHead, ReplyKind};
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::*;
use crate::replies::Replies;

struct House {
    root: tempfile::TempDir,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

/// Answers with what it got; a body that begins with "no" draws a negative reply, one with "fault" is not kept.
fn house(settle: Duration, largest: usize) -> House {
    let root = tempfile::tempdir().unwrap();
    started(root, settle, largest)
}

fn started(root: tempfile::TempDir, settle: Duration, largest: usize) -> House {
    let spool = Arc::new(Spool::of(root.path()));
    let bodies = Arc::clone(&spool);
    let service = service_fn(move |frame: Frame| {
        let length = causeway_core::Source::len(&bodies.source(&frame).unwrap());
        let text = format!("got {length}");
        let positive = !frame.body.starts_with(b"no");
        let leave = if frame.body.starts_with(b"fault") {
            Leave::NotKept(Fault::new(FaultKind::Storage, "full"))
        } else {
            Leave::Passing
        };
        let reply = reply(text.into(), positive);
        async move { Ok::<_, Infallible>(Replies::ready(Outgoing { leave, reply })) }
    });
    let listener = Listener {
        name: "claims".into(),
        service: BoxCloneSyncService::new(service),
        refuse: Arc::new(|_, _, fault| reply(fault.outside.into_owned().into(), false)),
        options: Options {
            folder: root.path().join("claims"),
            look: Duration::from_millis(5),
            settle,
            largest,
        },
        spool,
        counters: Arc::default(),
    };
    listener.prepare().unwrap();
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listener.serve(stopped));
    House { root, stop, task }
}

fn reply(bytes: Bytes, positive: bool) -> Reply {
    Reply {
        head: ReplyHead::None,
        kind: ReplyKind::Application,
        bytes,
        positive,
    }
}

impl House {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join("claims").join(name)
    }

    async fn until(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        let found = async {
            loop {
                if let Ok(bytes) = std::fs::read(&path) {
                    return bytes;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found)
            .await
            .unwrap_or_else(|_| panic!("{name} never came"))
    }

    async fn stopped(self) -> tempfile::TempDir {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
        self.root
    }
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_file_is_answered_by_a_file_and_put_away() {
    let house = house(Duration::ZERO, 1 << 30);
    put(&house.path("inbound/a.edi"), b"ISA");
    assert_eq!(house.until("processed/a.edi").await, b"ISA");
    assert_eq!(house.until("replies/a.edi.reply").await, b"got 3");
    put(&house.path("inbound/b.edi"), b"no");
    assert_eq!(house.until("failed/b.edi").await, b"no");
    assert_eq!(house.until("replies/b.edi.reply").await, b"got 2");
    house.stopped().await;
}

#[tokio::test]
async fn a_name_that_came_before_takes_nothing_away() {
    let house = house(Duration::ZERO, 1 << 30);
    put(&house.path("inbound/a.edi"), b"one");
    house.until("processed/a.edi").await;
    put(&house.path("inbound/a.edi"), b"second");
    assert_eq!(house.until("processed/a.edi.2").await, b"second");
    assert_eq!(house.until("replies/a.edi.reply").await, b"got 3");
    assert_eq!(house.until("replies/a.edi.reply.2").await, b"got 6");
    house.stopped().await;
}

#[tokio::test]
async fn a_file_that_is_being_written_is_left() {
    let house = house(Duration::from_millis(300), 1 << 30);
    put(&house.path("inbound/half.part"), b"ISA");
    put(&house.path("inbound/.hidden"), b"ISA");
    std::fs::create_dir(house.path("inbound/folder")).unwrap();
    let growing = house.path("inbound/growing");
    for length in 1..40 {
        put(&growing, &vec![b'x'; length]);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(growing.exists(), "taken at {length} bytes");
    }
    assert_eq!(house.until("replies/growing.reply").await, b"got 39");
    assert!(house.path("inbound/half.part").exists() && house.path("inbound/.hidden").exists());
    house.stopped().await;
}

#[tokio::test]
async fn a_large_file_goes_through_the_spool_and_one_too_large_is_refused() {
    let house = house(Duration::ZERO, 3 << 20);
    put(&house.path("inbound/large"), &vec![b'x'; 2 << 20]);
    assert_eq!(house.until("replies/large.reply").await, b"got 2097152");
    put(&house.path("inbound/huge"), &vec![b'x'; 4 << 20]);
    house.until("failed/huge").await;
    assert_eq!(
        house.until("replies/huge.reply").await,
        b"the file is larger than this listener takes"
    );
    house.stopped().await;
}

#[tokio::test]
async fn what_was_taken_and_not_ended_is_taken_again_at_the_next_start() {
    let house = house(Duration::ZERO, 1 << 30);
    put(&house.path("inbound/a"), b"fault");
    house.until("working/a").await;
    let root = house.stopped().await;
    assert!(!root.path().join("claims/replies/a.reply").exists());
    put(&root.path().join("claims/working/a"), b"then it goes");
    let house = started(root, Duration::ZERO, 1 << 30);
    assert_eq!(house.until("replies/a.reply").await, b"got 12");
    house.until("processed/a").await;
    house.stopped().await;
}
