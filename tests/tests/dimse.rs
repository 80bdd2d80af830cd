//! DICOM peers that are none of ours: dcmtk's `echoscu` and `storescu`, and pynetdicom. What they store is on disk as they
//! sent it and in the log as a message, once, however often it comes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use causeway_core::store::Event;
use causeway_core::{Head, Store};
use causeway_server::config::{Config, Format, Listener, Transport};
use causeway_store::SqliteLog;
use causeway_tests::{Gateway, Process, dcmtk, public, python};
use serde_json::Value;

fn with_dicom(config: &mut Config) {
    config.listeners.push(Listener {
        name: "dicom".to_owned(),
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        transport: Transport::Dimse,
        format: Format::Dicom,
        ..Listener::default()
    });
}

fn port(gateway: &Gateway) -> u16 {
    gateway.gateway.address("dicom").expect("a listener").port()
}

fn calling(called: &str, port: u16, files: &[&Path]) -> Vec<String> {
    let mut arguments = vec![
        "-aec".to_owned(),
        called.to_owned(),
        "127.0.0.1".to_owned(),
        port.to_string(),
    ];
    arguments.extend(files.iter().map(|file| file.display().to_string()));
    arguments
}

fn objects(gateway: &Gateway) -> (PathBuf, usize, usize) {
    let folder = gateway.folder.path().join("objects");
    let count = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().is_file()).count()
    };
    let inner = std::fs::read_dir(&folder)
        .expect("objects")
        .flatten()
        .map(|entry| entry.path());
    let stored = inner
        .filter(|path| !path.ends_with("incoming"))
        .map(|path| count(&path))
        .sum();
    let incoming = count(&folder.join("incoming"));
    (folder, stored, incoming)
}

#[tokio::test(flavor = "multi_thread")]
async fn echoscu_is_answered_and_another_title_is_not() {
    let gateway = Gateway::start(Vec::new(), with_dicom).await;
    let Some(echo) = dcmtk("echoscu", calling("CAUSEWAY", port(&gateway), &[])).await else {
        return;
    };
    assert!(echo.status.success(), "{}", String::from_utf8_lossy(&echo.stderr));
    let echo = dcmtk("echoscu", calling("SOMEBODY", port(&gateway), &[]))
        .await
        .expect("echoscu");
    let said = String::from_utf8_lossy(&echo.stderr).into_owned();
    assert!(
        !echo.status.success() && said.contains("Called AE Title Not Recognized"),
        "{said}"
    );
    assert_eq!(gateway.log.health().accepted, 0, "an echo is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn storescu_stores_a_ct_once_however_often_it_sends_it() {
    let gateway = Gateway::start(Vec::new(), with_dicom).await;
    let Some(ct) = public("CT_small.dcm") else { return };
    for _ in 0..2 {
        let Some(sent) = dcmtk("storescu", calling("CAUSEWAY", port(&gateway), &[&ct])).await else {
            return;
        };
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    }
    causeway_tests::until("it is answered", async || gateway.log.health().answered == 1).await;
    assert_eq!(gateway.log.health().accepted, 1);
    let (folder, stored, incoming) = objects(&gateway);
    assert_eq!((stored, incoming), (1, 0));
    let records = gateway.log.read_from(0, 100).expect("the log");
    let again = records
        .iter()
        .filter(|record| matches!(record.event, Event::Again { .. }))
        .count();
    assert_eq!(again, 1);
    let received = records.iter().find_map(|record| match &record.event {
        Event::Received { frame, .. } => Some(frame),
        _ => None,
    });
    let frame = received.expect("a frame");
    let Head::Dimse {
        object,
        sop_class,
        calling_ae,
        ..
    } = &frame.head
    else {
        panic!("no DIMSE head");
    };
    assert_eq!(
        (sop_class.as_str(), calling_ae.as_str()),
        ("1.2.840.10008.5.1.4.1.1.2", "STORESCU")
    );
    let file = std::fs::read(folder.join(object)).expect("the object");
    assert!(
        file.starts_with(&frame.body) && frame.body.len() < 8_000,
        "{}",
        frame.body.len()
    );
    let told = gateway.gateway.describe()(frame);
    assert_eq!(told.message_type, "C-STORE CT");
    assert_eq!(told.control_id, "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322");
    assert_eq!(told.patient.as_deref(), Some("1CT1^"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pynetdicom_stores_every_kind_of_object_as_it_is() {
    let gateway = Gateway::start(Vec::new(), with_dicom).await;
    let names = [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_RLE.dcm",
        "image_dfl.dcm",
        "JPEG2000.dcm",
        "JPGExtended.dcm",
        "SC_rgb_rle_32bit_2frame.dcm",
        "reportsi.dcm",
        "rtplan.dcm",
        "rtdose.dcm",
        "test-SR.dcm",
        "waveform_ecg.dcm",
    ];
    let files: Vec<PathBuf> = names.iter().filter_map(|name| public(name)).collect();
    if files.is_empty() {
        return;
    }
    let mut command = python("dicom_scu.py").expect("the Python that has the files");
    command
        .args(["127.0.0.1", &port(&gateway).to_string()])
        .arg(objects(&gateway).0)
        .args(&files);
    let ran = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("a thread");
    let output = ran.expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    let mut sent = 0;
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line).expect("JSON");
        // The meta information of these two, which the client goes by, names other instances than their data sets.
        let path = record["path"].as_str().expect("a path");
        let forged = path.ends_with("rtplan.dcm") || path.ends_with("rtdose.dcm");
        let expected = if forged { "A900" } else { "0000" };
        assert_eq!(
            (&record["status"], &record["same"]),
            (&expected.into(), &true.into()),
            "{record}"
        );
        sent += 1;
    }
    assert_eq!(sent, files.len());
    let counts = gateway.gateway.stored.counters.first().expect("a listener").1.counts();
    assert_eq!((counts.stored, counts.failed), (files.len() as u64 - 2, 2));
    causeway_tests::until("all are answered", async || {
        gateway.log.health().answered == files.len() as u64
    })
    .await;
}

/// Twenty copies of a CT, each an instance of its own.
fn copies(ct: &Path, folder: &Path) {
    let bytes = std::fs::read(ct).expect("a file");
    let uid = b"20040119072730.12322";
    for number in 0..20 {
        let mut copy = bytes.clone();
        while let Some(at) = copy.windows(uid.len()).position(|window| window == uid) {
            let end = at + uid.len();
            copy[end - 5..end].copy_from_slice(format!("99{number:03}").as_bytes());
        }
        std::fs::write(folder.join(number.to_string()), copy).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_no_object_that_was_said_to_be_stored() {
    let (Some(ct), Some(_)) = (
        public("CT_small.dcm"),
        dcmtk("storescu", vec!["--version".to_owned()]).await,
    ) else {
        return;
    };
    let (data, files) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    copies(&ct, files.path());
    let mut said = 0;
    for round in 0..3 {
        let before = stored(data.path());
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let stanza =
            format!("[[listener]]\nname='dicom'\naddress='127.0.0.1:{port}'\ntransport='dimse'\nformat='dicom'\n");
        drop(std::fs::remove_file(data.path().join("test.toml")));
        let process = Process::configured(data.path(), &stanza, &[]);
        let mut arguments = calling("CAUSEWAY", port, &[]);
        arguments.splice(0..0, ["-v", "+sd"].map(str::to_owned));
        // Another title, so that every round sends objects that are new to the log.
        arguments.extend(["-aet".to_owned(), format!("CT{round}")]);
        arguments.push(files.path().display().to_string());
        let sending = tokio::spawn(dcmtk("storescu", arguments));
        causeway_tests::until("some are stored", async || stored(data.path()) > before + round).await;
        process.kill();
        let output = sending.await.expect("a task").expect("storescu");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        said += text.matches("Received Store Response (Success)").count();
        let log = SqliteLog::read_only(data.path()).expect("a log");
        let records = log.read_from(0, 10_000).expect("the log");
        let mut kept = 0;
        for record in &records {
            if let Event::Received { frame, .. } = &record.event
                && let Head::Dimse { object, size, .. } = &frame.head
            {
                let file = data.path().join("objects").join(object);
                assert_eq!(std::fs::metadata(file).expect("the object").len(), *size);
                kept += 1;
            }
        }
        assert!(kept >= said, "{kept} are kept, {said} were said to be");
    }
    assert!(said > 0, "nothing was stored in any round");
}

/// Objects in the folder of a process.
fn stored(data: &Path) -> usize {
    let folders = std::fs::read_dir(data.join("objects")).into_iter().flatten().flatten();
    let inner = folders.filter(|folder| folder.file_name() != "incoming");
    inner
        .map(|folder| std::fs::read_dir(folder.path()).map_or(0, Iterator::count))
        .sum()
}
