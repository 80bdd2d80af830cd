//! The cases of a pack: a line of a table, expanded into a bundle and checked as a message would be. Each row must be
//! held by a hit, a miss and its own limit, so a limit cannot be changed without a case saying so.

use std::fmt;
use std::path::Path;

use causeway_core::fhir::{Bundle, NodeId, Tree, Value};
use causeway_core::origin::OriginId;
use causeway_core::{Finding, Text};
use jiff::civil::Date;
use jiff::{Span, Timestamp};

use crate::limits::Limits;
use crate::limits::age::{Age, AgeUnit};
use crate::limits::fold::fold;
use crate::limits::read::Reading;
use crate::manifest::date;
use crate::table::{self, Columns, Record};
use crate::{Pack, Problem};

const CASES: Columns = Columns {
    required: &["row", "kind", "code", "value", "unit", "age", "expect"],
    optional: &["specimen", "status", "day", "note"],
};

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The row it holds; none for cases of reading.
    pub(crate) row: Option<String>,
    kind: String,
    code: String,
    value: String,
    unit: String,
    age: Option<Age>,
    expect: String,
    specimen: String,
    status: String,
    day: Date,
    file: String,
    line: u64,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = self.age.map_or("age not known".to_owned(), |age| age.to_string());
        let Self {
            kind,
            code,
            value,
            unit,
            expect,
            ..
        } = self;
        write!(f, "{kind}: {code} {value} {unit}, {age}: {expect}")
    }
}

/// A case that did not end as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u64,
    /// What it says and what came of it.
    pub text: Text,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            file: failure.file,
            line: failure.line,
            text: failure.text,
        }
    }
}

/// How a pack's cases ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many were run.
    pub ran: usize,
    /// Those that failed.
    pub failures: Vec<Failure>,
}

/// Runs every case of a pack.
pub fn test(pack: &Pack) -> Report {
    Report {
        ran: pack.cases.len(),
        failures: pack.cases.iter().filter_map(|case| run(pack, case)).collect(),
    }
}

/// Reads the tables below `cases/`. A case for a row that a later layer replaced, or that is not in force here, is
/// not run: the layer that has the row brings its cases.
pub(crate) fn read(reading: &mut Reading<'_>, limits: &Limits) -> Vec<Case> {
    let mut records = Vec::new();
    for (prefix, files) in &reading.layers {
        for (name, bytes) in files.iter().filter(|(name, _)| is_case_table(name)) {
            let file = format!("{prefix}{name}");
            let found = table::read(&file, bytes, CASES, &mut reading.problems);
            records.extend(found.into_iter().map(|record| (prefix.clone(), record)));
        }
    }
    let mut cases = Vec::new();
    for (prefix, record) in records {
        let row = limits.rows.iter().find(|row| row.id == record.get("row"));
        let elsewhere = match row {
            Some(row) => row.file != format!("{prefix}rows.csv"),
            None => !record.get("row").is_empty() && known_elsewhere(reading, record.get("row")),
        };
        if !elsewhere {
            cases.extend(case(reading, limits, &record));
        }
    }
    cases
}

fn is_case_table(name: &str) -> bool {
    name.starts_with("cases/") && Path::new(name).extension().is_some_and(|end| end == "csv")
}

/// Whether any layer names the row at all, so that it is switched off or of another jurisdiction, not misspelt.
fn known_elsewhere(reading: &Reading<'_>, id: &str) -> bool {
    let start = format!("{id},");
    reading.layers.iter().any(|(_, files)| {
        let text = files.get("rows.csv").map(|bytes| String::from_utf8_lossy(bytes));
        text.is_some_and(|text| text.lines().any(|line| line.starts_with(&start)))
    })
}

fn case(reading: &mut Reading<'_>, limits: &Limits, record: &Record) -> Option<Case> {
    let id = record.get("row");
    let row = limits.rows.iter().find(|row| row.id == id);
    if row.is_none() && !id.is_empty() {
        reading.wrong(record, format!("没有行 {id}"), format!("there is no row {id:?}"));
        return None;
    }
    let age = Age::parse(record.get("age"));
    if age.is_none() && !record.get("age").is_empty() {
        reading.wrong(record, "年龄应写作 45 a 或 3 d", "an age is written 45 a or 3 d");
    }
    if !["hit", "miss", "boundary", "other"].contains(&record.get("kind"))
        || !["high", "low", "none", "not-evaluated"].contains(&record.get("expect"))
    {
        reading.wrong(
            record,
            "kind 应为 hit miss boundary other;expect 应为 high low none not-evaluated",
            "kind is hit, miss, boundary or other; expect is high, low, none or not-evaluated",
        );
    }
    let day = match record.get("day") {
        "" => row.map_or(reading.manifest.from, |row| row.from.max(reading.manifest.from)),
        day => date(&record.file, record.line, day, &mut reading.problems)?,
    };
    let text = |column| record.get(column).to_owned();
    Some(Case {
        row: row.map(|row| row.id.clone()),
        kind: text("kind"),
        code: text("code"),
        value: text("value"),
        unit: text("unit"),
        age,
        expect: text("expect"),
        specimen: text("specimen"),
        status: text("status"),
        day,
        file: record.file.clone(),
        line: record.line,
    })
}

/// Every row needs a hit, a miss and a case at its very limit.
pub(crate) fn coverage(limits: &Limits, cases: &[Case], problems: &mut Vec<Problem>) {
    for row in &limits.rows {
        let of = |kind: &str| {
            let mut cases = cases.iter().filter(|case| case.row.as_ref() == Some(&row.id));
            cases.any(|case| case.kind == kind && (kind != "boundary" || at_limit(limits, row, case)))
        };
        for (kind, zh) in [("hit", "命中"), ("miss", "未命中"), ("boundary", "恰在界限上")] {
            if !of(kind) {
                problems.push(Problem::new(
                    row.file.clone(),
                    row.line,
                    format!("{} 缺少用例:{zh}({kind})", row.id),
                    format!("{} has no case of kind {kind}", row.id),
                ));
            }
        }
    }
}

fn at_limit(limits: &Limits, row: &crate::limits::Row, case: &Case) -> bool {
    let unit = limits
        .analytes
        .get(row.analyte)
        .and_then(|analyte| analyte.unit(&fold(&case.unit)));
    let value = crate::decimal::Decimal::parse(&case.value).and_then(crate::decimal::Decimal::ratio);
    let exact = value.zip(unit).and_then(|(value, unit)| value.times(unit.factor));
    exact == Some(row.exact)
}

fn run(pack: &Pack, case: &Case) -> Option<Failure> {
    let Some(bundle) = bundle(case) else {
        return Some(failure(case, "无法生成", "it cannot be expanded"));
    };
    let received = case
        .day
        .at(12, 0, 0, 0)
        .in_tz("UTC")
        .map_or(Timestamp::UNIX_EPOCH, |day| day.timestamp());
    let findings = pack.check_bundle(&bundle, received);
    let name = |finding: &Finding| format!("{} ({})", finding.code, finding.by.id);
    let found: Vec<String> = findings.iter().map(name).collect();
    let found = if found.is_empty() {
        "none".to_owned()
    } else {
        found.join(", ")
    };
    (!fulfils(pack, case, &findings)).then(|| failure(case, &format!("得到 {found}"), &format!("got {found}")))
}

fn failure(case: &Case, zh: &str, en: &str) -> Failure {
    Failure {
        file: case.file.clone(),
        line: case.line,
        text: Text::new(
            format!("用例“{case}”失败:{zh}"),
            format!("the case \"{case}\" fails: {en}"),
        ),
    }
}

/// Whether the findings are those expected: exactly one of the expected code, by the row where the case names a hit.
fn fulfils(pack: &Pack, case: &Case, findings: &[Finding]) -> bool {
    let by_row = |finding: &Finding| {
        let id = case.row.as_ref().map(|row| format!("{}/{row}", pack.manifest.id));
        id.as_deref() == Some(&*finding.by.id)
    };
    let code = match &*case.expect {
        "high" => "critical-value-high",
        "low" => "critical-value-low",
        "not-evaluated" => "critical-not-evaluated",
        _ => return findings.is_empty() && case.kind != "hit",
    };
    let [finding] = findings else { return false };
    let right = match &*case.kind {
        "hit" => by_row(finding),
        "miss" => !by_row(finding),
        _ => case.expect == "not-evaluated" || case.row.is_none() || by_row(finding),
    };
    finding.code == code && right
}

/// The bundle of a case: a patient of the age, a specimen where one is named, one Observation.
fn bundle(case: &Case) -> Option<Bundle> {
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

impl Age {
    /// The age as a span of the calendar.
    fn span(self) -> Span {
        match self.unit {
            AgeUnit::Day => Span::new().days(self.count),
            AgeUnit::Week => Span::new().weeks(self.count),
            AgeUnit::Month => Span::new().months(self.count),
            AgeUnit::Year => Span::new().years(self.count),
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            AgeUnit::Day => "d",
            AgeUnit::Week => "wk",
            AgeUnit::Month => "mo",
            AgeUnit::Year => "a",
        };
        write!(f, "{} {unit}", self.count)
    }
}
