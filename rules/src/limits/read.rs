//! Reads the tables of a limits pack into an index: analytes, units and ages here, codes and rows in their own files.
//! Every problem is collected; whoever asked decides that one is enough to refuse.

use std::collections::{BTreeMap, HashMap};

use causeway_core::Text;

use super::age::{Age, Band};
use super::fold::fold;
use super::{Analyte, Limits, Unit};
use crate::decimal::Ratio;
use crate::files::Files;
use crate::manifest::{Manifest, Source};
use crate::table::{self, Columns, Record};
use crate::{Problem, Site};

const ANALYTES: Columns = Columns {
    required: &["analyte", "unit", "zh", "en"],
    optional: &[
        "molar-mass",
        "advice-zh",
        "advice-en",
        "plausible-from",
        "plausible-to",
        "note",
    ],
};

const UNITS: Columns = Columns {
    required: &["analyte", "unit", "factor"],
    optional: &["note"],
};

const AGES: Columns = Columns {
    required: &["age", "from", "to", "zh", "en"],
    optional: &["default", "note"],
};

/// The layers of a pack and what is known while they are read.
pub(crate) struct Reading<'a> {
    /// Name of the pack.
    pub(crate) pack: &'a str,
    /// Base first, then overlays, each with the prefix of its file names.
    pub(crate) layers: Vec<(String, &'a Files)>,
    pub(crate) manifest: &'a Manifest,
    /// The pack's sources and those of its overlays.
    pub(crate) sources: BTreeMap<String, Source>,
    pub(crate) site: &'a Site,
    pub(crate) problems: Vec<Problem>,
}

impl Reading<'_> {
    /// The records of a table in all layers. A record replaces an earlier one with the same key.
    pub(super) fn table(&mut self, name: &str, columns: Columns, key: impl Fn(&Record) -> String) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (prefix, files) in &self.layers {
            let Some(bytes) = files.get(name) else { continue };
            let before = records.len();
            for record in table::read(&format!("{prefix}{name}"), bytes, columns, &mut self.problems) {
                let wanted = key(&record);
                match seen.get(&wanted) {
                    Some(index) if *index >= before => {
                        let problem = record.problem(format!("{wanted} 重复"), format!("{wanted} stands twice"));
                        self.problems.push(problem);
                    }
                    Some(index) => records
                        .get_mut(*index)
                        .into_iter()
                        .for_each(|slot| *slot = record.clone()),
                    None => {
                        seen.insert(wanted, records.len());
                        records.push(record);
                    }
                }
            }
        }
        if records.is_empty() && self.layers.iter().all(|(_, files)| !files.contains_key(name)) {
            let file = format!("{}/{name}", self.pack);
            self.problems
                .push(Problem::new(file, 0, "缺少该表", "the table is missing"));
        }
        records
    }

    /// Notes a problem and goes on.
    pub(crate) fn wrong(&mut self, record: &Record, zh: impl Into<String>, en: impl Into<String>) {
        self.problems.push(record.problem(zh, en));
    }
}

/// Reads all tables.
pub(crate) fn limits(reading: &mut Reading<'_>) -> Limits {
    let mut limits = Limits::default();
    analytes(reading, &mut limits);
    units(reading, &mut limits);
    ages(reading, &mut limits);
    super::names::codes(reading, &mut limits);
    super::names::specimens(reading, &mut limits);
    super::rows::rows(reading, &mut limits);
    super::lint::lint(&limits, &mut reading.problems);
    limits
}

/// Index of the analyte that a record names.
pub(super) fn analyte(reading: &mut Reading<'_>, limits: &Limits, record: &Record) -> Option<usize> {
    let id = record.get("analyte");
    let found = limits.by_id.get(id).copied();
    if found.is_none() {
        reading.wrong(
            record,
            format!("analytes.csv 中没有 {id}"),
            format!("analytes.csv has no {id:?}"),
        );
    }
    found
}

fn analytes(reading: &mut Reading<'_>, limits: &mut Limits) {
    for record in reading.table("analytes.csv", ANALYTES, |record| record.get("analyte").to_owned()) {
        let molar_mass = positive(reading, &record, "molar-mass");
        let plausible = ["plausible-from", "plausible-to"].map(|column| positive(reading, &record, column));
        let text = |zh: &str, en: &str| Text::new(record.get(zh).to_owned(), record.get(en).to_owned());
        if record.get("zh").is_empty() || record.get("en").is_empty() {
            reading.wrong(&record, "缺少名称", "a name is missing");
        }
        let advice = (!record.get("advice-en").is_empty()).then(|| text("advice-zh", "advice-en"));
        let id = record.get("analyte").to_owned();
        limits.by_id.insert(id.clone(), limits.analytes.len());
        limits.analytes.push(Analyte {
            id,
            name: text("zh", "en"),
            unit: record.get("unit").to_owned(),
            molar_mass,
            advice,
            plausible,
            units: Vec::new(),
            rows: Vec::new(),
            file: record.file.clone(),
            line: record.line,
        });
    }
}

/// A cell that is empty or a positive number.
fn positive(reading: &mut Reading<'_>, record: &Record, column: &str) -> Option<Ratio> {
    let written = record.get(column);
    let number = Ratio::parse(written).filter(|number| number.is_positive());
    if !written.is_empty() && number.is_none() {
        reading.wrong(
            record,
            format!("{column}：{written} 不是正数"),
            format!("{column}: {written:?} is no positive number"),
        );
    }
    number
}

fn units(reading: &mut Reading<'_>, limits: &mut Limits) {
    let key = |record: &Record| format!("{} {}", record.get("analyte"), fold(record.get("unit")));
    for record in reading.table("units.csv", UNITS, key) {
        let Some(index) = analyte(reading, limits, &record) else {
            continue;
        };
        let Some(analyte) = limits.analytes.get_mut(index) else {
            continue;
        };
        let written = record.get("factor");
        let Some(factor) = factor(written, analyte.molar_mass).filter(|factor| factor.is_positive()) else {
            reading.wrong(
                &record,
                format!("换算系数 {written} 无法计算"),
                format!("factor {written:?} cannot be computed"),
            );
            continue;
        };
        let spelling = record.get("unit").to_owned();
        let folded = fold(&spelling).into_boxed_str();
        analyte.units.push(Unit {
            spelling,
            folded,
            factor,
            written: written.to_owned(),
        });
    }
}

/// Computes a factor: `A`, `A/B`, each a number, `M` (the molar mass) or a product of both by `*`.
fn factor(written: &str, molar_mass: Option<Ratio>) -> Option<Ratio> {
    let product = |side: &str| {
        side.split('*').try_fold(Ratio::ONE, |product, part| {
            let part = match part.trim() {
                "M" => molar_mass?,
                number => Ratio::parse(number)?,
            };
            product.times(part)
        })
    };
    match written.split_once('/') {
        Some((above, below)) => product(above)?.over(product(below)?),
        None => product(written),
    }
}

fn ages(reading: &mut Reading<'_>, limits: &mut Limits) {
    let mut fallbacks = Vec::new();
    for record in reading.table("ages.csv", AGES, |record| record.get("age").to_owned()) {
        let (from, to) = (Age::parse(record.get("from")), Age::parse(record.get("to")));
        let Some(from) = from.filter(|_| to.is_some() || record.get("to").is_empty()) else {
            reading.wrong(
                &record,
                "年龄应写作 28 d、7 wk、6 mo 或 16 a",
                "an age is written 28 d, 7 wk, 6 mo or 16 a",
            );
            continue;
        };
        if record.get("default") == "yes" {
            fallbacks.push(limits.bands.len());
        }
        limits.bands.push(Band {
            id: record.get("age").to_owned(),
            from,
            to,
            name: Text::new(record.get("zh").to_owned(), record.get("en").to_owned()),
        });
    }
    if let [fallback] = fallbacks[..] {
        limits.fallback = fallback;
    } else {
        let file = format!("{}/ages.csv", reading.pack);
        let (zh, en) = (
            "必须恰有一个年龄段标记 default=yes",
            "exactly one age must say default=yes",
        );
        reading.problems.push(Problem::new(file, 0, zh, en));
    }
    if limits.bands.len() > 16 {
        let file = format!("{}/ages.csv", reading.pack);
        let (zh, en) = ("年龄段超过 16 个", "more than 16 ages");
        reading.problems.push(Problem::new(file, 0, zh, en));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    #[test]
    fn factors_are_exact() {
        let mass = Ratio::parse("180.156");
        // 180.156 mg/dL of glucose are 10 mmol/L, by the meaning of the molar mass.
        let factor = factor("10/M", mass).unwrap();
        let value = Ratio::parse("180.156").unwrap().times(factor).unwrap();
        assert_eq!(value.compare(Ratio::parse("10").unwrap()), Some(Ordering::Equal));
        assert!(super::factor("10/M", None).is_none());
        assert!(super::factor("10/0", None).is_none());
        assert!(super::factor("", None).is_none());
        assert_eq!(super::factor("M*2/4", mass), Ratio::parse("90.078"));
    }
}
