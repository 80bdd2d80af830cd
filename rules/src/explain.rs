//! Explains a row to a person: what it says, on whose word, which codes and units lead to it, which cases hold it.

use causeway_core::Text;

use crate::limits::{Analyte, Row, Unit};
use crate::lines::Lines;
use crate::{Pack, Snapshot};

impl Snapshot {
    /// Explains a row by `PACK/ROW`, or by `ROW` alone; `None` when no pack has it.
    pub fn explain(&self, id: &str) -> Option<Text> {
        match id.split_once('/') {
            Some((pack, row)) => self.pack(pack)?.explain(row),
            None => self.packs().iter().find_map(|pack| pack.explain(id)),
        }
    }
}

impl Pack {
    /// Explains a row.
    pub fn explain(&self, id: &str) -> Option<Text> {
        let row = self.limits.rows.iter().find(|row| row.id == id)?;
        let analyte = self.limits.analytes.get(row.analyte)?;
        let unit = analyte.units.get(row.unit).map_or("", |unit| &unit.spelling);
        let limit = format!("{} {} {unit}", row.op(), row.limit);
        let (limit, name) = (limit.trim_end(), &self.manifest.id);
        let mut lines = Lines::default();
        lines.add(
            format!("{name}/{id}：{} {limit}，年龄 {}", analyte.name.zh, row.age),
            format!("{name}/{id}: {} {limit}, age {}", analyte.name.en, row.age),
        );
        self.origin(row, &mut lines);
        let (codes, units) = (self.codes(row), units(analyte));
        lines.add(format!("代码：{codes}"), format!("codes: {codes}"));
        lines.add(format!("单位：{units}"), format!("units: {units}"));
        lines.add("用例：", "cases:");
        for case in self.cases.iter().filter(|case| case.row.as_deref() == Some(id)) {
            lines.add(format!("  {case}"), format!("  {case}"));
        }
        Some(lines.text())
    }

    fn origin(&self, row: &Row, lines: &mut Lines) {
        if let Some(source) = self.sources.get(&row.source) {
            let (citation, link) = (&source.citation, &source.link);
            let cited = format!("{citation} ({}, {}) {link}", source.date, source.jurisdiction);
            let cited = cited.trim_end();
            lines.add(format!("依据：{cited}"), format!("source: {cited}"));
            lines.add(format!("所据版本：{}", source.read), format!("read: {}", source.read));
        }
        let until = row.to.map_or(String::new(), |to| to.to_string());
        let (from, jurisdiction) = (row.from, &row.jurisdiction);
        lines.add(
            format!("生效：{from} 至 {until}；管辖地 {jurisdiction}"),
            format!("in force: {from} to {until}; jurisdiction {jurisdiction}"),
        );
        if !row.note.is_empty() {
            lines.add(format!("说明：{}", row.note), format!("note: {}", row.note));
        }
        let place = format!("{}:{}", row.file, row.line);
        lines.add(format!("文件：{place}"), format!("file: {place}"));
    }

    /// The codes that lead to a row, those of its specimens only, sorted.
    fn codes(&self, row: &Row) -> String {
        let limits = &self.limits;
        let mut codes = Vec::new();
        for (system, table) in [
            ("loinc", &limits.loinc),
            ("local", &limits.local),
            ("name", &limits.names),
        ] {
            let ours = table
                .iter()
                .filter(|(_, code)| code.analyte == row.analyte && row.specimens & code.specimen.bit() != 0);
            codes.extend(ours.map(|(code, kind)| format!("{system} {code} ({})", kind.specimen.word())));
        }
        codes.sort();
        codes.join(", ")
    }
}

fn units(analyte: &Analyte) -> String {
    let written = |unit: &Unit| format!("{:?} = {} {}", unit.spelling, unit.written, analyte.unit);
    analyte.units.iter().map(written).collect::<Vec<_>>().join(", ")
}
