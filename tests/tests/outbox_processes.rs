//! The way out between processes that die: a gateway that forwards to a second one, each killed under load, and a receiver
//! that is none of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use causeway_core::store::Event;
use causeway_store::SqliteLog;
use causeway_tests::{
    Http, Peer, Process, React, Receiver, exchange, fields, framed, free_port, get, oru, python, segment, until,
};
use serde_json::Value;

/// A destination that is tried again soon.
fn to(address: &str) -> String {
    format!(
        "[[destination]]\nname = 'next'\nto = 'mllp://{address}'\ntimeout = '5s'\n\
         [destination.retry]\nfirst = '20ms'\nlongest = '200ms'\n"
    )
}

/// Sends one message of one patient after the other until the connection breaks or it is told to stop.
async fn load(address: SocketAddr, patient: String, acked: Arc<Mutex<BTreeSet<String>>>, stop: Arc<Mutex<bool>>) {
    let mut peer = Peer::connect(address).await;
    for number in 0.. {
        if *stop.lock().expect("no panic") {
            return;
        }
        let id = format!("{patient}N{number:05}");
        let message = oru(&id, "4.0").replace(&format!("P{id}"), &patient);
        if !peer.send(&framed(message.as_bytes())).await {
            return;
        }
        let Some(reply) = peer.reply().await else { return };
        if fields(segment(&reply, "MSA")[0])[1] == "AA" {
            acked.lock().expect("no panic").insert(id);
        }
    }
}

/// MSH-10 of what a log received, in order, and how many resends it got.
fn received(data: &Path) -> (Vec<String>, usize) {
    let log = SqliteLog::read_only(data).expect("a log");
    let (mut ids, mut again, mut position) = (Vec::new(), 0, 0);
    loop {
        let page = log.read_from(position, 1_000).expect("a page");
        let Some(last) = page.last() else { return (ids, again) };
        position = last.position;
        for record in &page {
            match &record.event {
                Event::Received { frame, .. } => {
                    let text = String::from_utf8_lossy(&frame.body).into_owned();
                    ids.push(fields(segment(&text, "MSH")[0])[9].to_owned());
                }
                Event::Again { .. } => again += 1,
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_either_gateway_loses_nothing_and_keeps_the_order_of_each_patient() {
    let [front, back] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let door = format!("127.0.0.1:{}", free_port());
    let inlet = format!("[[listener]]\nname = 'in'\naddress = '{door}'\n");
    let mut second = Process::configured(back.path(), &inlet, &[]);
    let acked = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 0..8u64 {
        let first = Process::configured(front.path(), &to(&door), &[]);
        let stop = Arc::new(Mutex::new(false));
        let senders = (0..4).map(|sender| {
            let patient = format!("R{round}S{sender}");
            tokio::spawn(load(first.mllp, patient, Arc::clone(&acked), Arc::clone(&stop)))
        });
        let senders: Vec<_> = senders.collect();
        // Different points of the way: between a few deliveries and some hundreds.
        tokio::time::sleep(Duration::from_millis(150 + round * 40)).await;
        if round % 2 == 0 {
            first.kill();
        } else {
            second.kill();
            tokio::time::sleep(Duration::from_millis(100)).await; // under load without it
            second = Process::configured(back.path(), &inlet, &[]);
            *stop.lock().expect("no panic") = true;
            assert!(first.terminate(), "it drains");
        }
        for sender in senders {
            sender.await.expect("a sender");
        }
    }
    let first = Process::configured(front.path(), &to(&door), &[]);
    exchange(first.mllp, &oru("LAST", "4.0")).await;
    until("all of it is delivered", async || {
        let standing = first.standing(front.path()).await;
        standing["waiting"] == 0 && standing["delivered"] == standing["posted"]
    })
    .await;
    assert!(first.terminate() && second.terminate());
    check(
        &acked.lock().expect("no panic"),
        &received(front.path()).0,
        &received(back.path()).0,
    );
}

fn check(acked: &BTreeSet<String>, sent: &[String], came: &[String]) {
    assert!(acked.len() > 100, "only {} were acknowledged", acked.len());
    let came_set: BTreeSet<_> = came.iter().cloned().collect();
    let lost: Vec<_> = acked.difference(&came_set).collect();
    assert!(lost.is_empty(), "acknowledged and not delivered: {lost:?}");
    let sent: BTreeSet<_> = sent.iter().cloned().collect();
    assert_eq!(came_set, sent, "what the first keeps is what the second has");
    assert_eq!(
        came.len(),
        came_set.len(),
        "a repetition is known by its bytes and runs once"
    );
    let mut latest: BTreeMap<&str, &str> = BTreeMap::new();
    for id in came {
        let patient = id.split('N').next().unwrap_or(id);
        let before = latest.insert(patient, id);
        assert!(
            before.is_none_or(|before| before < id.as_str()),
            "{id} came after {before:?}"
        );
    }
}

/// The receiver of `mllp_server.py`: killed when dropped.
struct Ward {
    child: Child,
    address: String,
}

impl Ward {
    fn start(database: &Path) -> Option<Self> {
        use std::io::BufRead as _;
        let mut command = python("mllp_server.py")?;
        let spawned = command.arg(database).stdout(Stdio::piped()).spawn();
        let mut child = spawned.expect("python");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        std::io::BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line.trim().to_owned();
        Some(Self { child, address })
    }
}

impl Drop for Ward {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_written_in_python_gets_every_message_once_as_it_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("ward.db");
    let Some(ward) = Ward::start(&database) else { return };
    let data = tempfile::tempdir().expect("a folder");
    let process = Process::configured(data.path(), &to(&ward.address), &[]);
    let messages: Vec<String> = (0..50).map(|n| oru(&format!("PY{n}"), "4.0")).collect();
    for message in &messages {
        exchange(process.mllp, message).await;
    }
    until("all of it is delivered", async || {
        process.standing(data.path()).await["delivered"] == 50
    })
    .await;
    let query = "import sqlite3, sys, json; d = sqlite3.connect(sys.argv[1]); \
                 print(json.dumps([row[0] for row in d.execute('SELECT body FROM message')]))";
    let read = std::process::Command::new("python3")
        .args(["-c", query])
        .arg(&database)
        .output();
    let mut bodies: Vec<String> = serde_json::from_slice(&read.expect("python3").stdout).expect("JSON");
    bodies.sort();
    let mut sent = messages;
    sent.sort();
    let whole = |texts: Vec<String>| texts.iter().map(|text| text.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(whole(bodies), whole(sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_posted_for_a_name_that_is_gone_waits_and_is_said() {
    let data = tempfile::tempdir().expect("a folder");
    let process = Process::configured(data.path(), &to(&format!("127.0.0.1:{}", free_port())), &[]);
    exchange(process.mllp, &oru("W1", "4.0")).await;
    until("it waits", async || process.standing(data.path()).await["waiting"] == 1).await;
    assert!(process.terminate());
    let config = data.path().join("test.toml");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let without = text.split("[[destination]]").next().expect("the rest").to_owned();
    std::fs::write(&config, &without).expect("a configuration");
    let process = Process::configured(data.path(), "", &[]);
    let standing = process.standing(data.path()).await;
    assert_eq!(
        (&standing["state"], &standing["waiting"]),
        (&"unknown".into(), &1.into())
    );
    let (_, ready) = get(process.admin, "/readyz", "").await;
    assert!(
        ready.contains("1 deliveries wait for destination \\\"next\\\""),
        "{ready}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_of_a_peer_that_rejects_everything_and_the_list_says_why() {
    let ward = Receiver::start(|_| React::SaysWhy("AR", "200")).await;
    let data = tempfile::tempdir().expect("a folder");
    let stanza = format!("{}refusals = 3\n", to(&ward.address.to_string()));
    let process = Process::configured(data.path(), &stanza, &[]);
    for number in 0..10 {
        exchange(process.mllp, &oru(&format!("R{number}"), "4.0")).await;
    }
    until("it is known", async || {
        process.standing(data.path()).await["state"] == "refusing"
    })
    .await;
    let (status, ready) = get(process.admin, "/readyz", "").await;
    assert!(
        status == 200 && ready.contains("rejects whatever it gets (AR 200): 8 deliveries wait"),
        "{ready}"
    );
    let (code, list) = process.command(data.path(), &["destinations"]);
    assert!(code == Some(0) && list.contains("2 dead: rejected AR 200"), "{list}");
}

/// Every resource of a type, by the numbers that its sender gave it, without what each gateway gives itself.
async fn everything(address: SocketAddr, kind: &str) -> BTreeMap<String, Value> {
    let mut http = Http::connect(address).await;
    let (mut all, mut path) = (BTreeMap::new(), Some(format!("/fhir/{kind}?_count=500")));
    while let Some(page) = path {
        let page = http.ask("GET", &page, "", b"").await.json();
        for entry in page["entry"].as_array().into_iter().flatten() {
            let mut resource = entry["resource"].clone();
            let fields = resource.as_object_mut().expect("a resource");
            for own in ["meta", "subject", "encounter", "performer", "basedOn"] {
                fields.remove(own);
            }
            let id = fields.remove("id").expect("an id").to_string();
            let key = fields.get("identifier").map_or(id, Value::to_string);
            assert!(
                all.insert(key.clone(), resource).is_none(),
                "{kind} {key} is there twice"
            );
        }
        let links = page["link"].as_array().cloned().unwrap_or_default();
        let next = links.iter().find(|link| link["relation"] == "next");
        let next = next.and_then(|link| link["url"].as_str()).map(str::to_owned);
        path = next.and_then(|url| url.find("/fhir/").map(|at| url[at..].to_owned()));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fhir_server_that_is_killed_under_load_gets_all_of_it_later() {
    let [front, back] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let door = format!("127.0.0.1:{}", free_port());
    let inlet = |address: &str| {
        format!(
            "[[listener]]\nname = 'http'\naddress = '{address}'\ntransport = 'http'\n\
             route = [{{path = '/fhir', format = 'fhir'}}]\n"
        )
    };
    let second = Process::configured(back.path(), &inlet(&door), &[]);
    let destination = to("127.0.0.1:1").replace("mllp://127.0.0.1:1", &format!("http://{door}/fhir"));
    let stanzas = format!("{}{destination}", inlet("127.0.0.1:0"));
    let first = Process::configured(front.path(), &stanzas, &[]);
    let (acked, stop) = (Arc::default(), Arc::new(Mutex::new(false)));
    let senders =
        (0..4).map(|n| tokio::spawn(load(first.mllp, format!("F{n}"), Arc::clone(&acked), Arc::clone(&stop))));
    let senders: Vec<_> = senders.collect();
    tokio::time::sleep(Duration::from_millis(400)).await;
    second.kill();
    until("the load is felt", async || {
        let standing = first.standing(front.path()).await;
        standing["state"] == "resting" && standing["waiting"].as_u64() > Some(20)
    })
    .await;
    let second = Process::configured(back.path(), &inlet(&door), &[]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    *stop.lock().expect("no panic") = true;
    for sender in senders {
        sender.await.expect("a sender");
    }
    until("all of it is delivered", async || {
        let standing = first.standing(front.path()).await;
        assert_eq!(standing["dead"], 0, "{standing}");
        standing["waiting"] == 0 && standing["delivered"] == standing["posted"]
    })
    .await;
    let count = acked.lock().expect("no panic").len();
    let [here, there] = [first.http, second.http].map(|address| address.expect("an HTTP listener"));
    for (kind, least) in [("Patient", 4), ("Observation", 2 * count), ("DiagnosticReport", count)] {
        let (ours, theirs) = (everything(here, kind).await, everything(there, kind).await);
        assert!(
            theirs.len() >= least && count > 20,
            "{} of {kind}, {count} messages",
            theirs.len()
        );
        assert_eq!(ours, theirs);
    }
}
