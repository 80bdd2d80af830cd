//! HTTPS with Python's `ssl`: the same proofs as over MLLP, and what only HTTP has: URLs that say `https`, and a protocol
//! that is agreed on in the handshake.

use std::net::SocketAddr;

use causeway_server::config::{Config, Format, Listener, Route, Transport};
use causeway_server::transport::tls::Options;
use causeway_tests::{Authority, Gateway, oru, shown, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peers::{Client, Running, mutual, shows};

/// The media type of HL7v2 messages.
const ER7: &str = "application/hl7-v2";

fn with_https(config: &mut Config, tls: Options) {
    config.listeners.push(Listener {
        name: "web".to_owned(),
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        transport: Transport::Http,
        routes: vec![Route::new("/hl7v2", Format::Hl7v2)],
        tls: Some(tls),
        ..Listener::default()
    });
}

async fn gateway(tls: Options) -> (Gateway, SocketAddr) {
    let gateway = Gateway::start(Vec::new(), |config| with_https(config, tls)).await;
    let address = gateway.gateway.address("web").expect("a listener");
    (gateway, address)
}

fn refusal(to: SocketAddr, options: &Value) -> String {
    let (mut client, said) = Client::https(to, options);
    let said = if said["error"].is_null() {
        client.ask("POST", "/hl7v2", ER7, &oru("NOT", "4.0"))
    } else {
        said
    };
    let why = said["error"].as_str().unwrap_or_else(|| panic!("let in: {said}"));
    why.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_prove_themselves_over_https_and_links_say_so() {
    let authority = Authority::new("Hospital CA");
    let stanza = format!(
        "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
         route = [{{path = '/hl7v2', format = 'hl7v2'}}, {{path = '/fhir', format = 'fhir'}}]\n{}",
        mutual(&authority, &authority.issue("gateway", 365))
    );
    let running = Running::with(&stanza);
    let to = running.process.http.expect("a listener");
    let mut options = shows(&authority, &authority.issue("lis", 365));
    options["alpn"] = json!(["h2", "http/1.1"]);
    for version in ["1.2", "1.3"] {
        options["version"] = version.into();
        let (mut client, said) = Client::https(to, &options);
        assert_eq!(said["version"], format!("TLSv{version}"), "{said}");
        assert_eq!(said["alpn"], "http/1.1", "{said}");
        let id = format!("T{version}");
        let answer = client.ask("POST", "/hl7v2", ER7, &oru(&id, "4.0"));
        let acknowledged = answer["body"]
            .as_str()
            .is_some_and(|body| body.contains(&format!("MSA|AA|{id}")));
        assert!(answer["status"] == 200 && acknowledged, "{answer}");
    }
    let kept = shown(running.data.path(), 1);
    let peer = kept["peer"].as_str().unwrap_or_default();
    assert!(
        peer.starts_with("127.0.0.1:") && peer.ends_with(" CN=lis,O=Hospital"),
        "{kept}"
    );
    let (mut client, _) = Client::https(to, &options);
    let patient = json!({"resourceType": "Patient", "gender": "male"}).to_string();
    let mut create = async || client.ask("POST", "/fhir/Patient", "application/fhir+json", &patient);
    let mut created = Value::Null;
    until("writes are taken", async || {
        created = create().await;
        created["status"] == 201
    })
    .await;
    let location = created["headers"]["location"].as_str().unwrap_or_default();
    assert!(
        location.starts_with(&format!("https://{to}/fhir/Patient/")),
        "{created}"
    );
    assert_eq!(create().await["status"], 201);
    until("the search finds both", async || {
        let page = client.ask("GET", "/fhir/Patient?_count=1", "", "");
        let bundle: Value = serde_json::from_str(page["body"].as_str().unwrap_or_default()).unwrap_or_default();
        let links = bundle["link"].as_array().cloned().unwrap_or_default();
        let next = links.iter().find(|link| link["relation"] == "next");
        let starts = |link: &Value| link["url"].as_str().is_some_and(|url| url.starts_with("https://"));
        next.is_some_and(starts)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_prove_itself_is_not_heard_over_https() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let tls = Options {
        senders: vec!["CN=lis".to_owned()],
        ..crate::mutual(&authority)
    };
    let (gateway, to) = gateway(tls).await;
    let good = shows(&authority, &authority.issue("lis", 365));
    let (mut client, said) = Client::https(to, &good);
    assert!(said["error"].is_null(), "{said}");
    let mut foreign = shows(&authority, &other.issue("lis", 365));
    foreign["ca"] = json!(authority.file());
    let mut ancient = good.clone();
    ancient["version"] = "1.1".into();
    let mut modern = good.clone();
    modern["alpn"] = json!(["h2"]);
    let known = json!({"ca": authority.file()});
    for (options, expected) in [
        (&foreign, "unknown ca"),
        (&shows(&authority, &authority.issue("old", -1)), "certificate expired"),
        (&known, "certificate required"),
        (&ancient, "protocol version"),
        (&modern, "no application protocol"),
    ] {
        let why = refusal(to, options);
        assert!(why.to_lowercase().contains(expected), "{expected}: {why}");
    }
    let stranger = refusal(to, &shows(&authority, &authority.issue("lis2", 365)));
    assert!(!stranger.is_empty());
    let answer = client.ask("POST", "/hl7v2", ER7, &oru("STILL", "4.0"));
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(gateway.gateway.certificates.handshakes()[0].1, [1, 5, 1]);
    assert_eq!(causeway_core::Store::health(gateway.log.as_ref()).accepted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_and_silence_on_an_https_port_come_to_an_end() {
    let authority = Authority::new("Hospital CA");
    let tls = Options {
        handshake: std::time::Duration::from_secs(5),
        ..crate::mutual(&authority)
    };
    let gateway = Gateway::start(Vec::new(), |config| {
        with_https(config, tls);
        config.listeners.last_mut().expect("it").http.connections = 1;
    })
    .await;
    let to = gateway.gateway.address("web").expect("a listener");
    let mut plain = TcpStream::connect(to).await.expect("a listener");
    let request = format!("GET /hl7v2 HTTP/1.1\r\nHost: {to}\r\n\r\n");
    plain.write_all(request.as_bytes()).await.expect("a socket");
    let mut said = Vec::new();
    plain.read_to_end(&mut said).await.expect("an end and no reset");
    assert!(!said.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&said));
    let counts = async |name: &str| {
        let found = gateway.gateway.transports.iter().find(|(known, _)| known == name);
        found.expect("a listener").1.counts()
    };
    until("the place is free", async || counts("web").await.open == 0).await;
    // A handshake that is still coming holds the only place.
    let mut silent = TcpStream::connect(to).await.expect("a listener");
    until("it has the place", async || counts("web").await.open == 1).await;
    let mut nothing = Vec::new();
    let mut second = TcpStream::connect(to).await.expect("a listener");
    second.read_to_end(&mut nothing).await.expect("an end and no reset");
    assert_eq!(
        counts("web").await.open,
        1,
        "it ended for want of a place, and no deadline passed"
    );
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), silent.read_to_end(&mut nothing)).await;
    assert!(ended.is_ok(), "the handshake's deadline passed");
    until("the place is free again", async || counts("web").await.open == 0).await;
    let (mut client, _) = Client::https(to, &shows(&authority, &authority.issue("lis", 365)));
    let answer = client.ask("POST", "/hl7v2", ER7, &oru("AFTER", "4.0"));
    assert_eq!(answer["status"], 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_come_into_force_for_https_and_connections_go_on() {
    let authority = Authority::new("Hospital CA");
    let stanza = format!(
        "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
         route = [{{path = '/hl7v2', format = 'hl7v2'}}]\n{}",
        mutual(&authority, &authority.issue("gateway", 10))
    );
    let running = Running::with(&stanza);
    let to = running.process.http.expect("a listener");
    let lis = shows(&authority, &authority.issue("lis", 365));
    let (mut open, said) = Client::https(to, &lis);
    let first = said["serial"].clone();
    assert_eq!(open.ask("POST", "/hl7v2", ER7, &oru("BEFORE", "4.0"))["status"], 200);
    let (_, metrics) = causeway_tests::get(running.process.admin, "/metrics", &running.token).await;
    assert!(
        metrics.contains("causeway_certificate_not_after_seconds{owner=\"http\""),
        "{metrics}"
    );
    assert!(
        metrics.contains("causeway_tls_handshakes_total{listener=\"http\",result=\"done\"} 1\n"),
        "{metrics}"
    );
    authority.issue("gateway", 365);
    assert!(running.process.hang_up());
    until("SIGHUP puts it in force", async || {
        Client::https(to, &lis).1["serial"] != first
    })
    .await;
    assert_eq!(open.ask("POST", "/hl7v2", ER7, &oru("AFTER", "4.0"))["status"], 200);
    assert_eq!(running.page("/readyz").await["remarks"], json!([]));
}
