//! What is listed and searched of one message: its row, summed up over its parts some at a time, since a large frame has
//! more of them than memory takes, and the keys and words that it is found by. It knows nothing of the log's order.

use std::collections::HashSet;

use causeway_core::Context;
use causeway_core::store::{Decided, Ended, Index, KeyKind, parts_of};
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::projector::Log;
use super::{schema, words};

/// A message's row before it is written; frames answered within the batch are written once.
#[derive(Default)]
pub(super) struct Row {
    pub(super) received: Option<(i64, String)>,
    pub(super) again: u32,
    pub(super) late: usize,
    pub(super) held: bool,
    pub(super) ended: Option<Ended>,
}

/// The state of a message while nothing speaks against it.
pub const ACCEPTED: &str = "accepted";

/// The worst verdict of parts, and of those before them.
pub fn state(so_far: &'static str, decided: &[Decided]) -> &'static str {
    let words = decided.iter().map(|part| part.verdict.word());
    words.fold(so_far, worse)
}

/// The worse of two verdicts.
fn worse(one: &'static str, other: &'static str) -> &'static str {
    let rank = |word: &str| {
        ["failed", "refused", "held", "remarked", "accepted"]
            .iter()
            .position(|known| *known == word)
    };
    if rank(other) < rank(one) { other } else { one }
}

pub(super) fn write(connection: &Connection, log: &Log<'_>, number: u64, row: Row) -> anyhow::Result<()> {
    let told = match row.ended {
        Some(ended) => Some(told(connection, log, number, ended)?),
        None if row.held => Some(Told {
            first: Some(Shown {
                context: log.described(number)?,
                ..Shown::default()
            }),
            ..Told::in_state("held")
        }),
        None => None,
    };
    match (&row.received, told) {
        (Some(received), told) => insert(connection, number, received, &told.unwrap_or(Told::in_state("pending")))?,
        (None, Some(told)) => update(connection, number, &told)?,
        (None, None) => {}
    }
    if row.again > 0 {
        connection
            .prepare_cached("UPDATE messages SET again = again + ?2 WHERE number = ?1")?
            .execute(params![number, row.again])?;
    }
    if row.late > 0 {
        connection
            .prepare_cached("UPDATE messages SET late = late + ?2 WHERE number = ?1")?
            .execute(params![number, row.late])?;
    }
    Ok(())
}

/// What of a part's [`Facts`](causeway_core::store::Facts) is listed and searched. Findings are only counted here, and
/// so never made.
#[derive(Default, Deserialize)]
struct Shown {
    context: Context,
    findings: Vec<IgnoredAny>,
    #[serde(default)]
    index: Index,
}

/// What a message's row says of what was answered: of its parts the worst verdict, all remarks, and who the first speaks
/// of.
struct Told {
    state: &'static str,
    findings: usize,
    first: Option<Shown>,
}

impl Told {
    fn in_state(state: &'static str) -> Self {
        Self {
            state,
            findings: 0,
            first: None,
        }
    }
}

/// Writes what the parts of a message are found by, some parts at a time, and sums them up.
fn told(connection: &Connection, log: &Log<'_>, number: u64, ended: Ended) -> anyhow::Result<Told> {
    let mut told = Told::in_state(ACCEPTED);
    for (batch, parts) in (0..).zip(parts_of(|from| log.store.decided_earlier(number, from), ended)) {
        let parts = parts.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
        told.state = state(told.state, &parts);
        let mut words = Words::default();
        for part in &parts {
            let Ok(shown) = serde_json::from_slice::<Shown>(&part.facts) else {
                continue;
            };
            told.findings += shown.findings.len();
            keys(connection, number, &shown.index)?;
            words.add(&shown.index);
            told.first.get_or_insert(shown);
        }
        words.write(connection, number, batch)?;
    }
    Ok(told)
}

/// A frame's row, complete if it was answered in the batch that it came in, as nearly all are.
fn insert(
    connection: &Connection,
    number: u64,
    (received, listener): &(i64, String),
    told: &Told,
) -> anyhow::Result<()> {
    let columns = Columns::of(told);
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO messages
             (number, received, listener, state, findings, sender, type, control_id, patient)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            number,
            received,
            listener,
            told.state,
            told.findings,
            columns.sender,
            columns.message_type,
            columns.control_id,
            columns.patient,
        ])?;
    Ok(())
}

fn update(connection: &Connection, number: u64, told: &Told) -> anyhow::Result<()> {
    let columns = Columns::of(told);
    connection
        .prepare_cached(
            "UPDATE messages SET state = ?2, findings = ?3, sender = ?4, type = ?5, control_id = ?6, patient = ?7
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            told.state,
            told.findings,
            columns.sender,
            columns.message_type,
            columns.control_id,
            columns.patient,
        ])?;
    Ok(())
}

/// Who a row speaks of.
struct Columns<'a> {
    sender: Option<&'a String>,
    message_type: Option<&'a String>,
    control_id: Option<&'a String>,
    patient: Option<&'a String>,
}

impl<'a> Columns<'a> {
    fn of(told: &'a Told) -> Self {
        let context = told.first.as_ref().map(|part| &part.context);
        let text = |pick: fn(&Context) -> &String| context.map(pick).filter(|text| !text.is_empty());
        Self {
            sender: text(|context| &context.sender),
            message_type: text(|context| &context.message_type),
            control_id: text(|context| &context.control_id),
            patient: told.first.as_ref().and_then(patient),
        }
    }
}

/// The patient as people know one: the first identifier, else the key.
fn patient(part: &Shown) -> Option<&String> {
    let mut keys = part.index.keys.iter();
    let known = keys.find(|(kind, _)| *kind == KeyKind::Patient).map(|(_, value)| value);
    known.or(part.context.patient.as_ref())
}

fn keys(connection: &Connection, number: u64, index: &Index) -> anyhow::Result<()> {
    for (kind, value) in &index.keys {
        connection
            .prepare_cached("INSERT OR IGNORE INTO keys (value, kind, number) VALUES (?1, ?2, ?3)")?
            .execute(params![value, *kind as i64, number])?;
    }
    Ok(())
}

/// The words of some parts, each line once: parts of a message have much in common.
#[derive(Default)]
struct Words {
    seen: HashSet<String>,
    text: String,
}

impl Words {
    fn add(&mut self, index: &Index) {
        for line in index.words.lines() {
            if self.seen.insert(line.to_owned()) {
                self.text.push_str(line);
                self.text.push('\n');
            }
        }
    }

    fn write(&self, connection: &Connection, number: u64, batch: u64) -> rusqlite::Result<()> {
        if !self.text.is_empty() {
            connection
                .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
                .execute(params![schema::words(number, batch), words::spaced(&self.text)])?;
        }
        Ok(())
    }
}
