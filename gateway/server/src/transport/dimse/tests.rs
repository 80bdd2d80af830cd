use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use causeway_core::{Fault, FaultKind, Frame, Head, Leave, Reply, ReplyHead, ReplyKind};
use dicom_ul::pdu::{
    AssociationRJResult, AssociationRQ, Pdu, PresentationContextProposed, PresentationContextResultReason,
    UserVariableItem, read_pdu, write_pdu,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::util::BoxCloneSyncService;

use super::command::{self, Command};
use super::*;
use crate::replies::{Outgoing, Replies};

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// A listener whose frames are noted and answered with a status.
pub(super) struct Ward {
    pub(super) listener: Listener,
    pub(super) frames: Arc<Mutex<Vec<Frame>>>,
    folder: tempfile::TempDir,
}

pub(super) fn ward(change: impl FnOnce(&mut Options)) -> Ward {
    let folder = tempfile::tempdir().unwrap();
    let frames: Arc<Mutex<Vec<Frame>>> = Arc::default();
    let noted = Arc::clone(&frames);
    let service = tower::service_fn(move |frame: Frame| {
        noted.lock().unwrap().push(frame);
        let reply = Reply {
            head: ReplyHead::Dimse {
                status: 0,
                comment: String::new(),
            },
            kind: ReplyKind::Commit,
            bytes: Bytes::new(),
            positive: true,
        };
        let leave = Leave::NotKept(Fault::new(FaultKind::Internal, "a test"));
        async move { Ok(Replies::ready(Outgoing { leave, reply })) }
    });
    let mut options = Options::default();
    change(&mut options);
    let listener = Listener {
        name: "ct".into(),
        service: BoxCloneSyncService::new(service),
        // The pixels of these tests begin behind eight bytes.
        metadata: Arc::new(|bytes, _, whole| (whole || bytes.len() >= 8).then_some(bytes.len().min(8))),
        objects: Arc::new(Objects::open(folder.path()).unwrap()),
        options,
        peers: Vec::new(),
        tls: crate::transport::tls::Acceptor::default(),
        counters: Arc::default(),
        drain: Duration::from_secs(5),
    };
    Ward {
        listener,
        frames,
        folder,
    }
}

impl Ward {
    /// Files of objects, finished ones and others.
    fn files(&self) -> (usize, usize) {
        let count = |folder: std::path::PathBuf| {
            let entries = std::fs::read_dir(folder).unwrap();
            entries.filter(|entry| entry.as_ref().unwrap().path().is_file()).count()
        };
        let objects = self.folder.path().join("objects");
        let folders = std::fs::read_dir(&objects).unwrap().map(|entry| entry.unwrap().path());
        let named: usize = folders.filter(|path| !path.ends_with("incoming")).map(count).sum();
        (named, count(objects.join("incoming")))
    }

    pub(super) fn connect(&self, has_place: bool) -> (Scu, JoinHandle<End>, watch::Sender<bool>) {
        let (near, far) = tokio::io::duplex(64 << 10);
        let (stop, stopped) = watch::channel(false);
        let listener = self.listener.clone();
        let task =
            tokio::spawn(async move { listener.associate(far, &"127.0.0.1:1".into(), has_place, stopped).await });
        (Scu(near), task, stop)
    }
}

/// The other side, which does what no proper one would.
pub(super) struct Scu(pub(super) DuplexStream);

impl Scu {
    async fn send(&mut self, pdu: &Pdu) {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).unwrap();
        self.0.write_all(&bytes).await.unwrap();
    }

    async fn receive(&mut self) -> Option<Pdu> {
        let mut bytes = vec![0; 6];
        self.0.read_exact(&mut bytes).await.ok()?;
        let length = u32::from_be_bytes(bytes[2..].try_into().unwrap()) as usize;
        bytes.resize(6 + length, 0);
        self.0.read_exact(&mut bytes[6..]).await.ok()?;
        read_pdu(bytes.as_slice(), 1 << 20, true).unwrap()
    }

    pub(super) async fn associate(&mut self, called: &str, classes: &[&str]) -> Pdu {
        let contexts = (0u8..).zip(classes).map(|(number, class)| PresentationContextProposed {
            id: number * 2 + 1,
            abstract_syntax: (*class).to_owned(),
            transfer_syntaxes: vec![EXPLICIT.to_owned()],
        });
        self.send(&Pdu::AssociationRQ(AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "CT1".to_owned(),
            called_ae_title: called.to_owned(),
            application_context_name: "1.2.840.10008.3.1.1.1".to_owned(),
            presentation_contexts: contexts.collect(),
            user_variables: vec![UserVariableItem::MaxLength(16_384)],
        }))
        .await;
        self.receive().await.unwrap()
    }

    async fn fragment(&mut self, context: u8, control: u8, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap();
        let mut out = vec![4, 0];
        out.extend_from_slice(&(length + 6).to_be_bytes());
        out.extend_from_slice(&(length + 2).to_be_bytes());
        out.extend_from_slice(&[context, control]);
        out.extend_from_slice(bytes);
        self.0.write_all(&out).await.unwrap();
    }

    async fn store(&mut self, context: u8, class: &str, instance: &str) {
        self.fragment(context, 3, &request(command::STORE, class, instance))
            .await;
    }

    /// Status and comment of the next response.
    async fn status(&mut self) -> (u16, String) {
        let Some(Pdu::PData { data }) = self.receive().await else {
            panic!("no response");
        };
        let set = &data[0].data;
        assert!(Command::read(set).is_some_and(|command| !command.is_request()));
        let value = |element: u16| {
            let mut rest = set.as_slice();
            while let Some((header, behind)) = rest.split_at_checked(8) {
                let length = u32::from_le_bytes(header[4..].try_into().unwrap()) as usize;
                if header[2..4] == element.to_le_bytes() {
                    return behind[..length].to_vec();
                }
                rest = &behind[length..];
            }
            Vec::new()
        };
        let status = u16::from_le_bytes(value(0x0900).try_into().unwrap());
        (status, String::from_utf8(value(0x0902)).unwrap().trim_end().to_owned())
    }
}

fn request(field: u16, class: &str, instance: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |element: u16, value: &[u8]| {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&element.to_le_bytes());
        out.extend_from_slice(&u32::try_from(value.len()).unwrap().to_le_bytes());
        out.extend_from_slice(value);
    };
    put(0x0002, &command::text_value(class, 0));
    put(0x0100, &field.to_le_bytes());
    put(0x0110, &9u16.to_le_bytes());
    put(0x0800, &[1, 0]);
    put(0x1000, &command::text_value(instance, 0));
    out
}

#[tokio::test]
async fn an_object_is_on_disk_whole_before_its_status_is_said() {
    let ward = ward(|_| {});
    let (mut scu, task, _stop) = ward.connect(true);
    assert!(matches!(scu.associate("CAUSEWAY", &[CT]).await, Pdu::AssociationAC(_)));
    let data: Vec<u8> = (0..=255u8).cycle().take(700_001).collect();
    scu.store(1, CT, "1.2.3").await;
    for chunk in data.chunks(16_000) {
        scu.fragment(1, 0, chunk).await;
    }
    scu.fragment(1, 2, &[]).await;
    assert_eq!(scu.status().await, (0, String::new()));
    assert_eq!(ward.files(), (1, 0));
    let frame = ward.frames.lock().unwrap().pop().unwrap();
    let Head::Dimse {
        calling_ae,
        called_ae,
        sop_class,
        sop_instance,
        transfer_syntax,
        object,
        size,
    } = &frame.head
    else {
        panic!("no DIMSE head");
    };
    assert_eq!(
        [calling_ae, called_ae, sop_class, sop_instance],
        ["CT1", "CAUSEWAY", CT, "1.2.3"]
    );
    assert_eq!(transfer_syntax, EXPLICIT);
    let file = std::fs::read(ward.listener.objects.path(object)).unwrap();
    assert_eq!(file.len() as u64, *size);
    assert!(file.ends_with(&data) && file[128..].starts_with(b"DICM"));
    // The log's part is the file's beginning: meta information and the first eight bytes.
    assert_eq!(frame.body, file[..file.len() - data.len() + 8]);
    assert!(object.contains(&format!("{:x}", HexOf(&frame.body))));
    scu.send(&Pdu::ReleaseRQ).await;
    assert_eq!(scu.receive().await, Some(Pdu::ReleaseRP));
    drop(scu);
    assert_eq!(task.await.unwrap(), End::Released);
}

struct HexOf<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use sha2::Digest;
        sha2::Sha256::digest(self.0)
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[tokio::test]
async fn titles_classes_and_places_are_checked() {
    let ward = ward(|options| options.calling_ae = vec!["CT1".to_owned()]);
    let (mut scu, _task, _stop) = ward.connect(true);
    let Pdu::AssociationRJ(rejection) = scu.associate("OTHER", &[CT]).await else {
        panic!("accepted");
    };
    assert_eq!(rejection.result, AssociationRJResult::Permanent);
    let (mut scu, _task, _stop) = ward.connect(false);
    let Pdu::AssociationRJ(rejection) = scu.associate("CAUSEWAY", &[CT]).await else {
        panic!("accepted");
    };
    assert_eq!(rejection, super::negotiate::congested());
    let (mut scu, _task, _stop) = ward.connect(true);
    let patient_root_find = "1.2.840.10008.5.1.4.1.2.1.1";
    let Pdu::AssociationAC(answer) = scu.associate("CAUSEWAY", &[CT, patient_root_find]).await else {
        panic!("rejected");
    };
    let results: Vec<_> = answer
        .presentation_contexts
        .iter()
        .map(|context| &context.reason)
        .collect();
    let (accepted, refused) = (
        PresentationContextResultReason::Acceptance,
        PresentationContextResultReason::AbstractSyntaxNotSupported,
    );
    assert_eq!(results, [&accepted, &refused]);
    let counts = ward.listener.counters.counts();
    assert_eq!((counts.rejected, counts.congested, counts.associations), (1, 1, 1));
}

#[tokio::test]
async fn what_cannot_be_stored_is_said_and_the_association_goes_on() {
    let ward = ward(|options| options.max_object = 100);
    let (mut scu, _task, _stop) = ward.connect(true);
    scu.associate("CAUSEWAY", &["1.2.840.10008.1.1", CT]).await;
    scu.store(3, "1.2.840.10008.5.1.4.1.1.4", "1.2.3").await;
    scu.fragment(3, 2, b"data").await;
    assert_eq!(scu.status().await.0, command::CLASS_NOT_SUPPORTED);
    scu.store(3, CT, "../../etc/passwd").await;
    scu.fragment(3, 2, b"data").await;
    assert_eq!(scu.status().await.0, command::NOT_UNDERSTOOD);
    scu.store(3, CT, "1.2.3").await;
    scu.fragment(3, 2, &[7; 101]).await;
    let (status, comment) = scu.status().await;
    assert_eq!(
        (status, comment.as_str()),
        (command::OUT_OF_RESOURCES, "the object is larger than is taken")
    );
    scu.fragment(3, 3, &request(0x0020, CT, "")).await;
    scu.fragment(3, 2, b"query").await;
    assert_eq!(scu.status().await.0, command::UNRECOGNISED);
    assert_eq!(ward.files(), (0, 0));
    scu.store(3, CT, "1.2.3").await;
    scu.fragment(3, 2, &[7; 100]).await;
    assert_eq!(scu.status().await.0, command::SUCCESS);
    // The same metadata with other pixels is another object.
    scu.store(3, CT, "1.2.3").await;
    scu.fragment(3, 2, &[[7; 99].as_slice(), &[8]].concat()).await;
    assert_eq!(scu.status().await.0, command::SUCCESS);
    assert_eq!((ward.files(), ward.listener.counters.counts().failed), ((2, 0), 4));
}

#[tokio::test]
async fn an_association_that_breaks_off_leaves_nothing() {
    let ward = ward(|_| {});
    for abort in [true, false] {
        let (mut scu, task, _stop) = ward.connect(true);
        scu.associate("CAUSEWAY", &[CT]).await;
        scu.store(1, CT, "1.2.3").await;
        for _ in 0..30 {
            scu.fragment(1, 0, &[0; 16_000]).await;
        }
        if abort {
            scu.send(&super::pdu::abort(None)).await;
        }
        drop(scu);
        assert_eq!(task.await.unwrap(), End::Gone);
    }
    assert_eq!(ward.listener.counters.counts().broken_off, 2);
    // A block that was on its way to disk ends on its own thread.
    while ward.files() != (0, 0) {
        tokio::task::yield_now().await;
    }
    assert!(ward.frames.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn silence_ends_an_association_and_garbage_does_at_once() {
    let ward = ward(|_| {});
    let (scu, task, _stop) = ward.connect(true);
    assert_eq!(task.await.unwrap(), End::Timeout); // the ARTIM timer
    drop(scu);
    let (mut scu, task, _stop) = ward.connect(true);
    scu.associate("CAUSEWAY", &[CT]).await;
    assert!(matches!(scu.receive().await, Some(Pdu::AbortRQ { .. })));
    assert_eq!(task.await.unwrap(), End::Timeout);
    for garbage in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x04\0\xff\xff\xff\xff",
        b"\x01\0\0\0\0\x04abcd",
        b"\x05\0\0\0\0\x04\0\0\0\0",
    ] {
        let (mut scu, task, _stop) = ward.connect(true);
        scu.0.write_all(garbage).await.unwrap();
        assert!(matches!(scu.receive().await, Some(Pdu::AbortRQ { .. })), "{garbage:?}");
        drop(scu);
        assert!(matches!(task.await.unwrap(), End::Invalid(_)), "{garbage:?}");
    }
}

#[tokio::test]
async fn a_stop_lets_the_object_under_way_end() {
    let ward = ward(|_| {});
    let (mut scu, task, stop) = ward.connect(true);
    scu.associate("CAUSEWAY", &[CT]).await;
    scu.store(1, CT, "1.2.3").await;
    scu.fragment(1, 0, b"first half, ").await;
    while ward.listener.counters.counts().bytes_in == 0 {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    scu.fragment(1, 2, b"second half").await;
    assert_eq!(scu.status().await.0, command::SUCCESS);
    assert!(matches!(scu.receive().await, Some(Pdu::AbortRQ { .. })));
    drop(scu);
    assert_eq!(task.await.unwrap(), End::Draining);
}

#[tokio::test]
async fn a_disk_that_fails_is_out_of_resources_and_the_association_goes_on() {
    let ward = ward(|_| {});
    let incoming = ward.folder.path().join("objects/incoming");
    std::fs::remove_dir(&incoming).unwrap();
    let (mut scu, _task, _stop) = ward.connect(true);
    scu.associate("CAUSEWAY", &[CT]).await;
    for size in [100, 900_000] {
        scu.store(1, CT, "1.2.3").await;
        for chunk in vec![7; size].chunks(16_000) {
            scu.fragment(1, 0, chunk).await;
        }
        scu.fragment(1, 2, &[]).await;
        assert_eq!(scu.status().await.0, command::OUT_OF_RESOURCES);
    }
    std::fs::create_dir(&incoming).unwrap();
    scu.store(1, CT, "1.2.3").await;
    scu.fragment(1, 2, b"data").await;
    assert_eq!(scu.status().await.0, command::SUCCESS);
}

#[test]
fn what_an_earlier_process_left_half_done_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    drop(Objects::open(folder.path()).unwrap());
    let left = folder.path().join("objects/incoming/7");
    std::fs::write(&left, b"half").unwrap();
    Objects::open(folder.path()).unwrap();
    assert!(!left.exists());
}
