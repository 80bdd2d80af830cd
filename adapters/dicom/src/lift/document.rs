//! An instance as a document that rows can be run on: the items are its elements by keyword, those at the top behind `root`
//! and those of mapped sequences behind an item of the sequence's name. Text is decoded once into one buffer; a value is a
//! span of it with its place.

use std::borrow::Cow;
use std::sync::Arc;

use causeway_core::Place;
use causeway_mapping::doc::{Doc, Presence, Value};

use super::format::{Pick, Step};
use super::spot::{Spot, numbers, pack, parts, small, unpack};
use crate::data_set::{DataSet, Element};
use crate::scan::Object;
use crate::tag::{Tag, Vr};
use crate::text::{self, Charsets};

/// The symbol of the item that opens the document.
pub(super) const ROOT: u32 = 1;
/// No row reads these: elements of sequences that are not mapped.
const UNREAD: u32 = 0;
/// Sequences whose items rows read.
const MAPPED: [u32; 4] = [
    0x0008_1032, // Procedure Code Sequence
    0x0010_1002, // Other Patient IDs Sequence
    0x0040_0275, // Request Attributes Sequence
    0x0040_1012, // Reason For Performed Procedure Code Sequence
];
/// The longest text that is read as such; longer ones are bulk.
const LONGEST: usize = 64 << 10;
/// The authority of all UIDs (FHIR R4 `NamingSystem` of DICOM UIDs).
const UIDS: &str = "urn:dicom:uid";

#[derive(Debug, Clone, Copy)]
struct Item {
    symbol: u32,
    /// Whether the element is one of the file meta information.
    meta: bool,
    element: u32,
    start: u32,
    end: u32,
}

/// An instance for rows.
#[derive(Debug)]
pub(crate) struct Document {
    object: Arc<Object>,
    text: String,
    items: Vec<Item>,
}

/// The whole document as a place.
pub(crate) const WHOLE: &str = "root";

/// The text of a place: `(0040,0275)[1]/(0008,0050)`, `(0008,1070)#2`, `(0010,0010)=2^1`.
pub(crate) fn place_text(document: &Document, place: Place) -> String {
    let spot = unpack(place);
    let item = document.items.get(spot.item as usize);
    let mut text = item.map_or_else(String::new, |item| document.set(item).place(item.element));
    if text.is_empty() {
        return WHOLE.to_owned();
    }
    let parts = [('#', spot.value), ('=', spot.group), ('^', spot.component)];
    for (mark, number) in parts.into_iter().filter(|(_, number)| *number > 0) {
        text.push(mark);
        text.push_str(&number.to_string());
    }
    text
}

impl Document {
    /// The document of an object.
    pub(crate) fn new(object: &Arc<Object>, charsets: &Charsets) -> Self {
        let mut document = Self {
            object: Arc::clone(object),
            text: UIDS.to_owned(),
            items: Vec::new(),
        };
        document.opener(ROOT, u32::MAX);
        for set in [&object.meta, &object.set] {
            for (index, element) in set.within(0) {
                document.add(set, charsets, index, element, element.tag.0);
            }
        }
        let set = &object.set;
        for (index, element) in set.within(0).filter(|(_, element)| element.vr == Vr::SQ) {
            let mapped = MAPPED.contains(&element.tag.0);
            for scope in set.items(element) {
                if mapped {
                    document.opener(element.tag.0, index);
                }
                for (inner, element) in set.within(scope) {
                    let symbol = if mapped { element.tag.0 } else { UNREAD };
                    document.add(set, charsets, inner, element, symbol);
                    document.add_below(set, charsets, element);
                }
            }
        }
        document
    }

    /// What lies deeper is read by no row, and reported.
    fn add_below(&mut self, set: &DataSet, charsets: &Charsets, sequence: &Element) {
        let mut open: Vec<u32> = set.items(sequence).collect();
        while let Some(scope) = open.pop() {
            for (index, element) in set.within(scope) {
                self.add(set, charsets, index, element, UNREAD);
                open.extend(set.items(element));
            }
        }
    }

    fn set(&self, item: &Item) -> &DataSet {
        if item.meta { &self.object.meta } else { &self.object.set }
    }

    fn opener(&mut self, symbol: u32, element: u32) {
        self.items.push(Item {
            symbol,
            meta: false,
            element,
            start: 0,
            end: 0,
        });
    }

    /// Adds an element that says something.
    fn add(&mut self, set: &DataSet, charsets: &Charsets, index: u32, element: &Element, symbol: u32) {
        let raw = set.raw(element);
        let is_text = element.vr.is_free_text() || element.vr.is_plain_text();
        if element.vr == Vr::SQ || raw.is_empty() || raw.len() > LONGEST {
            return;
        }
        let values = if is_text {
            text::values(set, charsets, element).0
        } else {
            numbers(raw, element.vr, self.object.syntax.big_endian)
        };
        let start = self.text.len();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.text.push('\\');
            }
            self.text.push_str(value);
        }
        if self.text.len() == start {
            return;
        }
        self.items.push(Item {
            symbol,
            // Not by its group: one of 0002 may lie, wrongly, among the others.
            meta: std::ptr::eq(set, &raw const self.object.meta),
            element: index,
            start: small(start),
            end: small(self.text.len()),
        });
    }

    fn span(&self, value: Value) -> &str {
        let value = self.own(value);
        self.text
            .get(value.start as usize..value.end as usize)
            .unwrap_or_default()
    }

    /// A value with its span; the row compiler hands out whole items without one.
    fn own(&self, value: Value) -> Value {
        let spot = unpack(value.place);
        let whole = spot.value == 0 && value.end == 0;
        let item = self.items.get(spot.item as usize).filter(|_| whole);
        item.map_or(value, |item| Value {
            start: item.start,
            end: item.end,
            ..value
        })
    }

    fn tag(&self, place: Place) -> Option<(Tag, Vr)> {
        let item = self.items.get(unpack(place).item as usize)?;
        let element = self.set(item).element(item.element)?;
        Some((element.tag, element.vr))
    }

    /// The values of an item.
    fn values(&self, item: u32) -> Vec<Value> {
        let whole = self.own(Value {
            place: self.item_place(item),
            start: 0,
            end: 0,
        });
        let multiple = self.tag(whole.place).is_none_or(|(_, vr)| vr.is_multiple());
        let spot = |number| {
            pack(Spot {
                value: number,
                ..unpack(whole.place)
            })
        };
        parts(self.span(whole), if multiple { '\\' } else { '\0' }, whole.start)
            .map(|(number, start, end)| Value {
                place: spot(number),
                start,
                end,
            })
            .collect()
    }

    /// A group of a name.
    fn group(&self, name: Value, group: u32) -> Option<Value> {
        let (_, start, end) = parts(self.span(name), '=', name.start).nth(group.checked_sub(1)? as usize)?;
        let place = pack(Spot {
            group,
            ..unpack(name.place)
        });
        Some(Value { place, start, end })
    }

    /// A component of a group; of a name that is not split yet, of its first group.
    fn component(&self, value: Value, number: u32) -> Option<Value> {
        let group = if unpack(value.place).group == 0 {
            self.group(value, 1)?
        } else {
            value
        };
        let (_, start, end) = parts(self.span(group), '^', group.start).nth(number.checked_sub(1)? as usize)?;
        let place = pack(Spot {
            component: number,
            ..unpack(group.place)
        });
        Some(Value { place, start, end })
    }
}

impl Doc for Document {
    type Step = Step;
    type Cut = Option<Value>;

    fn items(&self) -> u32 {
        small(self.items.len())
    }

    fn symbol(&self, item: u32) -> u32 {
        self.items.get(item as usize).map_or(UNREAD, |item| item.symbol)
    }

    fn item_place(&self, item: u32) -> Place {
        pack(Spot {
            item,
            value: 0,
            group: 0,
            component: 0,
        })
    }

    fn spots(&self, item: u32, step: &Step, _anchor: u32, out: &mut Vec<Value>) {
        for (number, value) in (1..).zip(self.values(item)) {
            match step.pick {
                Pick::Nth(nth) if number != nth => {}
                Pick::All | Pick::Nth(_) => out.push(value),
                Pick::Group(group) => out.extend(self.group(value, group)),
            }
        }
    }

    fn spot(&self, item: u32, step: &Step, anchor: u32) -> (Option<Value>, bool) {
        let mut found = Vec::new();
        self.spots(item, step, anchor, &mut found);
        (found.first().copied(), found.len() > 1)
    }

    fn narrow(&self, value: Value, step: &Step) -> Option<Value> {
        match step.component {
            0 => Some(value),
            number => self.nth(value, number),
        }
    }

    fn cut(&self, value: Value, into: &mut Option<Value>) {
        *into = Some(self.own(value));
    }

    fn part(&self, cut: &Option<Value>, step: &Step) -> Option<Value> {
        self.narrow((*cut)?, step)
    }

    fn mask(&self, item: u32) -> u64 {
        u64::from(item < self.items()).wrapping_neg()
    }

    fn cut_mask(&self, _cut: &Option<Value>) -> u64 {
        u64::MAX
    }

    fn bit(_step: &Step, _field: bool) -> u64 {
        u64::MAX
    }

    fn nth(&self, value: Value, number: u32) -> Option<Value> {
        let value = self.own(value);
        let (tag, vr) = self.tag(value.place)?;
        match number {
            _ if vr == Vr::PN => self.component(value, number),
            1 => Some(value),
            2 if vr == Vr::UI => Some(Value {
                start: 0,
                end: small(UIDS.len()),
                ..value
            }),
            2 if tag == Tag::PATIENT_ID => {
                let issuer = self.items.iter().position(|item| item.symbol == Tag::ISSUER.0)?;
                self.values(small(issuer)).first().copied()
            }
            _ => None,
        }
    }

    fn first(&self, value: Value) -> Value {
        let spot = unpack(value.place);
        if spot.value == 0 && value.end == 0 {
            return self.values(spot.item).first().copied().unwrap_or(value);
        }
        value
    }

    fn presence(&self, value: Value) -> Presence {
        if self.span(value).trim().is_empty() {
            Presence::Empty
        } else {
            Presence::Valued
        }
    }

    fn is_complex(&self, value: Value) -> bool {
        let is_name = self.tag(value.place).is_some_and(|(_, vr)| vr == Vr::PN);
        is_name && unpack(value.place).component == 0
    }

    fn reading(&self, value: Value) -> u64 {
        let vr = self.tag(value.place).map_or([0, 0], |(_, vr)| vr.0);
        let spot = unpack(value.place);
        let level = u64::from(spot.value > 0) + u64::from(spot.group > 0) + u64::from(spot.component > 0);
        (u64::from(u16::from_le_bytes(vr)) << 8) | level
    }

    fn raw(&self, value: Value) -> &str {
        self.span(value)
    }

    fn text(&self, value: Value) -> Cow<'_, str> {
        Cow::Borrowed(self.span(value))
    }

    fn leaves(&self, each: &mut dyn FnMut(Value)) {
        for item in 0..self.items() {
            for value in self.values(item) {
                let is_name = self.tag(value.place).is_some_and(|(_, vr)| vr == Vr::PN);
                let groups = if is_name { 1..=3 } else { 0..=0 };
                let inner = groups.filter_map(|group| {
                    if group == 0 {
                        Some(value)
                    } else {
                        self.group(value, group)
                    }
                });
                let leaves = inner.flat_map(|group| {
                    let components = if is_name { 1..=5 } else { 0..=0 };
                    components.filter_map(move |number| {
                        if number == 0 {
                            Some(group)
                        } else {
                            self.component(group, number)
                        }
                    })
                });
                leaves
                    .filter(|leaf| self.presence(*leaf) == Presence::Valued)
                    .for_each(&mut *each);
            }
        }
    }

    fn lies_in(&self, inner: Place, outer: Place) -> bool {
        let (inner, outer) = (unpack(inner), unpack(outer));
        let same = |inner: u32, outer: u32| outer == 0 || inner == outer;
        inner.item == outer.item
            && same(inner.value, outer.value)
            && same(inner.group, outer.group)
            && same(inner.component, outer.component)
    }

    fn trigger(&self) -> &'static str {
        ""
    }

    fn version(&self) -> &'static str {
        ""
    }
}
