//! The client against a scripted peer, and load runs against a listener.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::{Client, ClientError, Load, Timeouts, Want, load};
use super::*;

const MESSAGE: &[u8] = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|ID1|P|2.5.1\rPID|1\r";

/// A peer that accepts one connection, reads until the first frame's end and writes this, then waits to be closed.
async fn scripted(replies: Vec<u8>) -> (String, JoinHandle<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let script = tokio::spawn(async move {
        let (stream, _) = socket.accept().await.unwrap();
        let mut peer = Peer(stream);
        peer.reply().await;
        peer.send(&replies).await;
        peer.rest().await;
    });
    (address, script)
}

fn ack(code: &str, id: &str) -> Vec<u8> {
    framed(format!("MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5.1\rMSA|{code}|{id}\r").as_bytes())
}

fn enhanced() -> Vec<u8> {
    let text = String::from_utf8(MESSAGE.to_vec()).unwrap();
    text.replace("2.5.1", "2.5.1|||AL|AL").into_bytes()
}

fn code(reply: &Bytes) -> &str {
    let at = reply.windows(4).position(|window| window == b"MSA|").unwrap() + 4;
    std::str::from_utf8(&reply[at..at + 2]).unwrap()
}

#[tokio::test]
async fn a_late_reply_to_another_message_is_discarded() {
    let (address, script) = scripted([ack("AA", "ID0"), ack("AE", "ID1")].concat()).await;
    let mut client = Client::connect(&address, PATIENCE).await.unwrap();
    let replies = client.exchange(MESSAGE).await.unwrap();
    assert_eq!(replies.iter().map(code).collect::<Vec<_>>(), ["AE"]);
    assert_eq!(client.unmatched(), 1);
    drop(client);
    script.await.unwrap();
}

#[tokio::test]
async fn a_positive_commit_is_followed_by_the_application_reply() {
    let (address, _script) = scripted([ack("CA", "ID1"), ack("AA", "ID1")].concat()).await;
    let mut client = Client::connect(&address, PATIENCE).await.unwrap();
    let replies = client.exchange(&enhanced()).await.unwrap();
    assert_eq!(replies.iter().map(code).collect::<Vec<_>>(), ["CA", "AA"]);
}

#[tokio::test]
async fn one_reply_is_enough_when_it_settles_the_matter() {
    for only in ["CE", "CR", "AA", "AE"] {
        let (address, _script) = scripted(ack(only, "ID1")).await;
        let mut client = Client::connect(&address, PATIENCE).await.unwrap();
        let replies = client.exchange(&enhanced()).await.unwrap();
        assert_eq!(replies.iter().map(code).collect::<Vec<_>>(), [only]);
    }
}

#[tokio::test]
async fn a_message_says_itself_what_it_waits_for() {
    let with = |tail: &str| format!("MSH|^~\\&|A|B|C|D|1||ADT^A01|I|P|2.5|||{tail}\r");
    assert_eq!(Want::by(with("AL|AL").as_bytes()), Want::Application);
    assert_eq!(Want::by(with("AL|NE").as_bytes()), Want::First);
    assert_eq!(Want::by(with("NE|AL").as_bytes()), Want::First);
    assert_eq!(Want::by(with("NE|NE").as_bytes()), Want::Nothing);
    assert_eq!(Want::by(with("ER|SU").as_bytes()), Want::First);
    assert_eq!(Want::by(MESSAGE), Want::First);
}

#[tokio::test]
async fn a_timeout_closes_the_socket_and_keeps_what_had_come() {
    let (address, script) = scripted([ack("CA", "ID1"), ack("AA", "other")].concat()).await;
    let timeouts = Timeouts {
        reply: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let mut client = Client::connect(&address, timeouts).await.unwrap();
    match client.exchange(&enhanced()).await {
        Err(ClientError::Timeout { replies, unmatched }) => {
            assert_eq!(replies.iter().map(code).collect::<Vec<_>>(), ["CA"]);
            assert_eq!(unmatched.as_ref().map(code), Some("AA"));
        }
        other => panic!("{other:?}"),
    }
    // The peer sees the end of the connection although the client still lives.
    timeout(PATIENCE, script).await.unwrap().unwrap();
    assert!(matches!(client.exchange(MESSAGE).await, Err(ClientError::Spent)));
}

#[tokio::test]
async fn a_peer_that_closes_or_is_not_there_is_told_apart() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let closing = tokio::spawn(async move {
        let mut peer = Peer(socket.accept().await.unwrap().0);
        peer.reply().await;
    });
    let mut client = Client::connect(&address, PATIENCE).await.unwrap();
    assert!(matches!(
        client.exchange(MESSAGE).await,
        Err(ClientError::Closed { .. })
    ));
    closing.await.unwrap();
    assert!(matches!(
        Client::connect(&address, PATIENCE).await,
        Err(ClientError::Connect(_))
    ));
}

/// Says AA to the message's own control id.
fn accepting() -> FrameService {
    BoxCloneSyncService::new(service_fn(|frame: Frame| async move {
        let id = frame.body.split(|byte| *byte == b'|').nth(9).unwrap_or_default();
        let wire = ack("AA", std::str::from_utf8(id).unwrap());
        Ok::<_, Infallible>(Replies::ready(passing(wire[1..wire.len() - 2].to_vec())))
    }))
}

#[tokio::test]
async fn a_load_run_counts_every_message_once() {
    let house = House::open(accepting(), Options::default()).await;
    let run = Load {
        connections: 3,
        count: 500,
        pipeline: 4,
        ..Load::default()
    };
    let answered = Arc::new(AtomicU64::new(0));
    let address = house.address.to_string();
    let report = load(&address, &[Bytes::from_static(MESSAGE)], run, answered.clone())
        .await
        .unwrap();
    assert_eq!(
        (report.sent, report.answered, report.failed, report.unmatched),
        (500, 500, 0, 0)
    );
    assert_eq!(report.codes.get("AA"), Some(&500));
    assert_eq!(
        (answered.load(Ordering::Relaxed), house.counters.frames.get()),
        (500, 500)
    );
    assert!(report.is_fine());
    assert!(report.latency_ms.p50 <= report.latency_ms.p99 && report.latency_ms.p99 <= report.latency_ms.max);
    assert!(report.to_string().contains("500 answered"), "{report}");
}

#[tokio::test]
async fn a_load_run_keeps_its_rate() {
    let house = House::open(accepting(), Options::default()).await;
    let run = Load {
        connections: 2,
        count: 101,
        rate: Some(500.0),
        ..Load::default()
    };
    let address = house.address.to_string();
    let report = load(&address, &[Bytes::from_static(MESSAGE)], run, Arc::default())
        .await
        .unwrap();
    assert_eq!(report.answered, 101);
    // The last of 101 is due after 100 / 500 s; a busy machine may be later, never earlier.
    assert!(report.seconds >= 0.2, "{report}");
}

#[tokio::test]
async fn a_load_run_ends_with_its_time_and_waits_for_what_is_under_way() {
    let house = House::open(accepting(), Options::default()).await;
    let lasting = Duration::from_millis(200);
    let run = Load {
        connections: 2,
        count: u64::MAX,
        lasting: Some(lasting),
        ..Load::default()
    };
    let address = house.address.to_string();
    let report = load(&address, &[Bytes::from_static(MESSAGE)], run, Arc::default())
        .await
        .unwrap();
    assert!(report.answered > 0 && report.answered == report.sent, "{report}");
    assert_eq!(house.counters.frames.get(), report.sent);
    // One reply after the end at most, and not a second load of messages.
    assert!(report.seconds >= 0.2 && report.seconds < 5.0, "{report}");
}

#[tokio::test]
async fn a_load_run_reports_messages_that_nobody_answers() {
    let silent = BoxCloneSyncService::new(service_fn(|_: Frame| async {
        let quiet = Outgoing {
            leave: Leave::Passing,
            ..passing("")
        };
        Ok::<_, Infallible>(Replies::ready(quiet))
    }));
    let house = House::open(silent, Options::default()).await;
    let run = Load {
        count: 3,
        timeouts: Timeouts {
            reply: Duration::from_millis(20),
            ..Timeouts::default()
        },
        ..Load::default()
    };
    let address = house.address.to_string();
    let report = load(&address, &[Bytes::from_static(MESSAGE)], run, Arc::default())
        .await
        .unwrap();
    assert_eq!((report.sent, report.answered, report.failed), (3, 0, 3));
    assert!(!report.is_fine());
}
