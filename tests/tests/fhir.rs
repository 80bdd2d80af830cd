//! FHIR over HTTP, seen from a client that writes: what is written is read, to the digit; versions, conditions and conflicts
//! are those of the standard; and every refusal says why in an `OperationOutcome`.

use std::collections::BTreeMap;

use causeway_tests::{Fhir, Http, JSON, Response, issue, patient};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_is_read_to_the_digit_in_every_version() {
    let mut house = Fhir::start().await;
    // Members in an order of their own, decimals with zeros, an extension on a primitive.
    let observation = |value: &str| {
        format!(
            r#"{{"status":"final","resourceType":"Observation","id":"k1","_status":{{"extension":[{{"url":"http://example.org/x","valueDecimal":1.10}}]}},"code":{{"text":"钾"}},"valueQuantity":{{"value":{value},"unit":"mmol/L"}}}}"#
        )
    };
    let mut bodies = Vec::new();
    for (value, status) in [("7.10", 201), ("4.0e0", 200)] {
        let sent = observation(value);
        let answer = house
            .http
            .ask("PUT", "/fhir/Observation/k1", JSON, sent.as_bytes())
            .await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let version = bodies.len() + 1;
        assert_eq!(answer.header("etag"), format!("W/\"{version}\""));
        let location = answer.header("location");
        assert!(
            location.ends_with(&format!("/fhir/Observation/k1/_history/{version}")),
            "{location}"
        );
        let read = house.get("/fhir/Observation/k1").await;
        assert_eq!(read.status, 200);
        assert_eq!(read.body, answer.body, "what was told is what is stored");
        assert_eq!(read.header("etag"), answer.header("etag"));
        assert_eq!(read.header("last-modified"), answer.header("last-modified"));
        let meta = read.json()["meta"].to_string();
        let (head, _) = sent.rsplit_once('}').expect("an object");
        let updated = read.json()["meta"]["lastUpdated"].as_str().expect("a time").to_owned();
        let expected = format!(r#"{head},"meta":{{"versionId":"{version}","lastUpdated":"{updated}"}}}}"#);
        assert_eq!(read.text(), expected, "{meta}");
        bodies.push(read.body);
    }
    for (number, body) in bodies.iter().enumerate() {
        let old = house
            .get(&format!("/fhir/Observation/k1/_history/{}", number + 1))
            .await;
        assert_eq!((old.status, &old.body), (200, body));
    }
    let known = house
        .http
        .ask("GET", "/fhir/Observation/k1", "If-None-Match: W/\"2\"\r\n", b"")
        .await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    // The log has them too: after a restart they are as they were.
    house.restart().await;
    assert_eq!(house.get("/fhir/Observation/k1").await.body, bodies[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_conditions_and_the_end_of_a_resource() {
    let mut house = Fhir::start().await;
    let made = house.post("/fhir/Patient", &patient()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/fhir/Patient/{id}");
    assert_eq!(house.get(&path).await.body, made.body);
    // The same bytes again are a second patient and no resend.
    let second = house.post("/fhir/Patient", &patient()).await;
    assert_ne!(second.json()["id"], made.json()["id"]);
    // A condition that two meet, one that none meets, and the same again.
    let asks = |value: &str| format!("{JSON}If-None-Exist: identifier=urn:oid:1.2.3|{value}\r\n");
    let body = patient().to_string().replace("0084512", "77");
    let several = house
        .http
        .ask("POST", "/fhir/Patient", &asks("0084512"), body.as_bytes())
        .await;
    assert_eq!((several.status, issue(&several).1.as_str()), (412, "multiple-matches"));
    let new = house
        .http
        .ask("POST", "/fhir/Patient", &asks("77"), body.as_bytes())
        .await;
    assert_eq!(new.status, 201, "{}", new.text());
    let there = house
        .http
        .ask("POST", "/fhir/Patient", &asks("77"), body.as_bytes())
        .await;
    assert_eq!((there.status, there.header("location")), (200, new.header("location")));
    // A version that is not the current one any more.
    let mut changed = made.json();
    changed["gender"] = json!("female");
    let put = |tag: &str| format!("{JSON}If-Match: W/\"{tag}\"\r\n");
    let body = changed.to_string();
    assert_eq!(
        house.http.ask("PUT", &path, &put("1"), body.as_bytes()).await.status,
        200
    );
    let late = house.http.ask("PUT", &path, &put("1"), body.as_bytes()).await;
    assert_eq!(
        (late.status, issue(&late)),
        (412, ("version-conflict".into(), "conflict".into()))
    );
    // The end, and what was before it.
    let ended = house.http.ask("DELETE", &path, "", b"").await;
    assert_eq!((ended.status, ended.header("etag")), (204, "W/\"3\""));
    let gone = house.get(&path).await;
    assert_eq!((gone.status, issue(&gone).1.as_str()), (410, "deleted"));
    assert_eq!(
        house.get(&format!("{path}/_history/2")).await.json()["gender"],
        "female"
    );
    assert!(
        !house
            .found("/fhir/Patient")
            .await
            .iter()
            .any(|found| found["id"] == id.as_str())
    );
    let back = house.http.ask("PUT", &path, JSON, body.as_bytes()).await;
    assert_eq!((back.status, back.header("etag")), (201, "W/\"4\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_status_and_an_outcome() {
    let mut house = Fhir::start().await;
    let broken = house
        .http
        .ask("POST", "/fhir/Patient", JSON, b"{\n \"resourceType\": }")
        .await;
    assert_eq!((broken.status, issue(&broken).0.as_str()), (400, "not-json"));
    assert!(broken.text().contains("line 2, column 18"), "{}", broken.text());
    let chinese = format!("{JSON}Accept-Language: zh-CN,zh;q=0.9\r\n");
    let broken = house.http.ask("POST", "/fhir/Patient", &chinese, b"{").await;
    assert!(broken.text().contains("不是合法的 JSON"), "{}", broken.text());
    let xml = "Content-Type: application/fhir+xml\r\n";
    let all: Vec<(u16, Response)> = vec![
        (415, house.http.ask("POST", "/fhir/Patient", xml, b"<Patient/>").await),
        (
            406,
            house
                .http
                .ask("GET", "/fhir/Patient/1", "Accept: application/fhir+xml\r\n", b"")
                .await,
        ),
        (406, house.get("/fhir/Patient/1?_format=xml").await),
        (404, house.get("/fhir/Patient/nobody").await),
        (404, house.get("/fhir/Nothing/1").await),
        (404, house.get("/fhir/a/b/c/d").await),
        (405, house.http.ask("PATCH", "/fhir/Patient/1", JSON, b"{}").await),
        (400, house.post("/fhir/Observation", &patient()).await),
        (
            400,
            house
                .http
                .ask("PUT", "/fhir/Patient/1", JSON, patient().to_string().as_bytes())
                .await,
        ),
        (400, house.get("/fhir/Patient?nonsense=1").await),
        (400, house.get("/fhir/Observation?date=yesterday").await),
        (
            400,
            house
                .post("/fhir", &json!({"resourceType": "Bundle", "type": "history"}))
                .await,
        ),
        (
            422,
            house
                .post("/fhir/Patient", &json!({"resourceType": "Patient", "gender": "robot"}))
                .await,
        ),
        (
            422,
            house
                .post("/fhir/Patient", &json!({"resourceType": "Patient", "colour": "red"}))
                .await,
        ),
    ];
    for (status, answer) in all {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
        assert!(answer.header("content-type").starts_with("application/fhir+json"));
    }
    let wrong = house
        .post("/fhir/Patient", &json!({"resourceType": "Patient", "gender": "robot"}))
        .await;
    assert_eq!(wrong.json()["issue"][0]["expression"][0], "Patient.gender");
    let valid = house
        .post(
            "/fhir/Patient/$validate",
            &json!({"resourceType": "Patient", "gender": "robot"}),
        )
        .await;
    assert_eq!(
        (valid.status, &valid.json()["issue"][0]["severity"]),
        (200, &json!("error"))
    );
    assert!(
        house.found("/fhir/Patient").await.is_empty(),
        "nothing of it was written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_resource_get_a_version_each() {
    let mut house = Fhir::start().await;
    let address = house.process.http.expect("an HTTP listener");
    let writers = (0..8).map(|writer| async move {
        let mut http = Http::connect(address).await;
        let mut versions = Vec::new();
        for round in 0..10 {
            let body = json!({"resourceType": "Patient", "id": "one", "birthDate": format!("19{writer}{round}")});
            let answer = http
                .ask("PUT", "/fhir/Patient/one", JSON, body.to_string().as_bytes())
                .await;
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            let version = answer.json()["meta"]["versionId"]
                .as_str()
                .expect("a version")
                .to_owned();
            versions.push((version, answer.body));
        }
        versions
    });
    let all = futures_util::future::join_all(writers).await;
    let versions: BTreeMap<String, Vec<u8>> = all.into_iter().flatten().collect();
    assert_eq!(versions.len(), 80);
    assert_eq!(house.get("/fhir/Patient/one").await.header("etag"), "W/\"80\"");
    for (version, body) in versions {
        let read = house.get(&format!("/fhir/Patient/one/_history/{version}")).await;
        assert_eq!((read.status, read.body), (200, body), "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_yes_to_survives_a_crash_and_a_rebuild_gives_the_same_versions() {
    let mut house = Fhir::start().await;
    let mut told = Vec::new();
    for number in 0..30 {
        let (id, day) = (format!("c{}", number % 7), number % 28 + 1);
        let body = json!({"resourceType": "Patient", "id": id, "birthDate": format!("1979-01-{day:02}")});
        let path = format!("/fhir/Patient/{id}");
        let answer = house.http.ask("PUT", &path, JSON, body.to_string().as_bytes()).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        let (_, version) = answer.header("location").split_once("/fhir/").expect("our own address");
        told.push((format!("/fhir/{version}"), answer.body));
    }
    for rebuilt in [false, true] {
        let Fhir { process, folder, .. } = house;
        process.kill();
        for ending in ["", "-wal", "-shm"].iter().filter(|_| rebuilt) {
            // A journal may not be there.
            let _absent = std::fs::remove_file(folder.path().join(format!("fhir.db{ending}")));
        }
        house = Fhir::over(folder).await;
        for (path, body) in &told {
            let read = house.get(path).await;
            assert_eq!((read.status, &read.body), (200, body), "{path}, rebuilt: {rebuilt}");
        }
    }
}
