//! Packs: the versions that one part of a message made, 32 at most. What stands in the message's Bundle as it was said has
//! no text of its own: the Bundle is kept once, compressed as the log has it, and says it. What was laid over an earlier
//! version has its text beside it. Bodies are made when somebody reads them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::{Limits, NodeId, Tree, Value, parse};
use causeway_core::origin::OriginId;
use causeway_store::decompress;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// A posting has one bit for each.
pub(super) const SLOTS: usize = 32;
/// The largest bundle that is read.
pub(super) const LARGEST: usize = 256 << 20;

const OWN: u64 = 1;
const DELETED: u64 = 2;
const BESIDE: u64 = 4;
const TIMED: u64 = 8;

/// Where the text of a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// In an entry of the source, by its number.
    Entry(u32),
    /// Beside the pack: so many bytes behind those of the slots before it.
    Beside(usize),
}

/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) text: Text,
    pub(super) version: u64,
    /// Microseconds since 1970.
    pub(super) updated: i64,
    /// Whether it was written over HTTP.
    pub(super) own: bool,
    pub(super) deleted: bool,
    /// A number of the statement that made it.
    pub(super) said: u64,
}

/// Some versions of one message.
#[derive(Debug, Clone, Default)]
pub(super) struct Pack {
    pub(super) source: i64,
    /// When it was answered, microseconds since 1970.
    pub(super) time: i64,
    pub(super) stated: Option<i64>,
    /// Slots that are superseded.
    pub(super) dead: u32,
    /// Slots of which nothing is kept any more.
    pub(super) gone: u32,
    pub(super) slots: Vec<Slot>,
    /// Texts of the slots that have them beside, one after the other; compressed in the table.
    pub(super) texts: Vec<u8>,
}

impl Pack {
    pub(super) fn open(connection: &Connection, number: u32) -> anyhow::Result<Option<Self>> {
        let mut select = connection
            .prepare_cached("SELECT source, time, stated, dead, gone, slots, texts FROM pack WHERE number = ?1")?;
        let pack = select.query_row([number], |row| {
            let time = row.get(1)?;
            Ok(Self {
                source: row.get(0)?,
                time,
                stated: row.get(2)?,
                dead: row.get(3)?,
                gone: row.get(4)?,
                slots: slots(row.get_ref(5)?.as_blob().unwrap_or_default(), time),
                texts: row.get(6)?,
            })
        });
        let Some(mut pack) = pack.optional()? else {
            return Ok(None);
        };
        if !pack.texts.is_empty() {
            let texts = decompress(&pack.texts, LARGEST);
            pack.texts = texts.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?.to_vec();
        }
        Ok(Some(pack))
    }

    /// Writes it, new or over what it was.
    pub(super) fn put(&self, connection: &Connection, number: u32) -> rusqlite::Result<()> {
        let texts = match self.texts.as_slice() {
            [] => bytes::Bytes::new(),
            texts => causeway_store::compress(texts),
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO pack (number, source, time, stated, dead, gone, slots, texts)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                number,
                self.source,
                self.time,
                self.stated,
                self.dead,
                self.gone,
                self.bytes(),
                &texts[..],
            ])?;
        Ok(())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.slots.len() * 12);
        for slot in &self.slots {
            let flag = |on: bool, bit| if on { bit } else { 0 };
            let (beside, text) = match slot.text {
                Text::Entry(entry) => (0, u64::from(entry)),
                Text::Beside(length) => (BESIDE, length as u64),
            };
            let timed = flag(slot.updated != self.time, TIMED);
            varint(
                &mut out,
                flag(slot.own, OWN) | flag(slot.deleted, DELETED) | beside | timed,
            );
            varint(&mut out, text);
            varint(&mut out, slot.version);
            if timed != 0 {
                out.extend_from_slice(&slot.updated.to_le_bytes());
            }
            out.extend_from_slice(&slot.said.to_le_bytes());
        }
        out
    }

    /// The text beside a slot.
    pub(super) fn beside(&self, number: usize) -> Option<&[u8]> {
        let length = |slot: &Slot| match slot.text {
            Text::Entry(_) => 0,
            Text::Beside(length) => length,
        };
        let slot = self.slots.get(number)?;
        let start = self.slots.iter().take(number).map(length).sum::<usize>();
        self.texts.get(start..start.checked_add(length(slot))?)
    }

    pub(super) fn is_dead(&self, number: usize) -> bool {
        self.dead & bit(number) != 0 || self.is_gone(number)
    }

    pub(super) fn is_gone(&self, number: usize) -> bool {
        self.gone & bit(number) != 0
    }
}

pub(super) fn bit(slot: usize) -> u32 {
    u32::try_from(slot)
        .ok()
        .and_then(|slot| 1_u32.checked_shl(slot))
        .unwrap_or(0)
}

/// The numbers of the bits that are set.
pub(super) fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..SLOTS).filter(move |slot| mask & bit(*slot) != 0)
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// The unread rest of a column.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn varint(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 0x7f).checked_shl(shift)?;
            shift += 7;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
    }

    fn word(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*word))
    }

    fn slot(&mut self, time: i64) -> Option<Slot> {
        let flags = self.varint()?;
        let text = self.varint()?;
        let text = if flags & BESIDE == 0 {
            Text::Entry(text.try_into().ok()?)
        } else {
            Text::Beside(text.try_into().ok()?)
        };
        let version = self.varint()?;
        let updated = if flags & TIMED == 0 {
            time
        } else {
            self.word()?.cast_signed()
        };
        Some(Slot {
            text,
            version,
            updated,
            own: flags & OWN != 0,
            deleted: flags & DELETED != 0,
            said: self.word()?,
        })
    }
}

fn slots(column: &[u8], time: i64) -> Vec<Slot> {
    let mut rest = Rest(column);
    std::iter::from_fn(|| rest.slot(time)).take(SLOTS).collect()
}

/// A Bundle whose entries are texts of versions.
#[derive(Debug)]
pub(super) struct Source {
    tree: Tree,
    entries: Vec<NodeId>,
    /// What addresses within the Bundle mean.
    names: HashMap<String, String>,
}

impl Source {
    fn new(tree: Tree) -> Self {
        let entries = entries(&tree);
        let names = names(&tree, &entries);
        Self { tree, entries, names }
    }

    /// The text of a version as it is read.
    fn text(&self, entry: u32, slot: &Slot) -> Option<Vec<u8>> {
        let entry = self.entries.get(entry as usize)?;
        let resource = self.tree.get(*entry, "resource")?;
        if slot.own {
            return Some(shown(&self.tree, resource, slot));
        }
        let mut own = Tree::new(Value::Object);
        own.copy(NodeId::ROOT, &self.tree, resource);
        rename(&mut own, NodeId::ROOT, &self.names);
        Some(shown(&own, NodeId::ROOT, slot))
    }
}

/// The entries of a Bundle.
pub(super) fn entries(tree: &Tree) -> Vec<NodeId> {
    let all = tree.get(NodeId::ROOT, "entry");
    all.map(|all| tree.children(all).collect()).unwrap_or_default()
}

/// `Type/id` by the addresses of entries.
pub(super) fn names(tree: &Tree, entries: &[NodeId]) -> HashMap<String, String> {
    let name = |entry: &NodeId| {
        let resource = tree.get(*entry, "resource")?;
        let (kind, id) = (tree.get_str(resource, "resourceType")?, tree.get_str(resource, "id")?);
        Some((tree.get_str(*entry, "fullUrl")?.to_owned(), format!("{kind}/{id}")))
    };
    entries.iter().filter_map(name).collect()
}

/// A resource of a Bundle by itself, its references by type and id.
pub(super) fn renamed(tree: &Tree, resource: NodeId, names: &HashMap<String, String>) -> Tree {
    let mut own = Tree::new(Value::Object);
    own.copy(NodeId::ROOT, tree, resource);
    rename(&mut own, NodeId::ROOT, names);
    own
}

/// References by address within the Bundle become references by type and id.
pub(super) fn rename(tree: &mut Tree, node: NodeId, names: &HashMap<String, String>) {
    let children: Vec<NodeId> = tree.children(node).collect();
    for child in children {
        let reference = tree.str(child).filter(|_| tree.name(child) == "reference");
        match reference.and_then(|text| names.get(text)) {
            Some(name) => tree.set(child, Value::String(name), OriginId::GENERATED),
            None => rename(tree, child, names),
        }
    }
}

/// A resource with its version and time.
pub(super) fn shown(tree: &Tree, resource: NodeId, slot: &Slot) -> Vec<u8> {
    let text = |name| tree.get_str(resource, name).unwrap_or_default().to_owned();
    let applied = Applied {
        entry: 0,
        kind: text("resourceType"),
        id: text("id"),
        version: slot.version,
        updated: Timestamp::from_microsecond(slot.updated).unwrap_or_default(),
        effect: Effect::Updated,
    };
    causeway_fhir::representation(tree, resource, &applied)
}

/// Gives the texts of versions; the last sources are held, since what is asked for together often has one.
#[derive(Debug)]
pub(super) struct Texts<'c> {
    connection: &'c Connection,
    held: RefCell<Vec<(i64, Rc<Source>)>>,
}

impl<'c> Texts<'c> {
    /// Sources held.
    const HELD: usize = 4;

    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            held: RefCell::default(),
        }
    }

    /// The text of a version, compact JSON; none of what is deleted or gone.
    pub(super) fn text(&self, pack: &Pack, number: usize) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(slot) = pack.slots.get(number).filter(|_| !pack.is_gone(number)) else {
            return Ok(None);
        };
        match slot.text {
            Text::Beside(_) => Ok(pack.beside(number).map(<[u8]>::to_vec)),
            Text::Entry(entry) => Ok(self.source(pack.source)?.text(entry, slot)),
        }
    }

    fn source(&self, number: i64) -> anyhow::Result<Rc<Source>> {
        let mut held = self.held.borrow_mut();
        if let Some((_, source)) = held.iter().find(|(known, _)| *known == number) {
            return Ok(Rc::clone(source));
        }
        let bundle: Vec<u8> = self
            .connection
            .prepare_cached("SELECT bundle FROM source WHERE number = ?1")?
            .query_row([number], |row| row.get(0))?;
        let source = Rc::new(Source::new(bundle_of(&bundle, LARGEST)?));
        if held.len() >= Self::HELD {
            held.remove(0);
        }
        held.push((number, Rc::clone(&source)));
        Ok(source)
    }
}

/// A bundle as the log keeps it, read; at most so many bytes of JSON.
pub(crate) fn bundle_of(compressed: &[u8], largest: usize) -> anyhow::Result<Tree> {
    let json = decompress(compressed, largest).map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
    let limits = Limits {
        bytes: largest,
        ..Limits::default()
    };
    Ok(parse(&json, limits)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_and_damage_ends_them() {
        let slot = |text, version, updated, own| Slot {
            text,
            version,
            updated,
            own,
            deleted: own,
            said: version << 40,
        };
        let pack = Pack {
            time: 1_000,
            slots: vec![
                slot(Text::Entry(3), 1, 1_000, false),
                slot(Text::Beside(2), 300, 1_001, true),
                slot(Text::Beside(3), u64::MAX, -5, false),
            ],
            texts: b"abcde".to_vec(),
            ..Pack::default()
        };
        let column = pack.bytes();
        assert_eq!(slots(&column, 1_000), pack.slots);
        assert_eq!([1, 2].map(|number| pack.beside(number).unwrap()), [&b"ab"[..], b"cde"]);
        for end in 0..column.len() {
            assert!(slots(&column[..end], 1_000).len() < 3, "cut at {end}");
        }
    }
}
