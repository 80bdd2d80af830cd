//! Reading: a current version, an old one, and searches a page at a time, in the order in which they were last written.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use causeway_core::fhir::{Limits, Tree, parse};
use rusqlite::{Connection, Transaction};

use super::pack::{self, Pack, Slot, Texts, bits};
use super::runs::{Union, live};
use super::search::Search;
use super::unite::{self, Stirring, Unites};
use super::write::{Stored, find, places};
use super::{restated, schema, terms};

/// Packs looked at for a page: a search of which little is found goes on with the next one.
const LOOKED_AT: usize = 4_000;

/// Bits of a slot's number.
const SHIFT: u32 = pack::SLOTS.ilog2();

/// A version that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number in the order in which versions were written.
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

/// A page of what a search finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What was found.
    pub found: Vec<Found>,
    /// The number behind which the next page begins, if there may be one. What was looked at is limited, so there may be
    /// less on a page than was asked for.
    pub next: Option<i64>,
}

/// A resource of which a message said what changed nothing; times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Older {
    /// `Type/id`.
    pub name: String,
    /// When the message stated it.
    pub stated: Option<i64>,
    /// When what is known was stated; none where it was written over HTTP.
    pub newer: Option<i64>,
}

/// Readers that wait for use; more are made when more are needed at once, as many as there are threads.
const READERS: usize = 16;

/// Readers of one data folder, used again by whoever looks next.
#[derive(Debug)]
pub struct Readers {
    folder: PathBuf,
    waiting: Mutex<Vec<Reader>>,
}

impl Readers {
    /// Of a data folder; nothing is opened yet.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            waiting: Mutex::default(),
        }
    }

    /// Takes a look with one of them.
    ///
    /// # Errors
    /// The tables are not there or cannot be read.
    pub fn with<T>(&self, look: impl FnOnce(&Reader) -> T) -> rusqlite::Result<T> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = waiting.map_or_else(|| Reader::open(&self.folder), Ok)?;
        let answer = look(&reader);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < READERS {
            waiting.push(reader);
        }
        Ok(answer)
    }
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

    /// The resources of which a message said what changed nothing.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn older(&self, frame: u64) -> rusqlite::Result<Vec<Older>> {
        let mut select = self
            .0
            .prepare_cached("SELECT kind || '/' || id, stated, newer FROM older WHERE number = ?1 ORDER BY kind, id")?;
        let rows = select.query_map([frame], |row| {
            Ok(Older {
                name: row.get(0)?,
                stated: row.get(1)?,
                newer: row.get(2)?,
            })
        })?;
        rows.collect()
    }

    pub(super) fn stirring(&self, most: usize) -> rusqlite::Result<Vec<Stirring>> {
        unite::stirring(&self.0, most)
    }

    /// A resource with what was said of it since its last version, as JSON without version and time.
    pub(super) fn whole(&self, kind: &str, id: &str, unites: Unites) -> anyhow::Result<Option<String>> {
        let look = self.look()?;
        let Some((unite, stored)) = unites.of(kind).zip(look.current(kind, id)?) else {
            return Ok(None);
        };
        if stored.slot.deleted {
            return Ok(None);
        }
        Ok(Some(unite(&look.pieces((kind, id), &stored)?)))
    }

    /// The current version of a resource, deleted ones too.
    pub(super) fn current(&self, kind: &str, id: &str) -> anyhow::Result<Option<Stored>> {
        self.look()?.current(kind, id)
    }

    /// Begins a look, during which nothing changes.
    pub(super) fn look(&self) -> rusqlite::Result<Look<'_>> {
        let view = self.0.unchecked_transaction()?;
        let runs = live(&view)?;
        Ok(Look {
            texts: Texts::new(&self.0),
            runs,
            view,
        })
    }

    /// The current version of a resource.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn read(&self, kind: &str, id: &str) -> anyhow::Result<Option<Found>> {
        Ok(self.current(kind, id)?.map(|stored| found(id, stored)))
    }

    /// A version of a resource.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn version(&self, kind: &str, id: &str, version: u64) -> anyhow::Result<Option<Found>> {
        let of = |pack: &Pack, slot: usize| {
            let version_is = pack.slots.get(slot).is_some_and(|slot| slot.version == version);
            version_is && !pack.is_gone(slot)
        };
        Ok(self.look()?.find(kind, id, of)?.map(|stored| found(id, stored)))
    }

    /// The resources behind a number that meet a search, at most so many.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn search(&self, search: &Search, after: i64, most: usize) -> anyhow::Result<Page> {
        page(&self.look()?, search, after.max(0), most)
    }
}

/// One look at the tables: what is read together is as of one moment, and its sources are read once.
#[derive(Debug)]
pub(super) struct Look<'r> {
    texts: Texts<'r>,
    runs: Vec<i64>,
    view: Transaction<'r>,
}

impl Look<'_> {
    fn find(&self, kind: &str, id: &str, wanted: impl Fn(&Pack, usize) -> bool) -> anyhow::Result<Option<Stored>> {
        let places = places(&self.view, self.runs.iter().copied(), terms::id(kind, id))?;
        find(&self.texts, &self.view, &places, (kind, id), wanted, |_| false)
    }

    pub(super) fn current(&self, kind: &str, id: &str) -> anyhow::Result<Option<Stored>> {
        self.find(kind, id, |pack, slot| !pack.is_dead(slot))
    }

    /// When a version was last stated, microseconds since 1970.
    pub(super) fn stated(&self, stored: &Stored) -> rusqlite::Result<Option<i64>> {
        restated::of(&self.view, stored)
    }

    /// What is known of a resource, and what was said of it since.
    pub(super) fn pieces(&self, of: (&str, &str), stored: &Stored) -> anyhow::Result<Vec<Tree>> {
        let tree = parse(&stored.text, Limits::default())?;
        let mut all = vec![unite::said(&tree, causeway_core::NodeId::ROOT)];
        all.extend(unite::held(&self.view, of)?);
        Ok(all)
    }
}

fn found(id: &str, stored: Stored) -> Found {
    Found {
        rid: rid(stored.pack, stored.number),
        id: id.to_owned(),
        version: stored.slot.version,
        updated: stored.slot.updated,
        deleted: stored.slot.deleted,
        body: stored.text,
    }
}

fn rid(pack: u32, slot: usize) -> i64 {
    (i64::from(pack) << SHIFT) + i64::try_from(slot).unwrap_or(0)
}

fn page(look: &Look<'_>, search: &Search, after: i64, most: usize) -> anyhow::Result<Page> {
    let view = &look.view;
    let first = u32::try_from(after >> SHIFT).unwrap_or(u32::MAX);
    let mut union = Union::seek(view, &look.runs, &search.terms(), first)?;
    let mut page = Page::default();
    for _ in 0..LOOKED_AT {
        let Some((number, mask)) = union.next(view)? else {
            page.next = None;
            return Ok(page);
        };
        page.next = Some(rid(number, pack::SLOTS - 1));
        let Some(pack) = Pack::open(view, number)? else {
            continue;
        };
        for slot in bits(mask & !pack.dead & !pack.gone) {
            let rid = rid(number, slot);
            if rid <= after {
                continue;
            }
            let one = tested(&look.texts, search, &pack, slot)?;
            if one.is_some() && page.found.len() >= most {
                page.next = page.found.last().map(|last| last.rid).or(Some(after));
                return Ok(page);
            }
            page.found.extend(one.map(|found| Found { rid, ..found }));
        }
    }
    Ok(page)
}

/// A version, if it meets the search.
fn tested(texts: &Texts<'_>, search: &Search, pack: &Pack, number: usize) -> anyhow::Result<Option<Found>> {
    let may_be = |slot: &&Slot| !slot.deleted && search.may_find(slot.updated);
    let Some(slot) = pack.slots.get(number).filter(may_be) else {
        return Ok(None);
    };
    let Some(body) = texts.text(pack, number)? else {
        return Ok(None);
    };
    let tree = parse(&body, Limits::default())?;
    if !search.finds(&tree, slot.updated) {
        return Ok(None);
    }
    let id = tree.get_str(causeway_core::NodeId::ROOT, "id").unwrap_or_default();
    Ok(Some(Found {
        rid: 0,
        id: id.to_owned(),
        version: slot.version,
        updated: slot.updated,
        deleted: false,
        body,
    }))
}
