//! FHIR over HTTP when there is too little of something: no room on the disk, no places for slow and silent peers, no time
//! before the end, two thousand who only hold a connection. Whoever can be served is served, and others hear why not.

use std::time::Duration;

use causeway_tests::{
    Disk, Doing, Fhir, Http, JSON, Process, Response, Service, issue, parts, patient, transaction, until,
};
use serde_json::{Value, json};

/// A resource that is large, so that what is left of a disk is not enough for it.
fn large(id: &str) -> Value {
    let text = "x".repeat(200_000);
    json!({"resourceType": "Basic", "id": id, "code": {"text": text}})
}

const LISTENER: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/fhir', format = 'fhir'}]\n";

/// That a write was refused since it could not be kept, and says that trying again can help (RFC 9110 15.6.4, RFC 4918 11.5).
fn not_kept(answer: &Response) {
    assert!(
        matches!(answer.status, 503 | 507),
        "{} {}",
        answer.status,
        answer.text()
    );
    assert_eq!(issue(answer), ("not-kept".into(), "transient".into()));
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_and_goes_on_reading() {
    let Some(disk) = Disk::mounted("32m") else {
        println!("SKIPPED: only root may mount the small disk of this scenario");
        return;
    };
    let process = Process::configured(disk.path(), LISTENER, &[]);
    let mut http = Http::connect(process.address("http")).await;
    until("writes are taken", async || {
        http.ask("DELETE", "/fhir/Patient/nobody", "", b"").await.status == 404
    })
    .await;
    let mut told = Vec::new();
    let mut put = async |http: &mut Http, id: &str| {
        let path = format!("/fhir/Basic/{id}");
        let answer = http.ask("PUT", &path, JSON, large(id).to_string().as_bytes()).await;
        if answer.status == 201 {
            told.push((path, answer.body.clone()));
        }
        answer
    };
    let who = http
        .ask("POST", "/fhir/Patient", JSON, patient().to_string().as_bytes())
        .await;
    assert_eq!(who.status, 201, "{}", who.text());
    let (_, version) = who.header("location").split_once("/fhir/").expect("our own address");
    let (current, _) = version.split_once("/_history").expect("a version");
    let paths = [current, version].map(|path| format!("/fhir/{path}"));
    let reads = async |http: &mut Http| {
        for path in &paths {
            let read = http.ask("GET", path, "", b"").await;
            assert_eq!((read.status, read.text()), (200, who.text()), "{path}");
        }
        let found = http.ask("GET", "/fhir/Patient?identifier=0084512", "", b"").await;
        assert_eq!(
            (found.status, &found.json()["entry"][0]["resource"]),
            (200, &who.json()),
            "{}",
            found.text()
        );
    };
    reads(&mut http).await;
    // What is written last may not be readable before there is room, and holds up nobody who reads something else.
    assert_eq!(put(&mut http, "just").await.status, 201);
    let filler = disk.fill();
    let mut number = 0;
    until("a write is refused", async || {
        number += 1;
        let answer = put(&mut http, &format!("full{number}")).await;
        if answer.status == 201 {
            disk.fill(); // room that was left in files of the database
        } else {
            not_kept(&answer);
        }
        answer.status != 201
    })
    .await;
    let entry = json!({"resource": large("part"), "request": {"method": "PUT", "url": "Basic/part"}});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    for number in 0..4 {
        not_kept(&put(&mut http, &format!("still{number}")).await);
        not_kept(&http.ask("POST", "/fhir", JSON, bundle.to_string().as_bytes()).await);
        reads(&mut http).await;
        assert_eq!(http.ask("GET", "/fhir/Basic/part", "", b"").await.status, 404);
    }
    std::fs::remove_file(filler).expect("the space is free again");
    until("writes are taken again", async || {
        put(&mut http, "after").await.status == 201
    })
    .await;
    for (path, body) in &told {
        let read = http.ask("GET", path, "", b"").await;
        assert_eq!((read.status, &read.body), (200, body), "{path}");
    }
    drop(http);
    // Who looked while there was no room is on record, too.
    until("the looks are on record", async || {
        let (_, listed) = process.command(disk.path(), &["audit", "--json"]);
        listed.matches("identifier=0084512").count() == 5
    })
    .await;
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_silent_peers_lose_their_places_and_hold_up_nobody() {
    let options = "[listener.http]\nconnections = 61\nheader = '1s'\nbody = '1s'\nidle = '1s'\n";
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::configured(folder.path(), &format!("{LISTENER}{options}"), &[]);
    let address = process.address("http");
    let mut busy = Http::connect(address).await;
    until("writes are taken", async || {
        busy.ask("DELETE", "/fhir/Patient/nobody", "", b"").await.status == 404
    })
    .await;
    // A header without an end, a body without an end, and nothing at all: all places but one are taken.
    let mut holding = tokio::task::JoinSet::new();
    for number in 0..60 {
        let mut http = Http::connect(address).await;
        holding.spawn(async move {
            let request = http.request("POST", "/fhir/Patient", JSON, &vec![b' '; 100_000]);
            match number % 3 {
                0 => assert!(http.send(b"GET /fhir/Patient/1 HTTP/1.1\r\nX-Slow: ").await),
                1 => assert!(http.send(&request[..request.len() - 90_000]).await),
                _ => return (number, http.response().await),
            }
            (number, http.drip(b' ').await)
        });
    }
    let mut more = Http::connect(address).await;
    assert_eq!(more.response().await.expect("a word").status, 503, "no place is left");
    // Who was there before is served meanwhile, and gets all that it asks for.
    let mut served = 0;
    while !holding.is_empty() {
        let made = busy
            .ask("POST", "/fhir/Patient", JSON, patient().to_string().as_bytes())
            .await;
        assert_eq!(made.status, 201, "{}", made.text());
        served += 1;
        while let Some(ended) = holding.try_join_next() {
            let (number, told) = ended.expect("a peer");
            match told {
                Some(told) => {
                    assert_eq!((told.status, issue(&told).0.as_str()), (408, "timed-out"));
                    assert_ne!(number % 3, 2);
                }
                None => assert_eq!(number % 3, 2, "closed without a word"),
            }
        }
    }
    assert!(served > 10, "{served} were served meanwhile");
    until("there is a place again", async || {
        let mut http = Http::connect(address).await;
        http.try_ask("GET", "/fhir/metadata", "", b"")
            .await
            .is_some_and(|told| told.status == 200)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_answers_what_is_under_way_and_keeps_it() {
    let wait = Duration::from_secs(1);
    let service = Service::start(move |_| Doing::AnswersAfter(wait, r#"{"cards":[]}"#.to_owned())).await;
    let hook = format!(
        "[chain]\nhook-budget-ms = 600000\n[[hook]]\nname = 'slow'\nurl = '{}'\ntimeout-ms = 600000\n",
        service.url()
    );
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = Fhir::configured(folder, &hook).await;
    let address = house.process.http.expect("an HTTP listener");
    let (mut write, mut bundle, mut silent) = (
        Http::connect(address).await,
        Http::connect(address).await,
        Http::connect(address).await,
    );
    assert_eq!(silent.ask("GET", "/fhir/metadata", "", b"").await.status, 200);
    let before = service.calls();
    let request = write.request("POST", "/fhir/Patient", JSON, patient().to_string().as_bytes());
    assert!(write.send(&request).await);
    let request = bundle.request("POST", "/fhir", JSON, transaction("last").to_string().as_bytes());
    assert!(bundle.send(&request).await);
    until("the service is asked", async || service.calls() >= before + 2).await;
    assert!(house.process.tell_to_stop());
    assert!(silent.response().await.is_none(), "closed without a word");
    let made = write.response().await.expect("an answer all the same");
    assert_eq!(
        (made.status, made.header("connection")),
        (201, "close"),
        "{}",
        made.text()
    );
    let done = bundle.response().await.expect("an answer all the same");
    assert_eq!(
        (done.status, done.header("connection")),
        (200, "close"),
        "{}",
        done.text()
    );
    assert!(write.response().await.is_none() && bundle.response().await.is_none());
    while house.http.response().await.is_some() {}
    house.process.wait();
    let Fhir { folder, .. } = house;
    let mut house = Fhir::over(folder).await;
    let (_, path) = made.header("location").split_once("/fhir/").expect("our own address");
    assert_eq!(house.get(&format!("/fhir/{path}")).await.body, made.body);
    for path in parts("last") {
        assert_eq!(house.get(&format!("/fhir/{path}")).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_clients_cost_little_and_others_are_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = Fhir::configured(folder, "[listener.http]\nconnections-per-peer = 2001\n").await;
    let address = house.process.http.expect("an HTTP listener");
    let made = house.post("/fhir/Patient", &patient()).await;
    let (_, path) = made.header("location").split_once("/fhir/").expect("our own address");
    let read = format!("/fhir/{path}");
    let before = house.process.resident();
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        let mut http = Http::connect(address).await;
        // Each has read something, as a pooled client has.
        assert_eq!(http.ask("GET", &read, "", b"").await.body, made.body);
        idle.push(http);
    }
    let each = (house.process.resident() - before) / 2_000;
    assert!(each <= 24, "{each} KiB for each of them");
    for number in 0..20 {
        let name = format!("among-{number}");
        let answer = house.post("/fhir", &transaction(&name)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let found = house.found(&format!("/fhir/Observation?patient=Patient/{name}")).await;
        assert_eq!(found.len(), 1);
    }
    // There is no place more from there, and all who have one keep it.
    let mut more = Http::connect(address).await;
    assert_eq!(more.response().await.expect("a word").status, 429);
    for http in &mut idle {
        assert_eq!(http.ask("GET", &read, "", b"").await.status, 200);
    }
}
