//! Finding messages: by key, by words, by what a listing shows. Pages in short transactions, beside a running gateway.

use std::path::Path;

use rusqlite::{Connection, Row, params_from_iter, types::Value};
use serde::Serialize;

use super::{schema, words};

/// What to list. Everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words: names, identifiers, codes, each a phrase, or a whole control id; each must be found.
    pub words: Vec<String>,
    /// An identifier of patient, order, accession or visit, or a control id, exactly.
    pub key: Option<String>,
    /// A message type: `ORU^R01`, or `ORU` for all of its events.
    pub message_type: Option<String>,
    /// The sending application or facility, or the listener.
    pub sender: Option<String>,
    /// A state: pending, accepted, remarked, refused, held, failed.
    pub state: Option<String>,
    /// Received at or after, microseconds since 1970.
    pub since: Option<i64>,
    /// Received before, microseconds since 1970.
    pub until: Option<i64>,
    /// Only numbers below: the next page.
    pub before: Option<u64>,
    /// At most so many, newest first.
    pub limit: usize,
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Number of the frame.
    pub seq: u64,
    /// When it was received, RFC 3339.
    pub received: String,
    /// The listener.
    pub listener: String,
    /// Who sent it, as the message says.
    pub sender: Option<String>,
    /// Message type.
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    /// The sender's id of the message.
    pub control_id: Option<String>,
    /// The patient's key.
    pub patient: Option<String>,
    /// pending, accepted, remarked, refused, held or failed.
    pub state: String,
    /// How many findings, late ones among them.
    pub findings: u64,
}

/// Reads the read model.
#[derive(Debug)]
pub struct Reader(Connection);

impl Reader {
    /// Opens the read model of a data folder for reading.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self(schema::read_only(folder)?))
    }

    /// The messages that a filter lets through, newest first.
    ///
    /// # Errors
    /// The read model cannot be read.
    pub fn list(&self, filter: &Filter) -> anyhow::Result<Vec<Listed>> {
        let mut sql = "SELECT number, received, listener, sender, type, control_id, patient, state, findings + late
                       FROM messages WHERE 1"
            .to_owned();
        let mut values = Vec::new();
        for (condition, bound) in conditions(filter) {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.extend(bound);
        }
        sql.push_str(" ORDER BY number DESC LIMIT ?");
        values.push(Value::Integer(i64::try_from(filter.limit).unwrap_or(i64::MAX)));
        let mut statement = self.0.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(values), listed)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Earlier messages of the same listener and sender with the control id of a message, newest first; at most so many.
    ///
    /// # Errors
    /// The read model cannot be read.
    pub fn namesakes(&self, number: u64, limit: usize) -> anyhow::Result<Vec<u64>> {
        let mut statement = self.0.prepare(
            "SELECT e.number FROM messages m JOIN messages e ON e.control_id = m.control_id
               AND e.listener = m.listener AND e.sender IS m.sender AND e.number < m.number
             WHERE m.number = ?1 ORDER BY e.number DESC LIMIT ?2",
        )?;
        let found = statement.query_map(rusqlite::params![number, limit], |row| row.get(0))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

fn conditions(filter: &Filter) -> Vec<(&'static str, Vec<Value>)> {
    let mut all = Vec::new();
    let mut add = |condition, values: Vec<Value>| all.push((condition, values));
    let text = |text: &String| Value::Text(text.clone());
    if let Some(key) = &filter.key {
        add(
            "(number IN (SELECT number FROM keys WHERE value = ?) OR control_id = ?)",
            vec![text(key), text(key)],
        );
    }
    for word in &filter.words {
        match phrase(word) {
            Some(phrase) => add(
                "(number IN (SELECT rowid >> 20 FROM words WHERE words MATCH ?)
                  OR number IN (SELECT number FROM keys WHERE value = ?) OR control_id = ?)",
                vec![Value::Text(phrase), text(word), text(word)],
            ),
            None => add("control_id = ?", vec![text(word)]), // nothing that words are made of
        }
    }
    if let Some(kind) = &filter.message_type {
        add("(type = ? OR type LIKE ? || '^%')", vec![text(kind), text(kind)]);
    }
    if let Some(sender) = &filter.sender {
        add(
            "(sender = ? OR sender LIKE ? || '|%' OR sender LIKE '%|' || ? OR listener = ?)",
            vec![text(sender); 4],
        );
    }
    if let Some(state) = &filter.state {
        add("state = ?", vec![text(state)]);
    }
    if let Some(since) = filter.since {
        add("received >= ?", vec![Value::Integer(since)]);
    }
    if let Some(until) = filter.until {
        add("received < ?", vec![Value::Integer(until)]);
    }
    if let Some(before) = filter.before {
        add(
            "number < ?",
            vec![Value::Integer(i64::try_from(before).unwrap_or(i64::MAX))],
        );
    }
    all
}

/// The FTS query: the word as a phrase, its ideographs side by side. Quotes are doubled, so nothing is an operator.
fn phrase(word: &str) -> Option<String> {
    let has_any = word.chars().any(char::is_alphanumeric);
    has_any.then(|| format!("\"{}\"", words::spaced(word).replace('"', "\"\"")))
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let received: i64 = row.get(1)?;
    let received = jiff::Timestamp::from_microsecond(received)
        .map(|time| format!("{time:.6}")) // always six digits, so that times line up
        .unwrap_or_default();
    Ok(Listed {
        seq: row.get(0)?,
        received,
        listener: row.get(2)?,
        sender: row.get(3)?,
        message_type: row.get(4)?,
        control_id: row.get(5)?,
        patient: row.get(6)?,
        state: row.get(7)?,
        findings: row.get(8)?,
    })
}
