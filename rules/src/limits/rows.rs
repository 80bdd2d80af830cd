//! Reads `rows.csv`, the table that a laboratory's director signs: one row, one limit.

use super::fold::fold;
use super::read::{Reading, analyte};
use super::{Limits, Row, SPECIMENS, Side, Specimen};
use crate::decimal::Decimal;
use crate::manifest::date;
use crate::table::{Columns, Record};

const ROWS: Columns = Columns {
    required: &[
        "id",
        "analyte",
        "age",
        "side",
        "op",
        "limit",
        "unit",
        "source",
        "from",
        "jurisdiction",
    ],
    optional: &["specimen", "to", "note"],
};

/// Every specimen of blood.
const ANY_BLOOD: u8 = !(1 << Specimen::Other as u8 | 1 << Specimen::Unsaid as u8);

/// Reads the rows; of rows for one analyte, age, side and specimen, those of the site's nearest jurisdiction stay.
pub(super) fn rows(reading: &mut Reading<'_>, limits: &mut Limits) {
    let mut rows = Vec::new();
    for record in reading.table("rows.csv", ROWS, |record| record.get("id").to_owned()) {
        if record.get("op") == "off" {
            continue;
        }
        rows.extend(row(reading, limits, &record));
    }
    let site = &reading.site.jurisdiction;
    rows.retain(|row: &Row| applies(&row.jurisdiction, site));
    rows.sort_by_key(|row| row.analyte);
    for group in rows.chunk_by(|a, b| a.analyte == b.analyte) {
        for row in group.iter().filter(|row| nearest(group, row)) {
            if let Some(analyte) = limits.analytes.get_mut(row.analyte) {
                analyte.rows.push(limits.rows.len());
            }
            limits.rows.push(row.clone());
        }
    }
}

/// Whether no other row says the same for a nearer jurisdiction.
fn nearest(group: &[Row], row: &Row) -> bool {
    let rivals = group.iter().filter(|other| meet(row, other) && row.side == other.side);
    rivals.map(|other| other.jurisdiction.len()).max() == Some(row.jurisdiction.len())
}

/// Whether two rows can speak of the same value on the same day.
pub(super) fn meet(a: &Row, b: &Row) -> bool {
    let days = a.to.is_none_or(|to| b.from <= to) && b.to.is_none_or(|to| a.from <= to);
    a.analyte == b.analyte && a.bands & b.bands != 0 && a.specimens & b.specimens != 0 && days
}

/// `*` applies everywhere, `CN` in `CN` and `CN-SH`.
fn applies(jurisdiction: &str, site: &str) -> bool {
    jurisdiction == "*"
        || site
            .strip_prefix(jurisdiction)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn row(reading: &mut Reading<'_>, limits: &Limits, record: &Record) -> Option<Row> {
    let analyte = analyte(reading, limits, record)?;
    let (side, inclusive) = comparison(reading, record)?;
    let limit = limit(reading, record)?;
    let unit = unit(reading, limits, analyte, record)?;
    let factor = limits.analytes.get(analyte)?.units.get(unit)?.factor;
    let from = date(&record.file, record.line, record.get("from"), &mut reading.problems)?;
    let to = match record.get("to") {
        "" => None,
        to => Some(date(&record.file, record.line, to, &mut reading.problems)?),
    };
    check(reading, record, from, to);
    Some(Row {
        id: record.get("id").to_owned(),
        analyte,
        specimens: specimens(reading, record)?,
        bands: bands(reading, limits, record)?,
        age: record.get("age").to_owned(),
        side,
        inclusive,
        limit,
        exact: limit.ratio()?.times(factor)?,
        unit,
        jurisdiction: record.get("jurisdiction").to_owned(),
        from,
        to,
        source: record.get("source").to_owned(),
        note: record.get("note").to_owned(),
        file: record.file.clone(),
        line: record.line,
    })
}

fn comparison(reading: &mut Reading<'_>, record: &Record) -> Option<(Side, bool)> {
    let found = match (record.get("side"), record.get("op")) {
        ("low", "<") => Some((Side::Low, false)),
        ("low", "<=") => Some((Side::Low, true)),
        ("high", ">") => Some((Side::High, false)),
        ("high", ">=") => Some((Side::High, true)),
        _ => None,
    };
    if found.is_none() {
        reading.wrong(
            record,
            "side 与 op 应为 low 配 < 或 <=，high 配 > 或 >=",
            "side and op must be low with < or <=, or high with > or >=",
        );
    }
    found
}

fn limit(reading: &mut Reading<'_>, record: &Record) -> Option<Decimal> {
    let limit = Decimal::parse(record.get("limit"));
    if limit.is_none() {
        let written = record.get("limit");
        reading.wrong(
            record,
            format!("界限 {written} 不是数"),
            format!("the limit {written:?} is no number"),
        );
    }
    limit
}

fn unit(reading: &mut Reading<'_>, limits: &Limits, analyte: usize, record: &Record) -> Option<usize> {
    let analyte = limits.analytes.get(analyte)?;
    let folded = fold(record.get("unit"));
    let found = analyte.units.iter().position(|unit| *unit.folded == *folded);
    if found.is_none() {
        let (unit, id) = (record.get("unit"), &analyte.id);
        reading.wrong(
            record,
            format!("units.csv 中 {id} 没有单位 {unit}"),
            format!("units.csv has no unit {unit:?} for {id}"),
        );
    }
    found
}

/// A list of specimens; empty means every blood.
fn specimens(reading: &mut Reading<'_>, record: &Record) -> Option<u8> {
    let mut bits = 0;
    for word in record.get("specimen").split_whitespace() {
        let Some(specimen) = Specimen::of(word).filter(|specimen| ANY_BLOOD & specimen.bit() != 0) else {
            let known: Vec<_> = SPECIMENS.iter().map(|(name, _)| *name).collect();
            let known = known.join(" ");
            reading.wrong(
                record,
                format!("未知的标本类别 {word}；已知：{known}"),
                format!("unknown specimen {word:?}; known are: {known}"),
            );
            return None;
        };
        bits |= specimen.bit();
    }
    Some(if bits == 0 { ANY_BLOOD } else { bits })
}

/// `any`, or a list of ages.
fn bands(reading: &mut Reading<'_>, limits: &Limits, record: &Record) -> Option<u16> {
    if record.get("age") == "any" {
        return Some(u16::MAX);
    }
    let mut bits = 0;
    for word in record.get("age").split_whitespace() {
        let Some(index) = limits.bands.iter().take(16).position(|band| band.id == word) else {
            reading.wrong(
                record,
                format!("ages.csv 中没有 {word}"),
                format!("ages.csv has no {word:?}"),
            );
            return None;
        };
        bits |= 1 << index;
    }
    (bits != 0).then_some(bits)
}

fn check(reading: &mut Reading<'_>, record: &Record, from: jiff::civil::Date, to: Option<jiff::civil::Date>) {
    let source = record.get("source");
    if !reading.sources.contains_key(source) {
        reading.wrong(
            record,
            format!("没有来源 {source}"),
            format!("there is no source {source:?}"),
        );
    }
    if to.is_some_and(|to| to < from) {
        reading.wrong(record, "to 早于 from", "to is before from");
    }
    for column in ["id", "age", "jurisdiction"] {
        if record.get(column).is_empty() {
            reading.wrong(record, format!("{column} 不能为空"), format!("{column} is empty"));
        }
    }
    if record
        .get("id")
        .contains(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
    {
        reading.wrong(
            record,
            "id 只能用字母、数字和连字符",
            "an id has letters, digits and hyphens only",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::applies;

    #[test]
    fn a_jurisdiction_covers_its_parts() {
        assert!(applies("*", ""));
        assert!(applies("CN", "CN"));
        assert!(applies("CN", "CN-SH"));
        assert!(!applies("CN-SH", "CN"));
        assert!(!applies("CN", "CNX"));
        assert!(!applies("US", "CN"));
    }
}
