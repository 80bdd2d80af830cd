//! Search parameters (FHIR R4 search, and each resource's own list): which there are, and the values that a resource has
//! for them. Searching itself is not done here.

use causeway_core::fhir::{NodeId, Tree};

use super::dates::stretch;

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

/// A type and parameter as one number (FNV-1a, 63 bits): the tables hold it once for each value.
pub(super) fn number(kind: &str, name: &str) -> i64 {
    let bytes = kind.bytes().chain([b'.']).chain(name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash >> 1).unwrap_or_default()
}

/// What a resource is found by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) tokens: Vec<(i64, String, String)>,
    pub(super) references: Vec<(i64, String)>,
    pub(super) dates: Vec<(i64, i64, i64)>,
}

impl Values {
    /// The values of a resource.
    pub(super) fn of(kind: &str, tree: &Tree, resource: NodeId) -> Self {
        let mut values = Self::default();
        for (name, _) in names(kind) {
            values.add(kind, name, tree, resource);
        }
        values
    }

    fn add(&mut self, kind: &str, name: &str, tree: &Tree, resource: NodeId) {
        let param = number(kind, name);
        match name {
            "identifier" => self.codings(param, tree, &tree.select(resource, &["identifier"]), "value"),
            "code" => self.codings(param, tree, &tree.select(resource, &["code", "coding"]), "code"),
            "_tag" => self.codings(param, tree, &tree.select(resource, &["meta", "tag"]), "code"),
            "status" => {
                let status = tree.get_str(resource, "status");
                self.tokens
                    .extend(status.map(|status| (param, status.to_owned(), String::new())));
            }
            "patient" => {
                let held = tree.get(resource, "patient").or_else(|| tree.get(resource, "subject"));
                let target = held.and_then(|held| tree.get_str(held, "reference"));
                let target = target.filter(|target| target.starts_with("Patient/"));
                self.references.extend(target.map(|target| (param, target.to_owned())));
            }
            "subject" => {
                let target = tree
                    .get(resource, "subject")
                    .and_then(|held| tree.get_str(held, "reference"));
                self.references.extend(target.map(|target| (param, target.to_owned())));
            }
            _ => self.date(param, kind, tree, resource),
        }
    }

    fn codings(&mut self, param: i64, tree: &Tree, nodes: &[NodeId], code: &str) {
        for node in nodes {
            if let Some(text) = tree.get_str(*node, code) {
                let system = tree.get_str(*node, "system").unwrap_or_default();
                self.tokens.push((param, text.to_owned(), system.to_owned()));
            }
        }
    }

    fn date(&mut self, param: i64, kind: &str, tree: &Tree, resource: NodeId) {
        let Some((_, element)) = DATES.iter().find(|(known, _)| *known == kind) else {
            return;
        };
        let named = |ending: &str| tree.get(resource, &format!("{element}{ending}"));
        let point = ["", "DateTime", "Instant"]
            .iter()
            .find_map(|ending| tree.str(named(ending)?));
        if let Some((low, high)) = point.and_then(stretch) {
            self.dates.push((param, low, high));
        }
        let Some(period) = named("Period").or_else(|| named("")) else {
            return;
        };
        let end = |name: &str| tree.get_str(period, name).and_then(stretch);
        let (start, end) = (end("start"), end("end"));
        if start.is_some() || end.is_some() {
            // An end that is not said is open.
            let (low, high) = (start.map_or(i64::MIN, |at| at.0), end.map_or(i64::MAX, |at| at.1));
            self.dates.push((param, low, high));
        }
    }
}
