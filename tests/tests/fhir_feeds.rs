//! What feeds and HTTP say of the same resource: which of them stands, and where one reads what did not.

use causeway_tests::{EXAMPLE, Fhir, JSON, exchange, messages, shown, until};
use serde_json::{Value, json};

/// The patient of the example, once it is there.
async fn patient(house: &mut Fhir) -> Value {
    until("the patient is applied", async || {
        !house.found("/fhir/Patient").await.is_empty()
    })
    .await;
    house.found("/fhir/Patient").await.remove(0)
}

/// The codes of what is noted of a message, by its control id, with the resources that they name.
fn notes(house: &Fhir, control_id: &str) -> Vec<(String, String)> {
    let all = messages(house.folder.path(), &["list"]);
    let found = all.iter().find(|message| message["control_id"] == control_id);
    let seq = found.and_then(|message| message["seq"].as_u64()).expect("the message");
    let record = shown(house.folder.path(), seq);
    let notes = record["notes"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = |note: &Value| {
        text(&note["text"]["en"])
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    notes.iter().map(|note| (text(&note["code"]), named(note))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_overtaken_changes_nothing_and_is_said_to_have_been() {
    let mut house = Fhir::start().await;
    exchange(house.process.mllp, EXAMPLE).await;
    let before = patient(&mut house).await;
    // An hour earlier by OBR-22, with another sex, and a result that is new.
    let late = EXAMPLE
        .replace("LIS-20261124-000117", "LATE")
        .replace("20261124081500+0800", "20261124071500+0800")
        .replace("|19790516|M|", "|19790516|F|")
        .replace("2075-0^Chloride", "2028-9^Carbon dioxide");
    assert!(exchange(house.process.mllp, &late).await.contains("MSA|AA|LATE"));
    until("the new result is there", async || {
        house.found("/fhir/Observation?code=2028-9").await.len() == 1
    })
    .await;
    assert_eq!(house.found("/fhir/Patient").await, std::slice::from_ref(&before));
    let name = format!("Patient/{}", before["id"].as_str().expect("an id"));
    let noted = notes(&house, "LATE");
    assert!(noted.contains(&("out-of-order".to_owned(), name)), "{noted:?}");
    assert!(notes(&house, "LIS-20261124-000117").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn http_writes_over_a_feed_where_that_is_configured_and_then_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = Fhir::configured(folder, "[fhir]\nover-feeds = true\n").await;
    exchange(house.process.mllp, EXAMPLE).await;
    let mut written = patient(&mut house).await;
    let name = format!("Patient/{}", written["id"].as_str().expect("an id"));
    written["birthDate"] = json!("1979-05-17");
    let path = format!("/fhir/{name}");
    let headers = format!("{JSON}If-Match: W/\"1\"\r\n");
    let answer = house
        .http
        .ask("PUT", &path, &headers, written.to_string().as_bytes())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(house.get(&path).await.json()["meta"]["versionId"], "2");
    let later = EXAMPLE
        .replace("LIS-20261124-000117", "LATER")
        .replace("20261124081500+0800", "20261124091500+0800")
        .replace("|19790516|M|", "|19790516|F|")
        .replace("|7.1|", "|4.1|");
    exchange(house.process.mllp, &later).await;
    until("the result is applied", async || {
        house.found("/fhir/Observation?code=2823-3").await[0]["valueQuantity"]["value"] == 4.1
    })
    .await;
    let now = house.get(&path).await.json();
    assert_eq!(
        (&now["birthDate"], &now["gender"], &now["meta"]["versionId"]),
        (&json!("1979-05-17"), &json!("male"), &json!("2"))
    );
    let noted = notes(&house, "LATER");
    assert!(noted.contains(&("written-over-http".to_owned(), name)), "{noted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_value_stands_without_the_flag_of_the_wrong_one() {
    let mut house = Fhir::start().await;
    exchange(house.process.mllp, EXAMPLE).await;
    let path = "/fhir/Observation?code=2823-3";
    let mut found = Value::Null;
    until("the result is applied", async || {
        found = house.found(path).await.pop().unwrap_or_default();
        found["valueQuantity"]["value"] == 7.1
    })
    .await;
    assert_eq!(found["interpretation"][0]["coding"][0]["code"], "HH");
    let corrected = EXAMPLE
        .replace("LIS-20261124-000117", "CORRECTED")
        .replace("20261124081500+0800", "20261124091500+0800")
        .replace("|7.1|mmol/L|3.5-5.3|HH|||F", "|4.1|mmol/L|3.5-5.3||||C");
    assert!(corrected.contains("||||C"));
    exchange(house.process.mllp, &corrected).await;
    until("the correction is applied", async || {
        found = house.found(path).await.pop().unwrap_or_default();
        found["status"] == "corrected"
    })
    .await;
    assert_eq!(
        (&found["valueQuantity"]["value"], &found["interpretation"]),
        (&json!(4.1), &Value::Null)
    );
}
