//! What a batch of records makes of the resources: versions go into packs, packs into the table, and what they are found by
//! into one run of the index when the batch ends. Within a batch the newest version of an id is known before it is in a run.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params};

use super::merge::Index;
use super::pack::{Pack, SLOTS, Slot, Text, Texts, bit, bits};
use super::params::Values;
use super::recent::{Last, Place, Recent};
use super::restated;
use super::runs::{self, Posting};
use super::terms;
use super::unite::Unites;

/// Postings held before they are written out: those of many messages, and those of one large frame, which comes when the
/// memory is to be kept small.
const HELD: usize = 200_000;
const HELD_OF_ONE: usize = 40_000;

/// A version and where it is.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) pack: u32,
    pub(super) number: usize,
    pub(super) stated: Option<i64>,
    pub(super) slot: Slot,
    /// Compact JSON; empty of what is deleted.
    pub(super) text: Vec<u8>,
}

impl Stored {
    pub(super) fn place(&self) -> Place {
        (self.pack, bit(self.number))
    }
}

/// Looks among places, the newest first, for a version of an id that is wanted. A place may be of another id whose number
/// is the same; so its text is looked at, unless `known` says that it need not be.
pub(super) fn find(
    texts: &Texts<'_>,
    connection: &Connection,
    places: &[(u32, u32)],
    (kind, id): (&str, &str),
    wanted: impl Fn(&Pack, usize) -> bool,
    known: impl Fn(&Slot) -> bool,
) -> anyhow::Result<Option<Stored>> {
    for (number, mask) in places {
        let Some(pack) = Pack::open(connection, *number)? else {
            continue;
        };
        for at in bits(*mask) {
            let Some(slot) = pack.slots.get(at).filter(|_| wanted(&pack, at)) else {
                continue;
            };
            let mut stored = Stored {
                pack: *number,
                number: at,
                stated: pack.stated,
                slot: *slot,
                text: Vec::new(),
            };
            if known(slot) {
                return Ok(Some(stored));
            }
            stored.text = texts.text(&pack, at)?.unwrap_or_default();
            if names(&stored.text, kind, id) {
                if slot.deleted {
                    stored.text = Vec::new();
                }
                return Ok(Some(stored));
            }
        }
    }
    Ok(None)
}

/// Whether a text is of an id.
fn names(text: &[u8], kind: &str, id: &str) -> bool {
    let tree = causeway_core::fhir::parse(text, causeway_core::fhir::Limits::default());
    tree.is_ok_and(|tree| {
        let root = causeway_core::NodeId::ROOT;
        tree.get_str(root, "resourceType") == Some(kind) && tree.get_str(root, "id") == Some(id)
    })
}

/// The places of an id in some runs, the newest first.
pub(super) fn places(
    connection: &Connection,
    among: impl Iterator<Item = i64>,
    id: i64,
) -> rusqlite::Result<Vec<(u32, u32)>> {
    let mut places = Vec::new();
    for run in among {
        runs::collect(connection, run, id, &mut places)?;
    }
    places.sort_unstable_by(|a, b| b.cmp(a));
    Ok(places)
}

/// A version to be written.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) slot: Slot,
    /// The text that is kept beside, where one is.
    pub(super) text: &'a [u8],
    pub(super) before: Option<&'a Stored>,
    /// Whether a later version is there already.
    pub(super) behind: bool,
}

/// A batch.
pub(super) struct Batch<'c> {
    pub(super) connection: &'c Connection,
    index: &'c mut Index,
    pub(super) texts: Texts<'c>,
    pub(super) recent: &'c mut Recent,
    /// Where the versions of this batch are, by id.
    here: HashMap<i64, Vec<(u32, u32)>>,
    /// When versions were stated again in this batch, by place.
    restated: BTreeMap<Place, i64>,
    postings: Vec<Posting>,
    /// The pack that is being filled, its number, and the ids in it.
    pack: Pack,
    number: u32,
    ids: Vec<i64>,
    terms: Vec<i64>,
    /// What is united, and whether anything of it was said.
    pub(super) unites: Unites,
    pub(super) stirred: bool,
    /// The pack's bundle, until something refers to it.
    bundle: Option<bytes::Bytes>,
}

impl<'c> Batch<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        index: &'c mut Index,
        recent: &'c mut Recent,
        unites: Unites,
        last: u32,
    ) -> Self {
        Self {
            connection,
            index,
            texts: Texts::new(connection),
            recent,
            here: HashMap::new(),
            restated: BTreeMap::new(),
            postings: Vec::new(),
            pack: Pack::default(),
            number: last,
            ids: Vec::new(),
            terms: Vec::new(),
            unites,
            stirred: false,
            bundle: None,
        }
    }

    /// What follows is of one part of a message, whose bundle is this.
    pub(super) fn begin(&mut self, bundle: &bytes::Bytes, time: i64, stated: Option<i64>) -> anyhow::Result<()> {
        self.flush()?;
        self.number = self.number.checked_add(1).ok_or_else(full)?;
        self.pack.source = i64::from(self.number);
        self.pack.time = time;
        self.pack.stated = stated;
        self.bundle = Some(bundle.clone());
        Ok(())
    }

    /// The current version of an id, deleted ones too; its text is empty where `said` made it.
    pub(super) fn current(&mut self, kind: &str, id: &str, said: u64) -> anyhow::Result<Option<Stored>> {
        let term = terms::id(kind, id);
        if self.ids.contains(&term) {
            self.next()?;
        }
        let of = (kind, id);
        let live = |pack: &Pack, slot| !pack.is_dead(slot);
        let known = |slot: &Slot| slot.said == said && !slot.own;
        if let Some(here) = self.here.get(&term) {
            let mut places = here.clone();
            places.reverse();
            if let Some(found) = find(&self.texts, self.connection, &places, of, live, known)? {
                return Ok(Some(found));
            }
        }
        let places = places(self.connection, self.index.maybe(term), term)?;
        find(&self.texts, self.connection, &places, of, live, known)
    }

    /// The text of a version that was found without it.
    pub(super) fn text(&self, stored: &Stored) -> anyhow::Result<Vec<u8>> {
        let pack = Pack::open(self.connection, stored.pack)?;
        let text = pack.map(|pack| self.texts.text(&pack, stored.number)).transpose()?;
        Ok(text.flatten().unwrap_or_default())
    }

    /// When a version was last stated.
    pub(super) fn stated(&self, stored: &Stored) -> anyhow::Result<Option<i64>> {
        let here = self.restated.get(&stored.place()).copied();
        Ok(restated::of(self.connection, stored)?.max(here))
    }

    /// A statement says nothing new; whether it repeats the version, or says less.
    pub(super) fn again(&mut self, id: i64, said: u64, before: &Stored, (repeats, stated): (bool, Option<i64>)) {
        let of = repeats.then(|| (before.place(), before.stated));
        let mut last = Last { said, of };
        self.restate(last.later(stated));
        self.recent.set(id, last);
    }

    /// A version was stated later than was known, if it was.
    pub(super) fn restate(&mut self, later: Option<(Place, i64)>) {
        if let Some((place, stated)) = later {
            let known = self.restated.entry(place).or_insert(stated);
            *known = stated.max(*known);
        }
    }

    /// The place of the version that was written last.
    pub(super) fn last(&self) -> Place {
        (self.number, bit(self.pack.slots.len().saturating_sub(1)))
    }

    /// Writes a version.
    pub(super) fn put(&mut self, new: &New<'_>, values: &Values<'_>) -> anyhow::Result<()> {
        let term = terms::id(new.kind, new.id);
        if self.pack.slots.len() >= SLOTS || self.ids.contains(&term) {
            self.next()?;
        }
        let number = self.pack.slots.len();
        self.pack.slots.push(new.slot);
        self.pack.texts.extend_from_slice(new.text);
        self.ids.push(term);
        if new.behind {
            self.pack.dead |= bit(number);
        } else if let Some(before) = new.before {
            self.connection
                .prepare_cached("UPDATE pack SET dead = dead | ?2 WHERE number = ?1")?
                .execute(params![before.pack, bit(before.number)])?;
        }
        self.terms.clear();
        self.terms.push(term);
        if !new.slot.deleted && !new.behind {
            let stated = self.pack.time;
            values.terms(new.kind, stated, &mut self.terms);
        }
        let (pack, mask) = (self.number, bit(number));
        let postings = self.terms.iter().map(|term| Posting {
            term: *term,
            pack,
            mask,
        });
        self.postings.extend(postings);
        self.here.entry(term).or_default().push((pack, mask));
        if new.slot.own {
            self.recent.forget(term);
        }
        Ok(())
    }

    /// Goes on with another pack of the same source.
    fn next(&mut self) -> anyhow::Result<()> {
        let of = (self.pack.source, self.pack.time, self.pack.stated);
        self.flush()?;
        self.number = self.number.checked_add(1).ok_or_else(full)?;
        (self.pack.source, self.pack.time, self.pack.stated) = of;
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let pack = std::mem::take(&mut self.pack);
        self.ids.clear();
        if pack.slots.is_empty() {
            // A number that was not used is given again, unless it names a source already.
            if i64::from(self.number) == pack.source {
                self.number = self.number.saturating_sub(1);
            }
            return Ok(());
        }
        let refers = pack.slots.iter().any(|slot| matches!(slot.text, Text::Entry(_)));
        if let Some(bundle) = self.bundle.take_if(|_| refers) {
            self.connection
                .prepare_cached("INSERT INTO source (number, bundle) VALUES (?1, ?2)")?
                .execute(params![pack.source, &bundle[..]])?;
        }
        Ok(pack.put(self.connection, self.number)?)
    }

    /// Says that a message changed nothing of a resource: it is older than what is known, or what is known was written over
    /// HTTP and has no time of a statement.
    pub(super) fn older(
        &self,
        frame: u64,
        (kind, id): (&str, &str),
        stated: Option<i64>,
        newer: Option<i64>,
    ) -> anyhow::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO older (number, kind, id, stated, newer, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![frame, kind, id, stated, newer, self.pack.time])?;
        Ok(())
    }

    /// Writes out what has become too much to hold; a file of a million claims is one record of the log, and `large`.
    pub(super) fn spill(&mut self, large: bool) -> anyhow::Result<()> {
        if self.restated.len() >= HELD {
            restated::write(self.connection, &mut self.restated)?;
        }
        if self.postings.len() < if large { HELD_OF_ONE } else { HELD } {
            return Ok(());
        }
        self.flush()?;
        self.here = HashMap::new();
        self.index()
    }

    /// Ends it: the last pack's number.
    pub(super) fn finish(mut self) -> anyhow::Result<u32> {
        self.flush()?;
        self.index()?;
        restated::write(self.connection, &mut self.restated)?;
        Ok(self.number)
    }

    /// The postings as a run, one for each term of a pack.
    fn index(&mut self) -> anyhow::Result<()> {
        let mut postings = std::mem::take(&mut self.postings);
        postings.sort_unstable();
        postings.dedup_by(|next, kept| {
            let same = (next.term, next.pack) == (kept.term, kept.pack);
            if same {
                kept.mask |= next.mask;
            }
            same
        });
        Ok(self.index.add(self.connection, &postings)?)
    }
}

fn full() -> anyhow::Error {
    anyhow::anyhow!("fhir.db has no number left for a message")
}
