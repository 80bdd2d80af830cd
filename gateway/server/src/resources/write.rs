//! Writes versions: the current one with what it is found by, and the one that it supersedes beside it.

use rusqlite::{Connection, OptionalExtension, params};

use super::params::Values;

/// A resource as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) rid: i64,
    pub(super) version: u64,
    pub(super) updated: i64,
    pub(super) stated: Option<i64>,
    pub(super) own: bool,
    pub(super) deleted: bool,
    pub(super) body: Vec<u8>,
}

/// The current version of a resource, deleted ones too.
pub(super) fn current(connection: &Connection, kind: &str, id: &str) -> rusqlite::Result<Option<Stored>> {
    let mut select = connection.prepare_cached(
        "SELECT rid, version, updated, stated, own, deleted, body FROM resource WHERE kind = ?1 AND id = ?2",
    )?;
    select
        .query_row([kind, id], |row| {
            Ok(Stored {
                rid: row.get(0)?,
                version: row.get(1)?,
                updated: row.get(2)?,
                stated: row.get(3)?,
                own: row.get(4)?,
                deleted: row.get(5)?,
                body: row.get(6)?,
            })
        })
        .optional()
}

/// A version to be written.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) version: u64,
    pub(super) updated: i64,
    pub(super) stated: Option<i64>,
    pub(super) own: bool,
    pub(super) deleted: bool,
    pub(super) body: &'a [u8],
}

/// Writes a version over the one before.
pub(super) fn put(
    connection: &Connection,
    before: Option<&Stored>,
    new: &New<'_>,
    values: &Values,
) -> rusqlite::Result<()> {
    let rid = match before {
        None => insert(connection, new)?,
        Some(before) => {
            supersede(connection, before, new)?;
            before.rid
        }
    };
    for (param, code, system) in &values.tokens {
        connection
            .prepare_cached("INSERT OR IGNORE INTO token (param, code, system, rid) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![param, code, system, rid])?;
    }
    for (param, target) in &values.references {
        connection
            .prepare_cached("INSERT OR IGNORE INTO refers (param, target, rid) VALUES (?1, ?2, ?3)")?
            .execute(params![param, target, rid])?;
    }
    for (param, low, high) in &values.dates {
        connection
            .prepare_cached("INSERT OR IGNORE INTO date (param, low, high, rid) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![param, low, high, rid])?;
    }
    Ok(())
}

/// Writes a version that was superseded before it came.
pub(super) fn put_behind(connection: &Connection, rid: i64, new: &New<'_>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO old (rid, version, updated, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![rid, new.version, new.updated, new.deleted, new.body])?;
    Ok(())
}

fn insert(connection: &Connection, new: &New<'_>) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO resource (kind, id, version, updated, stated, own, deleted, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert(params![
            new.kind,
            new.id,
            new.version,
            new.updated,
            new.stated,
            new.own,
            new.deleted,
            new.body
        ])
}

fn supersede(connection: &Connection, before: &Stored, new: &New<'_>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO old (rid, version, updated, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            before.rid,
            before.version,
            before.updated,
            before.deleted,
            before.body
        ])?;
    for sql in [
        "DELETE FROM token WHERE rid = ?1",
        "DELETE FROM refers WHERE rid = ?1",
        "DELETE FROM date WHERE rid = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([before.rid])?;
    }
    connection
        .prepare_cached(
            "UPDATE resource SET version = ?2, updated = ?3, stated = ?4, own = ?5, deleted = ?6, body = ?7
             WHERE rid = ?1",
        )?
        .execute(params![
            before.rid,
            new.version,
            new.updated,
            new.stated,
            new.own,
            new.deleted,
            new.body
        ])?;
    Ok(())
}
