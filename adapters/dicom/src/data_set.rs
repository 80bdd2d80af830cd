//! A data set as it was found: elements in the order of the bytes, each with the span of its value, and the items of
//! sequences as scopes among them. It holds the bytes and copies none. How it is found is `scan`'s, what text means
//! `text`'s.

use bytes::Bytes;

use crate::tag::{Tag, Vr};

/// No index.
pub(crate) const NONE: u32 = u32::MAX;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub tag: Tag,
    /// Its value representation: as it says, else as the dictionary says.
    pub vr: Vr,
    /// The scope that it stands in; 0 is the data set itself.
    pub scope: u32,
    /// First byte of its value; of a sequence, of what lies in it.
    pub start: u32,
    /// The byte behind its value.
    pub end: u32,
    /// The element behind it and all that lies in it.
    pub(crate) after: u32,
    /// The scope of the first item of a sequence.
    pub(crate) first_item: u32,
}

/// An item of a sequence, or the data set itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The sequence that it is an item of.
    pub sequence: Option<u32>,
    /// Its number within the sequence, from 1.
    pub number: u32,
    pub(crate) first: u32,
    pub(crate) end: u32,
    pub(crate) next: u32,
}

/// The elements of a data set.
#[derive(Debug, Clone, Default)]
pub struct DataSet {
    pub(crate) bytes: Bytes,
    pub(crate) elements: Vec<Element>,
    pub(crate) scopes: Vec<Scope>,
}

impl DataSet {
    /// All elements, in the order of the bytes.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// An element.
    pub fn element(&self, index: u32) -> Option<&Element> {
        self.elements.get(index as usize)
    }

    /// A scope.
    pub fn scope(&self, index: u32) -> Option<&Scope> {
        self.scopes.get(index as usize)
    }

    /// The elements of a scope, without those in its sequences.
    pub fn within(&self, scope: u32) -> impl Iterator<Item = (u32, &Element)> {
        let bounds = self.scope(scope).map_or((0, 0), |scope| (scope.first, scope.end));
        let mut at = bounds.0;
        std::iter::from_fn(move || {
            if at >= bounds.1 {
                return None;
            }
            let element = self.element(at)?;
            let found = (at, element);
            at = element.after.max(at + 1);
            Some(found)
        })
    }

    /// The element of a tag in a scope; of several the first.
    pub fn find(&self, scope: u32, tag: Tag) -> Option<&Element> {
        self.within(scope)
            .find(|(_, element)| element.tag == tag)
            .map(|(_, element)| element)
    }

    /// The items of a sequence.
    pub fn items(&self, sequence: &Element) -> impl Iterator<Item = u32> {
        let mut at = sequence.first_item;
        std::iter::from_fn(move || {
            let scope = self.scope(at)?;
            let found = at;
            at = scope.next;
            Some(found)
        })
    }

    /// The bytes of a value as they are.
    pub fn raw(&self, element: &Element) -> &[u8] {
        self.bytes
            .get(element.start as usize..element.end as usize)
            .unwrap_or_default()
    }

    /// The text of a value of the default repertoire at the top of the data set, without padding: a UID, a code string.
    pub fn plain(&self, tag: Tag) -> Option<&str> {
        let raw = self.raw(self.find(0, tag)?);
        let text = std::str::from_utf8(raw).ok()?;
        let text = text.trim_matches(|c: char| c == '\0' || c == ' ');
        (!text.is_empty()).then_some(text)
    }

    /// The place of an element as DESIGN writes it: `(0040,A730)[2]/(0008,0061)`, private `(0019,"CREATOR",10)`.
    pub fn place(&self, index: u32) -> String {
        let Some(element) = self.element(index) else {
            return String::new();
        };
        let own = self.name(element);
        match self.scope(element.scope) {
            Some(Scope {
                sequence: Some(sequence),
                number,
                ..
            }) => format!("{}[{number}]/{own}", self.place(*sequence)),
            _ => own,
        }
    }

    fn name(&self, element: &Element) -> String {
        let tag = element.tag;
        let creator = tag.creator().and_then(|creator| self.find(element.scope, creator));
        let Some(creator) = creator else { return tag.to_string() };
        let name = String::from_utf8_lossy(self.raw(creator));
        let name = name.trim_matches(|c: char| c == '\0' || c == ' ');
        format!("({:04X},\"{name}\",{:02X})", tag.group(), tag.element() & 0xFF)
    }
}
