//! `causeway messages show`: one message as the log keeps it, for a person or, with `--json`, as one record. FHIR that was
//! kept is passed on as its text, so that no number loses a digit.

use causeway_core::adapter::Trace;
use causeway_core::fhir::{Limits, parse, pretty};
use causeway_core::finding::Lang;
use causeway_core::store::{Decided, Ended, Facts, Late, Pending, Posted, Query, parts_of};
use causeway_core::{Actor, ActorKind, Adapter, Class, Finding, NodeId, Severity, Text};
use causeway_hl7v2::Hl7v2;
use causeway_store::{Reader as Log, SqliteLog};
use causeway_x12::X12;
use jiff::Timestamp;
use serde_json::json;

use super::{Common, Status, deliveries, output};
use crate::config::{Config, Format, Listener};
use crate::projection::{self, ACCEPTED, Reader};
use crate::resources::{self, Older};
use crate::spool::{Body, Spool};
use crate::telemetry::TraceId;
use crate::wire;

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
    let kept = Kept {
        notes: notes(&config, &log, &message),
        message,
        ended: log.outcome(seq).map_err(inside)?,
        deliveries: posted(&log, seq).map_err(inside)?,
        late: log.came_late(seq).map_err(inside)?,
    };
    let wanted = lineage || ledger;
    let trace = wanted
        .then(|| traced(&config, &kept.message))
        .transpose()?
        .map(|trace| Trace {
            lineage: if lineage { trace.lineage } else { Vec::new() },
            ledger: if ledger { trace.ledger } else { Vec::new() },
        });
    if common.json {
        record(&kept, &log, trace.as_ref())?;
        return Ok(Status::Fine);
    }
    people(&kept, &log, config.lang)?;
    records(trace.as_ref(), (lineage, ledger))?;
    Ok(Status::Fine)
}

/// Deliveries of a message that are shown; `causeway deliveries list --seq` has all of them.
const SHOWN: usize = 1_000;

fn posted(log: &Log, seq: u64) -> Result<Vec<Posted>, causeway_core::Fault> {
    let query = Query {
        number: Some(seq),
        ..Query::default()
    };
    log.find(&query, 0, SHOWN)
}

/// What the log has of one message.
struct Kept {
    message: Pending,
    ended: Option<Ended>,
    late: Vec<Late>,
    deliveries: Vec<Posted>,
    /// What is to be known of it that is nobody's fault and was said to nobody.
    notes: Vec<Finding>,
}

impl Kept {
    /// The answers of its parts, some at a time; before it is answered, those that were decided so far.
    fn parts<'a>(&self, log: &'a Log) -> impl Iterator<Item = anyhow::Result<Vec<Decided>>> + use<'a> {
        let number = self.message.number;
        let ended = self.ended.clone().unwrap_or_else(Ended::not_yet);
        let parts = parts_of(move |from| log.decided_earlier(number, from), ended);
        parts.map(|parts| parts.map_err(|fault| anyhow::anyhow!("{}", fault.inside)))
    }

    /// The state as listings have it.
    fn state(&self, log: &Log) -> anyhow::Result<&'static str> {
        match &self.ended {
            Some(_) => self
                .parts(log)
                .try_fold(ACCEPTED, |state, parts| Ok(projection::state(state, &parts?))),
            None if self.message.is_held() => Ok("held"),
            None => Ok("pending"),
        }
    }
}

fn people(kept: &Kept, log: &Log, lang: Lang) -> anyhow::Result<()> {
    let (number, frame) = (kept.message.number, &kept.message.frame);
    output::line(&format!(
        "=== frame {}, received {:.6} on {} from {}, trace {}",
        number,
        frame.received,
        frame.listener,
        frame.peer,
        TraceId::of(number, frame)
    ));
    output::line(&output::segments(&frame.body));
    match &kept.ended {
        None if kept.message.is_held() => output::line("=== held: the gateway died while it ran, more than once"),
        None => output::line("=== not answered yet"),
        Some(_) => {}
    }
    for parts in kept.parts(log) {
        parts?.iter().try_for_each(|decided| part(decided, lang))?;
    }
    for reply in kept.ended.iter().flat_map(|ended| ended.replies.iter()) {
        output::line("=== reply");
        output::line(&output::segments(&reply.bytes));
    }
    kept.late.iter().for_each(|late| came_late(late, lang));
    if !kept.deliveries.is_empty() {
        output::line("=== deliveries");
    }
    let deliveries = kept.deliveries.iter();
    deliveries.for_each(|posted| output::line(&deliveries::row(posted)));
    if !kept.notes.is_empty() {
        output::line("=== notes");
    }
    let notes = kept.notes.iter();
    notes.for_each(|note| output::line(&output::finding(note, lang)));
    Ok(())
}

fn part(decided: &Decided, lang: Lang) -> anyhow::Result<()> {
    output::line(&format!("=== part {}: {}", decided.part, decided.verdict.word()));
    let json = bundle(decided)?;
    if json != b"{}" {
        output::line(&pretty(&parse(&json, Limits::default())?, NodeId::ROOT));
    }
    let facts: Facts = serde_json::from_slice(&decided.facts)?;
    output::line("=== findings");
    let findings = facts.findings.iter();
    findings.for_each(|finding| output::line(&output::finding(finding, lang)));
    Ok(())
}

fn came_late(late: &Late, lang: Lang) {
    output::line(&format!(
        "=== late findings of {} on part {}, {:.6}: the reply was given without them",
        late.service, late.part, late.time
    ));
    if late.findings.is_empty() {
        output::line("evaluated, nothing found");
    }
    let findings = late.findings.iter();
    findings.for_each(|finding| output::line(&output::finding(finding, lang)));
}

fn bundle(decided: &Decided) -> anyhow::Result<Vec<u8>> {
    let json = causeway_store::decompress(&decided.bundle, Limits::default().bytes);
    Ok(json.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?.to_vec())
}

/// Everything as one line of JSON, its parts as they are read.
fn record(kept: &Kept, log: &Log, trace: Option<&Trace>) -> anyhow::Result<()> {
    let (frame, ended) = (&kept.message.frame, kept.ended.as_ref());
    let late = |late: &Late| {
        json!({
            "service": late.service, "part": late.part, "time": format!("{:.6}", late.time),
            "findings": late.findings,
        })
    };
    let mut head = json!({
        "seq": kept.message.number, "received": format!("{:.6}", frame.received), "listener": &*frame.listener,
        "peer": &*frame.peer, "trace": TraceId::of(kept.message.number, frame).to_string(), "frame": output::text(&frame.body),
        "state": kept.state(log)?,
        "replies": ended.map(|ended| ended.replies.iter().map(|reply| output::text(&reply.bytes)).collect::<Vec<_>>()),
        "notes": kept.notes,
        "deliveries": kept.deliveries.iter().map(deliveries::record).collect::<Vec<_>>(),
        "late": kept.late.iter().map(late).collect::<Vec<_>>(),
    });
    if let (Some(head), Some(trace)) = (head.as_object_mut(), trace) {
        if !trace.lineage.is_empty() {
            head.insert("lineage".to_owned(), serde_json::to_value(&trace.lineage)?);
        }
        if !trace.ledger.is_empty() {
            head.insert("ledger".to_owned(), serde_json::to_value(&trace.ledger)?);
        }
    }
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or(&head);
    output::out(format!("{open},\"parts\":[").as_bytes());
    let mut between = "";
    for parts in kept.parts(log) {
        for decided in parts? {
            output::out(format!("{between}{}", part_record(&decided)?).as_bytes());
            between = ",";
        }
    }
    output::line("]}");
    Ok(())
}

fn part_record(decided: &Decided) -> anyhow::Result<String> {
    let facts: Facts = serde_json::from_slice(&decided.facts)?;
    Ok(format!(
        "{{\"part\":{},\"verdict\":\"{}\",\"rules\":{},\"findings\":{},\"bundle\":{}}}",
        decided.part,
        decided.verdict.word(),
        serde_json::to_string(&facts.rules)?,
        serde_json::to_string(&facts.findings)?,
        String::from_utf8(bundle(decided)?)?,
    ))
}

/// Earlier messages of the same control id that are looked at; a sender that numbers so has many.
const NAMESAKES: usize = 8;

/// What is found only when somebody looks.
fn notes(config: &Config, log: &Log, message: &Pending) -> Vec<Finding> {
    let mut notes: Vec<Finding> = namesake(config, log, message).into_iter().collect();
    // Nobody keeps resources that nobody reads.
    if let Ok(reader) = resources::Reader::open(&config.data) {
        notes.extend(reader.older(message.number).unwrap_or_default().iter().map(older));
    }
    notes
}

/// That what a message said of a resource changed nothing: what is known was stated later, or was written over HTTP.
fn older(of: &Older) -> Finding {
    let time = |micros: Option<i64>| micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let (name, stated) = (
        &of.name,
        time(of.stated).map_or_else(|| "-".to_owned(), |time| time.to_string()),
    );
    let (code, text) = match time(of.newer) {
        Some(newer) => (
            "out-of-order",
            Text::new(
                format!("{name} 的陈述（{stated}）早于已知内容（{newer}），未覆盖"),
                format!("{name} was stated at {stated}, and what is known of it at {newer}: it was not written over"),
            ),
        ),
        None => (
            "written-over-http",
            Text::new(
                format!("{name} 已通过 HTTP 写入，消息中的陈述未覆盖它"),
                format!("{name} was written over HTTP; what the message says of it changed nothing"),
            ),
        ),
    };
    let by = Actor::new(ActorKind::Gateway, "resources");
    Finding::new(code, Severity::Information, Class::Conflict, by, text)
}

/// That the sender gave the control id to other bytes before. Analysers that number from 1 every day do so all the time,
/// so it is no remark to the sender and found only when somebody looks.
fn namesake(config: &Config, log: &Log, message: &Pending) -> Option<Finding> {
    let reader = Reader::open(&config.data).ok()?; // the log alone does not know control ids
    let earlier = reader.namesakes(message.number, NAMESAKES).unwrap_or_default();
    let frames = earlier
        .into_iter()
        .filter_map(|number| log.frame(number).ok().flatten());
    let other = frames.into_iter().find(|frame| frame.hash != message.hash);
    other.as_ref().map(reused)
}

fn reused(earlier: &Pending) -> Finding {
    let (number, received) = (earlier.number, earlier.frame.received);
    let text = Text::new(
        format!("该消息控制号此前用于内容不同的消息 {number}（{received:.0}）"),
        format!("message {number} of {received:.0} has the same control id and other content"),
    );
    let by = Actor::new(ActorKind::Gateway, "log");
    Finding::new("control-id-reused", Severity::Information, Class::Duplicate, by, text)
}

/// Reads the frame again with the maps in force.
fn traced(config: &Config, message: &Pending) -> anyhow::Result<Trace> {
    let way = config.listeners.iter().find_map(|listener| {
        let mut ways = listener.ways().into_iter();
        let (_, format) = ways.find(|(name, _)| **name == *message.frame.listener)?;
        Some((listener.clone(), format))
    });
    let (listener, format) = way.unwrap_or_else(|| (Listener::default(), Format::Hl7v2));
    let source = Spool::of(&config.data).source(&message.frame);
    let mut source = source.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    Ok(match format {
        Format::Hl7v2 => trace(&Hl7v2::new(listener.hl7v2.read(config.lang)?)?, message, &mut source),
        Format::X12 => trace(&X12::new(&listener.x12.read()?)?, message, &mut source),
        Format::Dicom => trace(&wire::dicom_adapter(&listener)?, message, &mut source),
        Format::Fhir => Trace::default(), // it was FHIR already
    })
}

fn trace<A: Adapter>(adapter: &A, message: &Pending, source: &mut Body) -> Trace {
    let traced = adapter.trace(&message.frame.head, source, &message.hash);
    traced.value.unwrap_or_default()
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
