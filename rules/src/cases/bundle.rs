//! Expands a case into the bundle that a message of it would have been lifted to.

use causeway_core::fhir::{Bundle, NodeId, Tree, Value};
use causeway_core::origin::OriginId;

use super::Case;

/// The bundle of a case: a patient of the age, a specimen where one is named, one Observation.
pub(super) fn of(case: &Case) -> Option<Bundle> {
    let mut bundle = Bundle::default();
    let mut write = Writer(&mut bundle.tree);
    let root = NodeId::ROOT;
    write.text(root, "resourceType", "Bundle");
    let entries = write.array(root, "entry");
    let patient = write.resource(entries, "Patient", "urn:uuid:patient");
    if let Some(age) = case.age {
        let birth = case.day.checked_sub(age.span()).ok()?;
        write.text(patient, "birthDate", &birth.to_string());
    }
    if !case.specimen.is_empty() {
        let specimen = write.resource(entries, "Specimen", "urn:uuid:specimen");
        let kind = write.object(specimen, "type");
        write.coding(kind, None, &case.specimen, None);
    }
    let observation = write.resource(entries, "Observation", "urn:uuid:observation");
    let status = if case.status.is_empty() { "final" } else { &case.status };
    write.text(observation, "status", status);
    let code = write.object(observation, "code");
    write.code(code, &case.code);
    write.reference(observation, "subject", "urn:uuid:patient");
    if !case.specimen.is_empty() {
        write.reference(observation, "specimen", "urn:uuid:specimen");
    }
    write.text(observation, "effectiveDateTime", &case.day.to_string());
    write.value(observation, case);
    Some(bundle)
}

struct Writer<'a>(&'a mut Tree);

impl Writer<'_> {
    fn text(&mut self, node: NodeId, name: &str, text: &str) {
        self.0.member(node, name, Value::String(text), OriginId::GENERATED);
    }

    fn object(&mut self, node: NodeId, name: &str) -> NodeId {
        self.0.member(node, name, Value::Object, OriginId::GENERATED)
    }

    fn array(&mut self, node: NodeId, name: &str) -> NodeId {
        self.0.member(node, name, Value::Array, OriginId::GENERATED)
    }

    fn resource(&mut self, entries: NodeId, kind: &str, url: &str) -> NodeId {
        let entry = self.0.item(entries, Value::Object, OriginId::GENERATED);
        self.text(entry, "fullUrl", url);
        let resource = self.object(entry, "resource");
        self.text(resource, "resourceType", kind);
        resource
    }

    fn reference(&mut self, node: NodeId, name: &str, url: &str) {
        let reference = self.object(node, name);
        self.text(reference, "reference", url);
    }

    fn coding(&mut self, concept: NodeId, system: Option<&str>, code: &str, display: Option<&str>) {
        let codings = match self.0.get(concept, "coding") {
            Some(codings) => codings,
            None => self.array(concept, "coding"),
        };
        let coding = self.0.item(codings, Value::Object, OriginId::GENERATED);
        if let Some(system) = system {
            self.text(coding, "system", system);
        }
        self.text(coding, "code", code);
        if let Some(display) = display {
            self.text(coding, "display", display);
        }
    }

    /// `2823-3` is LOINC, `name:血钾` a display, all else a local code; `&` joins several.
    fn code(&mut self, concept: NodeId, written: &str) {
        for code in written.split('&').map(str::trim) {
            let loinc = code.contains('-') && code.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            match code.strip_prefix("name:") {
                Some(name) => self.coding(concept, Some("urn:local"), "0815", Some(name)),
                None if loinc => self.coding(concept, Some("http://loinc.org"), code, None),
                None => self.coding(concept, Some("urn:local"), code, None),
            }
        }
    }

    /// A number with its comparator, `text:…` for a string, `absent` for none.
    fn value(&mut self, observation: NodeId, case: &Case) {
        if case.value == "absent" {
            let reason = self.object(observation, "dataAbsentReason");
            return self.coding(reason, None, "unknown", None);
        }
        if let Some(text) = case.value.strip_prefix("text:") {
            return self.text(observation, "valueString", text);
        }
        let number = case.value.trim_start_matches(['<', '>', '=']);
        let comparator = case.value.strip_suffix(number).unwrap_or("");
        let quantity = self.object(observation, "valueQuantity");
        self.0
            .member(quantity, "value", Value::Number(number), OriginId::GENERATED);
        if !comparator.is_empty() {
            self.text(quantity, "comparator", comparator);
        }
        if !case.unit.is_empty() {
            self.text(quantity, "unit", &case.unit);
        }
    }
}
