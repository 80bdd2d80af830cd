//! FHIR over HTTP when things go wrong: a process killed while many write, many that write the same at once. What was said
//! to be written is there, and what was sent as one is there as one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use causeway_tests::{Fhir, Http, JSON, Process, Response, get, parts, patient, transaction, until};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// What writers were told, by the path of the version.
#[derive(Debug, Default)]
struct Told {
    versions: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Transactions that were sent, and whether they were told to be written.
    transactions: Mutex<BTreeMap<String, bool>>,
    yes: AtomicUsize,
}

impl Told {
    fn written(&self, answer: &Response) {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        let (_, path) = answer.header("location").split_once("/fhir/").expect("our own address");
        let before = self
            .versions
            .lock()
            .expect("no panic")
            .insert(path.to_owned(), answer.body.clone());
        assert_eq!(before, None, "{path} was told once");
        self.yes.fetch_add(1, Ordering::SeqCst);
    }
}

async fn creates(address: SocketAddr, told: Arc<Told>) -> Option<()> {
    let mut http = Http::connect(address).await;
    loop {
        let answer = http
            .try_ask("POST", "/fhir/Patient", JSON, patient().to_string().as_bytes())
            .await?;
        told.written(&answer);
    }
}

/// One of several that write the same resource, each over the version that it has seen: every version says which one it
/// was written over.
async fn updates(address: SocketAddr, told: Arc<Told>) -> Option<()> {
    let mut http = Http::connect(address).await;
    loop {
        let read = http.try_ask("GET", "/fhir/Basic/one", "", b"").await?;
        let seen = read.header("etag").to_owned();
        let body = json!({"resourceType": "Basic", "id": "one", "code": {"text": seen}});
        let fields = format!("{JSON}If-Match: {seen}\r\n");
        let answer = http
            .try_ask("PUT", "/fhir/Basic/one", &fields, body.to_string().as_bytes())
            .await?;
        if answer.status != 412 {
            told.written(&answer);
        }
    }
}

async fn transactions(address: SocketAddr, prefix: String, told: Arc<Told>) -> Option<()> {
    let mut http = Http::connect(address).await;
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        let known = |yes| told.transactions.lock().expect("no panic").insert(name.clone(), yes);
        known(false);
        let answer = http
            .try_ask("POST", "/fhir", JSON, transaction(&name).to_string().as_bytes())
            .await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        known(true);
        told.yes.fetch_add(1, Ordering::SeqCst);
    }
    None
}

/// Creates of what is to be there once, each told which one that is.
async fn once(address: SocketAddr, condition: String, body: Value) -> Option<(u16, String)> {
    let mut http = Http::connect(address).await;
    let fields = format!("{JSON}If-None-Exist: {condition}\r\n");
    let answer = http
        .try_ask("POST", "/fhir/Patient", &fields, body.to_string().as_bytes())
        .await?;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    Some((answer.status, answer.header("location").to_owned()))
}

/// Waits until all that was under way when the process before died has ended.
async fn recovered(process: &Process, data: &std::path::Path) {
    let token = std::fs::read_to_string(data.join("admin-token")).expect("a token");
    until("what was under way has ended", async || {
        let (_, text) = get(process.admin, "/status", token.trim()).await;
        let status: Value = serde_json::from_str(&text).expect("JSON");
        let count = |name: &str| status["log"][name].as_u64().expect("a count");
        count("accepted") == count("answered")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_many_write_loses_nothing_that_was_said_and_leaves_no_half_transaction() {
    let told = Arc::new(Told::default());
    let mut house = Fhir::start().await;
    let one = json!({"resourceType": "Basic", "id": "one", "code": {"text": "the first"}});
    let made = house
        .http
        .ask("PUT", "/fhir/Basic/one", JSON, one.to_string().as_bytes())
        .await;
    told.written(&made);
    for round in 0..4 {
        let address = house.process.http.expect("an HTTP listener");
        let before = told.yes.load(Ordering::SeqCst);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..3 {
            writers.spawn(creates(address, Arc::clone(&told)));
            writers.spawn(updates(address, Arc::clone(&told)));
            writers.spawn(transactions(address, format!("t{round}-{writer}"), Arc::clone(&told)));
        }
        // Different points of a request's way.
        until("some are written", async || {
            told.yes.load(Ordering::SeqCst) >= before + 40 + 17 * round
        })
        .await;
        let Fhir { process, folder, .. } = house;
        process.kill();
        writers.join_all().await;
        house = Fhir::over(folder).await;
    }
    recovered(&house.process, house.folder.path()).await;
    said_is_there(&mut house, &told).await;
    whole_or_absent(&mut house, &told).await;
    none_is_written_over_unseen(&mut house).await;
}

async fn said_is_there(house: &mut Fhir, told: &Told) {
    let versions = told.versions.lock().expect("no panic").clone();
    assert!(versions.len() > 60, "{}", versions.len());
    for (path, body) in versions {
        let read = house.get(&format!("/fhir/{path}")).await;
        assert_eq!((read.status, &read.body), (200, &body), "{path}");
    }
}

async fn whole_or_absent(house: &mut Fhir, told: &Told) {
    let sent = told.transactions.lock().expect("no panic").clone();
    assert!(sent.values().any(|yes| *yes) && sent.values().any(|yes| !yes));
    for (name, yes) in sent {
        let mut there = 0;
        for path in parts(&name) {
            let read = house.get(&format!("/fhir/{path}")).await;
            if read.status == 200 {
                assert_eq!(read.header("etag"), "W/\"1\"", "{path} was written once");
                there += 1;
            } else {
                assert_eq!(read.status, 404, "{path}: {}", read.text());
            }
        }
        assert!(there == 3 || !yes && there == 0, "{there} of 3 of {name}, told: {yes}");
    }
}

/// Every version was written over the one just before it, also those that nobody was told of (RFC 9110 13.1.1).
async fn none_is_written_over_unseen(house: &mut Fhir) {
    let current = house.get("/fhir/Basic/one").await;
    let last: u64 = current.json()["meta"]["versionId"]
        .as_str()
        .and_then(|version| version.parse().ok())
        .expect("a version");
    assert!(last > 4, "{last}");
    for version in 2..=last {
        let read = house.get(&format!("/fhir/Basic/one/_history/{version}")).await;
        let seen = format!("W/\"{}\"", version - 1);
        assert_eq!(read.json()["code"]["text"], seen, "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_creates_under_one_condition_make_one_resource() {
    let mut house = Fhir::start().await;
    let address = house.process.http.expect("an HTTP listener");
    // Others write meanwhile, so that what depends on a search has something to wait for.
    let others: Vec<_> = (0..2).map(|_| tokio::spawn(creates(address, Arc::default()))).collect();
    for round in 0..6 {
        let mut body = patient();
        body["identifier"][0]["value"] = json!(format!("N{round}"));
        // The same condition in the words of several clients.
        let conditions = [
            format!("identifier=urn:oid:1.2.3|N{round}"),
            format!("identifier=urn:oid:1.2.3%7CN{round}"),
            format!("identifier=urn%3Aoid%3A1.2.3%7CN{round}"),
            format!("identifier=N{round}"),
        ];
        let all = (0..32).map(|number| once(address, conditions[number % 4].clone(), body.clone()));
        let answers: Vec<_> = join_all(all)
            .await
            .into_iter()
            .map(|told| told.expect("an answer"))
            .collect();
        let made = answers.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(made, 1, "of 32 at once: {answers:?}");
        assert!(answers.iter().all(|(_, path)| *path == answers[0].1), "{answers:?}");
        let found = house.found(&format!("/fhir/Patient?identifier=N{round}")).await;
        assert_eq!(found.len(), 1);
    }
    others.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_batch_do_not_wait_for_each_other() {
    let mut house = Fhir::start().await;
    let entry = |value: &str, condition: bool| {
        let mut body = patient();
        body["identifier"][0]["value"] = json!(value);
        let mut request = json!({"method": "POST", "url": "Patient"});
        if condition {
            request["ifNoneExist"] = json!(format!("identifier=urn:oid:1.2.3|{value}"));
        }
        json!({"resource": body, "request": request})
    };
    let entries = vec![entry("a", false), entry("b", true), entry("b", true), entry("c", true)];
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let answer = house.post("/fhir", &batch).await.json();
    let statuses: Vec<_> = (0..4)
        .map(|entry| answer["entry"][entry]["response"]["status"].clone())
        .collect();
    assert_eq!(statuses, ["201", "201", "200", "201"], "{answer}");
}
