//! DICOM under TLS (PS3.15 B.1) with dcmtk and pynetdicom: the same proofs, and objects that are stored as they are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use causeway_core::Store;
use causeway_server::config::{Format, Listener, Transport};
use causeway_server::transport::tls::Options;
use causeway_tests::{Authority, Gateway, Identity, binary, dcmtk, public, python};
use serde_json::{Value, json};

async fn gateway(tls: Options) -> (Gateway, SocketAddr) {
    let gateway = Gateway::start(Vec::new(), |config| {
        config.listeners.push(Listener {
            name: "pacs".to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            transport: Transport::Dimse,
            format: Format::Dicom,
            tls: Some(tls),
            ..Listener::default()
        });
    })
    .await;
    let address = gateway.gateway.address("pacs").expect("a listener");
    (gateway, address)
}

/// The arguments of dcmtk's tools: whom it trusts, what it shows.
fn arguments(to: SocketAddr, trusts: &Authority, shows: Option<&Identity>, more: &[String]) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    let mut all = match shows {
        Some(own) => vec!["+tls".to_owned(), text(&own.key), text(&own.certificate)],
        None => vec!["+tla".to_owned()],
    };
    all.extend(["+cf".to_owned(), text(&trusts.file())]);
    all.extend(["-aec", "CAUSEWAY", "-to", "20"].map(str::to_owned));
    all.extend([to.ip().to_string(), to.port().to_string()]);
    all.extend(more.iter().cloned());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn dcmtk_echoes_and_stores_under_tls_and_the_frame_says_who_it_was() {
    let authority = Authority::new("Hospital CA");
    let (gateway, to) = gateway(crate::mutual(&authority)).await;
    let ct = authority.issue("ct", 365);
    let Some(echo) = dcmtk("echoscu", arguments(to, &authority, Some(&ct), &[])).await else {
        return;
    };
    assert!(echo.status.success(), "{}", String::from_utf8_lossy(&echo.stderr));
    let Some(file) = public("CT_small.dcm") else { return };
    let more = [file.display().to_string()];
    let sent = dcmtk("storescu", arguments(to, &authority, Some(&ct), &more))
        .await
        .expect("storescu");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let kept = gateway.log.frame(1).expect("the log").expect("a frame");
    assert!(kept.frame.peer.starts_with("127.0.0.1:"), "{}", kept.frame.peer);
    assert!(kept.frame.peer.ends_with(" CN=ct,O=Hospital"), "{}", kept.frame.peer);
    assert_eq!(gateway.gateway.certificates.handshakes()[0].1, [2, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn modalities_that_cannot_prove_themselves_store_nothing() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let tls = Options {
        senders: vec!["CN=ct".to_owned()],
        ..crate::mutual(&authority)
    };
    let (gateway, to) = gateway(tls).await;
    let good = authority.issue("ct", 365);
    let attempts = [
        arguments(to, &authority, None, &[]),
        arguments(to, &authority, Some(&other.issue("ct", 365)), &[]),
        arguments(to, &authority, Some(&authority.issue("old", -1)), &[]),
        arguments(to, &authority, Some(&authority.issue("mr", 365)), &[]),
        arguments(to, &other, Some(&good), &[]),
        ["127.0.0.1".to_owned(), to.port().to_string()].to_vec(),
    ];
    for attempt in attempts {
        let said = format!("{attempt:?}");
        let Some(echo) = dcmtk("echoscu", attempt).await else {
            return;
        };
        assert!(!echo.status.success(), "let in: {said}");
    }
    let echo = dcmtk("echoscu", arguments(to, &authority, Some(&good), &[]))
        .await
        .expect("echoscu");
    assert!(echo.status.success(), "{}", String::from_utf8_lossy(&echo.stderr));
    assert_eq!(gateway.gateway.certificates.handshakes()[0].1, [1, 5, 1]);
    let counts = gateway.gateway.stored.counters[0].1.counts();
    assert_eq!((counts.accepted, counts.associations), (7, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn pynetdicom_stores_objects_as_they_are_under_every_version() {
    let names = ["CT_small.dcm", "JPEG2000.dcm", "test-SR.dcm"];
    let files: Vec<PathBuf> = names.iter().filter_map(|name| public(name)).collect();
    if files.is_empty() {
        return;
    }
    let authority = Authority::new("Hospital CA");
    let (gateway, to) = gateway(crate::mutual(&authority)).await;
    for version in ["1.2", "1.3"] {
        let mut options = crate::peers::shows(&authority, &authority.issue("ct", 365));
        options["version"] = json!(version);
        let mut command = python("dicom_scu.py").expect("the Python that has the files");
        command.args([
            "--tls".to_owned(),
            options.to_string(),
            to.ip().to_string(),
            to.port().to_string(),
        ]);
        command.arg(gateway.folder.path().join("objects")).args(&files);
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        let output = ran.expect("a thread").expect("python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("text");
        let records: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(records.len(), files.len(), "{lines}");
        for record in records {
            assert_eq!(
                (&record["status"], &record["same"]),
                (&"0000".into(), &true.into()),
                "{record}"
            );
        }
    }
    assert_eq!(
        gateway.log.health().accepted,
        files.len() as u64,
        "the second time they are resends"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_goes_out_under_tls_to_whom_is_trusted_and_to_nobody_else() {
    let (authority, other) = (Authority::new("Hospital CA"), Authority::new("Somebody's CA"));
    let (gateway, to) = gateway(crate::mutual(&authority)).await;
    let Some(file) = public("CT_small.dcm") else { return };
    let own = authority.issue("us", 365);
    let send = async |scheme: &str, more: Vec<PathBuf>| {
        let mut command = std::process::Command::new(binary());
        command.arg("send").arg(format!("{scheme}://CAUSEWAY@{to}")).args(more);
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        ran.expect("a thread").expect("causeway").status.code()
    };
    let proof = |trusted: &Authority| {
        let flags = [
            ("--ca", trusted.file()),
            ("--certificate", own.certificate.clone()),
            ("--key", own.key.clone()),
        ];
        let mut all: Vec<PathBuf> = flags.into_iter().flat_map(|(flag, path)| [flag.into(), path]).collect();
        all.push(file.clone());
        all
    };
    assert_eq!(send("dicoms", proof(&other)).await, Some(4));
    assert_eq!(send("dicoms", vec![file.clone()]).await, Some(4));
    assert_eq!(send("dicom", vec![file.clone()]).await, Some(4));
    assert_eq!(gateway.log.health().accepted, 0);
    assert_eq!(send("dicoms", proof(&authority)).await, Some(0));
    let kept = gateway.log.frame(1).expect("the log").expect("a frame");
    assert!(kept.frame.peer.ends_with(" CN=us,O=Hospital"), "{}", kept.frame.peer);
}
