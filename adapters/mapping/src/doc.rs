//! What a format's document must offer so that rows can be run on it: items in order with names, values as copied
//! handles, and compiled steps from an item to its values. Formats implement it; nothing here knows one of them.

use std::borrow::Cow;
use std::fmt;

use causeway_core::Place;

use crate::syntax::{Part, Select};

/// A value of a document: where it stands, and two numbers of the format's own (a span of its text, an index). Copied
/// freely, read only by the document that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// Where it stands.
    pub place: Place,
    /// The format's own: the first byte of a span.
    pub start: u32,
    /// The format's own: the byte behind the last.
    pub end: u32,
}

/// What a sender said by a value that stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing stands there.
    Empty,
    /// The sender says that there is none: `""` in HL7v2, `null` in JSON.
    Null,
    /// There is something.
    Valued,
}

/// How an identifier type is told apart from another of its kind: by number and authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The parts that may hold the number, the best first.
    pub number: &'static [u32],
    /// The parts that may hold the authority, the best first.
    pub authority: &'static [u32],
    /// How many parts from the authority's first belong to it, as in EI where it stands flat.
    pub width: u32,
    /// Whether the authority is one that numbers: the namespace of ids. A code's system is not.
    pub namespace: bool,
}

/// A document that rows can be run on.
pub trait Doc: Send + Sync + 'static {
    /// A compiled path from an item to its values, or from a value to its parts.
    type Step: Clone + fmt::Debug + Send + Sync + 'static;

    /// A value cut into its parts once, so that each part is found without reading those before it.
    type Cut: Clone + Default + fmt::Debug + Send;

    /// How many items (segments, objects) there are.
    fn items(&self) -> u32;

    /// The symbol of an item's name, as [`Format::symbol`] gives it.
    fn symbol(&self, item: u32) -> u32;

    /// The place of an item.
    fn item_place(&self, item: u32) -> Place;

    /// Appends the occurrences that a step selects in an item: repetitions of a field, without its parts. `anchor` is
    /// the number of the anchor's own value, from 1, for `[n]`.
    fn spots(&self, item: u32, step: &Self::Step, anchor: u32, out: &mut Vec<Value>);

    /// The first occurrence that a step selects in an item, and whether there may be more.
    fn spot(&self, item: u32, step: &Self::Step, anchor: u32) -> (Option<Value>, bool);

    /// Appends what the step's selector looked at in an item, where that is not part of what it selects: the qualifier of
    /// `REF[01=EI]-02`. Only a ledger asks.
    fn selected(&self, item: u32, step: &Self::Step, out: &mut Vec<Value>) {
        let _ = (item, step, out);
    }

    /// The part of an occurrence that a step leads to; the occurrence itself where it names none.
    fn narrow(&self, value: Value, step: &Self::Step) -> Option<Value>;

    /// Cuts a value into its parts.
    fn cut(&self, value: Value, into: &mut Self::Cut);

    /// The part of a cut value that a step leads to.
    fn part(&self, cut: &Self::Cut, step: &Self::Step) -> Option<Value>;

    /// Which fields of an item say anything: bit n for field n, the highest for all from there on.
    fn mask(&self, item: u32) -> u64;

    /// Which parts of a cut value say anything, as [`Doc::mask`].
    fn cut_mask(&self, cut: &Self::Cut) -> u64;

    /// The bit of the field that a step begins with, or of the part where it begins at a value; all where it names none.
    fn bit(step: &Self::Step, field: bool) -> u64;

    /// The part of a number, from 1, of a value.
    fn nth(&self, value: Value, number: u32) -> Option<Value>;

    /// The first leaf of a value: what tests and codes look at.
    fn first(&self, value: Value) -> Value;

    /// What the sender said by a value.
    fn presence(&self, value: Value) -> Presence;

    /// Whether a value has parts at all.
    fn is_complex(&self, value: Value) -> bool;

    /// A number for how a value is read: two values of equal raw text and equal number have equal parts at equal places
    /// within them, in whatever documents they stand.
    fn reading(&self, value: Value) -> u64;

    /// The text as it was sent: two values of one document with equal raw text say the same.
    fn raw(&self, value: Value) -> &str;

    /// The text as it was meant.
    fn text(&self, value: Value) -> Cow<'_, str>;

    /// Every populated leaf of the document, in order.
    fn leaves(&self, each: &mut dyn FnMut(Value));

    /// Whether a place lies in another, or is it.
    fn lies_in(&self, inner: Place, outer: Place) -> bool;

    /// What triggers it: `A01`, for tests.
    fn trigger(&self) -> &str;

    /// The version it names, for tests: `2.5.1`.
    fn version(&self) -> &str;

    /// How many groups the document brings of its own, as [`Format::tree`] names them; none where groups are found by
    /// the items that open them.
    fn groups(&self) -> u32 {
        0
    }

    /// The name of one of its own groups as a symbol, and the group around it. The first is the document itself; every
    /// other stands behind the one around it, and what lies in it follows right behind it.
    fn group(&self, number: u32) -> (u32, u32) {
        let _ = number;
        (0, 0)
    }

    /// The one of its own groups that an item stands in.
    fn within(&self, item: u32) -> u32 {
        let _ = item;
        0
    }
}

/// A kind of group in a format whose documents bring their own, at one full path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name, as rows write it: `2010BA`.
    pub name: &'static str,
    /// The symbol that [`Doc::group`] gives for it.
    pub symbol: u32,
    /// The item that every group of the kind begins with.
    pub opener: &'static str,
    /// The branch around it, by number; of the first, which is the document itself, its own.
    pub around: usize,
}

/// What the compiler asks of a format: symbols, steps, types and operations.
pub trait Format: Send + Sync {
    /// Its documents.
    type Doc: Doc;

    /// The symbol of an item's name; none when no item can have it.
    fn symbol(&self, name: &str) -> Option<u32>;

    /// Compiles the parts behind an item's or a type's name. `select` stands right behind the name itself.
    ///
    /// # Errors
    /// What the format cannot read, in a sentence.
    fn step(&self, select: &[Select], parts: &[Part]) -> Result<<Self::Doc as Doc>::Step, String>;

    /// The type of a field or part, for keys: `CX` of PID-3, `HD` of XCN.9.
    fn type_of(&self, head: &str, parts: &[Part]) -> Option<&'static str>;

    /// How values of an identifier type are told apart.
    fn identity(&self, kind: &str) -> Option<Identity>;

    /// The named operations.
    fn ops(&self) -> &'static [crate::ops::OpDef<Self::Doc>];

    /// The names of the item that describes the document itself and may be read from everywhere: MSH.
    fn header(&self) -> Option<&'static str>;

    /// The kinds of groups where documents bring their own, every full path once, a branch behind the one around it.
    /// Empty where the anchors of the rows are the grammar.
    fn tree(&self) -> Vec<Branch> {
        Vec::new()
    }
}
