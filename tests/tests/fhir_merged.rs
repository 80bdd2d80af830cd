//! What another FHIR server is told of a resource that several messages speak of: all that is known, so that a short message
//! takes nothing from a fuller record there.

use causeway_tests::{Fhir, JSON, exchange, message, until};
use serde_json::{Value, json};

/// A gateway that tells a second one, and that one.
async fn two(keys: &str) -> (Fhir, Fhir) {
    let back = Fhir::start().await;
    let address = back.process.http.expect("an HTTP listener");
    let destination = format!(
        "[[destination]]\nname = 'next'\nto = 'http://{address}/fhir'\n{keys}\
         [destination.retry]\nfirst = '20ms'\nlongest = '200ms'\n"
    );
    let front = Fhir::configured(tempfile::tempdir().expect("a folder"), &destination).await;
    (front, back)
}

async fn delivered(front: &Fhir, count: u64) {
    until("all of it is delivered", async || {
        let standing = front.process.standing(front.folder.path()).await;
        assert_eq!(standing["dead"], 0, "{standing}");
        standing["delivered"] == count
    })
    .await;
}

/// The only resource of a type, without what each server gives itself.
async fn only(house: &mut Fhir, kind: &str) -> Value {
    let mut all = house.found(&format!("/fhir/{kind}")).await;
    assert_eq!(all.len(), 1, "{kind}: {all:?}");
    let mut one = all.remove(0);
    let fields = one.as_object_mut().expect("a resource");
    fields.remove("id");
    fields.remove("meta");
    one
}

const ADMISSION: [&str; 4] = [
    "MSH|^~\\&|HIS|RUIJIN|CAUSEWAY|EMR|20261124080000+0800||ADT^A01^ADT_A01|FULL|P|2.5.1||||||UNICODE UTF-8",
    "EVN||20261124080000+0800",
    "PID|1||0084512^^^RUIJIN^MR||张^伟^^^^^L||19790516|M|||瑞金二路197号^^上海^^200025^CN^H||^PRN^CP^^^^13800000000",
    "PV1|1|I|ICU^12^03^RUIJIN||||1001^王^芳^^^^MD^^RUIJIN||||||||||||I2026^^^RUIJIN^VN",
];

/// A result whose patient has a number, a date and a sex, and whose orderer has no name.
const RESULT: [&str; 4] = [
    "MSH|^~\\&|LIS|RUIJIN|CAUSEWAY|EMR|20261124090000+0800||ORU^R01^ORU_R01|SHORT|P|2.5.1||||||UNICODE UTF-8",
    "PID|1||0084512^^^RUIJIN^MR||||19790516|M",
    "OBR|1||L1^LIS|2823-3^Potassium^LN|||20261124085000+0800|||||||||1001^^^^^^^^RUIJIN||||||20261124085500+0800||LAB|F",
    "OBX|1|NM|2823-3^Potassium^LN||4.10|mmol/L|3.5-5.3|N|||F",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_short_message_takes_nothing_from_a_fuller_record_there() {
    let (mut front, mut back) = two("").await;
    exchange(front.process.mllp, &message(&ADMISSION)).await;
    exchange(front.process.mllp, &message(&RESULT)).await;
    delivered(&front, 2).await;
    let patient = only(&mut back, "Patient").await;
    assert_eq!(
        patient["name"][0]["text"]
            .as_str()
            .or(patient["name"][0]["family"].as_str()),
        Some("张")
    );
    assert_eq!(patient["telecom"][0]["value"], "13800000000");
    assert_eq!(patient["address"][0]["postalCode"], "200025");
    assert_eq!(patient["birthDate"], "1979-05-16");
    assert_eq!(patient, only(&mut front, "Patient").await);
    // The doctor, too: the result says no name of hers.
    let doctor = only(&mut back, "Practitioner").await;
    assert_eq!(doctor["name"][0]["family"], "王");
    // To the digit, and of that patient.
    let results = back.get("/fhir/Observation").await.text();
    assert!(results.contains(r#""value":4.10"#), "{results}");
    let result = back.found("/fhir/Observation").await.remove(0);
    let subject = result["subject"]["reference"].as_str().expect("a reference");
    assert_eq!(back.get(&format!("/fhir/{subject}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_overtaken_takes_nothing_there_either() {
    let (mut front, mut back) = two("").await;
    exchange(front.process.mllp, &message(&ADMISSION)).await;
    // Two hours older, and wrong.
    let older = ADMISSION.map(|segment| {
        let segment = segment
            .replace("20261124080000", "20261124060000")
            .replace("|FULL|", "|OLDER|");
        segment.replace("19790516", "19690516").replace("|M|", "|F|")
    });
    let older: Vec<&str> = older.iter().map(String::as_str).collect();
    exchange(front.process.mllp, &message(&older)).await;
    delivered(&front, 2).await;
    let patient = only(&mut back, "Patient").await;
    assert_eq!(
        (&patient["birthDate"], &patient["gender"]),
        (&json!("1979-05-16"), &json!("male"))
    );
    assert_eq!(patient, only(&mut front, "Patient").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_apart_stays_together_there() {
    let (mut front, mut back) = two("").await;
    let patient = json!({
        "resourceType": "Patient", "id": "p1",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "0084512"}], "name": [{"text": "张伟"}],
    });
    let put = front
        .http
        .ask("PUT", "/fhir/Patient/p1", JSON, patient.to_string().as_bytes())
        .await;
    assert_eq!(put.status, 201, "{}", put.text());
    delivered(&front, 1).await;
    let weight = json!({
        "resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "valueQuantity": {"value": 70.50, "unit": "kg"},
    });
    assert_eq!(front.post("/fhir/Observation", &weight).await.status, 201);
    delivered(&front, 2).await;
    let there = back.found("/fhir/Patient").await.remove(0);
    let found = back.found("/fhir/Observation").await.remove(0);
    let own = format!("Patient/{}", there["id"].as_str().expect("an id"));
    assert_eq!(
        found["subject"]["reference"],
        own.as_str(),
        "a real link to the patient there"
    );
    assert_eq!(there["name"][0]["text"], "张伟");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_ids_itself_finds_ours_by_a_tag() {
    let (mut front, mut back) = two("client-ids = false\n").await;
    exchange(front.process.mllp, &message(&RESULT)).await;
    let corrected = RESULT.map(|segment| {
        let later = segment
            .replace("20261124090000", "20261124100000")
            .replace("|SHORT|", "|LATER|");
        later
            .replace("20261124085500", "20261124095500")
            .replace("|4.10|", "|4.20|")
    });
    let corrected: Vec<&str> = corrected.iter().map(String::as_str).collect();
    exchange(front.process.mllp, &message(&corrected)).await;
    delivered(&front, 2).await;
    let ours = front.found("/fhir/Observation").await.remove(0)["id"].clone();
    let tag = format!("urn:causeway:id|{}", ours.as_str().expect("an id"));
    let all = back.found("/fhir/Observation").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_ne!(all[0]["id"], ours);
    let text = back.get("/fhir/Observation").await.text();
    assert!(text.contains(r#""value":4.20"#), "{text}");
    let found = back
        .found(&format!("/fhir/Observation?_tag={}", tag.replace('|', "%7C")))
        .await;
    assert_eq!(found.len(), 1, "by its tag");
}
