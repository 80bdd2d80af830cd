//! FHIR over HTTP, seen from a client that looks for things: what a transaction wrote and what a lab sent over MLLP is found
//! by what it says, page by page.

use causeway_tests::{EXAMPLE, Fhir, JSON, exchange, issue, patient, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_all_or_nothing_and_says_what_rules_found() {
    let mut house = Fhir::start().await;
    let potassium = json!({
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "subject": {"reference": "urn:uuid:7f0c1e2e-0000-4000-8000-000000000001"},
        "effectiveDateTime": "2026-11-24T07:00:00+08:00",
        "valueQuantity": {"value": 7.1, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    });
    let mut bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:7f0c1e2e-0000-4000-8000-000000000001", "resource": patient(),
         "request": {"method": "POST", "url": "Patient"}},
        {"fullUrl": "urn:uuid:7f0c1e2e-0000-4000-8000-000000000002", "resource": potassium,
         "request": {"method": "POST", "url": "Observation"}},
    ]});
    let answer = house.post("/fhir", &bundle).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["type"], "transaction-response");
    for number in 0..2 {
        assert_eq!(told["entry"][number]["response"]["status"], "201");
    }
    let outcome = told["entry"][1]["response"]["outcome"].to_string();
    assert!(
        outcome.contains("critical-value-high") && outcome.contains("Observation.value"),
        "{outcome}"
    );
    let patients = house.found("/fhir/Patient?identifier=urn:oid:1.2.3|0084512").await;
    let id = patients[0]["id"].as_str().expect("an id").to_owned();
    // The temporary address became the new id, and what refers to it is found by it.
    let results = house
        .found(&format!(
            "/fhir/Observation?patient={id}&code=http://loinc.org|2823-3&status=final"
        ))
        .await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["subject"]["reference"], format!("Patient/{id}"));
    for (query, hits) in [
        ("date=2026-11-23", 1), // 07:00 in Shanghai is the evening before in Greenwich
        ("date=gt2026-11-24", 0),
        ("date=ge2026-11-23T23:00:00Z", 1),
        ("date=lt2026", 0),
        ("code=2823-3,2951-2", 1),
        ("code=|2823-3", 0),
        ("subject=Patient/nobody", 0),
        ("_lastUpdated=gt2020", 1),
    ] {
        assert_eq!(
            house.found(&format!("/fhir/Observation?{query}")).await.len(),
            hits,
            "{query}"
        );
    }
    // One entry that cannot be: nothing of the others.
    bundle["entry"][1]["resource"]["status"] = json!("nonsense");
    let answer = house.post("/fhir", &bundle).await;
    assert_eq!((answer.status, issue(&answer).1.as_str()), (422, "code-invalid"));
    assert_eq!(house.found("/fhir/Patient").await.len(), 1);
    // The same as a batch: each for itself.
    bundle["type"] = json!("batch");
    let told = house.post("/fhir", &bundle).await.json();
    assert_eq!(told["type"], "batch-response");
    let statuses: Vec<_> = (0..2)
        .map(|number| told["entry"][number]["response"]["status"].clone())
        .collect();
    assert_eq!(statuses, ["201", "422"]);
    assert_eq!(house.found("/fhir/Patient").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_name_each_resource_once() {
    let mut house = Fhir::start().await;
    let entries: Vec<Value> = (0..25)
        .map(|number| {
            let patient = json!({"resourceType": "Patient", "id": format!("p{number}"), "birthDate": "1979"});
            json!({"resource": patient, "request": {"method": "PUT", "url": format!("Patient/p{number}")}})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    assert_eq!(house.post("/fhir", &bundle).await.status, 200);
    let (mut path, mut seen) = ("/fhir/Patient?_count=10&_lastUpdated=gt2020".to_owned(), Vec::new());
    for size in [10, 10, 5] {
        let page = house.get(&path).await.json();
        let entries = page["entry"].as_array().expect("entries").clone();
        assert_eq!(entries.len(), size);
        seen.extend(entries.iter().map(|entry| entry["resource"]["id"].to_string()));
        let links = page["link"].as_array().expect("links").clone();
        let next = links.iter().find(|link| link["relation"] == "next");
        let Some(url) = next.and_then(|link| link["url"].as_str()) else {
            path.clear();
            continue;
        };
        path = url
            .split_once("/fhir")
            .map(|(_, rest)| format!("/fhir{rest}"))
            .expect("our own address");
    }
    assert!(path.is_empty(), "the last page has no next");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    assert_eq!(house.found("/fhir/Patient?_id=p3,p7,nobody").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_result_over_mllp_is_read_over_fhir_and_not_written_over() {
    let mut house = Fhir::start().await;
    exchange(house.process.mllp, EXAMPLE).await;
    until("it is applied", async || {
        !house.found("/fhir/Observation").await.is_empty()
    })
    .await;
    let potassium = house
        .found("/fhir/Observation?code=http://loinc.org|2823-3")
        .await
        .remove(0);
    // As OBX-5, OBX-6 and OBX-14 say.
    assert_eq!(potassium["valueQuantity"]["value"], 7.1);
    assert_eq!(potassium["effectiveDateTime"], "2026-11-24T07:00:00+08:00");
    let subject = potassium["subject"]["reference"]
        .as_str()
        .expect("a subject")
        .to_owned();
    let patient = house.get(&format!("/fhir/{subject}")).await.json();
    assert_eq!(
        (&patient["gender"], &patient["birthDate"]),
        (&json!("male"), &json!("1979-05-16"))
    );
    assert_eq!(
        house.found(&format!("/fhir/Observation?subject={subject}")).await.len(),
        5
    );
    let refused = house
        .http
        .ask("PUT", &format!("/fhir/{subject}"), JSON, patient.to_string().as_bytes())
        .await;
    assert_eq!((refused.status, issue(&refused).0.as_str()), (405, "read-only"));
    // The same result corrected: a new version of it, and the patient, of whom nothing new is said, keeps the first.
    let corrected = EXAMPLE
        .replace("LIS-20261124-000117", "C2")
        .replace("|7.1|", "|4.1|")
        .replace("||F|||", "||C|||");
    exchange(house.process.mllp, &corrected).await;
    let path = format!("/fhir/Observation/{}", potassium["id"].as_str().expect("an id"));
    until("it is corrected", async || {
        house.get(&path).await.json()["valueQuantity"]["value"] == 4.1
    })
    .await;
    let now = house.get(&path).await.json();
    assert_eq!(
        (&now["meta"]["versionId"], &now["status"]),
        (&json!("2"), &json!("corrected"))
    );
    let before = house.get(&format!("{path}/_history/1")).await.json();
    assert_eq!(before["valueQuantity"]["value"], 7.1);
    assert_eq!(
        house.get(&format!("/fhir/{subject}")).await.json()["meta"]["versionId"],
        "1"
    );
}
