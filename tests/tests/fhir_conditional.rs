//! Conditional update and delete (FHIR R4 HTTP 3.1.0.4.3, 3.1.0.7.1), alone and in transactions: nothing is there twice
//! however often it is sent, and whoever refers to what a condition found names that one.

use causeway_tests::{Fhir, JSON, issue, patient};
use serde_json::{Value, json};

const WHERE: &str = "/fhir/Patient?identifier=urn:oid:1.2.3%7C0084512";

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_says_which_resource_is_updated() {
    let mut house = Fhir::start().await;
    let mut put = async |body: &Value, path: &str| house.http.ask("PUT", path, JSON, body.to_string().as_bytes()).await;
    let mut sent = patient();
    let made = put(&sent, WHERE).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    sent["gender"] = json!("female");
    let changed = put(&sent, WHERE).await;
    assert_eq!((changed.status, &changed.json()["id"]), (200, &json!(id)));
    assert_eq!(changed.header("etag"), "W/\"2\"");
    // The id that it has is right, another is not, and a first one is taken.
    sent["id"] = json!(id);
    assert_eq!(put(&sent, WHERE).await.status, 200);
    sent["id"] = json!("another");
    let wrong = put(&sent, WHERE).await;
    assert_eq!((wrong.status, issue(&wrong).0.as_str()), (400, "wrong-id"));
    let none = "/fhir/Patient?identifier=urn:oid:1.2.3%7Cnobody";
    let own = put(&sent, none).await;
    assert_eq!((own.status, &own.json()["id"]), (201, &json!("another")));
    // Two have that number now.
    let several = put(&patient(), WHERE).await;
    assert_eq!((several.status, issue(&several).0.as_str()), (412, "several-match"));
    let wrong = put(&patient(), "/fhir/Patient?nonsense=1").await;
    assert_eq!((wrong.status, issue(&wrong).0.as_str()), (400, "wrong-search"));
    assert_eq!(put(&patient(), "/fhir/Patient?_format=json").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_says_which_resource_is_deleted() {
    let mut house = Fhir::start().await;
    let none = house.http.ask("DELETE", WHERE, "", b"").await;
    assert_eq!((none.status, issue(&none).0.as_str()), (404, "not-found"));
    let made = house.post("/fhir/Patient", &patient()).await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(house.http.ask("DELETE", WHERE, "", b"").await.status, 204);
    assert_eq!(house.get(&format!("/fhir/Patient/{id}")).await.status, 410);
    for _ in 0..2 {
        house.post("/fhir/Patient", &patient()).await;
    }
    assert_eq!(house.http.ask("DELETE", WHERE, "", b"").await.status, 412);
    assert_eq!(house.found("/fhir/Patient").await.len(), 2);
    let metadata = house.get("/fhir/metadata").await.json();
    let of = &metadata["rest"][0]["resource"][0];
    assert_eq!(
        (&of["conditionalUpdate"], &of["conditionalDelete"]),
        (&json!(true), &json!("single"))
    );
}

/// A patient by condition, and a result that refers to it by its temporary address.
fn transaction(method: &str, condition: Option<&str>) -> Value {
    let url = condition.map_or_else(|| "Patient".to_owned(), |condition| format!("Patient?{condition}"));
    let mut request = json!({"method": method, "url": url});
    if condition.is_none() {
        request["ifNoneExist"] = json!("identifier=urn:oid:1.2.3|0084512");
    }
    let observation = json!({
        "resourceType": "Observation", "id": "k1", "status": "final", "code": {"text": "K"},
        "subject": {"reference": "urn:uuid:11111111-2222-4333-8444-555555555555"},
    });
    json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {
            "fullUrl": "urn:uuid:11111111-2222-4333-8444-555555555555",
            "resource": patient(),
            "request": request,
        },
        {"fullUrl": "urn:uuid:21111111-2222-4333-8444-555555555555", "resource": observation,
         "request": {"method": "PUT", "url": "Observation/k1"}},
    ]})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_what_a_condition_found_names_that_one() {
    for (method, condition) in [("PUT", Some("identifier=urn:oid:1.2.3|0084512")), ("POST", None)] {
        let mut house = Fhir::start().await;
        let bundle = transaction(method, condition);
        for round in 1..=3 {
            let answer = house.post("/fhir", &bundle).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let status = if round == 1 { "201" } else { "200" };
            assert_eq!(
                answer.json()["entry"][0]["response"]["status"],
                status,
                "{method} {round}"
            );
            let patients = house.found("/fhir/Patient").await;
            assert_eq!(patients.len(), 1, "{method} {round}");
            let read = house.get("/fhir/Observation/k1").await.json();
            let subject = format!("Patient/{}", patients[0]["id"].as_str().expect("an id"));
            assert_eq!(read["subject"]["reference"], subject, "{method} {round}");
            assert_eq!(
                house.found(&format!("/fhir/Observation?patient={subject}")).await.len(),
                1
            );
        }
        // After a restart, too, as the log has it.
        house.restart().await;
        assert_eq!(house.found("/fhir/Patient").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_resource_is_written_once_in_a_transaction_however_it_is_named() {
    let mut house = Fhir::start().await;
    let made = house.post("/fhir/Patient", &patient()).await.json();
    let id = made["id"].as_str().expect("an id");
    let mut other = patient();
    other["id"] = json!(id);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": patient(), "request": {"method": "PUT", "url": "Patient?identifier=urn:oid:1.2.3|0084512"}},
        {"resource": other, "request": {"method": "PUT", "url": format!("Patient/{id}")}},
    ]});
    let twice = house.post("/fhir", &bundle).await;
    assert_eq!((twice.status, issue(&twice).0.as_str()), (409, "same-resource-twice"));
    let delete = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": "Patient?identifier=urn:oid:1.2.3|0084512"}},
    ]});
    let gone = house.post("/fhir", &delete).await;
    assert_eq!(gone.json()["entry"][0]["response"]["status"], "204", "{}", gone.text());
    assert_eq!(house.get(&format!("/fhir/Patient/{id}")).await.status, 410);
}
