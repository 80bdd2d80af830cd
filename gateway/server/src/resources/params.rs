//! Search parameters (FHIR R4 search, and each resource's own list): which there are, and the values that a resource has
//! for them. Searching itself is not done here.

use causeway_core::fhir::{NodeId, Tree};

use super::dates::stretch;
use super::terms;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// A resource is found by its days where they are no more than so many, none later than so many days after it was stated.
const DAYS: i64 = 40;
const AHEAD: i64 = 30;
/// So many days are looked for one by one; more are not.
const ASKED: i64 = 400;

/// What kind of parameter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A code or identifier with its system.
    Token,
    /// A reference to another resource.
    Reference,
    /// A date or period.
    Date,
}

/// The elements that `date` looks at, by type.
const DATES: &[(&str, &str)] = &[
    ("AllergyIntolerance", "recordedDate"),
    ("Appointment", "start"),
    ("CarePlan", "period"),
    ("Composition", "date"),
    ("Consent", "dateTime"),
    ("DiagnosticReport", "effective"),
    ("DocumentReference", "date"),
    ("Encounter", "period"),
    ("Immunization", "occurrence"),
    ("List", "date"),
    ("Observation", "effective"),
    ("Procedure", "performed"),
    ("RiskAssessment", "occurrence"),
];

/// Types whose `code` parameter looks at the element `code`.
const CODES: &[&str] = &[
    "AllergyIntolerance",
    "Condition",
    "DiagnosticReport",
    "List",
    "Medication",
    "Observation",
    "Procedure",
    "ServiceRequest",
    "Substance",
];

/// Types whose `status` parameter looks at the element `status`.
const STATUSES: &[&str] = &[
    "Appointment",
    "CarePlan",
    "Claim",
    "Composition",
    "Consent",
    "Coverage",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "ImagingStudy",
    "Immunization",
    "List",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
    "ServiceRequest",
    "Specimen",
    "Task",
];

/// Types with the element `patient`, and those with the element `subject` that may be a patient.
const PATIENTS: &[&str] = &["AllergyIntolerance", "Claim", "Device", "Immunization", "RelatedPerson"];
const SUBJECTS: &[&str] = &[
    "CarePlan",
    "Composition",
    "Condition",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "ImagingStudy",
    "List",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
    "RiskAssessment",
    "ServiceRequest",
    "Specimen",
];

/// The form of a parameter of a type, if it has it.
pub(super) fn form(kind: &str, name: &str) -> Option<Form> {
    match name {
        "identifier" if kind != "Bundle" => Some(Form::Token),
        "_tag" => Some(Form::Token),
        "code" if CODES.contains(&kind) => Some(Form::Token),
        "status" if STATUSES.contains(&kind) => Some(Form::Token),
        "patient" if PATIENTS.contains(&kind) || SUBJECTS.contains(&kind) => Some(Form::Reference),
        "subject" if SUBJECTS.contains(&kind) => Some(Form::Reference),
        "date" if DATES.iter().any(|(known, _)| *known == kind) => Some(Form::Date),
        _ => None,
    }
}

/// The parameters of a type.
pub fn names(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> + use<'_> {
    let all = ["identifier", "code", "status", "patient", "subject", "date", "_tag"];
    all.into_iter().filter_map(move |name| {
        let form = match form(kind, name)? {
            Form::Token => "token",
            Form::Reference => "reference",
            Form::Date => "date",
        };
        Some((name, form))
    })
}

/// What a resource is found by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values<'t> {
    /// Parameter, code, system.
    pub(super) tokens: Vec<(&'static str, &'t str, &'t str)>,
    /// The patient, as `Patient/id`.
    pub(super) patient: Option<&'t str>,
    pub(super) subject: Option<&'t str>,
    /// Microseconds since 1970, the first and the last.
    pub(super) dates: Vec<(i64, i64)>,
}

/// Values that outlive the text that they were read from.
#[derive(Debug)]
pub(super) struct Owned {
    tokens: Vec<(&'static str, Box<str>, Box<str>)>,
    patient: Option<Box<str>>,
    subject: Option<Box<str>>,
    dates: Vec<(i64, i64)>,
}

impl From<Values<'_>> for Owned {
    fn from(values: Values<'_>) -> Self {
        let tokens = values.tokens.into_iter();
        Self {
            tokens: tokens
                .map(|(name, code, system)| (name, code.into(), system.into()))
                .collect(),
            patient: values.patient.map(Into::into),
            subject: values.subject.map(Into::into),
            dates: values.dates,
        }
    }
}

impl Owned {
    /// The values again.
    pub(super) fn borrowed(&self) -> Values<'_> {
        let tokens = self.tokens.iter();
        Values {
            tokens: tokens.map(|(name, code, system)| (*name, &**code, &**system)).collect(),
            patient: self.patient.as_deref(),
            subject: self.subject.as_deref(),
            dates: self.dates.clone(),
        }
    }
}

impl<'t> Values<'t> {
    /// The values of a resource; `named` says what a reference within the message means.
    pub(super) fn of(kind: &str, tree: &'t Tree, resource: NodeId, named: impl Fn(&'t str) -> &'t str) -> Self {
        let mut values = Self::default();
        let reference = |element: &str| {
            let held = tree.get(resource, element)?;
            tree.get_str(held, "reference").map(&named)
        };
        for (name, _) in names(kind) {
            match name {
                "identifier" => values.codings(name, tree, &tree.select(resource, &["identifier"]), "value"),
                "code" => values.codings(name, tree, &tree.select(resource, &["code", "coding"]), "code"),
                "_tag" => values.codings(name, tree, &tree.select(resource, &["meta", "tag"]), "code"),
                "status" => {
                    let status = tree.get_str(resource, "status");
                    values.tokens.extend(status.map(|status| (name, status, "")));
                }
                "patient" => {
                    let target = reference("patient").or_else(|| reference("subject"));
                    values.patient = target.filter(|target| target.starts_with("Patient/"));
                }
                "subject" => values.subject = reference("subject"),
                _ => values.date(kind, tree, resource),
            }
        }
        values
    }

    fn codings(&mut self, name: &'static str, tree: &'t Tree, nodes: &[NodeId], code: &str) {
        for node in nodes {
            if let Some(text) = tree.get_str(*node, code) {
                let system = tree.get_str(*node, "system").unwrap_or_default();
                self.tokens.push((name, text, system));
            }
        }
    }

    fn date(&mut self, kind: &str, tree: &Tree, resource: NodeId) {
        let Some((_, element)) = DATES.iter().find(|(known, _)| *known == kind) else {
            return;
        };
        let ended = |ending: &str| {
            let mut members = tree.children(resource);
            members.find(|member| tree.name(*member).strip_prefix(element) == Some(ending))
        };
        let point = ["", "DateTime", "Instant"]
            .iter()
            .find_map(|ending| tree.str(ended(ending)?));
        self.dates.extend(point.and_then(stretch));
        let Some(period) = ended("Period").or_else(|| ended("")) else {
            return;
        };
        let end = |name: &str| tree.get_str(period, name).and_then(stretch);
        let (start, end) = (end("start"), end("end"));
        if start.is_some() || end.is_some() {
            // An end that is not said is open.
            self.dates
                .push((start.map_or(i64::MIN, |at| at.0), end.map_or(i64::MAX, |at| at.1)));
        }
    }

    /// The numbers that they are found by, stated at a time.
    pub(super) fn terms(&self, kind: &str, stated: i64, into: &mut Vec<i64>) {
        into.push(terms::kind(kind));
        let tokens = self.tokens.iter();
        into.extend(tokens.map(|(name, code, _)| terms::token(kind, name, code)));
        let other = self.subject.filter(|subject| self.patient != Some(subject));
        into.extend(
            self.patient
                .into_iter()
                .chain(other)
                .map(|target| terms::about(kind, target)),
        );
        for (low, high) in &self.dates {
            let (first, last) = (low.div_euclid(DAY), high.div_euclid(DAY));
            let near = last.saturating_sub(first) < DAYS && last <= stated.div_euclid(DAY) + AHEAD;
            if near {
                into.extend((first..=last).map(|day| terms::day(kind, day)));
            } else {
                into.push(terms::far(kind));
            }
        }
    }
}

/// The numbers that dates from one time to another are found by, or to whatever there is at a time; none where there would
/// be too many.
pub(super) fn days(kind: &str, low: i64, high: Option<i64>, now: i64) -> Option<Vec<i64>> {
    let first = low.div_euclid(DAY);
    // A day more than is written: clocks differ.
    let last = high.unwrap_or(now + DAY * (AHEAD + 1)).div_euclid(DAY);
    let few = last.saturating_sub(first) < ASKED;
    few.then(|| {
        let near = (first..=last).map(|day| terms::day(kind, day));
        near.chain([terms::far(kind)]).collect()
    })
}
