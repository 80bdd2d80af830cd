//! Puts writes in order: each gets its version here, before it is decided, and what it reserves stays reserved until its
//! answer is in the log and applied, or could not be kept. So two writers of one resource never get the same version, and
//! a condition is tested against all that was said yes to. One lock, held for a look at a table at most.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::{NodeId, Tree};
use causeway_core::{Class, Finding};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::query::{Criterion, Reader, Search};

/// How long a request waits for what was written before it to be applied.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is decided and not applied yet.
#[derive(Debug, Clone, Copy)]
struct Pending {
    number: u64,
    version: u64,
    updated: Timestamp,
    deleted: bool,
}

#[derive(Debug, Default)]
struct State {
    reader: Option<Reader>,
    pending: HashMap<String, Pending>,
    /// Conditions of creates that are decided and not applied yet, with what they made.
    conditions: HashMap<String, (Applied, u64)>,
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

/// What a write asks for.
#[derive(Debug)]
struct Wish<'a> {
    entry: u32,
    node: NodeId,
    method: &'a str,
    kind: &'a str,
    id: &'a str,
    if_match: Option<&'a str>,
    if_none_exist: Option<&'a str>,
}

impl Sequencer {
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
        self.position.load(Ordering::Relaxed)
    }

    /// All up to a position of the log is applied.
    pub(super) fn applied(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }

    /// Resources whose last write is decided and not applied yet.
    pub fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) -> bool {
        let all = async {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if holds(&self.lock()) {
                    return;
                }
                self.wanted.notify_one();
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
        let wishes = wishes(tree);
        if wishes.is_empty() {
            return Ok(Vec::new());
        }
        let mut state = self.lock();
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for wish in &wishes {
            let judged = if seen.insert((wish.kind, wish.id)) {
                state.judge(wish, received)
            } else {
                Err(problem(
                    "same-resource-twice",
                    Class::Duplicate,
                    "同一资源在一个事务中出现两次",
                    "a transaction writes a resource once",
                ))
            };
            match judged {
                Ok(applied) => all.push(applied),
                Err(finding) => problems.push((*finding).at_node(wish.node)),
            }
        }
        if problems.is_empty() {
            state.reserve(&wishes, &all, number);
            Ok(all)
        } else {
            Err(problems)
        }
    }

    /// Whether a Bundle has conditions that are tested by searching.
    pub fn searches(tree: &Tree) -> bool {
        wishes(tree).iter().any(|wish| wish.if_none_exist.is_some())
    }

    /// A frame's answer was applied, or could not be kept.
    pub fn release(&self, numbers: &[u64]) {
        let numbers: HashSet<u64> = numbers.iter().copied().collect();
        let mut state = self.lock();
        if !state.pending.is_empty() || !state.conditions.is_empty() {
            state.pending.retain(|_, pending| !numbers.contains(&pending.number));
            state.conditions.retain(|_, (_, number)| !numbers.contains(number));
        }
        drop(state);
        self.moved.notify_waiters();
    }

    /// Waits until what was written before is applied: of one resource, or of all. Whether it is.
    pub async fn settled(&self, of: Option<(&str, &str)>) -> bool {
        let waiting: Vec<(String, u64)> = {
            let state = self.lock();
            let named = of
                .filter(|_| !state.pending.is_empty())
                .map(|(kind, id)| format!("{kind}/{id}"));
            let number = |key: &String| state.pending.get(key).map(|pending| pending.number);
            match (of, named) {
                (Some(_), name) => name
                    .and_then(|name| number(&name).map(|of| (name, of)))
                    .into_iter()
                    .collect(),
                (None, _) => state
                    .pending
                    .iter()
                    .map(|(key, pending)| (key.clone(), pending.number))
                    .collect(),
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

    fn reserve(&mut self, wishes: &[Wish<'_>], all: &[Applied], number: u64) {
        for (wish, applied) in wishes.iter().zip(all) {
            if applied.effect == Effect::Found {
                continue;
            }
            let pending = Pending {
                number,
                version: applied.version,
                updated: applied.updated,
                deleted: applied.effect == Effect::Deleted,
            };
            self.pending.insert(format!("{}/{}", applied.kind, applied.id), pending);
            if let Some(condition) = wish.if_none_exist {
                let key = format!("{}?{condition}", wish.kind);
                self.conditions.insert(key, (applied.clone(), number));
            }
        }
    }

    fn judge(&self, wish: &Wish<'_>, received: Timestamp) -> Result<Applied, Box<Finding>> {
        let reader = self.reader.as_ref().ok_or_else(behind)?;
        let applied = |version, updated, effect| Applied {
            entry: wish.entry,
            kind: wish.kind.to_owned(),
            id: wish.id.to_owned(),
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
        test(wish, known.as_ref())?;
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

    /// The current version, by what is decided and by what is applied. What a feed made is not written over.
    fn known(&self, reader: &Reader, wish: &Wish<'_>) -> Result<Option<Pending>, Box<Finding>> {
        if let Some(pending) = self.pending.get(&format!("{}/{}", wish.kind, wish.id)) {
            return Ok(Some(*pending));
        }
        let stored = reader.current(wish.kind, wish.id).map_err(|_| behind())?;
        let Some(stored) = stored else { return Ok(None) };
        if !stored.own {
            return Err(problem(
                "read-only",
                Class::Conflict,
                "此资源来自接入的消息，不能通过 HTTP 修改",
                "the resource comes from a feed and is not written over HTTP",
            ));
        }
        Ok(Some(Pending {
            number: 0,
            version: stored.version,
            updated: Timestamp::from_microsecond(stored.updated).unwrap_or_default(),
            deleted: stored.deleted,
        }))
    }

    /// What a conditional create finds.
    fn existing(&self, reader: &Reader, wish: &Wish<'_>, condition: &str) -> Result<Option<Applied>, Box<Finding>> {
        if let Some((applied, _)) = self.conditions.get(&format!("{}?{condition}", wish.kind)) {
            return Ok(Some(Applied {
                entry: wish.entry,
                effect: Effect::Found,
                ..applied.clone()
            }));
        }
        let search = condition_of(wish.kind, condition)?;
        let found = reader.search(&search, 0, 2).map_err(|_| behind())?;
        let [only] = found.as_slice() else {
            return if found.is_empty() { Ok(None) } else { Err(several()) };
        };
        Ok(Some(Applied {
            entry: wish.entry,
            kind: wish.kind.to_owned(),
            id: only.id.clone(),
            version: only.version,
            updated: Timestamp::from_microsecond(only.updated).unwrap_or_default(),
            effect: Effect::Found,
        }))
    }
}

/// If-Match (RFC 9110 13.1.1): the version that the writer has seen must be the current one.
fn test(wish: &Wish<'_>, known: Option<&Pending>) -> Result<(), Box<Finding>> {
    let Some(tag) = wish.if_match else { return Ok(()) };
    let version = tag.trim_start_matches("W/").trim_matches('"').parse::<u64>();
    if known.is_some_and(|known| version == Ok(known.version) || tag == "*") {
        return Ok(());
    }
    let now = known.map_or_else(|| "-".to_owned(), |known| known.version.to_string());
    Err(problem(
        "version-conflict",
        Class::Conflict,
        format!("If-Match 与当前版本 {now} 不符"),
        format!("If-Match is not the current version, which is {now}"),
    ))
}

fn condition_of(kind: &str, condition: &str) -> Result<Search, Box<Finding>> {
    let wrong = |text: String| {
        problem(
            "wrong-search",
            Class::Value,
            format!("If-None-Exist 无法使用：{text}"),
            text.clone(),
        )
    };
    let query = condition.split_once('?').map_or(condition, |(_, query)| query);
    let mut search = Search {
        kind: kind.to_owned(),
        criteria: Vec::new(),
    };
    for (name, value) in crate::fhir_api::pairs(query) {
        search
            .criteria
            .push(Criterion::new(kind, &name, &value).map_err(wrong)?);
    }
    if search.criteria.is_empty() {
        return Err(wrong("a condition is needed".to_owned()));
    }
    Ok(search)
}

fn wishes(tree: &Tree) -> Vec<Wish<'_>> {
    let entries = tree.get(NodeId::ROOT, "entry").map(|entry| tree.children(entry));
    let wish = |(number, node): (u32, NodeId)| {
        let request = tree.get(node, "request")?;
        let (kind, id) = tree.get_str(request, "url")?.split_once('/')?;
        Some(Wish {
            entry: number,
            node,
            method: tree.get_str(request, "method")?,
            kind,
            id,
            if_match: tree.get_str(request, "ifMatch"),
            if_none_exist: tree.get_str(request, "ifNoneExist"),
        })
    };
    (0..).zip(entries.into_iter().flatten()).filter_map(wish).collect()
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

fn several() -> Box<Finding> {
    problem(
        "several-match",
        Class::Conflict,
        "条件匹配多个资源",
        "several resources meet the condition",
    )
}

fn behind() -> Box<Finding> {
    problem(
        "behind",
        Class::Busy,
        "资源库尚未就绪，请稍后重试",
        "the resources cannot be looked at now; try again",
    )
}

fn problem(
    code: &'static str,
    class: Class,
    zh: impl Into<std::borrow::Cow<'static, str>>,
    en: impl Into<std::borrow::Cow<'static, str>>,
) -> Box<Finding> {
    Box::new(causeway_fhir::problem(code, class, zh, en))
}
