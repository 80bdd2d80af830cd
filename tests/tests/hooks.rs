//! Decision-support services that are late, down, broken or lying: the acknowledgement goes out in time all the same and
//! says that there was no evaluation. And good ones, whose remark stands at the result's own OBX.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway_core::Hook;
use causeway_server::hooks::{CdsHook, HookConfig};
use causeway_tests::{Doing, EXAMPLE, Gateway, Process, Service, card_on, exchange, fields, oru, segment};

/// An acknowledgement is in time when it comes within this; a service may take 300 ms of it.
const IN_TIME: Duration = Duration::from_secs(1);

fn hook(url: &str) -> Arc<dyn Hook> {
    Arc::new(CdsHook::new(HookConfig::new("advisor", url)).expect("a client"))
}

async fn doing(doing: Doing) -> Service {
    Service::start(move |_| doing.clone()).await
}

/// The ERR segments of a reply, as fields, whose finding is of a code.
fn remarks<'a>(reply: &'a str, code: &str) -> Vec<Vec<&'a str>> {
    let errors = segment(reply, "ERR").into_iter().map(fields);
    errors
        .filter(|err| err.get(5).is_some_and(|field| field.starts_with(code)))
        .collect()
}

/// Three messages through a gateway with one service: all are accepted, all say why there was no evaluation, and the
/// quickest was in time (a loaded machine may delay one, not all).
async fn not_evaluated(url: &str, why: &str) {
    let gateway = Gateway::start(vec![hook(url)], |_| {}).await;
    let mut quickest = Duration::MAX;
    for number in 0..3 {
        let begun = Instant::now();
        let reply = exchange(gateway.address(), &oru(&format!("H{number}"), "4.0")).await;
        quickest = quickest.min(begun.elapsed());
        assert_eq!(fields(segment(&reply, "MSA")[0])[1], "AA", "{reply}");
        let remarks = remarks(&reply, "not-evaluated");
        assert_eq!(remarks.len(), 1, "{reply}");
        assert!(remarks[0].iter().any(|field| field.contains(why)), "{why}: {reply}");
    }
    assert!(quickest < IN_TIME, "{why}: {quickest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn late() {
    let nothing = r#"{"cards":[]}"#.to_owned();
    let service = doing(Doing::AnswersAfter(Duration::from_secs(2), nothing)).await;
    not_evaluated(&service.url(), "did not answer in time").await;
    assert_eq!(service.calls(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent() {
    not_evaluated(&doing(Doing::Hangs).await.url(), "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn never_ending() {
    not_evaluated(&doing(Doing::Trickles).await.url(), "did not answer in time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn down() {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .expect("a port")
        .local_addr()
        .expect("an address");
    not_evaluated(&format!("http://{port}/cds-services/gone"), "could not be reached").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up() {
    not_evaluated(&doing(Doing::Says(String::new())).await.url(), "could not be reached").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_http_at_all() {
    not_evaluated(
        &doing(Doing::Says("220 ready\r\n".to_owned())).await.url(),
        "could not be reached",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing() {
    let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".to_owned();
    not_evaluated(&doing(Doing::Says(answer)).await.url(), "HTTP 500").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirecting_is_not_followed() {
    let elsewhere = doing(Doing::Answers(r#"{"cards":[]}"#.to_owned())).await;
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        elsewhere.url()
    );
    not_evaluated(&doing(Doing::Says(answer)).await.url(), "HTTP 307").await;
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_json() {
    let answer = r#"{"cards":[{"summary":"#.to_owned();
    not_evaluated(&doing(Doing::Answers(answer)).await.url(), "breaks the specification").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lying_about_its_focus() {
    let answer = r#"{"cards":[{"summary":"a","indicator":"info","source":{"label":"b"},
        "extension":{"health.causeway.focus":"Observation/of-somebody-else"}}]}"#;
    not_evaluated(
        &doing(Doing::Answers(answer.to_owned())).await.url(),
        "breaks the specification",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_that_does_not_exist() {
    let answer = r#"{"cards":[{"summary":"a","indicator":"fatal","source":{"label":"b"}}]}"#;
    not_evaluated(
        &doing(Doing::Answers(answer.to_owned())).await.url(),
        "breaks the specification",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_announced_or_not() {
    for declared in [true, false] {
        let flood = Doing::Floods {
            bytes: 50 << 20,
            declared,
        };
        not_evaluated(&doing(flood).await.url(), "too large").await;
    }
}

/// In a process of its own, so that its memory can be told from the test's.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_are_not_held_in_memory() {
    let service = doing(Doing::Floods {
        bytes: 50 << 20,
        declared: false,
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let stanza = format!("[[hook]]\nname = 'flood'\nurl = '{}'\n", service.url());
    let process = Process::configured(folder.path(), &stanza, &[]);
    let before = process.memory();
    for number in 0..4 {
        let reply = exchange(process.mllp, &oru(&format!("F{number}"), "4.0")).await;
        assert_eq!(remarks(&reply, "not-evaluated").len(), 1, "{reply}");
    }
    let grown = process.memory() - before;
    assert_eq!(service.calls(), 4);
    assert!(grown < 40 << 10, "{grown} KiB more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_one_is_heard_at_its_own_obx() {
    let service = Service::start(|request| Doing::Answers(card_on(request, "2345-7", "Glucose is fine"))).await;
    let gateway = Gateway::start(vec![hook(&service.url())], |_| {}).await;
    let reply = exchange(gateway.address(), EXAMPLE).await;
    let advice = remarks(&reply, "advice");
    assert_eq!(advice.len(), 1, "{reply}");
    // Glucose is the fourth OBX of the example.
    assert!(advice[0][2].starts_with("OBX^4^5"), "{reply}");
    assert_eq!(
        (advice[0][3].split('^').next(), advice[0][4]),
        (Some("0"), "W"),
        "{reply}"
    );
    assert!(
        advice[0].iter().any(|field| field.contains("Glucose is fine")),
        "{reply}"
    );
    assert!(remarks(&reply, "not-evaluated").is_empty(), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_service_does_not_silence_another() {
    let good = Service::start(|request| Doing::Answers(card_on(request, "2823-3", "Potassium"))).await;
    let bad = doing(Doing::Hangs).await;
    let gateway = Gateway::start(vec![hook(&bad.url()), hook(&good.url())], |_| {}).await;
    let reply = exchange(gateway.address(), EXAMPLE).await;
    assert_eq!(remarks(&reply, "not-evaluated").len(), 1, "{reply}");
    assert!(
        remarks(&reply, "advice")
            .iter()
            .any(|err| err[2].starts_with("OBX^2^5")),
        "{reply}"
    );
}

/// The service that the demo and the manual use.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_service() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/ai-service/service.py");
    let port = TcpListener::bind(("127.0.0.1", 0))
        .expect("a port")
        .local_addr()
        .expect("an address")
        .port();
    let started = Command::new("python3")
        .args(["-u", file, "--port", &port.to_string()])
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut service) = started else {
        println!("SKIPPED: no python3 on this machine");
        return;
    };
    // Its first line says that it listens.
    let mut line = String::new();
    BufReader::new(service.stdout.take().expect("stdout"))
        .read_line(&mut line)
        .expect("a line");
    let url = format!("http://127.0.0.1:{port}/cds-services/hyperkalaemia");
    let gateway = Gateway::start(vec![hook(&url)], |_| {}).await;
    // Its interpreter may be slow on the first call; the gateway does not wait for it, so ask until it is warm.
    let mut replies = Vec::new();
    for number in 0..20 {
        replies.push(exchange(gateway.address(), &oru(&format!("E{number}"), "7.1")).await);
        if !remarks(&replies[number], "advice").is_empty() {
            break;
        }
    }
    service.kill().expect("its end");
    service.wait().expect("its end");
    let advice = remarks(replies.last().expect("a reply"), "advice");
    assert_eq!(advice.len(), 1, "{line}{replies:?}");
    assert!(advice[0][2].starts_with("OBX^2^5"), "{replies:?}");
}
