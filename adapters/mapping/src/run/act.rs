//! What one row does: its values one by one until one yields, its tests, and its act.

use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};
use causeway_core::{NodeId, Place};

use super::read::Single;
use super::track::{Passed, Track};
use super::{Hand, Run, Yield, keys};
use crate::doc::{Doc, Presence};
use crate::group::{NO, small};
use crate::ops::{At, Input, OpDef, Output};
use crate::plan::Read;
use crate::plan::{Act, Code, Codes, Fixed, Make, Node, Row, Shape, Why};
use crate::primitives::{Made, Primitive};

/// The extension that says why a value is missing (R4, data-absent-reason).
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Runs a row for one element: the first of its values that yields is written.
    pub(crate) fn fire(&mut self, row: &'a Row<D>, at: At<'_>, under: &str) -> Yield {
        if !self.pass(&row.guards) {
            return Yield::No;
        }
        match row.from.as_slice() {
            [] => self.fire_once(row, None, at, under),
            [read] if Self::is_one(read) && !is_together(row) => match self.read_one(read, None) {
                Some(hand) if hand.said != Presence::Empty => self.attempt(row, hand, at, under),
                _ if row.on_absent => self.fire_once(row, None, at, under),
                _ => Yield::No,
            },
            [read] if !is_together(row) => match self.read_single(read) {
                Single::Found(Some(hand)) if hand.said != Presence::Empty => self.attempt(row, hand, at, under),
                Single::Found(_) if row.on_absent => self.fire_once(row, None, at, under),
                Single::Found(_) => Yield::No,
                Single::Several => self.fire_each(row, read, at, under),
            },
            _ => self.fire_joined(row, at, under),
        }
    }

    fn fire_each(&mut self, row: &'a Row<D>, read: &'a Read<D>, at: At<'_>, under: &str) -> Yield {
        let start = self.read(read, None);
        let end = self.vals.len();
        let mut written = Yield::No;
        let mut any = false;
        for index in start..end {
            let Some(hand) = self.vals.get(index).copied() else {
                break;
            };
            let said = hand.said;
            if said == Presence::Empty {
                continue;
            }
            any = true;
            if written > Yield::No {
                // The element holds one.
                if T::ON && said == Presence::Valued && matches!(at, At::Member(..)) {
                    self.passed(hand, row.id, Passed::Overflow);
                }
                continue;
            }
            written = self.attempt(row, hand, at, under);
            if !T::ON && written > Yield::No {
                break;
            }
        }
        self.vals.truncate(start);
        if !any && row.on_absent {
            return self.fire_once(row, None, at, under);
        }
        written
    }

    /// Tries a row with one value.
    pub(crate) fn attempt(&mut self, row: &'a Row<D>, hand: Hand, at: At<'_>, under: &str) -> Yield {
        if hand.said == Presence::Null {
            let wanted = row
                .when
                .iter()
                .any(|test| matches!(test.check, crate::plan::Check::Null) && !test.not);
            if !wanted {
                if row.removes.is_some() {
                    self.null.get_or_insert((row.id, hand.value.place));
                } else {
                    self.passed(hand, row.id, Passed::Null);
                }
                return Yield::No;
            }
        }
        self.fire_once(row, Some(hand), at, under)
    }

    fn fire_once(&mut self, row: &'a Row<D>, hand: Option<Hand>, at: At<'_>, under: &str) -> Yield {
        if !row.when.is_empty() && !self.hold(&row.when, hand) {
            if T::ON {
                self.track.settle(false);
            }
            return Yield::No;
        }
        if T::ON {
            self.track.settle(!self.dry);
        }
        let written = self.act(row, hand, at, under);
        if T::ON
            && written == Yield::No
            && let Some(hand) = hand
            && !matches!(row.act, Act::Ignore | Act::Finding(_))
        {
            self.passed(hand, row.id, Passed::Nothing);
        }
        if written > Yield::No && row.strong {
            Yield::Strong
        } else {
            written
        }
    }

    /// Runs a row that takes its values together: several places, or all repetitions.
    fn fire_joined(&mut self, row: &'a Row<D>, at: At<'_>, under: &str) -> Yield {
        let start = self.vals.len();
        let mut values = std::mem::take(&mut self.together);
        let mut places = std::mem::take(&mut self.places);
        values.clear();
        places.clear();
        let mut first = None;
        for read in &row.from {
            self.gather(read, row.from.len() > 1, &mut values, &mut places, &mut first);
        }
        self.vals.truncate(start);
        let runs = (first.is_some() || row.on_absent) && self.hold(&row.when, first);
        let written = match &row.act {
            _ if !runs => Yield::No,
            Act::Op { op, others, tables } => {
                let origin = self.origins.add(row.id, OriginKind::Source, &places);
                self.run_op(op, (others, tables), &values, first, origin, at)
            }
            _ => self.act(row, first, at, under),
        };
        self.together = values;
        self.places = places;
        if written > Yield::No { Yield::Strong } else { written }
    }

    /// The valued values of a place: the first where each place gives one, else all.
    fn gather(
        &mut self,
        read: &'a Read<D>,
        one: bool,
        values: &mut Vec<Option<crate::doc::Value>>,
        places: &mut Vec<Place>,
        first: &mut Option<Hand>,
    ) {
        if one {
            let found = self.first_valued(read, None);
            *first = first.or(found);
            places.extend(found.map(|found| found.value.place));
            values.push(found.map(|found| found.value));
            return;
        }
        let start = self.read(read, None);
        for at in start..self.vals.len() {
            let Some(found) = self.vals.get(at).copied() else { break };
            if found.said == Presence::Valued {
                *first = first.or(Some(found));
                places.push(found.value.place);
                values.push(Some(found.value));
            }
        }
    }

    fn act(&mut self, row: &'a Row<D>, hand: Option<Hand>, at: At<'_>, under: &str) -> Yield {
        match (&row.act, hand) {
            (Act::Primitive(primitive), Some(hand)) => self.primitive(*primitive, row, hand, at),
            (Act::Table { table, shape }, Some(hand)) => self.table(table, *shape, row, hand, at),
            (Act::Map { depth, node }, Some(hand)) => self.map(*depth, node, row, hand, at),
            (Act::Make(makes), Some(hand)) => self.make(makes, row, hand, at),
            (Act::Fixed(fixed, why), hand) => self.fixed(fixed, *why, row, hand, at),
            (Act::Absent(code), _) => self.absent(code, row, at, under),
            (Act::Ref(reference), _) => self.refer_said(reference, row, at),
            (Act::Ordinal(name), _) => match self.ordinal(*name) {
                Some(number) => {
                    let origin = self.origin(row.id, OriginKind::Generated, None);
                    self.put(at, Json::Number(&number.to_string()), origin);
                    Yield::Weak
                }
                None => Yield::No,
            },
            (Act::Op { op, others, tables }, hand) => {
                let place = hand.map(|hand| hand.value.place);
                let origin = self.origin(row.id, OriginKind::Source, place);
                let value = [hand.map(|hand| hand.value)];
                self.run_op(op, (others, tables), &value, hand, origin, at)
            }
            (Act::Finding(code), hand) => {
                self.remark(code.to_string(), hand.map(|hand| hand.value.place), row.id, "");
                if T::ON
                    && let Some(hand) = hand
                    && !self.dry
                {
                    self.track.tested(hand.value.place);
                    self.track.settle(true);
                }
                Yield::No
            }
            (Act::Ignore, Some(hand)) => {
                self.passed(hand, row.id, Passed::Ignored);
                Yield::No
            }
            _ => Yield::No,
        }
    }

    pub(crate) fn put(&mut self, at: At<'_>, value: Json<'_>, origin: OriginId) -> NodeId {
        match at {
            At::Member(parent, name) => self.tree.member(parent, name, value, origin),
            At::Item(parent) => self.tree.item(parent, value, origin),
            At::Into(object) => object,
        }
    }

    fn refer_said(&mut self, reference: &'a crate::plan::Reference<D>, row: &'a Row<D>, at: At<'_>) -> Yield {
        let written = self.refer(reference, row.id, at);
        if written == Yield::No && !reference.pairs.is_empty() && row.strong {
            self.remark("reference-missing", self.place_of(self.at), row.id, "");
        }
        written
    }

    fn primitive(&mut self, primitive: Primitive, row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
        let doc = self.doc;
        if matches!(primitive, Primitive::String | Primitive::Text) {
            let value = if primitive == Primitive::Text {
                hand.value
            } else {
                doc.first(hand.value)
            };
            let text = doc.text(value);
            if crate::primitives::is_clean(&text) {
                let origin = self.origins.add(row.id, OriginKind::Source, &[hand.value.place]);
                self.put(at, Json::String(&text), origin);
                return Yield::Strong;
            }
        }
        let mut out = std::mem::take(&mut self.text);
        out.clear();
        let made = match primitive {
            Primitive::Authority => {
                if self.write_address(hand.value, &mut out) {
                    self.say_private(&out, row, hand);
                    Made::Text
                } else {
                    Made::Nothing
                }
            }
            Primitive::Name => self.spoken(hand, &mut out),
            _ => {
                let value = if primitive.reads_first() {
                    doc.first(hand.value)
                } else {
                    hand.value
                };
                primitive.write(&doc.text(value), self.around(), &mut out)
            }
        };
        let kind = if made == Made::Completed {
            OriginKind::Site
        } else {
            OriginKind::Source
        };
        let written = match made {
            Made::Text | Made::Completed | Made::Number => {
                let origin = self.origin(row.id, kind, Some(hand.value.place));
                let value = if made == Made::Number {
                    Json::Number(&out)
                } else {
                    Json::String(&out)
                };
                self.put(at, value, origin);
                Yield::Strong
            }
            Made::Nothing => Yield::No,
            Made::Wrong => {
                let said = doc.text(hand.value).into_owned();
                self.remark(wrong(primitive), Some(hand.value.place), row.id, &said);
                Yield::No
            }
        };
        self.text = out;
        written
    }

    /// Says once that an authority has no address of its own.
    fn say_private(&mut self, address: &str, row: &'a Row<D>, hand: Hand) {
        if !address.starts_with(keys::PRIVATE) {
            return;
        }
        let name = address.get(keys::PRIVATE.len()..).unwrap_or("");
        let said = self
            .remarks
            .iter()
            .any(|remark| remark.code == "authority-unknown" && remark.about == name);
        if !said {
            self.remark("authority-unknown", Some(hand.value.place), row.id, name);
        }
    }

    /// A personal name in the order it is spoken: prefix, given names, family name, suffix (XPN.5, 2, 3, 1, 4).
    fn spoken(&mut self, hand: Hand, out: &mut String) -> Made {
        let doc = self.doc;
        if !doc.is_complex(hand.value) {
            return crate::primitives::clean(&doc.text(hand.value), out);
        }
        for number in [5, 2, 3, 1, 4] {
            if let Some(part) = self.part(hand.value, number) {
                if !out.is_empty() {
                    out.push(' ');
                }
                crate::primitives::clean(&doc.text(doc.first(part)), out);
            }
        }
        if out.is_empty() { Made::Nothing } else { Made::Text }
    }

    fn table(&mut self, table: &'a Codes, shape: Shape, row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
        let doc = self.doc;
        let text = doc.text(doc.first(hand.value));
        let code = crate::primitives::trimmed(&text);
        if code.is_empty() {
            return Yield::No;
        }
        let Some(found) = table.get(code) else {
            self.remark("code-unknown", Some(hand.value.place), row.id, code);
            return Yield::No;
        };
        if found.none {
            return Yield::No;
        }
        let origin = self.origin(row.id, OriginKind::Source, Some(hand.value.place));
        self.write_code(found, code, shape, origin, at);
        Yield::Strong
    }

    fn write_code(&mut self, found: &'a Code, code: &str, shape: Shape, origin: OriginId, at: At<'_>) {
        let mut clean = std::mem::take(&mut self.text);
        clean.clear();
        let to = if let Some(to) = &found.to {
            to.as_ref()
        } else {
            crate::primitives::code(code, &mut clean);
            clean.as_str()
        };
        match shape {
            Shape::Text => {
                self.put(at, Json::String(to), origin);
            }
            Shape::Bool => {
                self.put(at, Json::Bool(to == "true"), origin);
            }
            Shape::Number => {
                self.put(at, Json::Number(to), origin);
            }
            Shape::Coding | Shape::Concept => {
                self.coding(&found.system, to, &found.display, shape == Shape::Concept, origin, at);
            }
        }
        self.text = clean;
    }

    /// Writes a `Coding`, or a `CodeableConcept` with one.
    fn coding(&mut self, system: &str, code: &str, display: &str, concept: bool, origin: OriginId, at: At<'_>) {
        let mut object = self.put(at, Json::Object, origin);
        if concept {
            let array = self.tree.member(object, "coding", Json::Array, origin);
            object = self.tree.item(array, Json::Object, origin);
        }
        if !system.is_empty() {
            self.tree.member(object, "system", Json::String(system), origin);
        }
        self.tree.member(object, "code", Json::String(code), origin);
        if !display.is_empty() {
            self.tree.member(object, "display", Json::String(display), origin);
        }
    }

    fn fixed(&mut self, fixed: &'a Fixed, why: Why, row: &'a Row<D>, hand: Option<Hand>, at: At<'_>) -> Yield {
        let kind = match why {
            Why::Constant => OriginKind::Constant,
            Why::Default => OriginKind::Default,
            Why::Site => OriginKind::Site,
        };
        let origin = self.origin(row.id, kind, hand.map(|hand| hand.value.place));
        match fixed {
            Fixed::Text(text) => {
                self.put(at, Json::String(text), origin);
            }
            Fixed::Number(number) => {
                self.put(at, Json::Number(number), origin);
            }
            Fixed::Bool(value) => {
                self.put(at, Json::Bool(*value), origin);
            }
            Fixed::Coding {
                system,
                code,
                display,
                concept,
            } => {
                self.coding(system, code, display, *concept, origin, at);
            }
        }
        Yield::Weak
    }

    /// Says why a value is missing, where the value would stand.
    fn absent(&mut self, code: &str, row: &'a Row<D>, at: At<'_>, under: &str) -> Yield {
        let origin = self.origin(row.id, OriginKind::Constant, None);
        let at = match at {
            At::Member(parent, _) if !under.is_empty() => At::Member(parent, under),
            other => other,
        };
        let object = self.put(at, Json::Object, origin);
        let array = self.tree.member(object, "extension", Json::Array, origin);
        let extension = self.tree.item(array, Json::Object, origin);
        self.tree.member(extension, "url", Json::String(ABSENT), origin);
        self.tree.member(extension, "valueCode", Json::String(code), origin);
        Yield::Weak
    }

    fn map(&mut self, depth: u8, node: &'a Node<D>, row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
        self.set_frame(depth, hand);
        let origin = self.origin(row.id, OriginKind::Source, Some(hand.value.place));
        let (At::Member(parent, _) | At::Item(parent) | At::Into(parent)) = at;
        let mark = self.tree.mark(parent);
        let object = self.put(at, Json::Object, origin);
        let null = self.null.take();
        let written = self.node(node, object);
        self.null = null;
        if written == Yield::No {
            self.tree.rollback(mark);
        }
        written
    }

    /// Makes the instances of a value and refers to the first.
    fn make(&mut self, makes: &'a [Make<D>], row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
        if self.dry {
            // Only tried: an instance would be there for good. A valued value makes one nearly always.
            self.put(at, Json::Object, OriginId::GENERATED);
            return Yield::Strong;
        }
        let known = makes
            .first()
            .and_then(|make| self.known(make.signature, hand))
            .filter(|_| makes.iter().all(|make| make.self_contained));
        let first = match known {
            Some(known) => Some(known),
            None => self.make_all(makes, hand),
        };
        let Some(first) = first else { return Yield::No };
        let id = self.id(first);
        let origin = self.origin(row.id, OriginKind::Source, Some(hand.value.place));
        let object = self.put(at, Json::Object, origin);
        let mut buffer = [0; 45];
        self.tree.member(
            object,
            "reference",
            Json::String(super::refs::urn(id, &mut buffer)),
            origin,
        );
        Yield::Strong
    }

    /// The instance that was made of an equal value not long ago.
    fn known(&self, signature: u32, hand: Hand) -> Option<u32> {
        let doc = self.doc;
        let raw = doc.raw(hand.value);
        let found = self
            .recent
            .iter()
            .rev()
            .find(|(known, value, _)| *known == signature && doc.raw(*value) == raw);
        found.map(|(_, _, inst)| *inst)
    }

    fn make_all(&mut self, makes: &'a [Make<D>], hand: Hand) -> Option<u32> {
        let (own, group, number) = (self.at, self.group, self.number);
        let host = self.insts.get(own as usize).map_or(own, |inst| inst.host);
        let frame = self.frames.first().cloned();
        let start = small(self.insts.len());
        let mut chosen = NO;
        self.set_frame(0, hand);
        for make in makes {
            if make.choice != chosen && self.hold(&make.when, Some(hand)) {
                self.push(make, group, Some(hand), number, host);
                chosen = make.choice;
            }
            if T::ON {
                self.track.settle(true);
            }
        }
        let end = small(self.insts.len());
        for inst in start..end {
            if let Some(found) = self.insts.get_mut(inst as usize) {
                found.siblings = (start, end);
            }
        }
        for inst in start..end {
            self.key(inst);
        }
        self.at = own;
        self.group = group;
        self.number = number;
        if let (Some(frame), Some(first)) = (frame, self.frames.first_mut()) {
            *first = frame;
        }
        let first = (start < end).then_some(start)?;
        if let Some(make) = makes.first() {
            // Only a few of the last are remembered, so that a message of many names stays linear.
            if self.recent.len() >= 24 {
                self.recent.remove(0);
            }
            self.recent.push((make.signature, hand.value, first));
        }
        Some(first)
    }

    fn run_op(
        &mut self,
        op: &'static OpDef<D>,
        (others, tables): (&'a [Read<D>], &'a [std::sync::Arc<Codes>]),
        values: &[Option<crate::doc::Value>],
        hand: Option<Hand>,
        origin: OriginId,
        at: At<'_>,
    ) -> Yield {
        let mut read = std::mem::take(&mut self.beside);
        read.clear();
        for other in others {
            let found = self.first_valued(other, hand).map(|found| found.value);
            read.push(found);
        }
        if T::ON {
            for value in values.iter().chain(&read).flatten() {
                self.track.tested(value.place);
            }
            self.track.settle(!self.dry);
        }
        let (At::Member(parent, _) | At::Item(parent) | At::Into(parent)) = at;
        let mark = self.tree.mark(parent);
        let input = Input {
            doc: self.doc,
            values,
            others: &read,
            tables,
        };
        let mut output = Output {
            tree: &mut self.tree,
            origin,
            at,
            settings: &self.plan.settings,
            offset: self.offset.as_deref(),
        };
        let made = (op.run)(&input, &mut output);
        self.beside = read;
        if made {
            return Yield::Strong;
        }
        self.tree.rollback(mark);
        Yield::No
    }
}

/// The finding of a value that is not of its type.
fn wrong(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::DateTime | Primitive::Date | Primitive::Instant | Primitive::Time => "value-not-time",
        Primitive::Decimal | Primitive::Integer | Primitive::PositiveInt | Primitive::UnsignedInt => "value-not-number",
        _ => "value-wrong",
    }
}

/// Whether an operation takes all values at once.
fn is_together<D: Doc>(row: &Row<D>) -> bool {
    matches!(&row.act, Act::Op { op, .. } if !op.each)
}
