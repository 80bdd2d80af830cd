//! Peers that are slow, clumsy, impatient or speak GBK. Nobody of them costs another one anything, and none loses an
//! acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use causeway_core::Store;
use causeway_core::finding::Lang;
use causeway_core::store::Event;
use causeway_server::config::Config;
use causeway_tests::{Advisor, Gateway, Peer, exchange, fields, framed, message, oru, segment, until};
use encoding_rs::GBK;
use tokio::sync::Semaphore;

fn msa(reply: &str) -> (&str, &str) {
    let msa = fields(segment(reply, "MSA")[0]);
    (msa[1], msa[2])
}

/// A service that answers when the test lets it.
fn gate() -> (Arc<Advisor>, Arc<Semaphore>) {
    Advisor::gated(|| Ok(Vec::new()))
}

fn patient(config: &mut Config) {
    config.chain.hook_budget_ms = 60_000;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_in_flight_waits_for_the_first_ones_answer() {
    let (advisor, gate) = gate();
    let gateway = Gateway::start(advisor.alone(), patient).await;
    let frame = framed(oru("TWICE", "7.1").as_bytes());
    let (mut first, mut second) = (
        Peer::connect(gateway.address()).await,
        Peer::connect(gateway.address()).await,
    );
    assert!(first.send(&frame).await);
    until("the service is asked", async || advisor.calls() == 1).await;
    assert!(second.send(&frame).await);
    let arrived = async || {
        let records = gateway.log.read_from(0, 100).expect("the log");
        records.iter().any(|record| matches!(record.event, Event::Again { .. }))
    };
    until("the second is known as a resend", arrived).await;
    assert_eq!(gateway.log.health().answered, 0);
    gate.add_permits(10);
    let (one, two) = (
        first.reply().await.expect("a reply"),
        second.reply().await.expect("a reply"),
    );
    assert_eq!(msa(&one), ("AA", "TWICE"));
    assert_eq!(one, two, "byte for byte");
    assert_eq!(advisor.calls(), 1, "asked once");
    assert_eq!((gateway.log.health().accepted, gateway.log.health().answered), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_service_holds_up_nobody_elses_patient() {
    let (advisor, gate) = gate();
    let gateway = Gateway::start(advisor.alone(), patient).await;
    let mut held = Peer::connect(gateway.address()).await;
    assert!(held.send(&framed(oru("HELD", "4.0").as_bytes())).await);
    until("the service is asked", async || advisor.calls() == 1).await;
    gate.add_permits(1);
    // Whichever call the permit wakes, one of the two ends and the other still waits.
    let mut other = Peer::connect(gateway.address()).await;
    assert!(other.send(&framed(oru("OTHER", "4.0").as_bytes())).await);
    until("one of two ended", async || gateway.log.health().answered == 1).await;
    gate.add_permits(1);
    assert_eq!(msa(&held.reply().await.expect("a reply")), ("AA", "HELD"));
    assert_eq!(msa(&other.reply().await.expect("a reply")), ("AA", "OTHER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_loses_nothing_and_holds_up_nobody() {
    const COUNT: usize = 100;
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let mut slow = Peer::narrow(gateway.address()).await;
    let ids: Vec<String> = (0..COUNT).map(|number| format!("S{number}")).collect();
    let all: Vec<u8> = ids.iter().flat_map(|id| framed(oru(id, "7.0").as_bytes())).collect();
    let address = gateway.address();
    let sender = tokio::spawn(async move {
        assert!(slow.send(&all).await);
        slow
    });
    for number in 0..5 {
        let id = format!("QUICK{number}");
        assert_eq!(msa(&exchange(address, &oru(&id, "4.0")).await), ("AA", id.as_str()));
    }
    let mut slow = sender.await.expect("all was taken");
    for id in &ids {
        let reply = slow.reply().await.expect("a reply");
        assert_eq!(msa(&reply), ("AA", id.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_writer_is_waited_for_and_holds_up_nobody() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let frame = framed(oru("SLOW", "4.0").as_bytes());
    let mut slow = Peer::connect(gateway.address()).await;
    let (before, after) = frame.split_at(frame.len() / 2);
    for byte in before {
        assert!(slow.send(&[*byte]).await);
    }
    assert_eq!(
        msa(&exchange(gateway.address(), &oru("QUICK", "4.0")).await),
        ("AA", "QUICK")
    );
    for bytes in after.chunks(7) {
        assert!(slow.send(bytes).await);
    }
    assert_eq!(msa(&slow.reply().await.expect("a reply")), ("AA", "SLOW"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_never_ends_its_frame_is_let_go() {
    let short = |config: &mut Config| {
        config
            .listeners
            .iter_mut()
            .for_each(|listener| listener.mllp.frame = Duration::from_millis(200));
    };
    let gateway = Gateway::start(Vec::new(), short).await;
    let mut stuck = Peer::connect(gateway.address()).await;
    let frame = framed(oru("STUCK", "4.0").as_bytes());
    assert!(stuck.send(frame.split_at(frame.len() / 2).0).await);
    // It is told why, since its first half says who it is; then the connection ends.
    let reply = stuck.reply().await.expect("a refusal");
    assert_eq!(msa(&reply), ("AE", "STUCK"), "{reply}");
    assert!(stuck.reply().await.is_none());
    assert_eq!(gateway.log.health().accepted, 0);
    assert_eq!(
        msa(&exchange(gateway.address(), &oru("NEXT", "4.0")).await),
        ("AA", "NEXT")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversize_frame_is_answered_and_the_connection_goes_on() {
    let small = |config: &mut Config| {
        config
            .listeners
            .iter_mut()
            .for_each(|listener| listener.mllp.max_frame = 64 << 10);
    };
    let gateway = Gateway::start(Vec::new(), small).await;
    let mut peer = Peer::connect(gateway.address()).await;
    let note = format!("NTE|1|L|{}\r", "x".repeat(1 << 20));
    assert!(peer.send(&framed((oru("LARGE", "4.0") + &note).as_bytes())).await);
    let reply = peer.reply().await.expect("a refusal");
    let (code, id) = msa(&reply);
    assert!(["AR", "AE"].contains(&code) && id == "LARGE", "{reply}");
    assert!(reply.contains("too-large"), "{reply}");
    assert!(peer.send(&framed(oru("FITS", "4.0").as_bytes())).await);
    assert_eq!(msa(&peer.reply().await.expect("a reply")), ("AA", "FITS"));
    assert_eq!(gateway.log.health().accepted, 1, "what did not fit is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_between_frames_is_skipped_and_counted() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let mut peer = Peer::connect(gateway.address()).await;
    let garbage = b"\0\0\r\n\x1c\rGET / HTTP/1.1\r\n\0";
    for number in 0..3 {
        let id = format!("G{number}");
        assert!(
            peer.send(&[garbage, framed(oru(&id, "4.0").as_bytes()).as_slice()].concat())
                .await
        );
        assert_eq!(msa(&peer.reply().await.expect("a reply")), ("AA", id.as_str()));
    }
    assert_eq!(gateway.log.health().accepted, 3);
    let counts = gateway.gateway.transports.first().expect("a listener").1.counts();
    assert!(counts.garbage >= 3 * b"GET / HTTP/1.1".len() as u64, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_cut_in_half_is_refused_and_the_next_one_is_taken() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let mut peer = Peer::connect(gateway.address()).await;
    let cut = framed(oru("CUT", "4.0").as_bytes());
    let cut = cut.split_at(cut.len() / 2).0;
    assert!(
        peer.send(&[cut, framed(oru("WHOLE", "4.0").as_bytes()).as_slice()].concat())
            .await
    );
    let reply = peer.reply().await.expect("a refusal of the half");
    let (code, id) = msa(&reply);
    assert!(["AR", "AE"].contains(&code) && id == "CUT", "{reply}");
    assert_eq!(msa(&peer.reply().await.expect("a reply")), ("AA", "WHOLE"));
    assert_eq!(gateway.log.health().accepted, 1, "half a message is no message");
}

#[tokio::test(flavor = "multi_thread")]
async fn gbk_in_and_gbk_out() {
    let chinese = |config: &mut Config| config.lang = Lang::Zh;
    let gateway = Gateway::start(Vec::new(), chinese).await;
    let text = message(&[
        "MSH|^~\\&|检验科|瑞金医院|CAUSEWAY|HIS|20261124081512+0800||ORU^R01^ORU_R01|GBK1|P|2.5.1||||||GB 18030-2000",
        "PID|1||P9^^^RUIJIN^MR||欧阳^建国||19790516|M",
        "OBR|1|PL9^HIS|FL9^LIS|2823-3^钾^LN|||20261124070000+0800|||||||||||||||20261124081500+0800||LAB|F",
        "OBX|1|NM|2823-3^钾^LN||7.1|mmol/L|3.5-5.3|HH|||F|||20261124070000+0800",
    ]);
    let (bytes, _, lost) = GBK.encode(&text);
    assert!(!lost && std::str::from_utf8(&bytes).is_err(), "no UTF-8 by accident");
    let mut peer = Peer::connect(gateway.address()).await;
    assert!(peer.send(&framed(&bytes)).await);
    let reply = peer.reply_bytes().await.expect("a reply");
    let (reply, lost) = GBK.decode_without_bom_handling(&reply);
    assert!(!lost, "{reply}");
    assert_eq!(msa(&reply), ("AA", "GBK1"));
    let msh = fields(segment(&reply, "MSH")[0]);
    // Who sent is who receives (HL7 v2.9 2.14.9): MSH-5 and MSH-6 are field 4 and 5 after the name.
    assert_eq!((msh[4], msh[5]), ("检验科", "瑞金医院"));
    assert_eq!(msh.get(17).copied(), Some("GB 18030-2000"));
    let critical = segment(&reply, "ERR")
        .into_iter()
        .find(|err| err.contains("OBX^1^5"))
        .expect("the remark");
    assert!(
        critical
            .chars()
            .any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character)),
        "{critical}"
    );
    // What is kept is Unicode.
    let ended = gateway
        .log
        .outcome(first_number(&gateway))
        .expect("the log")
        .expect("an answer");
    let json = causeway_store::decompress(&ended.decided[0].bundle, 1 << 20).expect("a bundle");
    let json = String::from_utf8(json.to_vec()).expect("UTF-8");
    assert!(json.contains("欧阳") && json.contains("建国"), "{json}");
}

fn first_number(gateway: &Gateway) -> u64 {
    gateway
        .log
        .read_from(0, 1)
        .expect("the log")
        .first()
        .expect("a frame")
        .number
}

/// Memory is the process's, so a large message on one listener waits for those on another, and is told when that takes
/// too long.
#[tokio::test(flavor = "multi_thread")]
async fn large_messages_of_all_listeners_share_their_memory() {
    const LARGE: usize = 2 << 20;
    let gateway = Gateway::start(Vec::new(), |config| {
        config.limits.read_bytes = 1 << 20;
        let mut second = config.listeners.first().cloned().unwrap_or_default();
        second.name = "second".to_owned();
        second.mllp.frame = Duration::from_millis(500);
        config.listeners.push(second);
    })
    .await;
    let second = gateway.gateway.address("second").expect("a second listener");
    let note = |size| format!("NTE|1|L|{}\r", "x".repeat(size));
    let read = &gateway.gateway.transports.first().expect("its counters").1;
    // One holds all of the memory, and only then the other takes the place of the one message that need not pay: at
    // once, each could hold a half.
    let mut hogs = Vec::new();
    for number in 1..=2 {
        let mut hog = Peer::connect(gateway.address()).await;
        assert!(
            hog.send(format!("\x0b{}{}", oru("HOG", "4.0"), note(LARGE)).as_bytes())
                .await
        );
        until("it is read", async || read.bytes_in.get() > number * LARGE as u64).await;
        hogs.push(hog);
    }
    let large = |id| oru(id, "4.0") + &note(LARGE / 2);
    let reply = exchange(second, &large("LATER")).await;
    assert_eq!(msa(&reply), ("AE", "LATER"), "it may be sent again: {reply}");
    assert_eq!(msa(&exchange(second, &oru("SMALL", "4.0")).await), ("AA", "SMALL"));
    drop(hogs);
    assert_eq!(msa(&exchange(second, &large("LATER")).await), ("AA", "LATER"));
}
