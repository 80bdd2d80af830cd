//! What a decision-support service says after its budget: kept with the message, shown as late, and without any effect on
//! the reply that was given before.

use std::time::Duration;

use causeway_tests::{Doing, EXAMPLE, Process, Service, card_on, exchange, segment, shown, until};
use serde_json::Value;

const STANZA: &str = "[chain]\nhook-budget-ms = 100\n";
const BEYOND: Duration = Duration::from_millis(700);

fn hook(name: &str, service: &Service) -> String {
    format!("[[hook]]\nname = '{name}'\nurl = '{}'\n", service.url())
}

/// The late findings of a message by service, once there are so many results.
async fn late(data: &std::path::Path, seq: u64, results: usize) -> Vec<(String, Value)> {
    let read = || shown(data, seq)["late"].as_array().cloned().unwrap_or_default();
    until("late results", async || read().len() == results).await;
    let mut late: Vec<_> = read()
        .into_iter()
        .map(|result| (result["service"].as_str().unwrap_or_default().to_owned(), result))
        .collect();
    late.sort_by(|one, other| one.0.cmp(&other.0));
    late
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_is_kept_and_changes_no_reply() {
    let glucose = |request: &Value| Doing::AnswersAfter(BEYOND, card_on(request, "2345-7", "Glucose is fine"));
    let finds = Service::start(glucose).await;
    let silent = Service::start(|_| Doing::AnswersAfter(BEYOND, r#"{"cards":[]}"#.to_owned())).await;
    let folder = tempfile::tempdir().expect("a folder");
    let stanzas = [STANZA, &hook("finds", &finds), &hook("silent", &silent)].concat();
    let process = Process::configured(folder.path(), &stanzas, &[]);
    let reply = exchange(process.mllp, EXAMPLE).await;
    let not_evaluated = |reply: &str| {
        let errors = segment(reply, "ERR").into_iter();
        errors.filter(|error| error.contains("|not-evaluated^")).count()
    };
    assert_eq!(not_evaluated(&reply), 2, "{reply}");

    let kept = late(folder.path(), 1, 2).await;
    let services: Vec<_> = kept.iter().map(|(service, _)| service.as_str()).collect();
    assert_eq!(services, ["finds", "silent"]);
    let finding = &kept[0].1["findings"][0];
    // Glucose is the fourth OBX of the example.
    assert_eq!(
        (&finding["code"], &finding["place"]),
        (&"advice".into(), &"OBX[4]-5[1]".into())
    );
    assert_eq!(
        kept[1].1["findings"],
        Value::Array(Vec::new()),
        "evaluated, and nothing found"
    );

    assert!(process.terminate());
    let process = Process::configured(folder.path(), &stanzas, &[]);
    assert_eq!(late(folder.path(), 1, 2).await, kept, "after a restart");
    assert_eq!(
        exchange(process.mllp, EXAMPLE).await,
        reply,
        "a resend gets what was said"
    );
    assert_eq!((finds.calls(), silent.calls()), (1, 1));
    assert_eq!(shown(folder.path(), 1)["replies"][0], reply.as_str());
}
