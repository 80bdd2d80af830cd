//! The numbers of destinations: as they are on disk, staged with a commit, and published after it to whoever waits for
//! something to deliver.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use causeway_core::store::Account;
use rusqlite::{Connection, params};
use tokio::sync::watch;

use super::{column, number};

/// Numbers by destination.
pub(super) type Accounts = BTreeMap<String, Account>;

/// Reads what the disk says.
pub(super) fn load(db: &Connection) -> rusqlite::Result<Accounts> {
    let sql = "SELECT name, paused, posted, delivered, dropped, dead,
               coalesce((SELECT max(id) FROM delivery WHERE destination = name AND state = 0), 0) FROM destination";
    db.prepare(sql)?
        .query_map([], |row| Ok((row.get(0)?, account(row)?)))?
        .collect()
}

/// The account of a row that begins as those of [`load`] do.
pub(super) fn account(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        paused: row.get(1)?,
        posted: number(row, 2)?,
        delivered: number(row, 3)?,
        dropped: number(row, 4)?,
        dead: number(row, 5)?,
        last: number(row, 6)?,
        turned: 0,
    })
}

/// Takes the disk's word after an outage; whoever looked ahead looks again.
pub(super) fn reload(known: &mut Accounts, fresh: Accounts) {
    let turned = |name: &str| known.get(name).map_or(0, |account| account.turned);
    let again = fresh.into_iter().map(|(name, account)| {
        let turned = turned(&name) + 1;
        (name, Account { turned, ..account })
    });
    *known = again.collect();
}

/// Writes those that a commit changes.
pub(super) fn save(changed: &Accounts, db: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO destination VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    for (name, of) in changed {
        let [posted, delivered, dropped, dead] = [of.posted, of.delivered, of.dropped, of.dead].map(column);
        db.prepare_cached(sql)?
            .execute(params![name, of.paused, posted, delivered, dropped, dead])?;
    }
    Ok(())
}

/// Where the numbers are published.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<BTreeMap<String, watch::Sender<Account>>>);

impl Board {
    /// Says what is on disk now.
    pub(super) fn publish(&self, changed: &Accounts) {
        if changed.is_empty() {
            return;
        }
        let mut senders = self.lock();
        for (name, account) in changed {
            match senders.get(name) {
                Some(sender) => drop(sender.send_replace(*account)),
                None => drop(senders.insert(name.clone(), watch::Sender::new(*account))),
            }
        }
    }

    pub(super) fn watch(&self, destination: &str) -> watch::Receiver<Account> {
        let mut senders = self.lock();
        let sender = senders.entry(destination.to_owned());
        sender
            .or_insert_with(|| watch::Sender::new(Account::default()))
            .subscribe()
    }

    pub(super) fn all(&self) -> Vec<(String, Account)> {
        let senders = self.lock();
        let all = senders.iter().map(|(name, sender)| (name.clone(), *sender.borrow()));
        all.collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, watch::Sender<Account>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
