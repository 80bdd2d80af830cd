//! Says in both languages what a check found. The evidence of a finding holds what explains it: row, source, bound
//! values and snapshot, each on a line of its own that begins with its name.

use std::borrow::Cow;

use causeway_core::fhir::NodeId;
use causeway_core::{Actor, ActorKind, Class, Finding, Severity, Text};

use super::observation::Read;
use super::scene::When;
use super::{Analyte, Limits, Row, Side, Specimen, Unit};
use crate::manifest::Manifest;

/// The pack that speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker<'a> {
    pub(crate) manifest: &'a Manifest,
    /// The snapshot at hand.
    pub(crate) snapshot: &'a str,
    /// Citations by source.
    pub(crate) sources: &'a std::collections::BTreeMap<String, crate::manifest::Source>,
}

/// A row that fired, with its bound values.
pub(super) struct Hit<'a> {
    pub(super) analyte: &'a Analyte,
    pub(super) row: &'a Row,
    pub(super) unit: &'a Unit,
    pub(super) read: &'a Read<'a>,
    pub(super) when: When,
    pub(super) specimen: Specimen,
}

/// Why a result of ours was not evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why<'a> {
    Withdrawn(&'a str),
    Missing(Option<&'a str>),
    NoNumber(Option<&'a str>),
    TooLong,
    Comparator(Option<&'a str>),
    UnitMissing,
    Unit(&'a str),
    Implausible,
    Specimen,
    Unsaid,
    Unlisted,
    Age,
    NotInForce,
    Open(&'a Row),
}

impl Speaker<'_> {
    fn actor(&self, row: Option<&str>) -> Actor {
        let id = match row {
            Some(row) => format!("{}/{row}", self.manifest.id),
            None => self.manifest.id.clone(),
        };
        Actor {
            kind: ActorKind::Rule,
            id: Cow::Owned(id),
            version: Some(Cow::Owned(self.manifest.version.clone())),
        }
    }

    /// A critical value.
    pub(super) fn critical(&self, limits: &Limits, hit: &Hit<'_>) -> Finding {
        let code = match hit.row.side {
            Side::Low => "critical-value-low",
            Side::High => "critical-value-high",
        };
        let by = self.actor(Some(&hit.row.id));
        let mut finding = Finding::new(code, Severity::Warning, Class::Business, by, sentence(limits, hit));
        finding.node = Some(hit.read.node);
        finding.evidence = self.evidence(limits, hit);
        let advice = &self.manifest.advice;
        finding.suggestion = Some(match &hit.analyte.advice {
            Some(more) => Text::new(
                format!("{}{}", advice.zh, more.zh),
                format!("{} {}", advice.en, more.en),
            ),
            None => advice.clone(),
        });
        finding
    }

    fn evidence(&self, limits: &Limits, hit: &Hit<'_>) -> Vec<String> {
        let row = hit.row;
        let band = hit.when.band.and_then(|band| limits.bands.get(band));
        let age = band.map_or("not known", |band| &*band.id);
        let mut lines = vec![
            format!("row {}/{} {}", self.manifest.id, row.id, self.manifest.version),
            format!("limit {} {}", row.op(), limit(hit)),
            format!("value {}", value(hit)),
            format!("age {age} on {}", hit.when.day),
            format!("specimen {}", hit.specimen.word()),
        ];
        if hit.unit.factor != crate::decimal::Ratio::ONE {
            let (unit, analyte) = (hit.unit, hit.analyte);
            let mass = if unit.written.contains('M') {
                ", M the molar mass in g/mol"
            } else {
                ""
            };
            lines.push(format!(
                "unit 1 {} = {} {}{mass}",
                unit.spelling, unit.written, analyte.unit
            ));
        }
        if let Some(source) = self.sources.get(&row.source) {
            lines.push(format!("source {} ({})", source.citation, source.date));
        }
        lines.push(format!("snapshot {}", self.snapshot));
        lines
    }

    /// A result of ours that was not evaluated.
    pub(super) fn unevaluated(&self, analyte: &Analyte, why: Why<'_>, node: NodeId) -> Finding {
        let (zh, en) = reason(why);
        let text = Text::new(
            format!("{}未做危急值判断：{zh}", analyte.name.zh),
            format!("Not evaluated for critical values: {}; {en}", analyte.name.en),
        );
        let severity = match why {
            Why::Withdrawn(_) | Why::Missing(_) | Why::Unsaid | Why::Age | Why::NotInForce => Severity::Information,
            _ => Severity::Warning,
        };
        let row = if let Why::Open(row) = why { Some(&*row.id) } else { None };
        Finding::new(
            "critical-not-evaluated",
            severity,
            Class::Incomplete,
            self.actor(row),
            text,
        )
        .at_node(node)
        .because(format!("snapshot {}", self.snapshot))
    }
}

fn value(hit: &Hit<'_>) -> String {
    let read = hit.read;
    let unit = match read.units {
        // A text holds its unit itself.
        [Some((_, at)), None] if at == read.node => "",
        [_, Some((text, _))] | [Some((text, _)), None] => text,
        [None, None] => "",
    };
    format!("{}{} {unit}", read.sign, read.written).trim_end().to_owned()
}

/// The limit as its source gives it. A ratio's `1` is not shown.
fn limit(hit: &Hit<'_>) -> String {
    let unit = hit.analyte.units.get(hit.row.unit).map_or("", |unit| &unit.spelling);
    let unit = if unit == "1" { "" } else { unit };
    format!("{} {unit}", hit.row.limit).trim_end().to_owned()
}

/// The limit in the unit of the value where that is another one, rounded for reading.
fn converted(hit: &Hit<'_>) -> Option<String> {
    let same = hit
        .analyte
        .units
        .get(hit.row.unit)
        .is_some_and(|unit| unit.factor == hit.unit.factor);
    let near = hit.row.exact.over(hit.unit.factor)?.about(4)?;
    (!same).then(|| format!("{near} {}", hit.unit.spelling))
}

fn sentence(limits: &Limits, hit: &Hit<'_>) -> Text {
    let (row, name) = (hit.row, &hit.analyte.name);
    let band = limits.bands.get(hit.when.band.unwrap_or(limits.fallback));
    let (zh_age, en_age) = band.map_or(("", ""), |band| (&*band.name.zh, &*band.name.en));
    let (zh_unknown, en_unknown) = match hit.when.band {
        Some(_) => ("", ""),
        None => ("；年龄不详，按此判断", "; the age is not known, so this one was taken"),
    };
    let limit = limit(hit);
    let (zh_near, en_near) = match converted(hit) {
        Some(near) => (format!("，约合 {near}"), format!(", about {near}")),
        None => (String::new(), String::new()),
    };
    let (zh_side, en_side) = match row.side {
        Side::Low => ("低", "low"),
        Side::High => ("高", "high"),
    };
    let zh_op = row.op().replace("<=", "≤").replace(">=", "≥");
    let en_op = match (row.side, row.inclusive) {
        (Side::Low, true) => "at most",
        (Side::Low, false) => "below",
        (Side::High, true) => "at least",
        (Side::High, false) => "above",
    };
    let value = value(hit);
    Text::new(
        format!(
            "{}危急值（{zh_side}）：{value}；界限 {zh_op}{limit}{zh_near}（{zh_age}{zh_unknown}）",
            name.zh
        ),
        format!(
            "Critical {en_side} {}: {value}; critical is {en_op} {limit}{en_near} ({en_age}{en_unknown})",
            name.en
        ),
    )
}

fn reason(why: Why<'_>) -> (String, String) {
    match why {
        Why::Withdrawn(status) => (
            format!("结果已撤销（{status}）"),
            format!("the result was withdrawn ({status})"),
        ),
        Why::Missing(None) => ("没有数值".into(), "there is no value".into()),
        Why::Missing(Some(reason)) => (format!("没有数值（{reason}）"), format!("there is no value ({reason})")),
        Why::NoNumber(None) => ("结果不是数值".into(), "the value is no number".into()),
        Why::NoNumber(Some(text)) => {
            let text = short(text);
            (
                format!("结果“{text}”不是数值"),
                format!("the value \"{text}\" is no number"),
            )
        }
        Why::TooLong => (
            "数字过长，无法精确比较".into(),
            "the number is too long to compare exactly".into(),
        ),
        Why::Comparator(text) => {
            let text = short(text.unwrap_or(""));
            (
                format!("比较符“{text}”不能用于判断"),
                format!("nothing can be told by the comparator \"{text}\""),
            )
        }
        Why::UnitMissing => ("没有单位".into(), "the unit is missing".into()),
        Why::Unit(unit) => {
            let unit = short(unit);
            (
                format!("单位“{unit}”无法换算"),
                format!("the unit \"{unit}\" cannot be converted"),
            )
        }
        other => circumstance(other),
    }
}

/// Reasons that lie around the value.
fn circumstance(why: Why<'_>) -> (String, String) {
    let (zh, en) = match why {
        Why::Implausible => (
            "数值在血液中不合理，请核对单位与标本",
            "the value is not plausible in blood; check unit and specimen",
        ),
        Why::Unsaid => (
            "代码与标本都没有说明取自何处",
            "neither code nor specimen says what was sampled, or from which vessel",
        ),
        Why::Specimen => (
            "代码是血液项目，而标本不是血液",
            "the code is about blood and the specimen is not",
        ),
        Why::Unlisted => (
            "本地代码已列入，但同时给出的 LOINC 代码未列入代码表",
            "the local code is listed, but the LOINC code beside it is not",
        ),
        Why::Age => (
            "年龄不详，而界限只适用于其他年龄段",
            "the age is not known and the limits are for other ages only",
        ),
        Why::NotInForce => (
            "结果日期没有生效的界限",
            "no limit was in force on the day of the result",
        ),
        Why::Open(row) => {
            let (op, limit) = (row.op(), row.limit);
            return (
                format!("比较符使结果无法与界限 {op}{limit} 比较"),
                format!("its comparator leaves open whether it is {op} {limit}"),
            );
        }
        _ => ("原因不详", "for a reason not known"),
    };
    (zh.to_owned(), en.to_owned())
}

/// At most 40 letters of what a sender wrote.
fn short(text: &str) -> String {
    let mut letters = text.chars();
    let front: String = letters.by_ref().take(40).collect();
    if letters.next().is_some() { front + "…" } else { front }
}
