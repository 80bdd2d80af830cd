//! More than can run at once: senders that only want a commit are told at once that their messages are kept; the rest
//! waits on disk and is run in order.

use std::sync::Arc;
use std::time::Duration;

use causeway_core::Store;
use causeway_tests::{Advisor, Gateway, Peer, fields, framed, segment};

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
    let slow = Advisor::new(|| async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok(Vec::new())
    });
    let gateway = Gateway::start(slow.alone(), |_| {}).await;
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
    assert_eq!(slow.calls() as u64, all, "each once");
    assert_eq!(gateway.gateway.house.backlog.parked(), 0);
}
