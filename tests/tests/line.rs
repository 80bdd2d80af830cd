//! The line, seen from a sender: a lab result goes in over MLLP and an acknowledgement comes back that names the field.

use causeway_core::Store;
use causeway_tests::{Advisor, EXAMPLE, Gateway, Peer, exchange, fields, framed, oru, segment};

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_potassium_is_acknowledged_and_named_at_its_own_obx() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let reply = exchange(gateway.address(), EXAMPLE).await;
    let msa = fields(segment(&reply, "MSA")[0]);
    assert_eq!((msa[1], msa[2]), ("AA", "LIS-20261124-000117"));
    let errors = segment(&reply, "ERR");
    let critical: Vec<_> = errors
        .iter()
        .map(|err| fields(err))
        .filter(|err| err[2].starts_with("OBX^2^5"))
        .collect();
    assert_eq!(critical.len(), 1, "{reply}");
    // Table 0357 code 0: nothing is wrong with the message; table 0516 W: somebody should look.
    assert!(critical[0][3].starts_with("0^") && critical[0][4] == "W", "{reply}");
    assert!(critical[0][5].starts_with("critical-value-high"), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_normal_potassium_is_acknowledged_and_nothing_more() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let reply = exchange(gateway.address(), &oru("N1", "4.1")).await;
    assert_eq!(fields(segment(&reply, "MSA")[0])[1], "AA");
    assert!(segment(&reply, "ERR").is_empty(), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_again_get_the_same_reply_and_nothing_runs_twice() {
    let advisor = Advisor::silent();
    let gateway = Gateway::start(advisor.alone(), |_| {}).await;
    let first = exchange(gateway.address(), EXAMPLE).await;
    let second = exchange(gateway.address(), EXAMPLE).await;
    assert_eq!(first, second);
    assert_eq!(advisor.calls(), 1);
    let health = gateway.log.health();
    assert_eq!((health.accepted, health.answered), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_of_a_connection_are_answered_in_order() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let mut peer = Peer::connect(gateway.address()).await;
    let ids: Vec<String> = (0..40).map(|number| format!("ORD{number}")).collect();
    let all: Vec<u8> = ids.iter().flat_map(|id| framed(oru(id, "4.0").as_bytes())).collect();
    assert!(peer.send(&all).await);
    for id in &ids {
        let reply = peer.reply().await.expect("a reply");
        assert_eq!(fields(segment(&reply, "MSA")[0])[2], id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_hangs_up_does_not_stop_accepted_work() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let mut peer = Peer::connect(gateway.address()).await;
    assert!(peer.send(&framed(oru("GONE", "4.0").as_bytes())).await);
    drop(peer);
    let answered = async {
        while gateway.log.health().answered == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), answered)
        .await
        .expect("answered all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_kept_and_refused() {
    let gateway = Gateway::start(Vec::new(), |_| {}).await;
    let reply = exchange(gateway.address(), "hello").await;
    let code = fields(segment(&reply, "MSA")[0])[1].to_owned();
    assert!(["AR", "AE"].contains(&code.as_str()), "{reply}");
    assert_eq!(gateway.log.health().accepted, 1);
}
