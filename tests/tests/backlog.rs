//! More than can run at once: senders that only want a commit are told at once that their messages are kept; the rest
//! waits on disk and is run in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use causeway_core::rule::Fail;
use causeway_core::{Bundle, Exchange, Fault, Finding, Hook, Kept, Meta, Store};
use causeway_tests::{Gateway, Peer, fields, framed, segment};
use futures_util::future::BoxFuture;

/// A service that takes a while.
struct Slow(Meta, Arc<AtomicUsize>);

impl Hook for Slow {
    fn meta(&self) -> &Meta {
        &self.0
    }

    fn wants(&self, _: &Exchange) -> bool {
        true
    }

    fn advise(&self, _: Arc<Bundle>, _: Kept) -> BoxFuture<'static, Result<Vec<Finding>, Fault>> {
        let calls = Arc::clone(&self.1);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(250)).await;
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(Vec::new())
        })
    }
}

fn admission(connection: usize, number: usize) -> String {
    let id = format!("C{connection}N{number}");
    format!(
        "MSH|^~\\&|ADT|HOSP|CAUSEWAY|HIS|20261124081512+0800||ADT^A01^ADT_A01|{id}|P|2.5.1|||AL|NE\r\
         EVN||20261124081500+0800\rPID|1||P{id}^^^HOSP^MR||Li^Na||19880102|F\r\
         PV1|1|I|W1^R2^B3^HOSP||||||||||||||||V{id}^^^HOSP^VN\r"
    )
}

/// Sends `count` admissions and reads their commits.
async fn send(address: std::net::SocketAddr, connection: usize, count: usize) {
    let mut peer = Peer::connect(address).await;
    for number in 0..count {
        assert!(peer.send(&framed(admission(connection, number).as_bytes())).await);
    }
    for number in 0..count {
        let reply = peer.reply().await.expect("a commit");
        let msa = fields(segment(&reply, "MSA")[0]);
        assert_eq!((msa[1], msa[2]), ("CA", format!("C{connection}N{number}").as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_wants_a_commit_waits_on_disk_and_is_run_later() {
    const CONNECTIONS: usize = 50;
    const EACH: usize = 40;
    let calls = Arc::new(AtomicUsize::new(0));
    let meta = Meta {
        id: "slow".to_owned(),
        version: "1".to_owned(),
        fail: Fail::Remark,
    };
    let gateway = Gateway::start(vec![Arc::new(Slow(meta, Arc::clone(&calls)))], |_| {}).await;
    let backlog = Arc::clone(&gateway.gateway.house.backlog);
    let most = tokio::spawn(async move {
        let mut most = 0;
        while most == 0 {
            most = backlog.parked();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|n| tokio::spawn(send(gateway.address(), n, EACH)))
        .collect();
    for sender in senders {
        sender.await.expect("a sender");
    }
    let wait = Duration::from_mins(1);
    tokio::time::timeout(wait, most)
        .await
        .expect("some were set aside")
        .expect("no panic");
    let all = (CONNECTIONS * EACH) as u64;
    let answered = async {
        while gateway.log.health().answered < all {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(wait, answered)
        .await
        .expect("all are run in the end");
    assert_eq!(calls.load(Ordering::SeqCst) as u64, all, "each once");
    assert_eq!(gateway.gateway.house.backlog.parked(), 0);
}
