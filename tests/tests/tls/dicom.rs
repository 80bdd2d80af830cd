//! DICOM under TLS (PS3.15 B.1) with dcmtk and pynetdicom: the same proofs, and objects that are stored as they are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use causeway_core::Store;
use causeway_server::config::{Format, Listener, Transport};
use causeway_server::transport::tls::Options;
use causeway_tests::{Authority, Gateway, Identity};
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

/// Runs a program; `None` where it is not installed.
async fn run(program: PathBuf, arguments: Vec<String>) -> Option<Output> {
    let shown = program.display().to_string();
    let ran = tokio::task::spawn_blocking(move || Command::new(program).args(arguments).output()).await;
    let ran = ran.expect("a thread").ok();
    if ran.is_none() {
        println!("SKIPPED: {shown} is not installed; scripts/setup.sh test does it");
    }
    ran
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

/// A public file, from the wheel of pydicom.
fn public(name: &str) -> Option<PathBuf> {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("target/peers/lib");
    let mut versions = std::fs::read_dir(lib).ok()?;
    versions.find_map(|version| {
        let files = version.ok()?.path().join("site-packages/pydicom/data/test_files");
        Some(files.join(name)).filter(|file| file.exists())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn dcmtk_echoes_and_stores_under_tls_and_the_frame_says_who_it_was() {
    let authority = Authority::new("Hospital CA");
    let (gateway, to) = gateway(crate::mutual(&authority)).await;
    let ct = authority.issue("ct", 365);
    let Some(echo) = run("echoscu".into(), arguments(to, &authority, Some(&ct), &[])).await else {
        return;
    };
    assert!(echo.status.success(), "{}", String::from_utf8_lossy(&echo.stderr));
    let Some(file) = public("CT_small.dcm") else { return };
    let more = [file.display().to_string()];
    let sent = run("storescu".into(), arguments(to, &authority, Some(&ct), &more))
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
        let Some(echo) = run("echoscu".into(), attempt).await else {
            return;
        };
        assert!(!echo.status.success(), "let in: {said}");
    }
    let echo = run("echoscu".into(), arguments(to, &authority, Some(&good), &[]))
        .await
        .expect("echoscu");
    assert!(echo.status.success(), "{}", String::from_utf8_lossy(&echo.stderr));
    assert_eq!(gateway.gateway.certificates.handshakes()[0].1, [1, 5, 1]);
    let counts = gateway.gateway.stored.counters[0].1.counts();
    assert_eq!((counts.accepted, counts.associations), (7, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn pynetdicom_stores_objects_as_they_are_under_every_version() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python");
    let names = ["CT_small.dcm", "JPEG2000.dcm", "test-SR.dcm"];
    let files: Vec<PathBuf> = names.iter().filter_map(|name| public(name)).collect();
    if files.is_empty() {
        println!("SKIPPED: no pydicom in target/peers; scripts/setup.sh test sets it up");
        return;
    }
    let authority = Authority::new("Hospital CA");
    let (gateway, to) = gateway(crate::mutual(&authority)).await;
    for version in ["1.2", "1.3"] {
        let mut options = crate::peers::shows(&authority, &authority.issue("ct", 365));
        options["version"] = json!(version);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/dicom_scu.py");
        let mut given: Vec<String> = vec![script.display().to_string(), "--tls".to_owned(), options.to_string()];
        given.extend([to.ip().to_string(), to.port().to_string()]);
        given.push(gateway.folder.path().join("objects").display().to_string());
        given.extend(files.iter().map(|file| file.display().to_string()));
        let output = run(python.clone(), given).await.expect("python");
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
