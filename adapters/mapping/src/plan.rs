//! Rows compiled for running: places are slots and steps, type maps are inlined, targets are trees in the order of FHIR's
//! elements, names are gone. How they are made is in `compile`, what they do is in `run`.

mod guard;

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::doc::{Doc, Identity};
use crate::group::Grammar;
use crate::ops::OpDef;
use crate::primitives::Primitive;

pub(crate) use crate::codes::{Code, Codes};
pub(crate) use guard::{Guard, Guards, Index, Spoken, Words};

/// A format's maps, compiled.
pub struct Plan<D: Doc> {
    /// Structures by name.
    pub(crate) structures: BTreeMap<String, Arc<Structure<D>>>,
    /// Which structure a kind of message has.
    pub(crate) messages: Vec<MessageKind>,
    pub(crate) rows: Arc<RowTexts>,
    pub(crate) settings: Arc<Settings>,
    /// Codes and units made before, one set for each run at a time.
    pub(crate) stencils: std::sync::Mutex<Vec<crate::run::Stencils>>,
}

impl<D: Doc> std::fmt::Debug for Plan<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("structures", &self.structures.keys())
            .finish_non_exhaustive()
    }
}

/// A kind of message and its structure.
#[derive(Debug, Clone)]
pub(crate) struct MessageKind {
    /// `ORU^R01`, `ADT^*`, `*^*`.
    pub(crate) pattern: String,
    pub(crate) structure: String,
    /// There is no map of its own.
    pub(crate) fallback: bool,
}

impl MessageKind {
    /// The two halves of its pattern.
    pub(crate) fn kind_and_trigger(&self) -> (&str, &str) {
        self.pattern.split_once('^').unwrap_or((&self.pattern, "*"))
    }
}

/// The rows' own texts, for lineage, ledger and findings.
#[derive(Debug, Default)]
pub(crate) struct RowTexts {
    /// `FILE:LINE` by row number.
    pub(crate) texts: Vec<String>,
    /// The reason of a row that ignores, by row number.
    pub(crate) notes: BTreeMap<u32, String>,
}

/// What a site says once, as the run needs it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// System addresses by the name of the authority in the source.
    pub(crate) authorities: BTreeMap<String, String>,
    /// Zone of times without an offset.
    pub(crate) zone: Option<jiff::tz::TimeZone>,
}

/// One structure.
pub(crate) struct Structure<D: Doc> {
    pub(crate) grammar: Grammar,
    /// What instances are made, in the order of the rows.
    pub(crate) makes: Vec<Make<D>>,
    /// By kind of group: the makes of its anchor.
    pub(crate) of_kind: Vec<Vec<u16>>,
    /// How many tests have a number.
    pub(crate) tests: u32,
    /// The names that instances have, by number.
    pub(crate) names: Vec<String>,
}

/// What a structure row makes.
pub(crate) struct Make<D: Doc> {
    pub(crate) row: u32,
    /// Its alternatives: rows of the same `at` and `as` have the same number.
    pub(crate) choice: u16,
    /// The name of the instances, as a number.
    pub(crate) name: u16,
    pub(crate) what: What,
    /// The place that opens an instance for each of its values; the anchor itself where there is none.
    pub(crate) at: Option<Read<D>>,
    pub(crate) when: Vec<Test<D>>,
    pub(crate) keys: Vec<Vec<KeyPart<D>>>,
    pub(crate) fill: Node<D>,
    /// Two makes of one signature fill alike from equal values.
    pub(crate) signature: u32,
    /// Whether all that fills it is read from the value that opens it.
    pub(crate) self_contained: bool,
}

/// What it is.
pub(crate) enum What {
    /// A resource of a type; whether the type is Patient is asked often.
    Resource { kind: Box<str>, patient: bool },
    /// An item in an element of the nearest instance of a name; the number is that of the element.
    Item { name: u16, element: u16 },
    /// The message's own Bundle.
    Bundle,
}

/// One part of a key.
pub(crate) struct KeyPart<D: Doc> {
    pub(crate) what: KeyWhat<D>,
    pub(crate) optional: bool,
}

pub(crate) enum KeyWhat<D: Doc> {
    Place {
        read: Read<D>,
        identity: Option<Identity>,
        authority: bool,
    },
    Text(Box<str>),
    /// The address of the authority that numbers, a setting: the namespace.
    Space(Box<str>),
    Name(u16),
    Ordinal,
}

/// Where reading starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The items of a member of the group so many levels further out.
    Group { up: u8, member: u16 },
    /// The items of a member of the groups of a kind in the group so many levels further out.
    Below { up: u8, kind: u16, member: u16 },
    /// The header item of the document.
    Header,
    /// The value that was cut at a depth: the anchor's own, or of a type map or label.
    Frame(u8),
    /// The item that the row's own value stands in.
    HandItem,
    /// The occurrence that the row's own value stands in.
    HandSpot,
    /// Nothing: the place cannot be there.
    Nowhere,
}

/// A place, compiled.
pub(crate) struct Read<D: Doc> {
    pub(crate) from: From,
    /// None for the value or the item itself.
    pub(crate) step: Option<D::Step>,
}

impl<D: Doc> Clone for Read<D> {
    fn clone(&self) -> Self {
        Self {
            from: self.from,
            step: self.step.clone(),
        }
    }
}

/// A test, compiled.
pub(crate) struct Test<D: Doc> {
    /// Tests of one number say the same for one instance; none where a value in hand decides.
    pub(crate) id: Option<u32>,
    pub(crate) not: bool,
    /// The place; none for the value in hand.
    pub(crate) on: Option<Read<D>>,
    pub(crate) check: Check<D>,
}

pub(crate) enum Check<D: Doc> {
    Valued,
    Absent,
    Null,
    In(Vec<Box<str>>),
    InTable(Arc<Codes>),
    Same(Read<D>),
    Number,
    Measure,
    NumberIs(crate::syntax::Compare, f64),
    Length(crate::syntax::Compare, u32),
    Count(crate::syntax::Compare, u32),
    Version(crate::syntax::Compare, Box<str>),
    Trigger(Vec<Box<str>>),
    Has(u32),
    /// A group that documents bring, by the symbol of its name.
    HasGroup(u32),
    /// Decided when compiled.
    Fixed(bool),
}

/// An object: its members in the order of FHIR.
pub(crate) struct Node<D: Doc> {
    pub(crate) members: Vec<Member<D>>,
    pub(crate) index: Index,
    /// Rows without a target that say something.
    pub(crate) remarks: Vec<Row<D>>,
    /// Rows that ignore places: only a ledger asks.
    pub(crate) ignored: Vec<Row<D>>,
}

impl<D: Doc> Default for Node<D> {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            index: Index::default(),
            remarks: Vec::new(),
            ignored: Vec::new(),
        }
    }
}

/// One element of an object.
pub(crate) struct Member<D: Doc> {
    pub(crate) name: Box<str>,
    /// The name of what belongs to a primitive, `_birthDate`.
    pub(crate) under: Box<str>,
    pub(crate) content: Content<D>,
    pub(crate) guards: Guards,
    /// The number of an element that instances make items of.
    pub(crate) element: Option<u16>,
}

pub(crate) enum Content<D: Doc> {
    One(Slot<D>),
    /// One of several types.
    Choice(Vec<Option_<D>>, Vec<Decider>),
    Many(Vec<Part<D>>, Index, bool),
}

/// One type of a choice.
pub(crate) struct Option_<D: Doc> {
    pub(crate) name: Box<str>,
    pub(crate) under: Box<str>,
    pub(crate) slot: Slot<D>,
    /// Rows inside it that may decide, in the order of [`Decider::Inner`].
    pub(crate) deciders: Vec<Row<D>>,
}

/// What decides between types, in the order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decider {
    /// The alternative of a type.
    Whole { option: u16, alternative: u16 },
    /// A row inside a type.
    Inner { option: u16, row: u16 },
}

/// What may stand in one place: the first alternative that yields, with what is added inside.
pub(crate) struct Slot<D: Doc> {
    pub(crate) alternatives: Vec<Row<D>>,
    /// What stands inside when no alternative yields.
    pub(crate) inner: Option<Box<Node<D>>>,
    pub(crate) primitive: bool,
    pub(crate) element: causeway_profiles::definitions::Found,
}

/// Items of a repeating element.
pub(crate) enum Part<D: Doc> {
    /// A new item for each value; the rows are alternatives for each.
    Values(Vec<Row<D>>),
    /// Items of a label.
    Label(Box<Label<D>>),
}

/// Items of one label: those of the first variant that yields.
pub(crate) struct Label<D: Doc> {
    /// The address of an extension.
    pub(crate) url: Option<Box<str>>,
    pub(crate) guards: Guards,
    /// An extension for each of several instances: the name of its value, and the row that refers to them.
    pub(crate) each: Option<(Box<str>, Row<D>)>,
    /// How many there may be.
    pub(crate) limit: u32,
    pub(crate) variants: Vec<Variant<D>>,
}

pub(crate) struct Variant<D: Doc> {
    /// The field whose values make an item each; one item where there is none.
    pub(crate) driver: Option<(Read<D>, u8)>,
    pub(crate) slot: Slot<D>,
}

/// One row.
pub(crate) struct Row<D: Doc> {
    pub(crate) id: u32,
    pub(crate) guards: Guards,
    /// Empty when it runs once; nearly all others read one place.
    pub(crate) from: SmallVec<[Read<D>; 1]>,
    pub(crate) when: Vec<Test<D>>,
    pub(crate) act: Act<D>,
    /// A test lets it fire where nothing stands.
    pub(crate) on_absent: bool,
    /// The top-level element that `""` removes; none inside labels and type maps.
    pub(crate) removes: Option<Box<str>>,
    /// Whether it yields by itself: it has a source.
    pub(crate) strong: bool,
}

/// A constant with its JSON kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fixed {
    Text(Box<str>),
    Number(Box<str>),
    Bool(bool),
    /// A `Coding`, or a `CodeableConcept` around it.
    Coding {
        system: Box<str>,
        code: Box<str>,
        display: Box<str>,
        concept: bool,
    },
}

/// What a table's code becomes in its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Bool,
    Number,
    Coding,
    Concept,
}

/// Why a constant stands there, for lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Constant,
    Default,
    Site,
}

pub(crate) enum Act<D: Doc> {
    Primitive(Primitive),
    Table {
        table: Arc<Codes>,
        shape: Shape,
    },
    Fixed(Fixed, Why),
    Absent(Box<str>),
    /// A type map: the value is cut at the depth and fills an object.
    Map {
        depth: u8,
        node: Arc<Node<D>>,
        /// Codes and units that depend on nothing but the value's text: what was made once may be used again.
        again: bool,
        /// Rows of others that fill what the type map never does, written before it.
        beside: Option<Box<Node<D>>>,
    },
    /// A type map on a Reference: instances are made, the first is referred to.
    Make(Arc<[Make<D>]>),
    Ref(Reference<D>),
    /// Number of the item in its element, or of the nearest of a name.
    Ordinal(Option<u16>),
    /// The numbers of all items of a name below the group.
    Ordinals(u16),
    Op {
        op: &'static OpDef<D>,
        others: Vec<Read<D>>,
        tables: Vec<Arc<Codes>>,
    },
    Finding(Box<str>),
    Ignore,
}

/// A reference to another instance.
pub(crate) struct Reference<D: Doc> {
    pub(crate) name: u16,
    pub(crate) scope: crate::syntax::Scope,
    pub(crate) pairs: Vec<Pair<D>>,
}

pub(crate) struct Pair<D: Doc> {
    /// Read from the other instance, one for each structure row of the name and kind of group that it opens in.
    pub(crate) there: Vec<((u32, u16), Read<D>)>,
    pub(crate) here: Read<D>,
    pub(crate) identity: Option<Identity>,
}
