//! What leaves as FHIR: transactions of messages, claims and images, taken by a gateway that reads FHIR, however often they
//! are sent; and those of every file of the corpus, where that is there.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use causeway_core::{Adapter, Frame, Head, MemorySource, Parcel};
use causeway_dicom::Dicom;
use causeway_hl7v2::Hl7v2;
use causeway_server::outbox::{Class, Delivered, Destination, Form, Outgoing, peers};
use causeway_server::transport::tls::Clients;
use causeway_tests::{EXAMPLE, Fhir, JSON, public};
use causeway_x12::X12;
use serde_json::{Value, json};

/// Types of resources that messages, claims and images make.
const KINDS: &[&str] = &[
    "Claim",
    "DiagnosticReport",
    "Encounter",
    "ImagingStudy",
    "Location",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "Provenance",
    "ServiceRequest",
];

const CLAIM: &[u8] = include_bytes!("../fuzz/seeds/claims/claim.837");

/// The transactions of a file's parts.
fn transactions<A: Adapter>(adapter: &A, bytes: &[u8], client_ids: bool) -> Vec<Vec<u8>> {
    let frame = Frame {
        listener: "lab".into(),
        peer: "p".into(),
        received: "2026-03-01T08:30:00Z".parse().expect("a time"),
        head: Head::file("a"),
        body: Bytes::copy_from_slice(bytes),
    };
    let mut source = MemorySource(frame.body.clone());
    let Some(mut message) = adapter.parse(&frame.head, &mut source).value else {
        return Vec::new();
    };
    let mut all = Vec::new();
    while let Some(draft) = adapter.next(&mut message, &mut source, &frame.hash()) {
        let parcel = Parcel {
            frame: &frame,
            part: 0,
            bundle: &draft.bundle,
            findings: &[],
        };
        all.extend(causeway_fhir::transaction(&parcel, client_ids).value);
    }
    all
}

fn hl7v2() -> Hl7v2 {
    Hl7v2::new(causeway_hl7v2::Config::default()).expect("the maps")
}

fn x12() -> X12 {
    X12::new(&causeway_x12::lift::Options::default()).expect("the guides")
}

fn dicom() -> Dicom {
    Dicom::new(&causeway_dicom::Config::default()).expect("the maps")
}

/// Posts a transaction; the statuses of its entries.
async fn post(house: &mut Fhir, bytes: &[u8]) -> Result<Vec<String>, String> {
    let answer = house.http.ask("POST", "/fhir", JSON, bytes).await;
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
    let status = |entry: &Value| entry["response"]["status"].as_str().unwrap_or_default().to_owned();
    Ok(entries.iter().map(status).collect())
}

/// What the receiver has, versions and times apart.
async fn everything(house: &mut Fhir) -> Vec<Value> {
    let mut all = Vec::new();
    for kind in KINDS {
        for mut resource in house.found(&format!("/fhir/{kind}?_count=100")).await {
            for given in ["versionId", "lastUpdated"] {
                resource["meta"].as_object_mut().expect("meta").remove(given);
            }
            all.push(resource);
        }
    }
    all.sort_by_key(|resource| resource["id"].to_string());
    all
}

/// Every reference to something in the transaction leads to what the receiver has.
async fn lead_somewhere(house: &mut Fhir, kind: &str) {
    for resource in house.found(&format!("/fhir/{kind}?_count=100")).await {
        for name in ["subject", "patient", "encounter", "basedOn", "provider"] {
            let all = match &resource[name] {
                Value::Array(all) => all.clone(),
                one => vec![one.clone()],
            };
            for reference in all.iter().filter_map(|held| held["reference"].as_str()) {
                let found = house.get(&format!("/fhir/{reference}")).await;
                assert_eq!(found.status, 200, "{kind}.{name} is {reference}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_a_claim_and_an_image_are_taken_however_often_they_are_sent() {
    let mut house = Fhir::start().await;
    let mut all = transactions(&hl7v2(), EXAMPLE.as_bytes(), true);
    all.extend(transactions(&x12(), CLAIM, true));
    if let Some(image) = public("CT_small.dcm") {
        let image = std::fs::read(image).expect("an image");
        all.extend(transactions(&dicom(), &image, true));
    }
    assert!(all.len() >= 2);
    let mut before = Vec::new();
    for round in 0..2 {
        for bytes in &all {
            let statuses = post(&mut house, bytes).await.expect("a transaction that is taken");
            let fits = |status: &String| status == "200" || (round == 0 && status == "201");
            assert!(statuses.iter().all(fits), "{round}: {statuses:?}");
        }
        let mut now = Vec::new();
        for kind in [
            "Patient",
            "Observation",
            "Organization",
            "Practitioner",
            "Encounter",
            "Claim",
        ] {
            let found = house.found(&format!("/fhir/{kind}?_count=100")).await;
            now.extend(found.into_iter().map(|mut resource| {
                resource["meta"] = json!(null);
                resource
            }));
        }
        now.sort_by_key(|resource| resource["id"].to_string());
        if round > 0 {
            assert_eq!(now, before, "the second time something else is there");
        }
        before = now;
    }
    for kind in ["Observation", "DiagnosticReport", "Encounter", "Claim", "ImagingStudy"] {
        lead_somewhere(&mut house, kind).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_ids_itself_has_each_resource_once() {
    let mut house = Fhir::start().await;
    for bytes in transactions(&hl7v2(), EXAMPLE.as_bytes(), false).iter().cycle().take(2) {
        post(&mut house, bytes).await.expect("a transaction that is taken");
    }
    let potassium = house.found("/fhir/Observation?code=http://loinc.org|2823-3").await;
    assert_eq!(potassium.len(), 1);
    let tag = &potassium[0]["meta"]["tag"][0];
    assert_eq!(tag["system"], "urn:causeway:id");
    assert_ne!(potassium[0]["id"], tag["code"], "its id is the receiver's");
    let by_tag = format!(
        "/fhir/Observation?_tag=urn:causeway:id|{}",
        tag["code"].as_str().expect("an id")
    );
    assert_eq!(house.found(&by_tag).await, potassium);
    assert!(
        house
            .found("/fhir/Observation?_tag=urn:causeway:id|nobody")
            .await
            .is_empty()
    );
    lead_somewhere(&mut house, "Observation").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_leaves_what_is_known_as_it_is() {
    let mut house = Fhir::start().await;
    let full = json!({
        "resourceType": "Patient", "identifier": [{"system": "urn:causeway:authority:RUIJIN", "value": "0084512"}],
        "name": [{"family": "张", "given": ["伟"]}], "birthDate": "1979-05-16", "contact": [{"name": {"text": "李"}}],
    });
    assert_eq!(house.post("/fhir/Patient", &full).await.status, 201);
    // A result whose sender knows the number and the name and no more.
    let lines = EXAMPLE.split(['\r', '\n']).filter(|line| !line.is_empty());
    let slim = lines.map(|line| match line.get(..3) {
        Some("PID") => "PID|1||0084512^^^RUIJIN^MR||Z^W\r".to_owned(),
        _ => format!("{line}\r"),
    });
    let sent = transactions(&hl7v2(), slim.collect::<String>().as_bytes(), true);
    post(&mut house, &sent[0]).await.expect("a transaction that is taken");
    let patients = house.found("/fhir/Patient").await;
    assert_eq!(patients.len(), 1);
    assert_eq!(
        (&patients[0]["birthDate"], &patients[0]["contact"]),
        (&full["birthDate"], &full["contact"])
    );
    let results = house.found("/fhir/Observation?code=http://loinc.org|2823-3").await;
    let subject = format!("Patient/{}", patients[0]["id"].as_str().expect("an id"));
    assert_eq!(results[0]["subject"]["reference"], subject);
    // What was known by more is written.
    let sent = transactions(&hl7v2(), EXAMPLE.as_bytes(), true);
    post(&mut house, &sent[0]).await.expect("a transaction that is taken");
    let patients = house.found("/fhir/Patient").await;
    assert_eq!(
        (patients.len(), &patients[0]["address"][0]["city"]),
        (1, &json!("上海"))
    );
}

/// Every so many files are sent; all of them take two minutes.
const EVERY: usize = 9;

fn outgoing(bytes: &[u8]) -> Outgoing {
    causeway_tests::outgoing("CW1", Form::Fhir.media_type(), bytes.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_gets_it_and_a_repetition_changes_nothing() {
    let mut house = Fhir::start().await;
    let base = format!("http://{}/fhir", house.process.http.expect("an address"));
    let peer = peers::peer(&Destination::new("next", &base), &Clients::default()).expect("a peer");
    let sent = transactions(&hl7v2(), EXAMPLE.as_bytes(), true);
    let mut before = Vec::new();
    for attempt in 1..=3 {
        let said = peer.deliver(outgoing(&sent[0])).await;
        assert_eq!(said, Ok(Delivered::said("200")));
        let now = everything(&mut house).await;
        assert!(attempt == 1 || now == before, "attempt {attempt} changed something");
        before = now;
    }
    assert!(before.len() > 5);
    // A result without a status is none (FHIR R4 Observation.status is 1..1): it will never be taken.
    let wrong = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{
        "resource": {"resourceType": "Observation", "id": "x", "code": {"text": "K"}},
        "request": {"method": "PUT", "url": "Observation/x"},
    }]});
    let failure = peer
        .deliver(outgoing(wrong.to_string().as_bytes()))
        .await
        .expect_err("a refusal");
    assert_eq!((failure.class, failure.cause.as_str()), (Class::Rejected, "HTTP 422"));
    assert!(house.process.tell_to_stop());
    house.process.wait();
    let failure = peer.deliver(outgoing(&sent[0])).await.expect_err("nobody");
    assert_eq!(failure.class, Class::Unreachable, "{}", failure.cause);
}

fn corpus(format: &str) -> Vec<PathBuf> {
    let mut folders = vec![
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../shared/corpus")
            .join(format),
    ];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|ending| ending != "csv") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_of_the_corpus_is_taken() {
    let mut house = Fhir::start().await;
    let (hl7v2, x12) = (hl7v2(), x12());
    let (mut taken, mut wrong) = (0, Vec::new());
    let messages = corpus("hl7v2").into_iter().step_by(EVERY);
    for path in messages.chain(corpus("x12").into_iter().step_by(EVERY)) {
        let bytes = std::fs::read(&path).expect("a file");
        let all = if bytes.trim_ascii_start().starts_with(b"ISA") {
            transactions(&x12, &bytes, true)
        } else {
            transactions(&hl7v2, &bytes, true)
        };
        for (part, bytes) in all.iter().enumerate() {
            match post(&mut house, bytes).await {
                Ok(statuses) => {
                    taken += usize::from(statuses.iter().all(|status| status.starts_with('2')));
                }
                Err(why) => wrong.push(format!("{} part {part}: {why}", path.display())),
            }
        }
    }
    println!("{taken} transactions taken");
    assert!(wrong.is_empty(), "{} refused:\n{}", wrong.len(), wrong.join("\n"));
}
