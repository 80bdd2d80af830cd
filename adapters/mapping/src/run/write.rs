//! What rows write of a value: texts, numbers and times, codes by table, constants, and why a value is missing.

use causeway_core::NodeId;
use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};

use super::track::Track;
use super::{Hand, Run, Yield, address};
use crate::doc::Doc;
use crate::ops::At;
use crate::plan::{Code, Codes, Fixed, Row, Shape, Why};
use crate::primitives::{Made, Primitive};

/// The extension that says why a value is missing (R4, data-absent-reason).
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// The extension for an end that may lie before its start.
const END_AS_SENT: &str = "http://causeway.health/fhir/StructureDefinition/end-before-start";

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    pub(crate) fn put(&mut self, at: At<'_>, value: Json<'_>, origin: OriginId) -> NodeId {
        match at {
            At::Member(parent, name) => self.tree.member(parent, name, value, origin),
            At::Item(parent) => self.tree.item(parent, value, origin),
            At::Into(object) => object,
        }
    }

    pub(crate) fn primitive(&mut self, primitive: Primitive, row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
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
                match at {
                    At::Member(period, "end") if !self.is_in_order(period, &out) => {
                        self.remark("period-reversed", Some(hand.value.place), row.id, &out);
                        self.end_beside(period, value, origin);
                    }
                    _ => {
                        self.put(at, value, origin);
                    }
                }
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

    /// Whether a period has no start, or one that surely does not lie after this end.
    fn is_in_order(&self, period: NodeId, end: &str) -> bool {
        let start = self.tree.get_str(period, "start");
        start.is_none_or(|start| crate::primitives::in_order(start, end))
    }

    /// Keeps an end that may lie before its start beside the element: FHIR forbids such a period (R4 per-1).
    fn end_beside(&mut self, period: NodeId, end: Json<'_>, origin: OriginId) {
        let beside = self.tree.member(period, "_end", Json::Object, origin);
        let array = self.tree.member(beside, "extension", Json::Array, origin);
        let extension = self.tree.item(array, Json::Object, origin);
        self.tree.member(extension, "url", Json::String(END_AS_SENT), origin);
        self.tree.member(extension, "valueDateTime", end, origin);
    }

    /// Says once that an authority has no address of its own.
    fn say_private(&mut self, address: &str, row: &'a Row<D>, hand: Hand) {
        let Some(name) = address.strip_prefix(address::PRIVATE) else {
            return;
        };
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

    pub(crate) fn table(&mut self, table: &'a Codes, shape: Shape, row: &'a Row<D>, hand: Hand, at: At<'_>) -> Yield {
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

    pub(crate) fn fixed(
        &mut self,
        fixed: &'a Fixed,
        why: Why,
        row: &'a Row<D>,
        hand: Option<Hand>,
        at: At<'_>,
    ) -> Yield {
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
    pub(crate) fn absent(&mut self, code: &str, row: &'a Row<D>, at: At<'_>, under: &str) -> Yield {
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
}

/// The finding of a value that is not of its type.
fn wrong(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::DateTime | Primitive::Date | Primitive::Instant | Primitive::Time => "value-not-time",
        Primitive::Decimal
        | Primitive::Measured
        | Primitive::Integer
        | Primitive::PositiveInt
        | Primitive::UnsignedInt => "value-not-number",
        _ => "value-wrong",
    }
}
