//! Named operations: what a row cannot say, in Rust. A format lists its own; each declares what it reads and writes and
//! gets the values and a writer for its element. What an operation means is the format's; nothing here knows one.

use causeway_core::origin::OriginId;
use causeway_core::{NodeId, Tree, fhir};

use crate::doc::{Doc, Value};

/// A named operation of a format.
pub struct OpDef<D: Doc + ?Sized> {
    /// Its name in rows.
    pub name: &'static str,
    /// Places that it reads besides those in `from`, as rows write them.
    pub reads: &'static [&'static str],
    /// Code tables that it looks into.
    pub tables: &'static [&'static str],
    /// What it reads and writes, for the manual and the checker: types of elements that it may fill.
    pub writes: &'static [&'static str],
    /// Whether it runs for each value, or once for all that `from` names.
    pub each: bool,
    /// One sentence for the manual.
    pub doc: &'static str,
    /// Its code. False when nothing came of it.
    pub run: fn(&Input<'_, D>, &mut Output<'_>) -> bool,
}

impl<D: Doc + ?Sized> std::fmt::Debug for OpDef<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpDef")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What an operation reads.
#[derive(Debug)]
pub struct Input<'a, D: ?Sized> {
    /// The document.
    pub doc: &'a D,
    /// The values of `from`: the one in hand, the joined places (none where one is not valued), or all repetitions.
    pub values: &'a [Option<Value>],
    /// The first values of the places that it reads besides.
    pub others: &'a [Option<Value>],
    pub(crate) tables: &'a [std::sync::Arc<crate::plan::Codes>],
}

impl<D: Doc> Input<'_, D> {
    /// The text of a value, empty where there is none or `""`.
    pub fn text(&self, value: Option<Value>) -> std::borrow::Cow<'_, str> {
        let said = value.filter(|value| self.doc.presence(*value) == crate::doc::Presence::Valued);
        said.map_or(std::borrow::Cow::Borrowed(""), |value| self.doc.text(value))
    }

    /// The text of the first leaf of a value, trimmed; empty where there is none or `""`.
    pub fn leaf(&self, at: usize) -> std::borrow::Cow<'_, str> {
        let value = self.values.get(at).copied().flatten();
        self.text(value.map(|value| self.doc.first(value)))
    }

    /// What a code becomes in one of the operation's tables.
    pub fn look_up(&self, table: usize, code: &str) -> Option<&str> {
        self.tables.get(table)?.get(code.trim())?.to.as_deref()
    }

    /// Whether the system that a table gives for a name holds all its codes, and not this one.
    pub fn is_foreign(&self, table: usize, name: &str, code: &str) -> bool {
        let found = self.tables.get(table).and_then(|table| table.get(name.trim()));
        found
            .and_then(|found| found.closed)
            .is_some_and(|system| system.concept(code).is_none())
    }

    /// The text of the value in hand.
    pub fn first(&self) -> std::borrow::Cow<'_, str> {
        self.text(self.values.first().copied().flatten())
    }
}

/// Where an operation writes: one element, as a value or an object.
pub struct Output<'a> {
    pub(crate) tree: &'a mut Tree,
    pub(crate) origin: OriginId,
    pub(crate) at: At<'a>,
    pub(crate) settings: &'a crate::plan::Settings,
    pub(crate) offset: Option<&'a str>,
}

impl std::fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Where a value is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At<'a> {
    /// A member of an object.
    Member(NodeId, &'a str),
    /// An item of an array.
    Item(NodeId),
    /// Into this object itself.
    Into(NodeId),
}

/// The system address of a hierarchic designator without a site's word on it: by its universal id, else a private one.
pub fn authority_address(name: &str, universal: &str, kind: &str) -> Option<String> {
    let mut address = String::new();
    crate::run::plain_address([name, universal, kind], &mut address).then_some(address)
}

/// A private address below a path, the same for the same name.
pub fn private_address(path: &str, name: &str) -> String {
    let mut address = String::new();
    crate::run::private_address(path, name, &mut address);
    address
}

impl Output<'_> {
    /// Writes the element as a string; an empty one is not written.
    pub fn text(&mut self, text: &str) -> bool {
        let mut clean = String::new();
        crate::primitives::clean(text, &mut clean);
        !clean.is_empty() && self.value(fhir::Value::String(&clean)).is_some()
    }

    /// Writes the element as a value.
    pub fn value(&mut self, value: fhir::Value<'_>) -> Option<NodeId> {
        match self.at {
            At::Member(parent, name) => Some(self.tree.member(parent, name, value, self.origin)),
            At::Item(parent) => Some(self.tree.item(parent, value, self.origin)),
            At::Into(object) if value == fhir::Value::Object => Some(object),
            At::Into(_) => None,
        }
    }

    /// Begins the element as an object.
    pub fn object(&mut self) -> Option<NodeId> {
        self.value(fhir::Value::Object)
    }

    /// Adds a member to an object of the element; the order is the caller's.
    pub fn put(&mut self, object: NodeId, name: &str, value: fhir::Value<'_>) -> NodeId {
        self.tree.member(object, name, value, self.origin)
    }

    /// A time as FHIR writes a dateTime; none when it is not one.
    pub fn date_time(&self, text: &str) -> Option<String> {
        let around = crate::primitives::Around {
            offset: self.offset,
            zone: self.settings.zone.as_ref(),
        };
        let mut out = String::new();
        let made = crate::primitives::Primitive::DateTime.write(text, around, &mut out);
        matches!(made, crate::primitives::Made::Text | crate::primitives::Made::Completed).then_some(out)
    }

    /// The system address of a hierarchic designator: what the site says, else [`authority_address`].
    pub fn authority(&self, name: &str, universal: &str, kind: &str) -> Option<String> {
        let mut address = String::new();
        crate::run::site_address(self.settings, [name, universal, kind], &mut address).then_some(address)
    }

    /// A number as FHIR writes a decimal; none when it is not one.
    pub fn decimal(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        (crate::primitives::decimal(text, &mut out) == crate::primitives::Made::Number).then_some(out)
    }
}
