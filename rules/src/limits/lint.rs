//! Looks at the table as a whole: nothing contradicts, nothing is out of reach, every age has a place.

use causeway_core::Text;

use super::rows::meet;
use super::{Limits, Row, Side};
use crate::Problem;

/// Checks the tables against each other.
pub(super) fn lint(limits: &Limits, problems: &mut Vec<Problem>) {
    analytes(limits, problems);
    ages(limits, problems);
    for group in limits.rows.chunk_by(|a, b| a.analyte == b.analyte) {
        for (index, row) in group.iter().enumerate() {
            let later = group.iter().skip(index + 1);
            problems.extend(later.filter_map(|other| contradiction(row, other)));
        }
    }
}

fn contradiction(row: &Row, other: &Row) -> Option<Problem> {
    if !meet(row, other) {
        return None;
    }
    if row.side == other.side {
        return Some(at(
            other,
            format!("与 {} 重叠：同一项目、年龄、标本、日期有两个界限", row.id),
            format!("overlaps {}: two limits for one analyte, age, specimen and day", row.id),
        ));
    }
    let (low, high) = if row.side == Side::Low {
        (row, other)
    } else {
        (other, row)
    };
    let ordered = low.exact.compare(high.exact) == Some(std::cmp::Ordering::Less);
    (!ordered).then(|| {
        at(
            other,
            format!("{} 的低限不低于 {} 的高限", low.id, high.id),
            format!("the limit of {} is not below that of {}", low.id, high.id),
        )
    })
}

fn at(row: &Row, zh: String, en: String) -> Problem {
    Problem {
        file: row.file.to_string(),
        line: row.line,
        text: Text::new(zh, en),
    }
}

fn analytes(limits: &Limits, problems: &mut Vec<Problem>) {
    for (index, analyte) in limits.analytes.iter().enumerate() {
        let mut wrong = |zh: &str, en: &str| {
            problems.push(Problem::new(&*analyte.file, analyte.line, zh, en));
        };
        let own = analyte.unit(&super::fold::fold(&analyte.unit));
        if own.is_none_or(|unit| unit.factor != crate::decimal::Ratio::ONE) {
            wrong(
                "units.csv 中该项目自己的单位须为系数 1",
                "units.csv must list the analyte's own unit with factor 1",
            );
        }
        let named = |code: &super::Code| code.analyte == index;
        let mut codes = limits
            .loinc
            .values()
            .chain(limits.local.values())
            .chain(limits.names.values());
        if !codes.any(named) {
            wrong("codes.csv 中没有该项目的代码", "codes.csv has no code for it");
        }
    }
}

/// Ages stand in order, each begins where the last ended, the last is open.
fn ages(limits: &Limits, problems: &mut Vec<Problem>) {
    let mut wrong = |zh: &str, en: &str| problems.push(Problem::new("ages.csv", 0, zh, en));
    for pair in limits.bands.windows(2) {
        if let [band, next] = pair
            && band.to != Some(next.from)
        {
            wrong(
                &format!("{} 与 {} 之间有空隙或重叠", band.id, next.id),
                &format!("there is a gap or an overlap between {} and {}", band.id, next.id),
            );
        }
    }
    if limits.bands.last().is_none_or(|band| band.to.is_some()) {
        wrong("最后一个年龄段须无上限", "the last age must have no end");
    }
    if limits.bands.first().is_none_or(|band| band.from.count != 0) {
        wrong("第一个年龄段须从 0 开始", "the first age must begin at 0");
    }
}
