//! Reading: a current version, an old one, and searches a page at a time, in order of first appearance.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::dates::stretch;
use super::params::{Form, form, number};
use super::{schema, write};

/// A version that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number in the order of first appearance.
    pub rid: i64,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// When it got that version, microseconds since 1970.
    pub updated: i64,
    /// Whether that version is the resource's end.
    pub deleted: bool,
    /// Compact JSON.
    pub body: Vec<u8>,
}

/// One condition of a search; all must hold. The most telling one leads to the resources, the others test what it led to:
/// among a million results that are final, those of one patient are looked at and no others.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// The less, the fewer resources it is likely to leave.
    rank: usize,
    /// The table of values, and what must hold there. `resource` itself for what every resource has once.
    table: &'static str,
    holds: String,
    values: Vec<Value>,
    /// Whether it names one value of the table's key, whose resources stand there in order and once each.
    exact: bool,
}

/// Parameters by how few resources a value of them is likely to leave.
const TELLING: &[&str] = &[
    "_id",
    "identifier",
    "_tag",
    "patient",
    "subject",
    "code",
    "date",
    "_lastUpdated",
    "status",
];

/// A search: a type and its conditions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// The type.
    pub kind: String,
    /// The conditions.
    pub criteria: Vec<Criterion>,
}

impl Criterion {
    /// The condition of a parameter with its decoded value; several values with commas are alternatives.
    ///
    /// # Errors
    /// The type has no such parameter, or the value is none of its form. What is wrong, in English.
    pub fn new(kind: &str, name: &str, value: &str) -> Result<Self, String> {
        let alternatives: Vec<&str> = value.split(',').collect();
        if alternatives.len() > 100 || value.is_empty() {
            return Err(format!("{name} takes 1 to 100 values"));
        }
        let param = number(kind, name);
        let mut made = match (name, form(kind, name)) {
            ("_id", _) => ids(&alternatives),
            ("_lastUpdated", _) => updated(&alternatives)?,
            (_, Some(Form::Token)) => tokens(param, name, &alternatives),
            (_, Some(Form::Reference)) => references(param, name, &alternatives),
            (_, Some(Form::Date)) => dates(param, &alternatives)?,
            (_, None) => return Err(format!("{kind} cannot be searched by {name}")),
        };
        made.rank = TELLING.iter().position(|known| *known == name).unwrap_or(TELLING.len());
        Ok(made)
    }

    fn new_in(table: &'static str, holds: String, values: Vec<Value>) -> Self {
        Self {
            rank: 0,
            table,
            holds,
            values,
            exact: false,
        }
    }

    /// As what leads to resources `r`.
    fn leads(&self) -> String {
        let Self { table, holds, .. } = self;
        match *table {
            "resource" => format!("resource r WHERE ({holds})"),
            table if self.exact => format!("{table} t CROSS JOIN resource r ON r.rid = t.rid WHERE {holds}"),
            table => format!("resource r WHERE r.rid IN (SELECT rid FROM {table} WHERE {holds})"),
        }
    }

    /// As a test of a resource `r` at hand.
    fn tests(&self) -> String {
        let Self { table, holds, .. } = self;
        match *table {
            "resource" => format!(" AND ({holds})"),
            table => format!(" AND EXISTS (SELECT 1 FROM {table} WHERE rid = r.rid AND {holds})"),
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn ids(all: &[&str]) -> Criterion {
    let marks = vec!["?"; all.len()].join(", ");
    let values = all.iter().copied().map(text).collect();
    Criterion::new_in("resource", format!("r.id IN ({marks})"), values)
}

fn tokens(param: i64, name: &str, all: &[&str]) -> Criterion {
    let mut values = vec![Value::Integer(param)];
    let mut exact = all.len() == 1;
    let mut either = Vec::new();
    for one in all {
        match one.split_once('|') {
            // A status is a bare code and has no system.
            None if name != "status" => {
                exact = false;
                values.push(text(one));
                either.push("code = ?");
            }
            Some((system, "")) => {
                exact = false;
                values.push(text(system));
                either.push("system = ?");
            }
            found => {
                let (system, code) = found.unwrap_or(("", one));
                values.extend([text(code), text(system)]);
                either.push("(code = ? AND system = ?)");
            }
        }
    }
    Criterion {
        exact,
        ..Criterion::new_in("token", format!("param = ? AND ({})", either.join(" OR ")), values)
    }
}

/// A reference by id alone means a patient, or whatever a subject may be; one by a whole address its end.
fn references(param: i64, name: &str, all: &[&str]) -> Criterion {
    let kinds: &[&str] = if name == "patient" {
        &["Patient"]
    } else {
        &["Patient", "Group", "Device", "Location"]
    };
    let mut values = vec![Value::Integer(param)];
    for one in all {
        let mut steps = one.rsplit('/');
        match (steps.next(), steps.next()) {
            (Some(id), Some(kind)) => values.push(Value::Text(format!("{kind}/{id}"))),
            _ => values.extend(kinds.iter().map(|kind| Value::Text(format!("{kind}/{one}")))),
        }
    }
    let marks = vec!["?"; values.len() - 1].join(", ");
    Criterion {
        exact: values.len() == 2,
        ..Criterion::new_in("refers", format!("param = ? AND target IN ({marks})"), values)
    }
}

/// A date with its prefix: what must hold between the stretch that is stored and the one that is asked for (FHIR R4
/// search 3.1.1.5.5).
fn range(one: &str, low: &str, high: &str) -> Result<(String, Vec<Value>), String> {
    let (prefix, date) = match one.split_at_checked(2) {
        Some((prefix, date)) if prefix.bytes().all(|byte| byte.is_ascii_alphabetic()) => (prefix, date),
        _ => ("eq", one),
    };
    let (first, last) = stretch(date).ok_or_else(|| format!("{one:?} is no date"))?;
    let (first, last) = (Value::Integer(first), Value::Integer(last));
    Ok(match prefix {
        "eq" => (format!("({low} >= ? AND {high} <= ?)"), vec![first, last]),
        "ne" => (format!("({low} < ? OR {high} > ?)"), vec![first, last]),
        "gt" => (format!("{high} > ?"), vec![last]),
        "ge" => (format!("({high} > ? OR {low} >= ?)"), vec![last, first]),
        "lt" => (format!("{low} < ?"), vec![first]),
        "le" => (format!("({low} < ? OR {high} <= ?)"), vec![first, last]),
        "sa" => (format!("{low} > ?"), vec![last]),
        "eb" => (format!("{high} < ?"), vec![first]),
        other => return Err(format!("{other:?} is no prefix of a date")),
    })
}

fn ranges(all: &[&str], low: &str, high: &str, values: &mut Vec<Value>) -> Result<String, String> {
    let mut either = Vec::new();
    for one in all {
        let (test, more) = range(one, low, high)?;
        values.extend(more);
        either.push(test);
    }
    Ok(either.join(" OR "))
}

fn dates(param: i64, all: &[&str]) -> Result<Criterion, String> {
    let mut values = vec![Value::Integer(param)];
    let either = ranges(all, "low", "high", &mut values)?;
    Ok(Criterion::new_in("date", format!("param = ? AND ({either})"), values))
}

fn updated(all: &[&str]) -> Result<Criterion, String> {
    let mut values = Vec::new();
    let either = ranges(all, "r.updated", "r.updated", &mut values)?;
    Ok(Criterion::new_in("resource", either, values))
}

/// Reads resources beside whoever writes them.
#[derive(Debug)]
pub struct Reader(Connection);

impl Reader {
    /// Opens the tables of a data folder.
    ///
    /// # Errors
    /// They are not there or cannot be read.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        schema::read_only(folder).map(Self)
    }

    /// The last position of the log that was applied.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn position(&self) -> rusqlite::Result<u64> {
        let mut select = self.0.prepare_cached("SELECT position FROM applied")?;
        select.query_row([], |row| row.get(0))
    }

    pub(super) fn current(&self, kind: &str, id: &str) -> rusqlite::Result<Option<write::Stored>> {
        write::current(&self.0, kind, id)
    }

    /// The current version of a resource.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn read(&self, kind: &str, id: &str) -> rusqlite::Result<Option<Found>> {
        let current = self.current(kind, id)?;
        Ok(current.map(|stored| Found {
            rid: stored.rid,
            id: id.to_owned(),
            version: stored.version,
            updated: stored.updated,
            deleted: stored.deleted,
            body: stored.body,
        }))
    }

    /// A version of a resource.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn version(&self, kind: &str, id: &str, version: u64) -> rusqlite::Result<Option<Found>> {
        let Some(current) = self.read(kind, id)? else {
            return Ok(None);
        };
        if current.version == version {
            return Ok(Some(current));
        }
        let sql = "SELECT rid, ?3, version, updated, deleted, body FROM old WHERE rid = ?1 AND version = ?2";
        let mut select = self.0.prepare_cached(sql)?;
        select.query_row(params![current.rid, version, id], found).optional()
    }

    /// The resources behind a number that meet a search, at most so many.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn search(&self, search: &Search, after: i64, most: usize) -> rusqlite::Result<Vec<Found>> {
        let mut criteria: Vec<&Criterion> = search.criteria.iter().collect();
        criteria.sort_by_key(|criterion| criterion.rank);
        let mut sql = "SELECT r.rid, r.id, r.version, r.updated, r.deleted, r.body FROM ".to_owned();
        match criteria.split_first() {
            None => sql.push_str("resource r WHERE true"),
            Some((first, rest)) => {
                sql.push_str(&first.leads());
                for criterion in rest {
                    sql.push_str(&criterion.tests());
                }
            }
        }
        // The table that leads is in order already where its key is named.
        let rid = if criteria.first().is_some_and(|first| first.exact) {
            "t.rid"
        } else {
            "r.rid"
        };
        for part in [
            " AND r.kind = ? AND r.deleted = 0 AND ",
            rid,
            " > ? ORDER BY ",
            rid,
            " LIMIT ?",
        ] {
            sql.push_str(part);
        }
        let said = criteria.iter().flat_map(|criterion| criterion.values.iter().cloned());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rest = [text(&search.kind), Value::Integer(after), Value::Integer(most)];
        let values: Vec<Value> = said.chain(rest).collect();
        let mut select = self.0.prepare_cached(&sql)?;
        let rows = select.query_map(params_from_iter(values), found)?;
        rows.collect()
    }
}

fn found(row: &rusqlite::Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        rid: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        updated: row.get(3)?,
        deleted: row.get(4)?,
        body: row.get(5)?,
    })
}
