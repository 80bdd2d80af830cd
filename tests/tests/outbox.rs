//! The way out, to peers that do as they are told: what arrives, in which order, what is tried again and what is not, and
//! what a person can do about it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use causeway_core::store::{Account, Audit, Query, State};
use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Store, Text};
use causeway_server::outbox::{Condition, Destination, Form};
use causeway_tests::{Advisor, EXAMPLE, Gateway, Peer, React, Receiver, exchange, framed, oru, until};

/// A message of a patient.
fn of(patient: &str, id: &str) -> String {
    oru(id, "4.0").replace(&format!("P{id}"), patient)
}

/// A destination that is tried again soon.
fn to(name: &str, receiver: &Receiver) -> Destination {
    let mut destination = Destination::new(name, &format!("mllp://{}", receiver.address));
    destination.retry.first = Duration::from_millis(20);
    destination.retry.longest = Duration::from_millis(200);
    destination.retry.attempts = 3;
    destination.timeout = Duration::from_secs(5);
    destination
}

async fn gateway(destinations: Vec<Destination>) -> Gateway {
    Gateway::start(Vec::new(), |config| config.destinations = destinations).await
}

fn account(gateway: &Gateway, name: &str) -> Account {
    *gateway.log.deliveries().account(name).borrow()
}

async fn delivered(gateway: &Gateway, name: &str, count: u64) {
    until("deliveries", async || account(gateway, name).delivered == count).await;
}

fn audit(gateway: &Gateway) {
    let audit = gateway.log.deliveries().audit().expect("the log");
    assert!(audit.iter().all(Audit::agrees), "{audit:?}");
}

fn yes(_: &str) -> React {
    React::Says("AA")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_goes_on_byte_for_byte_and_in_order_of_each_patient() {
    let receiver = Receiver::start(yes).await;
    let gateway = gateway(vec![to("ward", &receiver)]).await;
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut peer = Peer::connect(gateway.address()).await;
    for number in 0..60 {
        let patient = format!("PATIENT{}", number % 5);
        let message = of(&patient, &format!("M{number}"));
        assert!(peer.send(&framed(message.as_bytes())).await);
        sent.entry(patient).or_default().push(message);
    }
    for _ in 0..60 {
        peer.reply().await.expect("a reply");
    }
    delivered(&gateway, "ward", 60).await;
    let mut came: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in receiver.messages() {
        let patient = sent.keys().find(|patient| message.contains(patient.as_str()));
        came.entry(patient.expect("a patient").clone())
            .or_default()
            .push(message);
    }
    assert_eq!(came, sent);
    assert!(receiver.connections().0 <= 8, "connections are used again");
    assert_eq!(account(&gateway, "ward").waiting(), 0);
    audit(&gateway);
    exchange(gateway.address(), &of("PATIENT0", "M0")).await; // a resend
    exchange(gateway.address(), &of("PATIENT0", "LAST")).await;
    delivered(&gateway, "ward", 61).await;
    assert_eq!(receiver.count(), 61, "a resend is not delivered again");
    gateway.gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_peer_cannot_process_is_tried_again_and_then_dead_and_holds_back_its_patient_alone() {
    let receiver = Receiver::start(|message| match message {
        message if message.contains("|BAD|") => React::SaysWhy("AE", "207"),
        message if message.contains("|NEVER|") => React::Says("AR"),
        _ => React::Says("AA"),
    })
    .await;
    let gateway = gateway(vec![to("ward", &receiver)]).await;
    for (patient, id) in [("A", "BAD"), ("A", "AFTER"), ("B", "NEVER"), ("C", "GOOD")] {
        exchange(gateway.address(), &of(patient, id)).await;
    }
    delivered(&gateway, "ward", 2).await;
    let ids = receiver.control_ids();
    let times = |id: &str| ids.iter().filter(|one| *one == id).count();
    assert_eq!(["BAD", "NEVER", "AFTER", "GOOD"].map(times), [3, 1, 1, 1]);
    let last = |id: &str| ids.iter().rposition(|one| one == id);
    assert!(
        last("AFTER") > last("BAD"),
        "the patient's next goes when the one before is decided: {ids:?}"
    );
    let dead = gateway.log.deliveries().dead(None).expect("the log");
    let causes: Vec<_> = dead
        .iter()
        .map(|dead| (dead.class.as_str(), dead.cause.as_str(), dead.count))
        .collect();
    assert_eq!(causes, [("failed", "AE 207", 1), ("rejected", "AR", 1)]);
    audit(&gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_peer_gets_it_again_and_its_late_acknowledgement_is_nobodys() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    // The first acknowledgement comes when nobody waits for it any more.
    let receiver = Receiver::start(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => React::Late(Duration::from_millis(700), "AR"),
        _ => React::Says("AA"),
    })
    .await;
    let mut ward = to("ward", &receiver);
    ward.timeout = Duration::from_millis(300);
    let gateway = gateway(vec![ward]).await;
    for id in ["ONE", "TWO"] {
        exchange(gateway.address(), &of("A", id)).await;
    }
    delivered(&gateway, "ward", 2).await;
    assert_eq!(receiver.control_ids(), ["ONE", "ONE", "TWO"]);
    assert_eq!(account(&gateway, "ward").dead, 0);
    until("the connection that was silent is closed", async || {
        receiver.connections().1 == 1
    })
    .await;
    let all = gateway.log.deliveries().find(&Query::default(), 0, 9).expect("the log");
    assert_eq!((all[0].attempts, all[0].failed, all[0].cause.as_str()), (2, 0, "AA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_wants_no_acknowledgement_is_not_delivered_without_one() {
    let receiver = Receiver::start(|_| React::Says("CA")).await;
    let gateway = gateway(vec![to("ward", &receiver)]).await;
    let silent = of("A", "SILENT").replace("|P|2.5.1||||||", "|P|2.5.1|||NE|NE||");
    let mut peer = Peer::connect(gateway.address()).await;
    peer.send(&framed(silent.as_bytes())).await;
    delivered(&gateway, "ward", 1).await;
    assert_eq!(receiver.messages(), [silent.replace("|NE|NE|", "|AL|NE|")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unplugged_peer_gets_all_of_it_later_in_order() {
    let mut receiver = Receiver::start(yes).await;
    let gateway = gateway(vec![to("ward", &receiver)]).await;
    exchange(gateway.address(), &of("A", "M0")).await;
    delivered(&gateway, "ward", 1).await;
    receiver.unplug().await;
    for number in 1..200 {
        let patient = ["A", "B", "C"][number % 3];
        exchange(gateway.address(), &of(patient, &format!("M{number}"))).await;
    }
    let outbox = &gateway.gateway.house.outbox;
    until("it rests", async || {
        outbox.standings()[0].condition == Condition::Resting
    })
    .await;
    assert_eq!(account(&gateway, "ward").waiting(), 199);
    receiver.plug_in().await;
    delivered(&gateway, "ward", 200).await;
    assert_eq!(outbox.standings()[0].condition, Condition::Open);
    let ids = receiver.control_ids();
    for patient in 0..3 {
        let number = |id: &String| id.trim_start_matches('M').parse::<usize>().expect("a number");
        let of_one: Vec<_> = ids.iter().map(number).filter(|number| number % 3 == patient).collect();
        assert!(of_one.is_sorted() && of_one.len() >= 66, "{of_one:?}");
    }
    assert_eq!(ids.len(), 200, "nothing came twice");
    audit(&gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_pauses_resumes_replays_and_drops() {
    let receiver = Receiver::start(|message| React::Says(if message.contains("|BAD|") { "AR" } else { "AA" })).await;
    let gateway = gateway(vec![to("ward", &receiver)]).await;
    let deliveries = gateway.log.deliveries();
    exchange(gateway.address(), &of("A", "BAD")).await;
    until("it is dead", async || account(&gateway, "ward").dead == 1).await;
    deliveries.pause("ward", true).expect("the log");
    let outbox = &gateway.gateway.house.outbox;
    until("it rests", async || {
        outbox.standings()[0].condition == Condition::Paused
    })
    .await;
    exchange(gateway.address(), &of("A", "WAITS")).await;
    exchange(gateway.address(), &of("B", "GOES")).await;
    let dead = Query {
        state: Some(State::Dead),
        ..Query::default()
    };
    assert_eq!(deliveries.replay(&dead).expect("the log"), 1);
    assert_eq!(receiver.count(), 1);
    let second = Query {
        id: Some(2),
        ..Query::default()
    };
    assert_eq!(deliveries.discard(&second).expect("the log"), 1);
    deliveries.pause("ward", false).expect("the log");
    until("all of it is decided", async || {
        account(&gateway, "ward").waiting() == 0
    })
    .await;
    let mut ids = receiver.control_ids();
    ids.sort();
    assert_eq!(ids, ["BAD", "BAD", "GOES"]);
    let ward = account(&gateway, "ward");
    assert_eq!((ward.posted, ward.delivered, ward.dead, ward.dropped), (3, 1, 1, 1));
    audit(&gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_gets_annotated_results_and_the_log_keeps_none_of_it() {
    let out = tempfile::tempdir().expect("a folder");
    let mut ward = Destination::new("ward", out.path().to_str().expect("a path"));
    ward.format = Some(Form::Hl7v2);
    ward.severity = Some(Severity::Warning);
    let gateway = gateway(vec![ward]).await;
    exchange(gateway.address(), &of("A", "CALM")).await;
    exchange(gateway.address(), &oru("CRITICAL", "7.1")).await;
    delivered(&gateway, "ward", 1).await;
    let files: Vec<_> = std::fs::read_dir(out.path()).expect("files").flatten().collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().expect("a name");
    let text = std::fs::read_to_string(files[0].path()).expect("text");
    assert!(
        text.contains("\rNTE|") && text.contains("critical-value-high"),
        "{text}"
    );
    let id = causeway_tests::fields(causeway_tests::segment(&text, "MSH")[0])[9].to_owned();
    assert_eq!(name, format!("{id}.hl7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_rejects_everything_keeps_its_queue_and_gets_it_when_it_is_well_again() {
    let well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&well);
    // As a receiver does whose filter of message types was set wrongly.
    let receiver = Receiver::start(move |_| {
        if asked.load(Ordering::Relaxed) {
            React::Says("AA")
        } else {
            React::SaysWhy("AR", "200")
        }
    })
    .await;
    let mut ward = to("ward", &receiver);
    ward.retry.refusals = 5;
    let gateway = gateway(vec![ward]).await;
    for number in 0..60 {
        exchange(
            gateway.address(),
            &of(["A", "B", "C"][number % 3], &format!("M{number:02}")),
        )
        .await;
    }
    let outbox = &gateway.gateway.house.outbox;
    until("it is known to reject everything", async || {
        outbox.standings()[0].condition == Condition::Refusing
    })
    .await;
    let tried = receiver.count();
    until("it is tried now and then", async || receiver.count() >= tried + 5).await;
    let ward = account(&gateway, "ward");
    assert_eq!(
        (ward.dead, ward.waiting()),
        (4, 56),
        "the fifth said that it is the peer"
    );
    audit(&gateway);
    let before = receiver.count();
    well.store(true, Ordering::Relaxed);
    delivered(&gateway, "ward", 56).await;
    assert_eq!(outbox.standings()[0].condition, Condition::Open);
    let ids = receiver.control_ids().split_off(before);
    for patient in 0..3 {
        let number = |id: &String| id.trim_start_matches('M').parse::<usize>().expect("a number");
        let of_one: Vec<_> = ids.iter().map(number).filter(|number| number % 3 == patient).collect();
        assert!(of_one.is_sorted(), "{of_one:?}");
    }
    let dead = Query {
        cause: Some("AR 200".to_owned()),
        ..Query::default()
    };
    assert_eq!(gateway.log.deliveries().replay(&dead).expect("the log"), 4);
    delivered(&gateway, "ward", 60).await;
    audit(&gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_finds_too_late_is_delivered_where_that_is_wanted() {
    let (advisor, gate) = Advisor::gated(|| {
        // Glucose is the fourth OBX of the example.
        let by = Actor::new(ActorKind::Hook, "glucose");
        let text = Text::new("Glucose is fine".to_owned(), "Glucose is fine".to_owned());
        let finding = Finding::new("advice", Severity::Warning, Class::Business, by, text);
        Ok(vec![finding.at_place("OBX[4]-5[1]".to_owned())])
    });
    let (ward, archive) = (Receiver::start(yes).await, Receiver::start(yes).await);
    let mut told = to("ward", &ward);
    told.format = Some(Form::Hl7v2);
    told.late = true;
    let mut once = to("archive", &archive);
    once.format = Some(Form::Hl7v2);
    let gateway = Gateway::start(advisor.alone(), |config| {
        config.chain.hook_budget_ms = 50;
        config.destinations = vec![told, once];
    })
    .await;
    exchange(gateway.address(), EXAMPLE).await;
    delivered(&gateway, "ward", 1).await;
    delivered(&gateway, "archive", 1).await;
    gate.add_permits(1);
    delivered(&gateway, "ward", 2).await;
    let messages = ward.messages();
    let says = |message: &String| message.contains("Glucose is fine");
    assert_eq!(
        messages.iter().map(says).collect::<Vec<_>>(),
        [false, true],
        "{messages:?}"
    );
    // The same result with the remark behind its own OBX, and under a control id of its own: no repetition of the first.
    let lines: Vec<&str> = messages[1].split('\r').collect();
    let remark = lines
        .iter()
        .position(|line| line.contains("Glucose is fine"))
        .expect("a remark");
    assert!(lines[remark].starts_with("NTE|"), "{}", lines[remark]);
    let observation = lines[..remark].iter().rfind(|line| line.starts_with("OBX|"));
    assert!(
        observation.is_some_and(|line| line.contains("|2345-7^")),
        "{observation:?}"
    );
    let ids = ward.control_ids();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(archive.count(), 1);
    audit(&gateway);
}
