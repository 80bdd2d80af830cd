//! `causeway messages replay`: asks the running gateway to run a message again.

use hyper::StatusCode;
use serde_json::Value;

use super::{Common, Status, ask};

pub(super) fn run(common: &Common, seq: u64) -> anyhow::Result<Status> {
    let answered = ask::post(&common.config()?, &format!("/messages/{seq}/replay"))?;
    Ok(match answered {
        Some((status, answer)) => say(common, status, &answer),
        None => Status::Unreachable,
    })
}

fn say(common: &Common, status: StatusCode, answer: &Value) -> Status {
    let state = ask::text(answer, "state");
    ask::show(common.json, status, answer, || {
        let seq = answer.get("seq").and_then(Value::as_u64).unwrap_or_default();
        format!("message {seq}: {state}")
    });
    match (status, state) {
        (StatusCode::NOT_FOUND, _) => Status::Unreadable,
        (_, "failed" | "refused") => Status::Findings,
        (status, _) if status.is_success() => Status::Fine,
        _ => Status::Wrong,
    }
}
