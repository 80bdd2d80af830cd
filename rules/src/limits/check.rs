//! Checks the results of a bundle against the table. A result whose code is ours ends in one of three ways: nothing
//! found, a critical value, or a remark that it was not evaluated and why. Nothing is allocated for the first.

use causeway_core::Finding;
use causeway_core::fhir::{Bundle, Kind, NodeId, Tree};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fold::Folded;
use super::observation::{Parts, Read, Unread, absent_reason, value};
use super::scene::{Scene, When};
use super::text::{Hit, Speaker, Why};
use super::value::{Beyond, beyond, plausible};
use super::{Analyte, Code, Limits, Row, Specimen, Unit};

/// LOINC's URI, and its OID as a URI (HL7 terminology).
const LOINC: [&str; 2] = ["http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"];

/// What an Observation's code is to the table.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// Not ours.
    No,
    /// Ours; `loinc` when the code itself says which specimen it is about.
    Ours { code: Code, loinc: bool },
    /// The local code is ours, but a LOINC code beside it is in no table.
    Unlisted(Code),
}

/// Checks a bundle, or a single Observation.
pub(crate) fn check(limits: &Limits, speaker: &Speaker<'_>, bundle: &Bundle, received: Timestamp) -> Vec<Finding> {
    let check = Check {
        limits,
        speaker,
        scene: Scene::new(bundle, limits, TimeZone::UTC.to_datetime(received).date()),
    };
    let mut findings = Vec::new();
    if bundle.tree.get_str(NodeId::ROOT, "resourceType") == Some("Observation") {
        check.observation(NodeId::ROOT, &mut findings);
    }
    for (kind, node) in bundle.resources() {
        if kind == "Observation" {
            check.observation(node, &mut findings);
        }
    }
    findings
}

struct Check<'a> {
    limits: &'a Limits,
    speaker: &'a Speaker<'a>,
    scene: Scene<'a>,
}

/// A result of ours that can be compared.
struct Comparable<'a> {
    analyte: &'a Analyte,
    specimen: Specimen,
    when: When,
    read: Read<'a>,
    unit: &'a Unit,
}

/// A reason with the node that is to blame; none: not ours after all, and nothing is said.
type Reason<'a> = Option<(Why<'a>, NodeId)>;

impl<'a> Check<'a> {
    fn observation(&self, node: NodeId, findings: &mut Vec<Finding>) {
        let tree = self.scene.tree;
        let parts = Parts::of(tree, node);
        let items = parts.components.filter(|items| tree.kind(*items) == Kind::Array);
        if items.is_none() || parts.value.is_some() {
            self.result(&parts, &parts, findings);
        }
        for component in items.into_iter().flat_map(|items| tree.children(items)) {
            self.result(&Parts::of(tree, component), &parts, findings);
        }
    }

    /// One result: code and value of `own`, all else of `whole`, the Observation around it.
    fn result(&self, own: &Parts, whole: &Parts, findings: &mut Vec<Finding>) {
        let Some(node) = own.code else { return };
        let (code, loinc) = match self.known(node) {
            Known::No => return,
            Known::Ours { code, loinc } => (code, loinc),
            Known::Unlisted(code) => {
                let analyte = self.limits.analytes.get(code.analyte);
                findings.extend(analyte.map(|analyte| self.speaker.unevaluated(analyte, Why::Unlisted, node)));
                return;
            }
        };
        let Some(analyte) = self.limits.analytes.get(code.analyte) else {
            return;
        };
        match self.comparable(own, whole, node, analyte, self.specimen(code.specimen, loinc, whole)) {
            Ok(result) => self.compare(&result, findings),
            Err(Some((why, at))) => findings.push(self.speaker.unevaluated(analyte, why, at)),
            Err(None) => {}
        }
    }

    fn known(&self, concept: NodeId) -> Known {
        let tree = self.scene.tree;
        let mut local = None;
        let mut named = None;
        let mut unlisted = false;
        let codings = tree.get(concept, "coding");
        for coding in codings.into_iter().flat_map(|codings| tree.children(codings)) {
            let code = tree.get_str(coding, "code").unwrap_or("");
            if tree
                .get_str(coding, "system")
                .is_some_and(|system| LOINC.contains(&system))
            {
                if let Some(code) = self.limits.loinc.get(code) {
                    return Known::Ours {
                        code: *code,
                        loinc: true,
                    };
                }
                unlisted = true;
            } else {
                local = local.or_else(|| find(&self.limits.local, code));
                named = named.or_else(|| find(&self.limits.names, tree.get_str(coding, "display")?));
            }
        }
        // A LOINC code says more than a name does: beside one that is in no table, names are not believed.
        if local.is_none() && !unlisted {
            local = named.or_else(|| find(&self.limits.names, tree.get_str(concept, "text")?));
        }
        match local {
            None => Known::No,
            Some(code) if unlisted => Known::Unlisted(code),
            Some(code) => Known::Ours { code, loinc: false },
        }
    }

    /// What was sampled, by the code and the Specimen together; an error without a reason means: not blood, not ours.
    fn specimen(&self, coded: Specimen, loinc: bool, whole: &Parts) -> Result<Specimen, Option<Why<'static>>> {
        if coded == Specimen::Other {
            return Err(None);
        }
        match self.scene.specimen(whole) {
            Some(Specimen::Other) if loinc => Err(Some(Why::Specimen)),
            Some(Specimen::Other) => Err(None),
            Some(said) if matches!(coded, Specimen::Blood | Specimen::Unsaid) => Ok(said),
            _ if coded == Specimen::Unsaid => Err(Some(Why::Unsaid)),
            _ => Ok(coded),
        }
    }

    fn comparable(
        &self,
        own: &Parts,
        whole: &Parts,
        code: NodeId,
        analyte: &'a Analyte,
        specimen: Result<Specimen, Option<Why<'static>>>,
    ) -> Result<Comparable<'a>, Reason<'a>> {
        let tree = self.scene.tree;
        let specimen = specimen.map_err(|why| why.map(|why| (why, whole.specimen.unwrap_or(code))))?;
        let status = whole.status.and_then(|status| tree.str(status)).unwrap_or("");
        if matches!(status, "entered-in-error" | "cancelled") {
            return Err(Some((Why::Withdrawn(status), whole.status.unwrap_or(code))));
        }
        let Some(node) = own.value else {
            let absent = own.absent.or(whole.absent);
            let reason = absent.and_then(|absent| absent_reason(tree, absent));
            return Err(Some((Why::Missing(reason), absent.unwrap_or(code))));
        };
        let read = value(tree, node).map_err(|unread| Some(unread_reason(tree, unread, node)))?;
        let unit = unit(analyte, &read).map_err(Some)?;
        if !plausible(read.value, unit.factor, analyte) {
            return Err(Some((Why::Implausible, read.node)));
        }
        let when = self.scene.when(whole);
        Ok(Comparable {
            analyte,
            specimen,
            when,
            read,
            unit,
        })
    }

    fn compare(&self, result: &Comparable<'_>, findings: &mut Vec<Finding>) {
        let Comparable {
            analyte, when, read, ..
        } = result;
        let rows = analyte.rows.iter().filter_map(|row| self.limits.rows.get(*row));
        let sampled = rows.filter(|row| row.specimens & result.specimen.bit() != 0);
        let band = when.band.unwrap_or(self.limits.fallback);
        let aged = sampled.clone().filter(|row| row.bands & (1 << band) != 0);
        let in_force = aged.clone().filter(|row| row.in_force(when.day));
        let some_sampled = sampled.clone().next().is_some();
        let some_aged = aged.clone().next().is_some();
        let why = if result.specimen == Specimen::Blood && !some_sampled {
            // Limits for arterial blood only, and nobody says whether this is.
            Some(Why::Unsaid)
        } else if when.band.is_none() && some_sampled && !some_aged {
            // Limits for neonates only, and nobody knows whether this is one.
            Some(Why::Age)
        } else if some_aged && in_force.clone().next().is_none() {
            Some(Why::NotInForce)
        } else {
            None
        };
        findings.extend(why.map(|why| self.speaker.unevaluated(analyte, why, read.node)));
        for row in in_force {
            findings.extend(self.row(row, result));
        }
    }

    fn row(&self, row: &Row, result: &Comparable<'_>) -> Option<Finding> {
        let (analyte, read) = (result.analyte, &result.read);
        let why = match beyond(read.value, result.unit.factor, row) {
            Some(Beyond::No) => return None,
            Some(Beyond::Yes) => {
                let hit = Hit {
                    analyte,
                    row,
                    unit: result.unit,
                    read,
                    when: result.when,
                    specimen: result.specimen,
                };
                return Some(self.speaker.critical(self.limits, &hit));
            }
            Some(Beyond::Open) => Why::Open(row),
            None => Why::TooLong,
        };
        Some(self.speaker.unevaluated(analyte, why, read.node))
    }
}

fn unread_reason(tree: &Tree, unread: Unread, node: NodeId) -> (Why<'_>, NodeId) {
    match unread {
        Unread::Missing => (Why::Missing(None), node),
        Unread::NoNumber(at) => (Why::NoNumber(tree.text(at)), at),
        Unread::TooLong(at) => (Why::TooLong, at),
        Unread::Comparator(at) => (Why::Comparator(tree.str(at)), at),
    }
}

fn find(table: &std::collections::HashMap<Box<str>, Code>, text: &str) -> Option<Code> {
    if text.is_empty() {
        return None;
    }
    table.get(Folded::of(text)?.text()).copied()
}

/// The unit of a value: by its code, else by its text; without either the unit written as nothing (INR, pH).
fn unit<'b>(analyte: &'b Analyte, read: &Read<'b>) -> Result<&'b Unit, (Why<'b>, NodeId)> {
    let [code, text] = read.units;
    let Some((first, at)) = code.or(text) else {
        return analyte.unit("").ok_or((Why::UnitMissing, read.node));
    };
    let known = |spelling: Option<(&str, NodeId)>| analyte.unit(Folded::of(spelling?.0)?.text());
    known(code).or_else(|| known(text)).ok_or((Why::Unit(first), at))
}
