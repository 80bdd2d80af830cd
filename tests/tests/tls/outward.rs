//! The gateway's own clients under TLS: `causeway send`, the client of decision-support services, and deliveries to FHIR
//! servers.

use std::path::Path;

use causeway_server::hooks::{CdsHook, HookConfig};
use causeway_server::outbox::{Class, Destination, Outgoing, peers};
use causeway_server::transport::tls::Clients;
use causeway_tests::{Authority, Gateway, exchange, get, oru, post, shown, until};
use serde_json::json;

use crate::peers::{Running, Service, mutual};

#[tokio::test(flavor = "multi_thread")]
async fn our_own_client_speaks_tls_and_believes_nobody_unproven() {
    let authority = Authority::new("Hospital CA");
    let running = Running::start(&authority, &authority.issue("gateway", 365));
    let lis = authority.issue("lis", 365);
    let file = running.data.path().join("message.hl7");
    std::fs::write(&file, oru("OWN", "4.0")).expect("a file");
    let port = running.process.mllp.port();
    let send = |host: &str, arguments: &[&str]| {
        let target = format!("mllps://{host}:{port}");
        let all = [&["send", &target, file.to_str().expect("a path")], arguments].concat();
        running.process.command(running.data.path(), &all)
    };
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let (ca, certificate, key) = (text(&authority.file()), text(&lis.certificate), text(&lis.key));
    let own = ["--certificate", certificate.as_str(), "--key", key.as_str()];
    let known = [&["--ca", ca.as_str()][..], &own].concat();
    let (code, said) = send("127.0.0.1", &known);
    assert!(code == Some(0) && said.contains("MSA|AA|OWN"), "{code:?} {said}");
    let kept = shown(running.data.path(), 1);
    assert!(
        kept["peer"]
            .as_str()
            .is_some_and(|peer| peer.ends_with(" CN=lis,O=Hospital")),
        "{kept}"
    );
    let (code, said) = send("127.0.0.1", &own);
    assert!(
        code == Some(4) && said.contains("TLS: "),
        "an unknown authority: {code:?} {said}"
    );
    let (code, said) = send("localhost", &known);
    assert!(
        code == Some(4) && said.contains("mismatch"),
        "another host's certificate: {code:?} {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_asked_over_https_and_only_if_it_proves_itself() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let card = json!({"cards": [{"summary": "look here", "indicator": "warning", "source": {"label": "peer"}}]});
    let service = Service::start(&authority.issue("service", 365), &card.to_string(), &authority);
    let own = authority.issue("causeway", 365);
    let asked = async |ca: &Authority| {
        let mut config = HookConfig::new("advisor", &format!("https://127.0.0.1:{}/cds-services/x", service.1));
        config.tls.ca = Some(ca.file());
        config.tls.certificate = Some(own.certificate.clone());
        config.tls.key = Some(own.key.clone());
        let hook = std::sync::Arc::new(CdsHook::new(config).expect("a client"));
        let gateway = Gateway::start(vec![hook], |config| config.chain.hook_budget_ms = 20_000).await;
        exchange(gateway.address(), &oru("HTTPS", "4.0")).await
    };
    let reply = asked(&authority).await;
    assert!(reply.contains("look here"), "{reply}");
    let reply = asked(&other).await;
    assert!(
        reply.contains("not-evaluated") && !reply.contains("look here"),
        "{reply}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fhir_server_gets_deliveries_over_https_and_only_if_it_proves_itself() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let stanza = format!(
        "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
         route = [{{path = '/fhir', format = 'fhir'}}]\n{}",
        mutual(&authority, &authority.issue("gateway", 365))
    );
    let running = Running::with(&stanza);
    let base = format!("https://{}/fhir", running.process.http.expect("a listener"));
    let own = authority.issue("causeway", 365);
    let trusted = authority.folder().join("trusted.pem");
    std::fs::copy(other.file(), &trusted).expect("a file");
    let mut destination = Destination::new("next", &base);
    destination.tls.ca = Some(trusted.clone());
    destination.tls.certificate = Some(own.certificate.clone());
    destination.tls.key = Some(own.key.clone());
    let peer = |clients: &Clients| peers::peer(&destination, clients).expect("a peer");
    let failure = peer(&Clients::default())
        .deliver(outgoing())
        .await
        .expect_err("an unknown authority");
    assert_eq!(failure.class, Class::Unreachable);
    assert!(failure.cause.starts_with("TLS: "), "{}", failure.cause);
    std::fs::copy(authority.file(), &trusted).expect("a file");
    let peer = peer(&Clients::default());
    until("it is taken", async || peer.deliver(outgoing()).await.is_ok()).await;
    destination.tls.certificate = None;
    destination.tls.key = None;
    let unproven = peers::peer(&destination, &Clients::default()).expect("a peer");
    let failure = unproven.deliver(outgoing()).await.expect_err("no certificate");
    assert_eq!(failure.class, Class::Unreachable, "{}", failure.cause);
}

fn outgoing() -> Outgoing {
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{
        "resource": {"resourceType": "Patient", "id": "p1", "gender": "male"},
        "request": {"method": "PUT", "url": "Patient/p1"},
    }]});
    causeway_tests::outgoing("CW1", "application/fhir+json", transaction.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_trusts_and_shows_is_read_again_too() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let card = json!({"cards": [{"summary": "look here", "indicator": "warning", "source": {"label": "peer"}}]});
    let service = Service::start(&authority.issue("service", 365), &card.to_string(), &authority);
    let own = authority.issue("causeway", 365);
    let trusted = authority.folder().join("trusted.pem");
    std::fs::copy(other.file(), &trusted).expect("a file");
    let running = Running::with(&format!(
        "[chain]\nhook-budget-ms = 20000\n[[hook]]\nname = 'advisor'\nurl = 'https://127.0.0.1:{}/cds-services/x'\n\
         [hook.tls]\nca = '{}'\ncertificate = '{}'\nkey = '{}'\n",
        service.1,
        trusted.display(),
        own.certificate.display(),
        own.key.display()
    ));
    let reply = exchange(running.process.mllp, &oru("BEFORE", "4.0")).await;
    assert!(reply.contains("not-evaluated"), "{reply}");
    let (_, metrics) = get(running.process.admin, "/metrics", &running.token).await;
    let shown = "causeway_certificate_not_after_seconds{owner=\"hook advisor\"";
    assert_eq!(metrics.matches(shown).count(), 2, "{metrics}");

    std::fs::write(&trusted, "nothing").expect("a file");
    let (code, text) = post(running.process.admin, "/tls/reload", &running.token).await;
    assert!(code == 422 && text.contains("trusted.pem"), "{code} {text}");
    std::fs::copy(authority.file(), &trusted).expect("a file");
    assert_eq!(post(running.process.admin, "/tls/reload", &running.token).await.0, 200);
    let mut number = 0;
    until("the service is asked", async || {
        number += 1;
        let reply = exchange(running.process.mllp, &oru(&format!("AFTER{number}"), "4.0")).await;
        reply.contains("look here")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_gets_deliveries_over_mllps_and_only_if_it_proves_itself() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let ward = Running::start(&authority, &authority.issue("ward", 365));
    let own = authority.issue("causeway", 365);
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("trusted.pem");
    std::fs::copy(other.file(), &trusted).expect("a file");
    let front = Running::with(&format!(
        "[[destination]]\nname = 'ward'\nto = 'mllps://{}'\n\
         [destination.tls]\nca = '{}'\ncertificate = '{}'\nkey = '{}'\n\
         [destination.retry]\nfirst = '20ms'\nlongest = '200ms'\n",
        ward.process.mllp,
        trusted.display(),
        own.certificate.display(),
        own.key.display()
    ));
    let standing = async || front.process.standing(front.data.path()).await;
    exchange(front.process.mllp, &oru("SAFE", "4.0")).await;
    until("it is tried", async || standing().await["state"] == "resting").await;
    let last = standing().await["last_failure"].to_string();
    assert!(last.contains("TLS: "), "{last}");
    assert!(causeway_tests::messages(ward.data.path(), &["list"]).is_empty());
    std::fs::copy(authority.file(), &trusted).expect("a file");
    assert_eq!(post(front.process.admin, "/tls/reload", &front.token).await.0, 200);
    until("it is delivered", async || standing().await["delivered"] == 1).await;
    let peer = shown(ward.data.path(), 1)["peer"].to_string();
    assert!(peer.contains(" CN=causeway,O=Hospital"), "{peer}");
}
