//! Forgetting what the log has dropped, a little at a time between the batches of new records. Only the log says what is
//! gone: a row is deleted when its frame is not there any more.

use causeway_core::Store;
use rusqlite::{Connection, OptionalExtension, params};

use super::schema;

/// Messages looked at in one step.
const MESSAGES: usize = 256;
/// Keys looked at in one step.
const KEYS: u64 = 10_000;

/// A place in the table of keys.
type Key = (String, i64, u64);

/// One pass over the old rows.
#[derive(Debug)]
pub(super) struct Pass {
    /// Microseconds since 1970; younger rows are not looked at.
    before: i64,
    /// The last message looked at.
    after: u64,
    /// The highest number deleted.
    highest: Option<u64>,
    /// The last key looked at, once the walk over them has begun. Keys have no index by number: every message would pay
    /// for it.
    keys: Option<Key>,
}

impl Pass {
    pub(super) fn new(before: i64) -> Self {
        Self {
            before,
            after: 0,
            highest: None,
            keys: None,
        }
    }

    /// Does a little; whether there is more to do.
    pub(super) fn step(&mut self, connection: &mut Connection, log: &dyn Store) -> anyhow::Result<bool> {
        match self.keys.take() {
            None => self.messages(connection, log),
            Some(after) => self.walk(connection, after),
        }
    }

    fn messages(&mut self, connection: &mut Connection, log: &dyn Store) -> anyhow::Result<bool> {
        let page = self.page(connection)?;
        let old: Vec<u64> = page.iter().filter(|(_, old)| *old).map(|(number, _)| *number).collect();
        let mut gone = Vec::new();
        for number in &old {
            let frame = log
                .frame(*number)
                .map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
            gone.extend(frame.is_none().then_some(*number));
        }
        delete(connection, &gone)?;
        self.highest = self.highest.max(gone.last().copied());
        if let (Some((last, _)), false) = (page.last(), old.is_empty()) {
            self.after = *last;
            return Ok(true);
        }
        self.keys = self.highest.map(|_| Key::default()); // begins now if anything was deleted
        Ok(self.keys.is_some())
    }

    /// The next messages and whether each is old. Numbers rise nearly with time, so a page without old ones is the last.
    fn page(&self, connection: &Connection) -> rusqlite::Result<Vec<(u64, bool)>> {
        let mut select = connection
            .prepare_cached("SELECT number, received < ?2 FROM messages WHERE number > ?1 ORDER BY number LIMIT ?3")?;
        let rows = select.query_map(params![self.after, self.before, MESSAGES], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        rows.collect()
    }

    fn walk(&mut self, connection: &Connection, after: Key) -> anyhow::Result<bool> {
        let (value, kind, number) = after;
        let end: Option<Key> = connection
            .prepare_cached(
                "SELECT value, kind, number FROM keys WHERE (value, kind, number) > (?1, ?2, ?3)
                 ORDER BY value, kind, number LIMIT 1 OFFSET ?4",
            )?
            .query_row(params![value, kind, number, KEYS], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let gone = "number <= ?4 AND number NOT IN (SELECT number FROM messages)";
        let highest = self.highest;
        match &end {
            Some((to, to_kind, to_number)) => connection
                .prepare_cached(&format!(
                    "DELETE FROM keys WHERE (value, kind, number) > (?1, ?2, ?3)
                     AND (value, kind, number) <= (?5, ?6, ?7) AND {gone}"
                ))?
                .execute(params![value, kind, number, highest, to, to_kind, to_number])?,
            None => connection
                .prepare_cached(&format!(
                    "DELETE FROM keys WHERE (value, kind, number) > (?1, ?2, ?3) AND {gone}"
                ))?
                .execute(params![value, kind, number, highest])?,
        };
        let more = end.is_some();
        self.keys = end;
        Ok(more)
    }
}

fn delete(connection: &mut Connection, gone: &[u64]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for number in gone {
        transaction
            .prepare_cached("DELETE FROM messages WHERE number = ?1")?
            .execute([number])?;
        transaction
            .prepare_cached("DELETE FROM words WHERE rowid BETWEEN ?1 AND ?2")?
            .execute([schema::words(*number, 0), schema::words(*number, u64::MAX)])?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use causeway_core::inbox::Budget;
    use causeway_core::{Frame, Head, Inbox};
    use causeway_store::MemoryLog;

    use super::*;

    /// A row of a message that was received so many microseconds after 1970.
    fn row(connection: &Connection, number: u64, received: i64) {
        for sql in [
            format!(
                "INSERT INTO messages (number, received, listener, state) VALUES ({number}, {received}, 'lab', 'x')"
            ),
            format!("INSERT INTO keys (value, kind, number) VALUES ('MRN', 1, {number}), ('P{number}', 2, {number})"),
            format!(
                "INSERT INTO words (rowid, text) VALUES ({}, ' 张  伟 '), ({}, 'more')",
                schema::words(number, 0),
                schema::words(number, 7)
            ),
        ] {
            connection.execute(&sql, []).unwrap();
        }
    }

    fn numbers(connection: &Connection, sql: &str) -> Vec<u64> {
        let mut select = connection.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[tokio::test]
    async fn what_the_log_dropped_is_forgotten_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = schema::open(folder.path()).unwrap();
        let log = Arc::new(MemoryLog::new());
        let inbox = Inbox::new(Arc::clone(&log) as _, Budget::default());
        let frame = Frame {
            listener: "lab".into(),
            peer: "p".into(),
            received: jiff::Timestamp::UNIX_EPOCH,
            head: Head::Mllp,
            body: Bytes::from_static(b"MSH|"),
        };
        let kept = inbox.receive(frame, inbox.admit(4).await.unwrap(), "s".into());
        kept.kept().await.unwrap();
        let there = kept.number();
        for (number, received) in [(there, 1), (there + 1, 2), (there + 2, 3), (there + 3, 100)] {
            row(&connection, number, received);
        }
        let mut pass = Pass::new(50);
        while pass.step(&mut connection, log.as_ref()).unwrap() {}
        let left = [there, there + 3]; // the first is in the log, the last is young
        assert_eq!(numbers(&connection, "SELECT number FROM messages ORDER BY 1"), left);
        assert_eq!(
            numbers(&connection, "SELECT number FROM keys WHERE value = 'MRN' ORDER BY 1"),
            left
        );
        assert_eq!(numbers(&connection, "SELECT count(*) FROM keys"), [4]);
        for word in ["\"张 伟\"", "more"] {
            let found = format!("SELECT rowid >> 20 FROM words WHERE words MATCH '{word}' ORDER BY 1");
            assert_eq!(numbers(&connection, &found), left);
        }
    }
}
