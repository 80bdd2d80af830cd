//! Reading deliveries beside the writer: what waits, what is dead and why, and whatever else a person asks for. Pages are
//! bounded in deliveries and bytes.

use causeway_core::store::{Audit, Dead, Posted, Query, State};
use causeway_core::{Delivery, Fault};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::accounts::account;
use super::deliveries::state;
use super::reader::Reader;
use super::{column, fault, nanoseconds, number, time};

/// A page of deliveries ends after about so many bytes.
const PAGE: usize = 8 << 20;

const COLUMNS: &str = "id, number, part, state, posted, attempts, failed, due, settled, class, cause, destination, \
                       order_key, message_type, media_type, body";

impl Reader {
    /// The waiting deliveries of a destination after a number, in order; with a key, those of that order alone.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn waiting(
        &self,
        destination: &str,
        key: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Posted>, Fault> {
        let of_key = if key.is_some() { " AND order_key = ?4" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery WHERE state = 0 AND destination = ?1 AND id > ?2{of_key} ORDER BY id LIMIT ?3"
        );
        let mut values = vec![destination.to_owned().into(), column(after).into(), rows(limit)];
        values.extend(key.map(|key| Value::from(key.to_owned())));
        self.read(|db| page(db, &sql, &values))
    }

    /// Deliveries after a number, in order.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn find(&self, query: &Query, after: u64, limit: usize) -> Result<Vec<Posted>, Fault> {
        let (mut conditions, mut values) = conditions(query);
        conditions.push_str(" AND id > ? ORDER BY id LIMIT ?");
        values.extend([column(after).into(), rows(limit)]);
        let sql = format!("SELECT {COLUMNS} FROM delivery WHERE {conditions}");
        self.read(|db| page(db, &sql, &values))
    }

    /// The numbers of deliveries after a number, in order.
    pub(super) fn ids(&self, query: &Query, after: u64, limit: usize) -> Result<Vec<u64>, Fault> {
        let (conditions, mut values) = conditions(query);
        values.extend([column(after).into(), rows(limit)]);
        let sql = format!("SELECT id FROM delivery WHERE {conditions} AND id > ? ORDER BY id LIMIT ?");
        self.read(|db| {
            let mut select = db.prepare_cached(&sql).map_err(fault)?;
            let ids = select.query_map(params_from_iter(&values), |row| number(row, 0));
            ids.and_then(Iterator::collect).map_err(fault)
        })
    }

    /// How many are meant.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn count(&self, query: &Query) -> Result<u64, Fault> {
        let (conditions, values) = conditions(query);
        let sql = format!("SELECT count(*) FROM delivery WHERE {conditions}");
        let count = |row: &Row<'_>| number(row, 0);
        self.read(|db| db.query_row(&sql, params_from_iter(&values), count).map_err(fault))
    }

    /// Dead deliveries by destination, class and cause; many before few.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn dead(&self, destination: Option<&str>) -> Result<Vec<Dead>, Fault> {
        let of = if destination.is_some() {
            " AND destination = ?"
        } else {
            ""
        };
        let sql = format!(
            "SELECT destination, class, cause, count(*), min(id), max(id) FROM delivery WHERE state = 2{of}
             GROUP BY destination, class, cause ORDER BY count(*) DESC, min(id)"
        );
        self.read(|db| {
            let mut select = db.prepare_cached(&sql).map_err(fault)?;
            let groups = select.query_map(params_from_iter(destination), |row| {
                Ok(Dead {
                    destination: row.get(0)?,
                    class: row.get(1)?,
                    cause: row.get(2)?,
                    count: number(row, 3)?,
                    first: number(row, 4)?,
                    last: number(row, 5)?,
                })
            });
            groups.and_then(Iterator::collect).map_err(fault)
        })
    }

    /// Every destination with its numbers beside what is counted one by one; one statement, so of one moment.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn audit(&self) -> Result<Vec<Audit>, Fault> {
        let sql = "SELECT name, paused, posted, delivered, dropped, dead,
               coalesce((SELECT max(id) FROM delivery WHERE destination = name AND state = 0), 0),
               (SELECT count(*) FROM delivery WHERE destination = name AND state = 0),
               (SELECT count(*) FROM delivery WHERE destination = name AND state = 2),
               (SELECT posted FROM delivery WHERE destination = name AND state = 0 ORDER BY id LIMIT 1)
             FROM destination ORDER BY name";
        self.read(|db| {
            let mut select = db.prepare_cached(sql).map_err(fault)?;
            let all = select.query_map([], |row| {
                Ok(Audit {
                    destination: row.get(0)?,
                    account: account(row)?,
                    waiting: number(row, 7)?,
                    dead: number(row, 8)?,
                    oldest: row.get::<_, Option<i64>>(9)?.map(time),
                })
            });
            all.and_then(Iterator::collect).map_err(fault)
        })
    }
}

fn rows(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

/// What a query asks for, as conditions with their values.
fn conditions(query: &Query) -> (String, Vec<Value>) {
    let mut sql = "1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::from);
    add("id = ?", query.id.map(|id| column(id).into()));
    add("number = ?", query.number.map(|number| column(number).into()));
    add("destination = ?", text(&query.destination));
    add("class = ?", text(&query.class));
    add("cause = ?", text(&query.cause));
    add("message_type = ?", text(&query.message_type));
    add("posted >= ?", query.since.map(|since| nanoseconds(since).into()));
    add("posted < ?", query.until.map(|until| nanoseconds(until).into()));
    // Spelled out, since only then the planner sees that the index of such rows will do.
    sql.push_str(match query.state {
        None => "",
        Some(State::Waiting) => " AND state = 0",
        Some(State::Delivered) => " AND state = 1",
        Some(State::Dead) => " AND state = 2",
        Some(State::Dropped) => " AND state = 3",
    });
    (sql, values)
}

fn page(db: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Posted>, Fault> {
    let mut select = db.prepare_cached(sql).map_err(fault)?;
    let mut rows = select.query(params_from_iter(values)).map_err(fault)?;
    let (mut page, mut bytes) = (Vec::new(), 0);
    while bytes < PAGE
        && let Some(row) = rows.next().map_err(fault)?
    {
        let posted = posted(row).map_err(fault)?;
        bytes += posted.delivery.body.len();
        page.push(posted);
    }
    Ok(page)
}

fn posted(row: &Row<'_>) -> rusqlite::Result<Posted> {
    let at = |index| row.get::<_, Option<i64>>(index).map(|at| at.map(time));
    Ok(Posted {
        id: number(row, 0)?,
        number: number(row, 1)?,
        part: row.get(2)?,
        state: state(row.get(3)?),
        posted: time(row.get(4)?),
        attempts: row.get(5)?,
        failed: row.get(6)?,
        due: at(7)?,
        settled: at(8)?,
        class: row.get(9)?,
        cause: row.get(10)?,
        delivery: delivery(row, 11)?,
    })
}

/// What is to be delivered, from its columns in a row.
pub(super) fn delivery(row: &Row<'_>, from: usize) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        destination: row.get(from)?,
        order: row.get(from + 1)?,
        message_type: row.get(from + 2)?,
        media_type: row.get(from + 3)?,
        body: row.get(from + 4)?,
    })
}
