//! What happens to the process: told to stop with work under way, killed twice by the same frame, out of disk. Whoever
//! was told yes is never let down, and whoever cannot be told yes hears no.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use causeway_core::store::{Event, Record};
use causeway_store::SqliteLog;
use causeway_tests::{
    Disk, Doing, Peer, Process, Service, exchange, fields, framed, get, messages, oru, segment, shown, until,
};
use serde_json::Value;

fn msa(reply: &str) -> (&str, &str) {
    let msa = fields(segment(reply, "MSA")[0]);
    (msa[1], msa[2])
}

/// A service that may take its time.
fn patient_with(service: &Service) -> String {
    format!(
        "[chain]\nhook-budget-ms = 600000\n[[hook]]\nname = 'slow'\nurl = '{}'\ntimeout-ms = 600000\n",
        service.url()
    )
}

async fn status(process: &Process, data: &Path) -> Value {
    let token = std::fs::read_to_string(data.join("admin-token")).expect("a token");
    let (code, text) = get(process.admin, "/status", token.trim()).await;
    assert_eq!(code, 200, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

fn records(data: &Path) -> Vec<Record> {
    SqliteLog::read_only(data)
        .expect("a log")
        .read_from(0, 10_000)
        .expect("a page")
}

fn answered(data: &Path) -> usize {
    let answered = |record: &&Record| matches!(record.event, Event::Answered { .. });
    records(data).iter().filter(answered).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_waits_for_a_message_that_a_slow_service_holds() {
    let wait = Duration::from_millis(1_500);
    let service = Service::start(move |_| Doing::AnswersAfter(wait, r#"{"cards":[]}"#.to_owned())).await;
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::configured(folder.path(), &patient_with(&service), &[]);
    let mut peer = Peer::connect(process.mllp).await;
    assert!(peer.send(&framed(oru("LASTONE", "4.0").as_bytes())).await);
    until("the service is asked", async || service.calls() == 1).await;
    assert!(process.tell_to_stop());
    let reply = peer.reply().await.expect("an answer all the same");
    assert_eq!(msa(&reply), ("AA", "LASTONE"));
    assert!(process.terminate(), "it ends well");
    assert_eq!(answered(folder.path()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_met_two_deaths_is_held_until_somebody_runs_it_again() {
    let mended = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&mended);
    let service = Service::start(move |_| {
        if known.load(Ordering::SeqCst) {
            Doing::Answers(r#"{"cards":[]}"#.to_owned())
        } else {
            Doing::Hangs
        }
    })
    .await;
    let (folder, poison) = (tempfile::tempdir().expect("a folder"), oru("POISON", "4.0"));
    let stanzas = patient_with(&service);
    let process = Process::configured(folder.path(), &stanzas, &[]);
    let mut peer = Peer::connect(process.mllp).await;
    assert!(peer.send(&framed(poison.as_bytes())).await);
    until("it runs", async || service.calls() == 1).await;
    process.kill();
    let process = Process::configured(folder.path(), &stanzas, &[]);
    until("it runs again", async || service.calls() == 2).await;
    process.kill();

    let process = Process::configured(folder.path(), &stanzas, &[]);
    let status = status(&process, folder.path()).await;
    assert_eq!(status.pointer("/log/held"), Some(&Value::from(1)), "{status}");
    let refusal = exchange(process.mllp, &poison).await;
    // AE and not AR: trying again can help, once somebody looked at it.
    assert_eq!(msa(&refusal), ("AE", "POISON"), "{refusal}");
    assert!(refusal.contains("held"), "{refusal}");
    let listed = || messages(folder.path(), &["list", "--state", "held"]);
    until("it is listed", async || !listed().is_empty()).await;
    let held = listed().remove(0);
    // As the message's MSH-3/4, MSH-9, MSH-10 and PID-3 say.
    let said = [
        ("sender", "LIS/RUIJIN"),
        ("type", "ORU^R01"),
        ("control_id", "POISON"),
        ("patient", "PPOISON"),
    ];
    for (key, value) in said {
        assert_eq!(held[key], value, "{held}");
    }
    let seq = held["seq"].as_u64().expect("a number");
    let kept = shown(folder.path(), seq);
    assert_eq!(kept["state"], "held", "and can be looked at: {kept}");
    assert_eq!(service.calls(), 2, "never a third time by itself");

    mended.store(true, Ordering::SeqCst);
    let (code, text) = process.command(folder.path(), &["messages", "replay", &seq.to_string()]);
    assert!(code == Some(0) && text.contains("accepted"), "{code:?} {text}");
    assert_eq!(service.calls(), 3);
    assert_eq!(msa(&exchange(process.mllp, &poison).await), ("AA", "POISON"));
    assert!(process.terminate());
    assert_eq!(answered(folder.path()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_says_no_and_recovers_by_itself() {
    let Some(disk) = Disk::mounted("24m") else {
        println!("SKIPPED: only root may mount the small disk of this scenario");
        return;
    };
    let process = Process::start(disk.path(), &[]);
    let mut accepted = vec!["BEFORE".to_owned()];
    assert_eq!(
        msa(&exchange(process.mllp, &oru("BEFORE", "4.0")).await),
        ("AA", "BEFORE")
    );
    assert_eq!(get(process.admin, "/readyz", "").await.0, 200);

    let filler = disk.fill();
    // A little room may be left in files that SQLite has already; it is used up, and from then on nothing is accepted.
    let note = format!("NTE|1|L|{}\r", "x".repeat(200_000));
    let mut number = 0;
    let full = async || {
        number += 1;
        let id = format!("FULL{number}");
        let reply = exchange(process.mllp, &(oru(&id, "4.0") + &note)).await;
        let (code, told) = msa(&reply);
        assert_eq!(told, id);
        if code == "AA" {
            accepted.push(id);
            disk.fill();
        } else {
            assert_eq!(code, "AE", "{reply}");
        }
        code != "AA"
    };
    until("a message is refused", full).await;
    let (code, text) = get(process.admin, "/readyz", "").await;
    assert_eq!(code, 503, "{text}");
    let ready: Value = serde_json::from_str(&text).expect("JSON");
    let reasons = ready.get("reasons").and_then(Value::as_array).expect("reasons");
    assert!(
        reasons
            .iter()
            .any(|reason| reason.as_str().is_some_and(|text| text.contains("log"))),
        "{text}"
    );
    assert_eq!(get(process.admin, "/livez", "").await.0, 200);
    for number in 0..6 {
        let message = oru(&format!("STILL{number}"), "4.0") + &note;
        // Neither an application's yes nor a commit's (HL7 v2.9 2.9.2.2: CA says that it is in safe storage).
        let (message, no) = if number % 2 == 0 {
            (message, "AE")
        } else {
            (message.replace("|P|2.5.1||||||", "|P|2.5.1|||AL|NE||"), "CE")
        };
        let reply = exchange(process.mllp, &message).await;
        assert_eq!(msa(&reply).0, no, "nothing is accepted on a full disk: {reply}");
    }

    std::fs::remove_file(filler).expect("the space is free again");
    until("it is ready again", async || {
        get(process.admin, "/readyz", "").await.0 == 200
    })
    .await;
    assert_eq!(
        msa(&exchange(process.mllp, &oru("AFTER", "4.0")).await),
        ("AA", "AFTER")
    );
    accepted.push("AFTER".to_owned());
    assert!(process.terminate());
    told_is_kept(disk.path(), &accepted);
}

/// Everything that was acknowledged is in the log with its acknowledgement.
fn told_is_kept(data: &Path, accepted: &[String]) {
    let mut kept = Vec::new();
    for record in records(data) {
        if let Event::Answered { ended, .. } = record.event {
            for reply in ended.replies.iter() {
                kept.push(msa(&String::from_utf8_lossy(&reply.bytes)).1.to_owned());
            }
        }
    }
    let lost: Vec<_> = accepted.iter().filter(|id| !kept.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}
