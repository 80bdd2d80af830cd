//! DICOM peers downstream that are none of ours, dcmtk's `storescp` and Orthanc: what the gateway sends arrives byte for
//! byte and once, and what a peer cannot or will not take is told apart.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use causeway_server::outbox::{Class, Destination, Outgoing, Peer, peers};
use causeway_server::transport::tls::Clients;
use causeway_tests::{Orthanc, binary, free_port, public, until};

const PUBLIC: [&str; 6] = [
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "image_dfl.dcm",
];

/// The public files; `None` without them.
fn files() -> Option<Vec<PathBuf>> {
    PUBLIC.iter().map(|name| public(name)).collect()
}

/// The data set of a file: all behind the meta information, by the length that (0002,0000) says.
fn data_set(bytes: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(bytes[140..144].try_into().unwrap());
    &bytes[144 + length as usize..]
}

/// dcmtk's receiver, which keeps data sets as they come; killed when dropped.
struct Storescp(Child, u16);

impl Drop for Storescp {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

async fn storescp(folder: &Path, more: &[&str]) -> Option<Storescp> {
    let port = free_port();
    let mut command = Command::new("storescp");
    command.args(["+B", "-od"]).arg(folder).args(more).arg(port.to_string());
    let Ok(child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        println!("SKIPPED: storescp is not installed; scripts/setup.sh test does it");
        return None;
    };
    let peer = Storescp(child, port);
    let up = async || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    until("storescp is up", up).await;
    Some(peer)
}

async fn send(target: String, arguments: Vec<String>) -> Output {
    let run = move || Command::new(binary()).args(["send", &target]).args(arguments).output();
    tokio::task::spawn_blocking(run)
        .await
        .expect("a thread")
        .expect("causeway")
}

fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| file.display().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn causeway_send_stores_every_syntax_byte_for_byte_with_dcmtk() {
    let (Some(files), folder) = (files(), tempfile::tempdir().unwrap()) else {
        return;
    };
    // Units of 4,096 bytes: an object goes out in many.
    let Some(peer) = storescp(folder.path(), &["+xa", "--max-pdu", "4096"]).await else {
        return;
    };
    let target = format!("dicom://STORESCP@127.0.0.1:{}", peer.1);
    let echo = send(target.clone(), Vec::new()).await;
    assert_eq!((echo.status.code(), &*echo.stdout), (Some(0), &b"C-ECHO: 0000\n"[..]));
    let sent = send(target, names(&files)).await;
    let said = String::from_utf8_lossy(&sent.stdout).into_owned() + &String::from_utf8_lossy(&sent.stderr);
    assert_eq!(sent.status.code(), Some(0), "{said}");
    assert_eq!(said.matches(": 0000").count(), files.len(), "{said}");
    let there: Vec<Vec<u8>> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        // A deflated data set of odd length is sent with one zero more (PS3.5 A.5).
        let even = [data_set(&bytes), &[0][..data_set(&bytes).len() % 2]].concat();
        let same = there.iter().any(|other| data_set(other) == even);
        // Of the three that are one instance, the last one is left in the folder.
        let replaced = file.to_string_lossy().contains("MR_small_i") || file.to_string_lossy().contains("MR_small_b");
        assert!(same || replaced, "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn causeway_send_says_who_is_not_there_or_not_meant_and_what_is_no_dicom() {
    let nobody = format!("dicom://ANY@127.0.0.1:{}", free_port());
    assert_eq!(send(nobody, Vec::new()).await.status.code(), Some(4));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").to_owned();
    let text = send("dicom://ANY@127.0.0.1:104".to_owned(), vec![manifest]).await;
    assert_eq!(text.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&text.stderr).contains("no DICOM file"));
    let untitled = send("dicom://127.0.0.1:104".to_owned(), Vec::new()).await;
    assert_eq!(untitled.status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    if !Orthanc::is_here() {
        return;
    }
    let orthanc = Orthanc::start(folder.path(), free_port()).await;
    let wrong = send(format!("dicom://SOMEBODY@127.0.0.1:{}", orthanc.dicom), Vec::new()).await;
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        wrong.status.code() == Some(4) && said.contains("called AE title not recognized"),
        "{said}"
    );
}

fn outgoing(file: &Path) -> Outgoing {
    Outgoing {
        file: Some(file.to_owned()),
        ..causeway_tests::outgoing("CWD1", "application/dicom", Vec::new())
    }
}

fn peer(to: &str) -> Box<dyn Peer> {
    peers::peer(&Destination::new("pacs", to), &Clients::default()).expect("a peer")
}

#[tokio::test(flavor = "multi_thread")]
async fn orthanc_has_what_it_is_given_once_and_byte_for_byte_though_it_was_down() {
    let (Some(files), true) = (files(), Orthanc::is_here()) else {
        return;
    };
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let pacs = peer(&format!("dicom://ORTHANC@127.0.0.1:{port}"));
    let (ct, mr) = (&files[0], &files[1]);
    assert_eq!(pacs.deliver(outgoing(ct)).await.unwrap_err().class, Class::Unreachable);
    let orthanc = Orthanc::start(folder.path(), port).await;
    assert_eq!(pacs.deliver(outgoing(ct)).await.unwrap().said, "0000");
    // Another kind needs another association; a repetition goes by the first and makes no second instance.
    assert_eq!(pacs.deliver(outgoing(mr)).await.unwrap().said, "0000");
    assert_eq!(pacs.deliver(outgoing(ct)).await.unwrap().said, "0000");
    assert_eq!(orthanc.instances().await, 2);
    let ids = orthanc.ask("/instances").await;
    let mut there = Vec::new();
    for id in ids.as_array().unwrap() {
        there.push(
            orthanc
                .bytes(&format!("/instances/{}/file", id.as_str().unwrap()))
                .await,
        );
    }
    for file in [ct, mr] {
        let bytes = std::fs::read(file).unwrap();
        assert!(
            there.iter().any(|other| data_set(other) == data_set(&bytes)),
            "{}",
            file.display()
        );
    }
    // Both associations are open still when Orthanc goes and comes again: that is no fault of the object.
    drop(orthanc);
    let orthanc = Orthanc::start(folder.path(), port).await;
    assert_eq!(pacs.deliver(outgoing(ct)).await.unwrap().said, "0000");
    assert_eq!(orthanc.instances().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_peer_will_never_take_is_told_from_what_it_may_take_later() {
    let Some(files) = files() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Without +xa only uncompressed objects are taken.
    let Some(storescp) = storescp(folder.path(), &[]).await else {
        return;
    };
    let pacs = peer(&format!("dicom://STORESCP@127.0.0.1:{}", storescp.1));
    let compressed = pacs.deliver(outgoing(&files[4])).await.unwrap_err();
    // JPEG 2000 lossless only, of a secondary capture (PS3.6 annex A).
    let cause = "the peer does not take such objects in their transfer syntax: \
                 SOP class 1.2.840.10008.5.1.4.1.1.7, transfer syntax 1.2.840.10008.1.2.4.91";
    assert_eq!((compressed.class, compressed.cause.as_str()), (Class::Rejected, cause));
    assert_eq!(pacs.deliver(outgoing(&files[0])).await.unwrap().said, "0000");
    let lost = pacs.deliver(outgoing(&folder.path().join("none"))).await.unwrap_err();
    assert_eq!(lost.class, Class::Broken, "{}", lost.cause);
    if !Orthanc::is_here() {
        return;
    }
    let orthanc = Orthanc::start(folder.path(), free_port()).await;
    let elsewhere = peer(&format!("dicom://SOMEBODY@127.0.0.1:{}", orthanc.dicom));
    let rejected = elsewhere.deliver(outgoing(&files[0])).await.unwrap_err();
    // Nobody knows this title: no object is to blame.
    let cause = "the association was rejected: called AE title not recognized";
    assert_eq!((rejected.class, rejected.cause.as_str()), (Class::Unreachable, cause));
}
