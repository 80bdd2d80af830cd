//! DICOM when things go wrong: many idle associations, silent and half-open connections, a process killed under load, a
//! full disk, objects that come twice and in any order. What was said to be stored is there, whole.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use causeway_core::Head;
use causeway_core::store::Event;
use causeway_server::transport::dimse::{Association, CallError, Caller, Kind, ObjectFile};
use causeway_server::transport::tls::{Connector, Stream};
use causeway_store::SqliteLog;
use causeway_tests::{Disk, Process, get, until, write_ct};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn stanza(options: &str) -> String {
    format!(
        "[[listener]]\nname = 'dicom'\naddress = '127.0.0.1:0'\ntransport = 'dimse'\nformat = 'dicom'\n\
         [listener.dimse]\n{options}\n"
    )
}

fn caller(address: SocketAddr) -> Caller {
    Caller {
        address: address.to_string(),
        called_ae: "CAUSEWAY".to_owned(),
        calling_ae: "CT1".to_owned(),
        connector: Connector::plain(),
        connect: Duration::from_secs(30),
        timeout: Duration::from_secs(30),
    }
}

/// CT image storage, explicit little endian.
fn ct() -> [Kind; 1] {
    [Kind {
        sop_class: "1.2.840.10008.5.1.4.1.1.2".to_owned(),
        transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
    }]
}

async fn call(address: SocketAddr) -> Result<Association<Stream>, CallError> {
    caller(address).call(&ct()).await
}

/// The status of one object, and nothing where there was none.
async fn store(association: &mut Association<Stream>, file: &Path) -> Option<u16> {
    let object = ObjectFile::open(file).expect("an object");
    association.store(object).await.ok().map(|said| said.status)
}

/// Files of instances, numbered from `first`.
fn instances(folder: &Path, first: usize, count: usize, pixels: usize) -> Vec<PathBuf> {
    let all = (first..first + count).map(|number| {
        let path = folder.join(number.to_string());
        write_ct(&path, number, pixels).expect("a file");
        path
    });
    all.collect()
}

/// Sends files by associations of their own, each until its peer is gone; those that were said to be stored.
async fn send(address: SocketAddr, parts: Vec<Vec<PathBuf>>) -> Vec<PathBuf> {
    let mut running = tokio::task::JoinSet::new();
    for part in parts {
        running.spawn(async move {
            let mut stored = Vec::new();
            let Ok(mut association) = call(address).await else {
                return stored;
            };
            for file in part {
                match store(&mut association, &file).await {
                    Some(0) => stored.push(file),
                    Some(_) => {}
                    None => break,
                }
            }
            stored
        });
    }
    running.join_all().await.concat()
}

/// The data set of a file: behind a meta group whose length (0002,0000) says.
fn data_set(bytes: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(bytes[140..144].try_into().unwrap());
    &bytes[144 + length as usize..]
}

/// What a data folder has, by SOP instance: each object that the log speaks of.
fn kept(data: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut kept: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let log = SqliteLog::read_only(data).expect("a log");
    for record in log.read_from(0, 100_000).expect("the log") {
        if let Event::Received { frame, .. } = &record.event
            && let Head::Dimse {
                object, sop_instance, ..
            } = &frame.head
        {
            let file = data.join("objects").join(object);
            kept.entry(sop_instance.clone()).or_default().push(file);
        }
    }
    kept
}

/// Every one of these files is kept, once and byte for byte.
fn all_are_kept(data: &Path, files: &[PathBuf]) {
    let kept = kept(data);
    for file in files {
        let bytes = std::fs::read(file).expect("a file");
        let number = file.file_name().and_then(|name| name.to_str()).expect("a name");
        let objects = kept.get(&format!("1.2.826.0.1.{number}")).expect("a message");
        assert_eq!(objects.len(), 1, "{number} is one message");
        let object = std::fs::read(&objects[0]).expect("the object");
        assert!(data_set(&object) == data_set(&bytes), "{number} is whole");
    }
}

fn incoming(data: &Path) -> usize {
    std::fs::read_dir(data.join("objects/incoming")).map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_associations_stay_alive_and_cost_little() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::configured(folder.path(), &stanza("associations = 2001"), &[]);
    let (address, files) = (process.address("dicom"), tempfile::tempdir().expect("a folder"));
    let file = instances(files.path(), 1, 1, 500_000).remove(0);
    let mut busy = call(address).await.expect("an association");
    assert_eq!(store(&mut busy, &file).await, Some(0));
    let before = process.resident();
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        let mut association = call(address).await.expect("an association");
        assert_eq!(association.echo().await.expect("an answer").status, 0);
        idle.push(association);
    }
    let each = (process.resident() - before) / 2_000;
    assert!(each <= 24, "{each} KiB for each of them");
    // There is no place more, and who asks is told to come again; others are served as before.
    let more = call(address).await.map(drop).expect_err("no place");
    assert!(matches!(more, CallError::Rejected { transient: true, .. }), "{more}");
    for file in instances(files.path(), 2, 5, 500_000) {
        assert_eq!(store(&mut busy, &file).await, Some(0));
    }
    for association in &mut idle {
        assert_eq!(association.echo().await.expect("alive").status, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_peers_lose_their_places_and_leave_nothing() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = "associations = 2\nartim = '500ms'\nstalled = '500ms'";
    let process = Process::configured(folder.path(), &stanza(options), &[]);
    let (address, file) = (process.address("dicom"), instances(files.path(), 1, 1, 1_000).remove(0));
    // One connects and says nothing, one stops in the middle of its request: both hold the two places.
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut halved = TcpStream::connect(address).await.unwrap();
    halved.write_all(b"\x01\0\0\0\x01\0\0\x01").await.unwrap();
    // PS3.8 9.1.4: at the end of the ARTIM timer the connection is closed.
    for stream in [&mut silent, &mut halved] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    }
    drop((silent, halved));
    until("there are places again", async || call(address).await.is_ok()).await;
    // One stops in the middle of an object, its connection open: it hears an abort (PS3.8 9.3.8) and nothing is kept.
    let mut stuck = TcpStream::connect(address).await.unwrap();
    stuck.write_all(&half_an_object()).await.unwrap();
    let mut said = Vec::new();
    stuck.read_to_end(&mut said).await.unwrap();
    assert_eq!(said[..2], [2, 0], "the association was accepted");
    assert_eq!(said[said.len() - 10..said.len() - 8], [7, 0], "and aborted");
    until("nothing of it is left", async || incoming(folder.path()) == 0).await;
    let mut association = call(address).await.expect("a place");
    assert_eq!(store(&mut association, &file).await, Some(0));
    assert_eq!(kept(folder.path()).len(), 1);
}

/// A request of an association, a C-STORE request and 400,000 bytes of its data set, with the end to come.
fn half_an_object() -> Vec<u8> {
    let item = |kind: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap();
        [&[kind, 0][..], &length.to_be_bytes(), value].concat()
    };
    let [kind] = ct();
    let context = [
        &[1, 0, 0, 0][..],
        &item(0x30, kind.sop_class.as_bytes()),
        &item(0x40, kind.transfer_syntax.as_bytes()),
    ];
    let items = [
        item(0x10, b"1.2.840.10008.3.1.1.1"),
        item(0x20, &context.concat()),
        item(0x50, &item(0x51, &16_384_u32.to_be_bytes())),
    ];
    let titles = [&b"CAUSEWAY        CT1             "[..], &[0; 32]].concat();
    let body = [&[0, 1, 0, 0][..], &titles, &items.concat()].concat();
    let unit = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        [&[kind, 0][..], &length.to_be_bytes(), body].concat()
    };
    let data = |control: u8, bytes: &[u8]| {
        let length = u32::try_from(bytes.len() + 2).unwrap();
        unit(4, &[&length.to_be_bytes()[..], &[1, control], bytes].concat())
    };
    let element = |element: u16, value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap();
        [&[0, 0][..], &element.to_le_bytes(), &length.to_le_bytes(), value].concat()
    };
    let command = [
        element(0x0002, b"1.2.840.10008.5.1.4.1.1.2\0"),
        element(0x0100, &[1, 0]),
        element(0x0110, &[1, 0]),
        element(0x0800, &[0, 0]),
        element(0x1000, b"1.2.3\0"),
    ];
    let mut all = [unit(1, &body), data(3, &command.concat())].concat();
    for _ in 0..4 {
        all.extend(data(0, &vec![7; 100_000]));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_under_load_from_several_associations_loses_nothing_that_was_said_to_be_stored() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut said, mut sent) = (Vec::new(), Vec::new());
    for round in 0..3 {
        let process = Process::configured(data.path(), &stanza(""), &[]);
        let parts: Vec<Vec<PathBuf>> = (0..4)
            .map(|part| instances(files.path(), 1_000 * (4 * round + part), 30, 150_000))
            .collect();
        sent.extend(parts.concat());
        let before = kept(data.path()).len();
        let sending = tokio::spawn(send(process.address("dicom"), parts));
        let some = 5 + 10 * round;
        until("some are stored", async || kept(data.path()).len() >= before + some).await;
        process.kill();
        said.extend(sending.await.expect("a task"));
    }
    assert!(
        !said.is_empty() && said.len() < sent.len(),
        "{} of {}",
        said.len(),
        sent.len()
    );
    // A modality sends again what it has no status of, and more than that: each is there once.
    let process = Process::configured(data.path(), &stanza(""), &[]);
    all_are_kept(data.path(), &said);
    assert_eq!(incoming(data.path()), 0);
    let again = send(process.address("dicom"), vec![sent.clone()]).await;
    assert_eq!(again.len(), sent.len());
    all_are_kept(data.path(), &sent);
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_come_twice_and_in_any_order_are_kept_once() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let process = Process::configured(data.path(), &stanza(""), &[]);
    let all = instances(files.path(), 1, 40, 70_000);
    let mut backwards = all.clone();
    backwards.reverse();
    let (odd, even): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|file| file.as_os_str().len() % 2 == 1);
    let parts = vec![all.clone(), backwards, [odd, even].concat()];
    let sent: usize = parts.iter().map(Vec::len).sum();
    // Side by side: an object meets itself while it is being stored.
    assert_eq!(send(process.address("dicom"), parts).await.len(), sent);
    assert_eq!(kept(data.path()).len(), all.len());
    all_are_kept(data.path(), &all);
    let named = std::fs::read_dir(data.path().join("objects")).unwrap().flatten();
    let folders = named.filter(|folder| folder.file_name() != "incoming");
    let objects: usize = folders
        .map(|folder| std::fs::read_dir(folder.path()).unwrap().count())
        .sum();
    assert_eq!((objects, incoming(data.path())), (all.len(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_out_of_resources_and_nothing_is_lost() {
    let (Some(disk), files) = (Disk::mounted("32m"), tempfile::tempdir().unwrap()) else {
        println!("SKIPPED: only root may mount the small disk of this scenario");
        return;
    };
    let process = Process::configured(disk.path(), &stanza(""), &[]);
    let all = Arc::new(instances(files.path(), 1, 200, 400_000));
    let mut association = call(process.address("dicom")).await.expect("an association");
    let (mut stored, mut next) = (Vec::new(), all.iter());
    let first = next.next().expect("a file");
    assert_eq!(store(&mut association, first).await, Some(0));
    stored.push(first.clone());
    let filler = disk.fill();
    // PS3.4 B.2.3: out of resources, and the association goes on.
    let mut refused = 0;
    for file in next.by_ref().take(12) {
        match store(&mut association, file).await {
            Some(0) => stored.push(file.clone()),
            status => {
                assert_eq!(status, Some(0xA700));
                refused += 1;
            }
        }
    }
    assert!(refused > 8, "{refused} were refused");
    assert_eq!(incoming(disk.path()), 0, "what was refused takes no room");
    std::fs::remove_file(filler).expect("the space is free again");
    until("it is ready again", async || {
        get(process.admin, "/readyz", "").await.0 == 200
    })
    .await;
    for file in next.take(5) {
        assert_eq!(store(&mut association, file).await, Some(0));
        stored.push(file.clone());
    }
    association.release().await.expect("an end in order");
    assert!(process.terminate());
    all_are_kept(disk.path(), &stored);
}
