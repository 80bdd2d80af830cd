//! `causeway messages show`: one message as the log keeps it, for a person or, with `--json`, as one record. FHIR that was
//! kept is passed on as its text, so that no number loses a digit.

use causeway_core::adapter::Trace;
use causeway_core::fhir::{Limits, parse, pretty};
use causeway_core::finding::Lang;
use causeway_core::store::{Decided, Ended, Facts, Pending};
use causeway_core::{Adapter, MemorySource, NodeId};
use causeway_hl7v2::Hl7v2;
use causeway_store::SqliteLog;
use serde_json::json;

use super::{Common, Status, output};
use crate::config::Config;

pub(super) fn run(common: &Common, seq: u64, lineage: bool, ledger: bool) -> anyhow::Result<Status> {
    let config = common.config()?;
    let inside = |fault: causeway_core::Fault| anyhow::anyhow!("{}", fault.inside);
    let log = match SqliteLog::read_only(&config.data) {
        Ok(log) => log,
        Err(fault) => {
            output::note(&format!("no messages in {}: {}", config.data.display(), fault.inside));
            return Ok(Status::Unreadable);
        }
    };
    let Some(message) = log.frame(seq).map_err(inside)? else {
        output::note(&format!("there is no message {seq}"));
        return Ok(Status::Unreadable);
    };
    let ended = log.outcome(seq).map_err(inside)?;
    let wanted = lineage || ledger;
    let trace = wanted
        .then(|| traced(&config, &message))
        .transpose()?
        .map(|trace| Trace {
            lineage: if lineage { trace.lineage } else { Vec::new() },
            ledger: if ledger { trace.ledger } else { Vec::new() },
        });
    if common.json {
        output::line(&record(&message, ended.as_ref(), trace.as_ref())?);
        return Ok(Status::Fine);
    }
    people(&message, ended.as_ref(), config.lang)?;
    records(trace.as_ref(), (lineage, ledger))?;
    Ok(Status::Fine)
}

fn people(message: &Pending, ended: Option<&Ended>, lang: Lang) -> anyhow::Result<()> {
    let frame = &message.frame;
    output::line(&format!(
        "=== frame {}, received {:.6} on {} from {}",
        message.number, frame.received, frame.listener, frame.peer
    ));
    output::line(&output::segments(&frame.body));
    match ended {
        None => output::line("=== not answered yet"),
        Some(ended) => answered(ended, lang)?,
    }
    Ok(())
}

fn answered(ended: &Ended, lang: Lang) -> anyhow::Result<()> {
    for decided in &ended.decided {
        output::line(&format!("=== part {}: {}", decided.part, decided.verdict.word()));
        let json = bundle(decided)?;
        if json != b"{}" {
            output::line(&pretty(&parse(&json, Limits::default())?, NodeId::ROOT));
        }
        let facts: Facts = serde_json::from_slice(&decided.facts)?;
        output::line("=== findings");
        facts
            .findings
            .iter()
            .for_each(|finding| output::line(&output::finding(finding, lang)));
    }
    for reply in ended.replies.iter() {
        output::line("=== reply");
        output::line(&output::segments(&reply.bytes));
    }
    Ok(())
}

fn bundle(decided: &Decided) -> anyhow::Result<Vec<u8>> {
    let json = causeway_store::decompress(&decided.bundle, Limits::default().bytes);
    Ok(json.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?.to_vec())
}

/// Everything as one line of JSON.
fn record(message: &Pending, ended: Option<&Ended>, trace: Option<&Trace>) -> anyhow::Result<String> {
    let frame = &message.frame;
    let mut head = json!({
        "seq": message.number, "received": format!("{:.6}", frame.received), "listener": &*frame.listener,
        "peer": &*frame.peer, "frame": output::text(&frame.body),
        "state": ended.map_or("pending", |ended| crate::projection::state(&ended.decided)),
        "replies": ended.map(|ended| ended.replies.iter().map(|reply| output::text(&reply.bytes)).collect::<Vec<_>>()),
    });
    if let (Some(head), Some(trace)) = (head.as_object_mut(), trace) {
        if !trace.lineage.is_empty() {
            head.insert("lineage".to_owned(), serde_json::to_value(&trace.lineage)?);
        }
        if !trace.ledger.is_empty() {
            head.insert("ledger".to_owned(), serde_json::to_value(&trace.ledger)?);
        }
    }
    let parts = ended.iter().flat_map(|ended| &ended.decided).map(part);
    let parts = parts.collect::<anyhow::Result<Vec<_>>>()?.join(",");
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or(&head);
    Ok(format!("{open},\"parts\":[{parts}]}}"))
}

fn part(decided: &Decided) -> anyhow::Result<String> {
    let facts: Facts = serde_json::from_slice(&decided.facts)?;
    Ok(format!(
        "{{\"part\":{},\"verdict\":\"{}\",\"findings\":{},\"bundle\":{}}}",
        decided.part,
        decided.verdict.word(),
        serde_json::to_string(&facts.findings)?,
        String::from_utf8(bundle(decided)?)?,
    ))
}

/// Reads the frame again with the maps in force.
fn traced(config: &Config, message: &Pending) -> anyhow::Result<Trace> {
    let listener = config
        .listeners
        .iter()
        .find(|listener| *listener.name == *message.frame.listener);
    let options = listener.map(|listener| listener.hl7v2.clone()).unwrap_or_default();
    let adapter = Hl7v2::new(options.read(config.lang)?)?;
    let mut source = MemorySource(message.frame.body.clone());
    let traced = adapter.trace(&message.frame.head, &mut source, &message.hash);
    Ok(traced.value.unwrap_or_default())
}

fn records(trace: Option<&Trace>, (lineage, ledger): (bool, bool)) -> anyhow::Result<()> {
    let Some(trace) = trace else { return Ok(()) };
    if lineage {
        output::line("=== lineage");
        for record in &trace.lineage {
            output::line(&serde_json::to_string(record)?);
        }
    }
    if ledger {
        output::line("=== ledger");
        for record in &trace.ledger {
            output::line(&serde_json::to_string(record)?);
        }
    }
    Ok(())
}
