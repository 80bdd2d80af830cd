//! FHIR over HTTP, seen from a client that asks for less than all: searches that are posted, heads without bodies, summaries
//! and single elements; and from whoever asks later who looked at what.

use causeway_tests::{Fhir, Http, JSON, issue, until};
use serde_json::{Value, json};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn result(number: u32) -> Value {
    json!({
        "resourceType": "Observation", "id": format!("k{number}"), "status": "final",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">K</div>"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "subject": {"reference": "Patient/p1"},
        "valueQuantity": {"value": 4.10, "unit": "mmol/L"},
        "note": [{"text": "haemolysed"}],
        "_status": {"id": "s"},
    })
}

async fn with_results(count: u32) -> Fhir {
    let mut house = Fhir::start().await;
    for number in 0..count {
        let path = format!("/fhir/Observation/k{number}");
        let body = result(number).to_string().replace("4.1", "4.10");
        let put = house.http.ask("PUT", &path, JSON, body.as_bytes()).await;
        assert_eq!(put.status, 201, "{}", put.text());
    }
    house
}

/// The names of a resource's members, in order.
fn members(resource: &Value) -> Vec<&str> {
    let mut names: Vec<_> = resource
        .as_object()
        .expect("a resource")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posted_search_is_the_same_and_a_head_has_no_body() {
    let mut house = with_results(3).await;
    let asked = house
        .get("/fhir/Observation?patient=p1&code=http://loinc.org|2823-3&_count=2")
        .await;
    let form = b"code=http%3A%2F%2Floinc.org%7C2823-3&_count=2";
    let posted = house
        .http
        .ask("POST", "/fhir/Observation/_search?patient=p1", FORM, form)
        .await;
    assert_eq!((asked.status, posted.status), (200, 200), "{}", posted.text());
    let (asked, posted) = (asked.json(), posted.json());
    assert_eq!(asked["entry"], posted["entry"]);
    assert_eq!(posted["entry"].as_array().map(Vec::len), Some(2));
    // Its next page is a link like any other.
    let next = posted["link"][1]["url"].as_str().expect("a next link");
    let path = next.split_once("/fhir/").expect("below the base").1;
    assert_eq!(house.found(&format!("/fhir/{path}")).await.len(), 1);
    // A body that is no form, and another method.
    let json = house.http.ask("POST", "/fhir/Observation/_search", JSON, b"{}").await;
    assert_eq!((json.status, issue(&json).0.as_str()), (415, "media-type"));
    assert_eq!(json.header("accept"), "application/x-www-form-urlencoded");
    let got = house.get("/fhir/Observation/_search").await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
    let wrong = house
        .http
        .ask("POST", "/fhir/Observation/_search", FORM, b"shoe=44")
        .await;
    assert_eq!((wrong.status, issue(&wrong).0.as_str()), (400, "wrong-search"));
    // What HEAD says is what GET says, but for the body (RFC 9110 9.3.2); the same connection goes on.
    for (path, status) in [("k1", 200), ("nobody", 404)] {
        let path = format!("/fhir/Observation/{path}");
        let request = house.http.request("HEAD", &path, "", b"");
        assert!(house.http.send(&request).await);
        let head = house.http.head().await.expect("a head");
        let whole = house.get(&path).await;
        assert_eq!((head.status, whole.status), (status, status));
        for name in ["etag", "last-modified", "content-type", "content-length"] {
            assert_eq!(head.header(name), whole.header(name), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn less_than_all_is_shown_and_says_so() {
    let mut house = with_results(3).await;
    // R4 marks these of Observation as summary (StructureDefinition Observation, isSummary), and neither text nor note.
    let summary = [
        "_status",
        "code",
        "id",
        "meta",
        "resourceType",
        "status",
        "subject",
        "valueQuantity",
    ];
    let shapes: [(&str, &[&str]); 5] = [
        ("_summary=true", &summary),
        (
            "_summary=text",
            &["_status", "code", "id", "meta", "resourceType", "status", "text"],
        ),
        (
            "_summary=data",
            &[
                "_status",
                "code",
                "id",
                "meta",
                "note",
                "resourceType",
                "status",
                "subject",
                "valueQuantity",
            ],
        ),
        (
            "_elements=value,Observation.note",
            &[
                "_status",
                "code",
                "id",
                "meta",
                "note",
                "resourceType",
                "status",
                "valueQuantity",
            ],
        ),
        (
            "_summary=false",
            &[
                "_status",
                "code",
                "id",
                "meta",
                "note",
                "resourceType",
                "status",
                "subject",
                "text",
                "valueQuantity",
            ],
        ),
    ];
    for (shape, expected) in shapes {
        let read = house.get(&format!("/fhir/Observation/k1?{shape}")).await;
        assert_eq!(members(&read.json()), expected, "{shape}");
        assert!(
            !expected.contains(&"valueQuantity") || read.text().contains("4.10"),
            "to the digit"
        );
        let tag = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]);
        let tagged = if shape == "_summary=false" { Value::Null } else { tag };
        assert_eq!(read.json()["meta"]["tag"], tagged, "{shape}");
        let found = house.found(&format!("/fhir/Observation?_id=k1&{shape}")).await;
        assert_eq!(found, [read.json()], "a search shows the same");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_may_ask_for_the_number_only_and_nonsense_is_refused() {
    let mut house = with_results(3).await;
    for count in ["_summary=count", "_count=0"] {
        let counted = house
            .get(&format!("/fhir/Observation?status=final&{count}"))
            .await
            .json();
        assert_eq!((&counted["total"], &counted["entry"]), (&json!(3), &Value::Null));
        assert_eq!(counted["link"].as_array().map(Vec::len), Some(1), "no next page");
    }
    for wrong in [
        "Observation?_summary=some",
        "Observation?_summary=true&_elements=code",
        "Observation/k1?_summary=count",
    ] {
        let refused = house.get(&format!("/fhir/{wrong}")).await;
        assert_eq!(
            (refused.status, issue(&refused).0.as_str()),
            (400, "wrong-search"),
            "{wrong}"
        );
    }
}

/// What `causeway audit` prints, oldest first, without what differs from run to run.
fn audit(house: &Fhir, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["audit", "--json"];
    arguments.extend(more);
    let (code, text) = house.process.command(house.folder.path(), &arguments);
    if code == Some(3) {
        return Vec::new(); // nothing was put on record yet
    }
    assert_eq!(code, Some(0), "{text}");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut rows: Vec<_> = rows.collect();
    rows.reverse();
    for row in &mut rows {
        let who = row["who"].as_str().expect("an address");
        assert!(who.starts_with("127.0.0.1:"), "{who}");
        let time: jiff::Timestamp = row["time"].as_str().expect("a time").parse().expect("RFC 3339");
        assert!(time.duration_since(jiff::Timestamp::now()).abs().as_secs() < 600);
        let row = row.as_object_mut().expect("a row");
        for name in ["who", "time", "seq", "listener"] {
            assert!(row.remove(name).is_some(), "{name}");
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looked_at_what_is_on_record() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut house = with_results(2).await;
    house.get("/fhir/Observation/k1").await;
    house.get("/fhir/Observation/k1/_history/1").await;
    house.get("/fhir/Patient/nobody").await;
    let form = b"patient=p1";
    house.http.ask("POST", "/fhir/Observation/_search", FORM, form).await;
    house.get("/fhir/metadata").await;
    house.get("/fhir/Nothing/1").await;
    let traced = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    house
        .http
        .ask("GET", "/fhir/Observation?_summary=count", &traced, b"")
        .await;
    let row = |action: &str, target: &str, status: u16, found: u32, trace: &str| json!({"action": action, "target": target, "status": status, "found": found, "trace": trace});
    let expected = [
        row("read", "Observation/k1", 200, 1, ""),
        row("vread", "Observation/k1/_history/1", 200, 1, ""),
        row("read", "Patient/nobody", 404, 0, ""),
        row("search", "Observation?patient=p1", 200, 2, ""),
        row("search", "Observation?_summary=count", 200, 2, TRACE),
    ];
    until("all is on record", async || audit(&house, &[]).len() == expected.len()).await;
    assert_eq!(audit(&house, &[]), expected);
    assert_eq!(audit(&house, &["--target", "patient=p1"]), [expected[3].clone()]);
    assert_eq!(audit(&house, &["--who", "10.9.9.9"]), [] as [Value; 0]);
    // What was looked at last before an end is there after it.
    let mut other = Http::connect(house.process.http.expect("an HTTP listener")).await;
    assert_eq!(other.ask("GET", "/fhir/Observation/k0", "", b"").await.status, 200);
    house.restart().await;
    assert_eq!(
        audit(&house, &[]).last(),
        Some(&row("read", "Observation/k0", 200, 1, ""))
    );
}
