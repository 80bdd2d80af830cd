//! What a bundle says around its results: whose they are, how old that person is, what was sampled. Looked up when the
//! first result needs it and remembered for the next, since the results of a report nearly always share it.

use std::cell::Cell;

use causeway_core::fhir::{Bundle, NodeId, Tree};
use jiff::civil::Date;

use super::age::{Birth, day};
use super::fold::Folded;
use super::observation::Parts;
use super::{Limits, Specimen};

/// The age at a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    /// The day of the result.
    pub(super) day: Date,
    /// The band, when it is known.
    pub(super) band: Option<usize>,
}

/// A bundle while it is checked.
pub(super) struct Scene<'a> {
    pub(super) tree: &'a Tree,
    bundle: &'a Bundle,
    limits: &'a Limits,
    received: Date,
    birth: Cell<Option<(&'a str, Option<Birth>)>>,
    band: Cell<Option<(Birth, When)>>,
    specimen: Cell<Option<(&'a str, Option<Specimen>)>>,
}

impl<'a> Scene<'a> {
    /// A scene; `received` stands in for results without a day of their own.
    pub(super) fn new(bundle: &'a Bundle, limits: &'a Limits, received: Date) -> Self {
        Self {
            tree: &bundle.tree,
            bundle,
            limits,
            received,
            birth: Cell::new(None),
            band: Cell::new(None),
            specimen: Cell::new(None),
        }
    }

    /// The day of a result and the age of its patient then.
    pub(super) fn when(&self, parts: &Parts) -> When {
        let day = self.day(parts).unwrap_or(self.received);
        let Some(birth) = self.birth(parts) else {
            return When { day, band: None };
        };
        if let Some((known, when)) = self.band.get()
            && (known, when.day) == (birth, day)
        {
            return when;
        }
        let band = birth.band(&self.limits.bands, day);
        self.band.set(Some((birth, When { day, band })));
        When { day, band }
    }

    /// The day of `effectiveDateTime`, `effectiveInstant` or the end, else the start, of `effectivePeriod`.
    fn day(&self, parts: &Parts) -> Option<Date> {
        let node = parts.effective?;
        if let Some(text) = self.tree.str(node) {
            return day(text);
        }
        let bound = |name| self.tree.get_str(node, name).and_then(day);
        bound("end").or_else(|| bound("start"))
    }

    /// The birth date of the subject; without a usable reference that of the only patient.
    fn birth(&self, parts: &Parts) -> Option<Birth> {
        let reference = self.reference(parts.subject).unwrap_or("");
        if let Some((known, birth)) = self.birth.get()
            && known == reference
        {
            return birth;
        }
        let patient = self.resolve(reference, "Patient").or_else(|| self.only_patient());
        let text = patient.and_then(|patient| self.tree.get_str(patient, "birthDate"));
        let birth = text.and_then(Birth::parse);
        self.birth.set(Some((reference, birth)));
        birth
    }

    /// What the result's Specimen resource says was sampled; `None` when there is none or its type is in no table.
    pub(super) fn specimen(&self, parts: &Parts) -> Option<Specimen> {
        let reference = self.reference(parts.specimen)?;
        if let Some((known, specimen)) = self.specimen.get()
            && known == reference
        {
            return specimen;
        }
        let resource = self.resolve(reference, "Specimen");
        let kind = resource.and_then(|resource| self.tree.get(resource, "type"));
        let specimen = kind.and_then(|kind| self.specimen_type(kind));
        self.specimen.set(Some((reference, specimen)));
        specimen
    }

    fn specimen_type(&self, concept: NodeId) -> Option<Specimen> {
        let known = |text: &str| {
            let folded = Folded::of(text)?;
            self.limits.specimens.get(folded.text()).copied()
        };
        let coded = self.tree.get(concept, "coding").and_then(|codings| {
            self.tree.children(codings).find_map(|coding| {
                let text = |name| self.tree.get_str(coding, name).and_then(known);
                text("code").or_else(|| text("display"))
            })
        });
        coded.or_else(|| self.tree.get_str(concept, "text").and_then(known))
    }

    fn reference(&self, node: Option<NodeId>) -> Option<&'a str> {
        self.tree.get_str(node?, "reference")
    }

    /// The resource of an entry by its full URL, or by `Type/id` (FHIR R4 Bundle, "Resolving references").
    fn resolve(&self, reference: &str, kind: &str) -> Option<NodeId> {
        if reference.is_empty() {
            return None;
        }
        let entries = self.tree.get(NodeId::ROOT, "entry")?;
        let named = self
            .tree
            .children(entries)
            .find(|entry| self.tree.get_str(*entry, "fullUrl") == Some(reference));
        let resource = |entry| self.tree.get(entry, "resource");
        named.and_then(resource).or_else(|| {
            let id = reference.strip_prefix(kind)?.strip_prefix('/')?;
            let mut resources = self.bundle.resources();
            let found = resources.find(|(name, node)| *name == kind && self.tree.get_str(*node, "id") == Some(id));
            found.map(|(_, node)| node)
        })
    }

    fn only_patient(&self) -> Option<NodeId> {
        let mut patients = self.bundle.resources().filter(|(name, _)| *name == "Patient");
        let (_, first) = patients.next()?;
        patients.next().is_none().then_some(first)
    }
}
