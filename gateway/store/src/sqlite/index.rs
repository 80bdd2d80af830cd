//! Finds the earlier frame of a resend by its mark.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{column, number};

#[derive(Debug, Default)]
pub(super) struct Index {
    recent: HashMap<i64, u64>,
}

impl Index {
    /// The frames received after a position.
    pub(super) fn load(db: &Connection, indexed: u64) -> rusqlite::Result<Self> {
        let mut select =
            db.prepare("SELECT mark, number FROM log WHERE position > ?1 AND kind = 0 ORDER BY position")?;
        let rows = select.query_map([column(indexed)], |row| Ok((row.get(0)?, number(row, 1)?)))?;
        Ok(Self {
            recent: rows.collect::<rusqlite::Result<_>>()?,
        })
    }

    pub(super) fn find(&self, mark: i64) -> Option<u64> {
        self.recent.get(&mark).copied()
    }

    pub(super) fn extend(&mut self, frames: impl IntoIterator<Item = (i64, u64)>) {
        self.recent.extend(frames);
    }
}
