//! The cases of a pack: a line of a table, expanded into a bundle and checked as a message would be. Each row must be
//! held by a hit, a miss and its own limit, so a limit cannot be changed without a case saying so.

mod bundle;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use causeway_core::{Finding, Text};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::limits::age::Age;
use crate::limits::fold::fold;
use crate::limits::read::Reading;
use crate::limits::{Limits, Row};
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
    file: Arc<str>,
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

/// Reads the tables below `cases/`; a later layer's table replaces one of the same name. A case for a row that a later
/// layer replaced, or that is not in force here, is not run: the layer that has the row brings its cases.
pub(crate) fn read(reading: &mut Reading<'_>, limits: &Limits) -> Vec<Case> {
    let mut records = Vec::new();
    for (index, (prefix, files)) in reading.layers.iter().enumerate() {
        let later = reading.layers.get(index + 1..).unwrap_or_default();
        let last = |name: &String| !later.iter().any(|(_, files)| files.contains_key(name));
        for (name, bytes) in files.iter().filter(|(name, _)| is_case_table(name) && last(name)) {
            let file = format!("{prefix}{name}");
            let found = table::read(&file, bytes, CASES, &mut reading.problems);
            records.extend(found.into_iter().map(|record| (prefix.clone(), record)));
        }
    }
    let rows: HashMap<&str, &Row> = limits.rows.iter().map(|row| (&*row.id, row)).collect();
    let latest = limits.rows.iter().map(|row| row.from).max();
    let mut cases = Vec::new();
    for (prefix, record) in records {
        let row = rows.get(record.get("row")).copied();
        let elsewhere = match row {
            Some(row) => row.file.strip_suffix("rows.csv") != Some(&prefix),
            None => !record.get("row").is_empty() && known_elsewhere(reading, record.get("row")),
        };
        if !elsewhere {
            cases.extend(case(reading, row, latest, &record));
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

/// Reads a case. Without a day of its own it is on the first day of its row, or on the latest of all.
fn case(reading: &mut Reading<'_>, row: Option<&Row>, latest: Option<Date>, record: &Record) -> Option<Case> {
    let id = record.get("row");
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
            "kind 应为 hit miss boundary other；expect 应为 high low none not-evaluated",
            "kind is hit, miss, boundary or other; expect is high, low, none or not-evaluated",
        );
    }
    let day = match record.get("day") {
        "" => row.map(|row| row.from).or(latest).unwrap_or(reading.manifest.from),
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
    let mut by_row: HashMap<&str, Vec<&Case>> = HashMap::new();
    for case in cases {
        by_row.entry(case.row.as_deref().unwrap_or("")).or_default().push(case);
    }
    for row in &limits.rows {
        let cases = by_row.get(&*row.id).map_or(&[][..], Vec::as_slice);
        let of = |kind: &str| {
            let counts = |case: &&Case| case.kind == kind && (kind != "boundary" || at_limit(limits, row, case));
            cases.iter().copied().any(|case| counts(&case))
        };
        for (kind, zh) in [("hit", "命中"), ("miss", "未命中"), ("boundary", "恰在界限上")] {
            if !of(kind) {
                problems.push(Problem::new(
                    &*row.file,
                    row.line,
                    format!("{} 缺少用例：{zh}（{kind}）", row.id),
                    format!("{} has no case of kind {kind}", row.id),
                ));
            }
        }
    }
}

fn at_limit(limits: &Limits, row: &Row, case: &Case) -> bool {
    let unit = limits
        .analytes
        .get(row.analyte)
        .and_then(|analyte| analyte.unit(&fold(&case.unit)));
    let value = crate::decimal::Decimal::parse(&case.value).and_then(crate::decimal::Decimal::ratio);
    let exact = value.zip(unit).and_then(|(value, unit)| value.times(unit.factor));
    exact == Some(row.exact)
}

fn run(pack: &Pack, case: &Case) -> Option<Failure> {
    let Some(bundle) = bundle::of(case) else {
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
        file: case.file.to_string(),
        line: case.line,
        text: Text::new(
            format!("用例“{case}”失败：{zh}"),
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
