//! TLS with peers that are none of ours, Python's `ssl` and dcmtk: who gets in and who does not, what the gateway says of
//! it, and new certificates while connections are open. Every certificate is made here.

mod dicom;
mod outward;
mod peers;
mod web;

use std::time::{Duration, Instant};

use causeway_server::transport::tls::Options;
use causeway_tests::{Authority, Gateway, get, oru, post, until};
use peers::{Client, Running, refusal, shows};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A listener that lets in whom the authority vouches for.
fn mutual(authority: &Authority) -> Options {
    let own = authority.issue("gateway", 365);
    Options {
        client_ca: Some(authority.file()),
        ..Options::new(own.certificate, own.key)
    }
}

async fn gateway(options: Options) -> Gateway {
    Gateway::start(Vec::new(), |config| config.listeners[0].tls = Some(options)).await
}

/// Handshakes of the one listener: done, failed, strangers.
fn handshakes(gateway: &Gateway) -> [u64; 3] {
    gateway.gateway.certificates.handshakes()[0].1
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_prove_themselves_and_the_frame_says_who_sent_it() {
    let authority = Authority::new("Hospital CA");
    let gateway = gateway(mutual(&authority)).await;
    for version in ["1.2", "1.3"] {
        let mut options = shows(&authority, &authority.issue("lis", 365));
        options["version"] = version.into();
        let (mut client, said) = Client::connect(gateway.address(), &options);
        assert_eq!(said["version"], format!("TLSv{version}"), "{said}");
        assert!(client.is_answered(&format!("T{version}")));
    }
    let kept = causeway_core::Store::frame(gateway.log.as_ref(), 1)
        .expect("the log")
        .expect("a frame");
    assert!(kept.frame.peer.starts_with("127.0.0.1:"), "{}", kept.frame.peer);
    assert!(kept.frame.peer.ends_with(" CN=lis,O=Hospital"), "{}", kept.frame.peer);
    assert_eq!(handshakes(&gateway), [2, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_prove_itself_stays_out_and_others_notice_nothing() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let gateway = gateway(mutual(&authority)).await;
    let good = shows(&authority, &authority.issue("lis", 365));
    let (mut client, _) = Client::connect(gateway.address(), &good);
    let stranger = other.issue("lis", 365);
    let mut foreign = shows(&authority, &stranger);
    foreign["ca"] = json!(authority.file());
    let why = refusal(gateway.address(), &foreign);
    assert!(why.contains("unknown ca"), "{why}");
    let why = refusal(gateway.address(), &shows(&authority, &authority.issue("old", -1)));
    assert!(why.contains("certificate expired"), "{why}");
    let why = refusal(gateway.address(), &json!({"ca": authority.file()}));
    assert!(why.contains("certificate required"), "{why}");
    let mut ancient = good.clone();
    ancient["version"] = "1.1".into();
    let why = refusal(gateway.address(), &ancient);
    assert!(why.contains("protocol version"), "{why}");
    // A client that does not know the gateway's authority hangs up itself.
    let mut doubtful = good.clone();
    doubtful["ca"] = json!(other.file());
    let why = refusal(gateway.address(), &doubtful);
    assert!(why.contains("CERTIFICATE_VERIFY_FAILED"), "{why}");
    assert!(client.is_answered("STILL"));
    assert_eq!(handshakes(&gateway), [1, 5, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_on_a_tls_port_is_no_message() {
    let authority = Authority::new("Hospital CA");
    let gateway = gateway(mutual(&authority)).await;
    let mut plain = TcpStream::connect(gateway.address()).await.expect("a listener");
    plain
        .write_all(&causeway_tests::framed(oru("PLAIN", "4.0").as_bytes()))
        .await
        .expect("a socket");
    let mut said = Vec::new();
    plain.read_to_end(&mut said).await.expect("an end and no reset");
    assert!(!said.contains(&0x0b), "no MLLP came back: {said:?}");
    until("it is counted", async || handshakes(&gateway) == [0, 1, 0]).await;
    assert_eq!(causeway_core::Store::health(gateway.log.as_ref()).accepted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_handshake_ends_and_holds_up_nobody() {
    let authority = Authority::new("Hospital CA");
    let options = Options {
        handshake: Duration::from_millis(400),
        ..mutual(&authority)
    };
    let gateway = gateway(options).await;
    let mut silent = TcpStream::connect(gateway.address()).await.expect("a listener");
    // A TLS record that says it is long and never comes.
    silent
        .write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
        .await
        .expect("a socket");
    let begun = Instant::now();
    let (mut client, _) = Client::connect(gateway.address(), &shows(&authority, &authority.issue("lis", 365)));
    assert!(client.is_answered("MEANWHILE"));
    let mut nothing = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut nothing)).await;
    assert!(ended.is_ok(), "open after {:?}", begun.elapsed());
    assert_eq!(handshakes(&gateway), [1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_knows_its_senders_by_name() {
    let authority = Authority::new("Hospital CA");
    let options = Options {
        senders: vec!["CN=lis".to_owned(), "CN=ris,O=Hospital".to_owned()],
        ..mutual(&authority)
    };
    let gateway = gateway(options).await;
    for (name, comes_in) in [("lis", true), ("ris", true), ("li", false), ("lis2", false)] {
        let options = shows(&authority, &authority.issue(name, 365));
        if comes_in {
            assert!(Client::connect(gateway.address(), &options).0.is_answered(name));
        } else {
            let why = refusal(gateway.address(), &options);
            assert!(why.contains("closed"), "{name}: {why}");
        }
    }
    assert_eq!(handshakes(&gateway), [2, 0, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_come_into_force_and_no_connection_breaks() {
    let authority = Authority::new("Hospital CA");
    let own = authority.issue("gateway", 365);
    let running = Running::start(&authority, &own);
    let client = shows(&authority, &authority.issue("lis", 365));
    let (mut open, said) = Client::connect(running.process.mllp, &client);
    let first = said["serial"].clone();
    assert!(first.is_string() && open.is_answered("BEFORE"), "{said}");

    authority.issue("gateway", 365);
    assert_eq!(running.serial(&client), first, "nothing is read before it is asked for");
    assert!(running.process.hang_up());
    until("SIGHUP puts it in force", async || running.serial(&client) != first).await;
    let second = running.serial(&client);
    assert!(second.is_string() && open.is_answered("AFTER"));

    // A key that does not fit: nothing changes, and the gateway says so.
    let key = std::fs::read(&own.key).expect("a key");
    authority.issue("other", 365);
    std::fs::copy(authority.folder().join("other.key"), &own.key).expect("a file");
    let (code, text) = post(running.process.admin, "/tls/reload", &running.token).await;
    assert!(
        code == 422 && text.contains("is not the key of the certificate"),
        "{code} {text}"
    );
    assert_eq!(running.serial(&client), second);
    let remarks = running.page("/readyz").await["remarks"].to_string();
    assert!(remarks.contains("certificates was refused"), "{remarks}");

    std::fs::write(&own.key, key).expect("a file");
    assert_eq!(post(running.process.admin, "/tls/reload", &running.token).await.0, 200);
    assert_eq!(running.page("/readyz").await["remarks"], json!([]));
    assert!(open.is_answered("LAST"));
    assert_eq!(post(running.process.admin, "/tls/reload", "guessed").await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_hear_of_ends_and_of_failures() {
    let authority = Authority::new("Hospital CA");
    let running = Running::start(&authority, &authority.issue("gateway", 10));
    let ready = running.page("/readyz").await;
    let remark = ready["remarks"][0].as_str().unwrap_or_default();
    assert!(ready["ready"] == true && remark.contains("ends in 9 days"), "{ready}");
    assert!(
        remark.contains("CN=gateway,O=Hospital") && remark.contains("gateway.pem"),
        "{remark}"
    );
    let status = running.page("/status").await;
    assert_eq!(
        status["tls"]["certificates"].as_array().map(Vec::len),
        Some(2),
        "{status}"
    );
    let why = refusal(running.process.mllp, &json!({"ca": authority.file()}));
    assert!(!why.is_empty());
    until("both are logged", async || {
        let lines = running.lines();
        let refused = lines.lines().find(|line| line.contains("TLS handshake refused"));
        let names = |line: &str| line.contains("127.0.0.1:") && line.contains("peer did not return a certificate");
        refused.is_some_and(names) && lines.contains("ends in 9 days")
    })
    .await;
    assert_eq!(running.page("/status").await["tls"]["listeners"]["mllp"]["failed"], 1);
    let (_, metrics) = get(running.process.admin, "/metrics", &running.token).await;
    assert!(
        metrics.contains("causeway_tls_handshakes_total{listener=\"mllp\",result=\"failed\"} 1\n"),
        "{metrics}"
    );
    let end = metrics
        .lines()
        .find(|line| line.starts_with("causeway_certificate_not_after_seconds{owner=\"mllp\""));
    let end = end
        .and_then(|line| line.rsplit_once(' ')?.1.parse::<i64>().ok())
        .expect("an end");
    let left = end - jiff::Timestamp::now().as_second();
    assert!((9 * 86_400..=10 * 86_400).contains(&left), "{left}");
}
