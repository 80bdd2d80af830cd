//! Puts writes in order: each gets its version here, before it is decided, and what it reserves stays reserved until its
//! answer is in the log and applied, or could not be kept. So two writers of one resource never get the same version, and
//! a condition is tested against all that was said yes to. One lock, held for a look at a table at most.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::Tree;
use causeway_core::{Class, Finding};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::params::{Owned, Values};
use super::query::Reader;
use super::wish::{Wish, behind, condition_of, problem, several, wishes};

/// How long a request waits for what was written before it to be applied.
const PATIENCE: Duration = Duration::from_secs(5);

/// A version that a writer writes over.
#[derive(Debug, Clone, Copy)]
struct Current {
    version: u64,
    updated: Timestamp,
    deleted: bool,
}

/// What is decided and not applied yet.
#[derive(Debug)]
struct Pending {
    number: u64,
    applied: Applied,
    /// What it will be found by.
    values: Owned,
}

#[derive(Debug, Default)]
struct State {
    reader: Option<Reader>,
    pending: HashMap<String, Pending>,
    /// Whether what a feed made may be written over.
    over_feeds: bool,
}

/// Orders writes; without tables to look at, nothing can be written.
#[derive(Debug, Default)]
pub struct Sequencer {
    state: Mutex<State>,
    /// The last position of the log that was applied.
    position: AtomicU64,
    /// Something was applied.
    moved: Notify,
    /// Somebody waits for what was written to be applied.
    pub(super) wanted: Notify,
}

impl Sequencer {
    /// One that lets what a feed made be written over, or does not.
    pub fn new(over_feeds: bool) -> Self {
        let sequencer = Self::default();
        sequencer.lock().over_feeds = over_feeds;
        sequencer
    }

    /// Lets writes be put in order, by the tables of a data folder.
    pub(super) fn open(&self, folder: &Path) -> rusqlite::Result<()> {
        let reader = Reader::open(folder)?;
        self.lock().reader = Some(reader);
        self.moved.notify_waiters();
        Ok(())
    }

    /// Waits until writes can be put in order, as they can soon after a start. Whether they can.
    pub async fn ready(&self) -> bool {
        self.until(|state| state.reader.is_some()).await
    }

    /// The last position of the log that was applied.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// All up to a position of the log is applied.
    pub(super) fn applied(&self, position: u64) {
        self.position.store(position, Ordering::Release);
        self.moved.notify_waiters();
    }

    /// Waits until all up to a position of the log is applied, without asking for it to be soon. Whether it is.
    pub(super) async fn reached(&self, position: u64) -> bool {
        self.wait(|| self.position() >= position, false).await
    }

    /// Resources whose last write is decided and not applied yet.
    pub fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) -> bool {
        self.wait(|| holds(&self.lock()), true).await
    }

    async fn wait(&self, holds: impl Fn() -> bool, soon: bool) -> bool {
        let all = async {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if holds() {
                    return;
                }
                if soon {
                    self.wanted.notify_one();
                }
                moved.await;
            }
        };
        timeout(PATIENCE, all).await.is_ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives every entry of a Bundle that asks to be written its version, all or none.
    ///
    /// # Errors
    /// What stands against it.
    pub fn order(&self, tree: &Tree, number: u64, received: Timestamp) -> Result<Vec<Applied>, Vec<Finding>> {
        let mut wishes = wishes(tree);
        if wishes.is_empty() {
            return Ok(Vec::new());
        }
        let mut state = self.lock();
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for wish in &mut wishes {
            let judged = state.named(wish).and_then(|()| {
                if seen.insert((wish.kind, wish.id.clone())) {
                    state.judge(wish, received)
                } else {
                    Err(problem(
                        "same-resource-twice",
                        Class::Duplicate,
                        "同一资源在一个事务中出现两次",
                        "a transaction writes a resource once",
                    ))
                }
            });
            match judged {
                Ok(applied) => all.push(applied),
                Err(finding) => problems.push((*finding).at_node(wish.node)),
            }
        }
        if problems.is_empty() {
            state.reserve(tree, &wishes, &all, number);
            Ok(all)
        } else {
            Err(problems)
        }
    }

    /// A frame's answer was applied, or could not be kept.
    pub fn release(&self, numbers: &[u64]) {
        let numbers: HashSet<u64> = numbers.iter().copied().collect();
        let mut state = self.lock();
        state.pending.retain(|_, pending| !numbers.contains(&pending.number));
        drop(state);
        self.moved.notify_waiters();
    }

    /// Waits until what was written before is applied: of one resource, or of all of a type. Whether it is.
    pub async fn settled(&self, kind: &str, id: Option<&str>) -> bool {
        let waiting: Vec<(String, u64)> = {
            let state = self.lock();
            let all = &state.pending;
            let waits = |(key, pending): (&String, &Pending)| (key.clone(), pending.number);
            match id {
                _ if all.is_empty() => Vec::new(),
                Some(id) => all
                    .get_key_value(&format!("{kind}/{id}"))
                    .map(waits)
                    .into_iter()
                    .collect(),
                None => {
                    let of_kind = all.iter().filter(|(_, pending)| pending.applied.kind == kind);
                    of_kind.map(waits).collect()
                }
            }
        };
        waiting.is_empty() || self.until(|state| state.has_none_of(&waiting)).await
    }
}

impl State {
    fn has_none_of(&self, waiting: &[(String, u64)]) -> bool {
        let there = |(key, number): &(String, u64)| self.pending.get(key).is_some_and(|it| it.number == *number);
        !waiting.iter().any(there)
    }

    fn reserve(&mut self, tree: &Tree, wishes: &[Wish<'_>], all: &[Applied], number: u64) {
        let names = causeway_fhir::moves(tree, all);
        let meant = |text| names.get(text).map_or(text, String::as_str);
        for (wish, applied) in wishes.iter().zip(all) {
            if applied.effect == Effect::Found {
                continue;
            }
            let resource = tree.get(wish.node, "resource");
            let values = resource.map(|resource| Values::of(wish.kind, tree, resource, meant));
            let pending = Pending {
                number,
                applied: applied.clone(),
                values: values.unwrap_or_default().into(),
            };
            self.pending.insert(format!("{}/{}", applied.kind, applied.id), pending);
        }
    }

    /// Finds the resource that a conditional update or delete is about; without one, an update makes what it brings (FHIR R4
    /// HTTP 3.1.0.4.3, 3.1.0.7.1).
    fn named(&self, wish: &mut Wish<'_>) -> Result<(), Box<Finding>> {
        let Some(condition) = wish.of else { return Ok(()) };
        let reader = self.reader.as_ref().ok_or_else(behind)?;
        let found = self.existing(reader, wish, condition)?;
        let id = found.map(|found| found.id);
        if id.as_deref().is_some_and(|id| wish.given && wish.id != id) {
            return Err(problem(
                "wrong-id",
                Class::Value,
                "资源的 id 与条件所匹配资源的 id 不同",
                "the resource has another id than the one that meets the condition",
            ));
        }
        if let Some(id) = id {
            wish.id = id.into();
        }
        Ok(())
    }

    fn judge(&self, wish: &Wish<'_>, received: Timestamp) -> Result<Applied, Box<Finding>> {
        let reader = self.reader.as_ref().ok_or_else(behind)?;
        let applied = |version, updated, effect| Applied {
            entry: wish.entry,
            kind: wish.kind.to_owned(),
            id: wish.id.clone().into_owned(),
            version,
            updated,
            effect,
        };
        let now = rounded(received);
        if wish.method == "POST" {
            if let Some(condition) = wish.if_none_exist
                && let Some(found) = self.existing(reader, wish, condition)?
            {
                return Ok(found);
            }
            return Ok(applied(1, now, Effect::Created));
        }
        let known = self.known(reader, wish)?;
        wish.test(known.as_ref().map(|known| known.version))?;
        match (wish.method, known) {
            ("PUT", None) => Ok(applied(1, now, Effect::Created)),
            ("PUT", Some(known)) => {
                let effect = if known.deleted {
                    Effect::Created
                } else {
                    Effect::Updated
                };
                Ok(applied(known.version + 1, after(now, known.updated), effect))
            }
            (_, Some(known)) if known.deleted => Ok(applied(known.version, known.updated, Effect::Deleted)),
            (_, Some(known)) => Ok(applied(known.version + 1, after(now, known.updated), Effect::Deleted)),
            (_, None) => Err(problem(
                "not-found",
                Class::UnknownKey,
                "没有此资源",
                "there is no such resource",
            )),
        }
    }

    /// The current version, by what is decided and by what is applied. What a feed made is not written over, unless
    /// that is configured.
    fn known(&self, reader: &Reader, wish: &Wish<'_>) -> Result<Option<Current>, Box<Finding>> {
        if let Some(pending) = self.pending.get(&format!("{}/{}", wish.kind, wish.id)) {
            let applied = &pending.applied;
            return Ok(Some(Current {
                version: applied.version,
                updated: applied.updated,
                deleted: applied.effect == Effect::Deleted,
            }));
        }
        let stored = reader.current(wish.kind, &wish.id).map_err(|_| behind())?;
        let Some(stored) = stored else { return Ok(None) };
        if !stored.slot.own && !self.over_feeds {
            return Err(problem(
                "read-only",
                Class::Conflict,
                "此资源来自接入的消息，不能通过 HTTP 修改",
                "the resource comes from a feed and is not written over HTTP",
            ));
        }
        Ok(Some(Current {
            version: stored.slot.version,
            updated: Timestamp::from_microsecond(stored.slot.updated).unwrap_or_default(),
            deleted: stored.slot.deleted,
        }))
    }

    /// What meets a condition, by what is decided and by what is applied.
    fn existing(&self, reader: &Reader, wish: &Wish<'_>, condition: &str) -> Result<Option<Applied>, Box<Finding>> {
        let search = condition_of(wish.kind, condition)?;
        let decided = self.pending.values().map(|pending| (&pending.applied, &pending.values));
        let met = decided.filter(|(applied, values)| {
            let there = applied.kind == wish.kind && applied.effect != Effect::Deleted;
            there && search.meets(&values.borrowed(), &applied.id, applied.updated.as_microsecond())
        });
        let found = |applied: &Applied| Applied {
            entry: wish.entry,
            effect: Effect::Found,
            ..applied.clone()
        };
        let mut all: Vec<Applied> = met.map(|(applied, _)| found(applied)).collect();
        let mut next = Some(0);
        while let Some(after) = next.filter(|_| all.len() < 2) {
            let page = reader.search(&search, after, 2).map_err(|_| behind())?;
            let known = |id: &str| self.pending.contains_key(&format!("{}/{id}", wish.kind));
            let stored = page.found.into_iter().filter(|one| !known(&one.id));
            all.extend(stored.map(|one| Applied {
                entry: wish.entry,
                kind: wish.kind.to_owned(),
                id: one.id,
                version: one.version,
                updated: Timestamp::from_microsecond(one.updated).unwrap_or_default(),
                effect: Effect::Found,
            }));
            next = page.next;
        }
        let first = all.pop();
        if all.is_empty() { Ok(first) } else { Err(several()) }
    }
}

/// FHIR says times to the millisecond here, and what is told is what is stored.
fn rounded(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// A time that is surely later than the version before.
fn after(now: Timestamp, before: Timestamp) -> Timestamp {
    let next = Timestamp::from_millisecond(before.as_millisecond() + 1).unwrap_or(now);
    now.max(next)
}
