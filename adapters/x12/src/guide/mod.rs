//! Guides: which loops, segments, elements and codes a transaction set may have. They are flat records in CSV files; each
//! loop is defined once and referenced by every loop that holds it. Here stand the compiled tables that `walk` and `check`
//! go by; how the files are read is in `load` and `notation`. The records are facts of the standard and hold no text of
//! any published guide.

mod codes;
mod dictionary;
mod load;
mod notation;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::name::{LoopId, SegmentId};
use crate::segment::Segment;

pub use codes::Codes;
pub use load::Unusable;

/// The loop of a claim.
pub const CLAIM: &str = "2300";

/// The guide of professional claims, 005010X222A1. The embedded records are known to be sound: a test compiles them.
static PROFESSIONAL: LazyLock<Option<Guide>> = LazyLock::new(|| Guide::load(&load::PROFESSIONAL).ok());

/// Whether something must, may or must not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Required.
    Required,
    /// Situational.
    Situational,
    /// Not used.
    NotUsed,
}

/// The data types of X12.6 section 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A code.
    Code,
    /// A whole number with this many implied decimals.
    Whole(u8),
    /// A decimal number.
    Decimal,
    /// A date, `YYMMDD` or `CCYYMMDD`.
    Date,
    /// A time, `HHMM` to `HHMMSSDD`.
    Time,
}

/// A simple value: an element or a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simple {
    /// Number of the data element: IK402.
    pub number: u16,
    /// Its type.
    pub kind: Type,
    /// Least characters.
    pub min: u16,
    /// Most characters.
    pub max: u16,
    /// The codes allowed here; empty if the guide lists none.
    pub codes: Codes,
}

impl Simple {
    /// Whether a value is among the codes, or there are none.
    pub fn allows(&self, value: &[u8]) -> bool {
        self.codes.is_empty() || self.codes.has(value)
    }
}

/// A component of a composite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Whether it must stand, once the composite does.
    pub usage: Usage,
    /// What it is.
    pub value: Simple,
}

/// What an element is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One value.
    Simple(Simple),
    /// Components, and the relations that the composite asks for among them.
    Composite {
        /// Its components in order.
        components: Box<[Component]>,
        /// Relations among them.
        notes: Box<[Note]>,
    },
}

/// An element of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Whether it must stand.
    pub usage: Usage,
    /// Most repetitions.
    pub repeat: u16,
    /// What it is made of.
    pub content: Content,
}

/// The relations among elements of X12.6 section 3.7.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// P: if one stands, all must.
    Paired,
    /// R: at least one must stand.
    Required,
    /// E: at most one may stand.
    Exclusion,
    /// C: if the first stands, all others must.
    Conditional,
    /// L: if the first stands, at least one other must.
    List,
}

/// A relation and the elements it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The relation.
    pub relation: Relation,
    /// Numbers of the elements, from 1.
    pub elements: Box<[u8]>,
}

/// A value that tells one use of a segment from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discriminator {
    /// The element, from 1.
    pub element: u8,
    /// The component, from 1; 0 if it is no composite.
    pub component: u8,
    /// The values of this use.
    pub codes: Codes,
}

/// One use of a segment in a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The segment.
    pub id: SegmentId,
    /// What tells it from other uses.
    pub discriminators: Box<[Discriminator]>,
    /// Its elements in order.
    pub elements: Box<[Element]>,
    /// Relations among them.
    pub notes: Box<[Note]>,
}

impl Rule {
    /// Whether a segment of this identifier is this use of it.
    pub fn is_meant(&self, segment: &Segment<'_>) -> bool {
        self.discriminators.iter().all(|one| one.is_met(segment))
    }
}

impl Discriminator {
    /// Whether a segment has one of the values.
    pub fn is_met(&self, segment: &Segment<'_>) -> bool {
        let element = usize::from(self.element);
        let value = match self.component {
            0 => segment.element(element),
            component => segment.component(element, usize::from(component)),
        };
        self.codes.has(value)
    }
}

/// What an entry of a loop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// A segment, an index into [`Guide::rules`].
    Segment(u16),
    /// A loop, an index into [`Guide::loops`].
    Loop(u16),
}

/// An entry of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order; entries of the same position may stand in any order.
    pub position: u16,
    /// What it is.
    pub item: Item,
    /// Whether it must stand.
    pub usage: Usage,
    /// How often it may stand; `u32::MAX` without end.
    pub max: u32,
}

/// Entries by the segment that opens them.
type Table = Box<[(SegmentId, Box<[u16]>)]>;

/// A loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Its name.
    pub id: LoopId,
    /// Its entries in order; the first is the segment that opens it.
    pub entries: Box<[Entry]>,
    /// For each segment that opens an entry, sorted: the entries, those with discriminators first.
    table: Table,
}

impl Loop {
    /// The entries that a segment of this identifier may open, by index.
    pub fn opened_by(&self, id: SegmentId) -> &[u16] {
        let found = self.table.binary_search_by_key(&id, |(known, _)| *known).ok();
        found
            .and_then(|index| self.table.get(index))
            .map(|(_, entries)| entries.as_ref())
            .unwrap_or_default()
    }
}

/// A compiled guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// Uses of segments.
    pub rules: Box<[Rule]>,
    /// Loops; the first is the transaction set.
    pub loops: Box<[Loop]>,
    /// Every segment that the guide knows, sorted.
    known: Box<[SegmentId]>,
}

impl Guide {
    /// The guide of a transaction set by GS08 or ST03; none if there is none for it.
    pub fn of(set: &str, version: &str) -> Option<&'static Self> {
        match (set, version) {
            ("837", "005010X222" | "005010X222A1" | "005010X222A2") => PROFESSIONAL.as_ref(),
            _ => None,
        }
    }

    /// Whether a segment stands anywhere in the guide.
    pub fn knows(&self, id: SegmentId) -> bool {
        self.known.binary_search(&id).is_ok()
    }

    /// The use of a segment by its index.
    pub fn rule(&self, index: u16) -> Option<&Rule> {
        self.rules.get(usize::from(index))
    }

    /// A loop by its index.
    pub fn loop_at(&self, index: u16) -> Option<&Loop> {
        self.loops.get(usize::from(index))
    }

    /// The data element at a place of a segment, as any use of the segment has it; 0 for a composite or none.
    pub fn number_of(&self, id: SegmentId, element: u16, component: u16) -> u16 {
        let rule = self.rules.iter().find(|rule| rule.id == id);
        let index = usize::from(element).checked_sub(1);
        let found = rule.zip(index).and_then(|(rule, index)| rule.elements.get(index));
        match found.map(|found| &found.content) {
            Some(Content::Simple(simple)) => simple.number,
            Some(Content::Composite { components, .. }) => {
                let index = usize::from(component).checked_sub(1);
                let found = index.and_then(|index| components.get(index));
                found.map_or(0, |component| component.value.number)
            }
            None => 0,
        }
    }

    /// The use of the segment that opens an entry.
    pub fn opener(&self, entry: &Entry) -> Option<&Rule> {
        match entry.item {
            Item::Segment(rule) => self.rule(rule),
            Item::Loop(inner) => match self.loop_at(inner)?.entries.first()?.item {
                Item::Segment(rule) => self.rule(rule),
                Item::Loop(_) => None,
            },
        }
    }
}
