use std::time::Duration;

use dicom_ul::pdu::{Pdu, read_pdu, write_pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::transport::dimse::tests::{CT, EXPLICIT, Ward, ward};
use crate::transport::dimse::{End, negotiate, pdu, uids};

fn caller() -> Caller {
    Caller {
        address: String::new(),
        called_ae: "CAUSEWAY".to_owned(),
        calling_ae: "US1".to_owned(),
        connector: Connector::plain(),
        connect: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
    }
}

fn kind(transfer_syntax: &str) -> Kind {
    Kind {
        sop_class: CT.to_owned(),
        transfer_syntax: transfer_syntax.to_owned(),
    }
}

/// A file with a data set, as PS3.10 has it.
fn object(transfer_syntax: &str, data: &[u8]) -> (tempfile::NamedTempFile, ObjectFile) {
    let mut bytes = vec![0; 128];
    bytes.extend_from_slice(b"DICM");
    for (element, uid) in [(2, CT), (3, "1.2.3"), (0x10, transfer_syntax)] {
        let mut value = uid.as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(2), 0);
        bytes.extend_from_slice(&[2, 0, element, 0]);
        bytes.extend_from_slice(b"UI");
        bytes.extend_from_slice(&u16::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&value);
    }
    bytes.extend_from_slice(data);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let opened = ObjectFile::open(file.path()).unwrap();
    (file, opened)
}

/// What a ward has on disk of the last object, behind its own beginning.
fn stored(ward: &Ward) -> Vec<u8> {
    let frame = ward.frames.lock().unwrap().pop().unwrap();
    let causeway_core::Head::Dimse { object, .. } = &frame.head else {
        panic!("no DIMSE head");
    };
    let file = std::fs::read(ward.listener.objects.path(object)).unwrap();
    file[frame.body.len() - 8..].to_vec()
}

#[tokio::test]
async fn an_object_arrives_byte_for_byte_in_units_that_the_peer_takes() {
    let data: Vec<u8> = (0..=255u8).cycle().take(700_002).collect();
    for max_pdu in [200, 4_097, 128 << 10] {
        let ward = ward(|options| options.max_pdu = max_pdu);
        let (scu, task, _stop) = ward.connect(true);
        let mut association = Association::request(scu.0, &caller(), &[kind(EXPLICIT)]).await.unwrap();
        assert!(association.echo().await.unwrap().is_taken());
        for data in [&data[..], &data[..8], &data[..max_pdu * 3]] {
            let (_file, object) = object(EXPLICIT, &data[..data.len() & !1]);
            assert_eq!(association.store(object).await.unwrap().status, 0);
            assert_eq!(stored(&ward), data[..data.len() & !1], "{max_pdu}");
        }
        association.release().await.unwrap();
        assert_eq!(task.await.unwrap(), End::Released);
    }
}

#[tokio::test]
async fn an_odd_deflated_object_is_made_even_by_a_zero() {
    let ward = ward(|_| {});
    let (scu, _task, _stop) = ward.connect(true);
    let deflated = "1.2.840.10008.1.2.1.99";
    let kinds = [kind(deflated)];
    let mut association = Association::request(scu.0, &caller(), &kinds).await.unwrap();
    // A long one first: its units are used again.
    for length in [300_000, 9] {
        let data = vec![7; length];
        let (_file, object) = object(deflated, &data);
        assert!(association.store(object).await.unwrap().is_taken());
        let pad = [0; 1];
        assert_eq!(stored(&ward), [&data[..], &pad[..length % 2]].concat());
    }
}

#[tokio::test]
async fn what_the_peer_did_not_agree_to_is_not_sent() {
    let ward = ward(|_| {});
    let (scu, _task, _stop) = ward.connect(true);
    let unknown = "1.2.3.4";
    let query = Kind {
        sop_class: "1.2.840.10008.5.1.4.1.2.1.1".to_owned(), // Patient Root Query/Retrieve, FIND
        transfer_syntax: EXPLICIT.to_owned(),
    };
    let kinds = [kind(unknown), kind(EXPLICIT), query.clone()];
    let mut association = Association::request(scu.0, &caller(), &kinds).await.unwrap();
    let (_file, alien) = object(unknown, b"12345678");
    let error = association.store(alien).await.unwrap_err().to_string();
    let expected = format!(
        "the peer does not take such objects in their transfer syntax: SOP class {CT}, transfer syntax {unknown}"
    );
    assert_eq!(error, expected);
    assert!(!association.takes(&query) && association.takes(&kind(EXPLICIT)));
    // The association is as good as before.
    let (_file, object) = object(EXPLICIT, b"12345678");
    assert!(association.store(object).await.unwrap().is_taken());
}

/// A peer that answers each unit with the next of these, and then says nothing.
fn peer(answers: Vec<Vec<u8>>) -> DuplexStream {
    let (near, mut far) = duplex(64 << 10);
    tokio::spawn(async move {
        for answer in answers {
            let mut header = [0; 6];
            far.read_exact(&mut header).await.unwrap();
            let mut unit = vec![0; u32::from_be_bytes(header[2..].try_into().unwrap()) as usize];
            far.read_exact(&mut unit).await.unwrap();
            far.write_all(&answer).await.unwrap();
        }
        std::future::pending::<()>().await;
        drop(far);
    });
    near
}

fn bytes(pdu: &Pdu) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_pdu(&mut bytes, pdu).unwrap();
    assert!(read_pdu(bytes.as_slice(), 1 << 20, true).is_ok());
    bytes
}

#[tokio::test(start_paused = true)]
async fn an_association_that_is_refused_broken_or_not_answered_is_told_apart() {
    let call = async |answer: Vec<Vec<u8>>| {
        let called = Association::request(peer(answer), &caller(), &[]).await;
        called.map(|_| ()).unwrap_err()
    };
    let busy = call(vec![bytes(&negotiate::congested().into())]).await;
    assert!(matches!(busy, CallError::Rejected { transient: true, .. }), "{busy}");
    let aborted = call(vec![bytes(&pdu::abort(None))]).await;
    assert!(matches!(aborted, CallError::Aborted), "{aborted}");
    let web = call(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()]).await;
    assert!(matches!(web, CallError::Invalid(_)), "{web}");
    let silent = call(Vec::new()).await;
    assert!(matches!(silent, CallError::Timeout), "{silent}");
}

#[tokio::test(start_paused = true)]
async fn a_response_to_something_else_and_none_at_all_are_no_success() {
    let ward = ward(|_| {});
    let (mut scu, _task, _stop) = ward.connect(true);
    let accepted = bytes(&scu.associate("CAUSEWAY", &[uids::VERIFICATION]).await);
    // PS3.7 table 9.3-13: a C-ECHO-RSP to message 2, when the first was asked.
    let set = b"\0\0\0\x01\x02\0\0\0\x30\x80\0\0\x20\x01\x02\0\0\0\x02\0\0\0\0\x09\x02\0\0\0\0\0";
    let other = [&pdu::data_header(1, set.len(), 3)[..], set].concat();
    let asked = async |answers: Vec<Vec<u8>>| {
        let mut association = Association::request(peer(answers), &caller(), &[]).await.unwrap();
        association.echo().await.unwrap_err()
    };
    let wrong = asked(vec![accepted.clone(), other]).await;
    assert!(
        matches!(wrong, CallError::Invalid("a response to something else")),
        "{wrong}"
    );
    let silent = asked(vec![accepted]).await;
    assert!(matches!(silent, CallError::Timeout), "{silent}");
}
