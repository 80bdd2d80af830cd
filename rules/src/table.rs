//! Reads the CSV tables of a pack: a header line, one record a row, lines starting with `#` are remarks. Cells are
//! plain text; what they mean is the business of the reader that asks.

use std::sync::Arc;

use crate::Problem;

/// One row of a table with its line.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The file, with its pack.
    pub(crate) file: Arc<str>,
    /// The line, from 1.
    pub(crate) line: u64,
    names: Arc<[&'static str]>,
    cells: csv::StringRecord,
}

impl Record {
    /// A cell, trimmed and without the apostrophe that guards it; empty when the table has no such column.
    pub(crate) fn get(&self, column: &str) -> &str {
        let index = self.names.iter().position(|name| *name == column);
        let cell = index.and_then(|index| self.cells.get(index)).unwrap_or("");
        cell.strip_prefix('\'').unwrap_or(cell)
    }

    /// A problem at this row.
    pub(crate) fn problem(&self, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        Problem::new(&*self.file, self.line, zh, en)
    }
}

/// The columns of a table: those that must be there, then those that may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) required: &'static [&'static str],
    pub(crate) optional: &'static [&'static str],
}

/// Reads a table. Unknown or missing columns are problems; rows of a table with such a problem are not read.
pub(crate) fn read(file: &str, bytes: &[u8], columns: Columns, problems: &mut Vec<Problem>) -> Vec<Record> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            problems.push(unreadable(file, &error));
            return Vec::new();
        }
    };
    let names = match columns.names(file, &header) {
        Ok(names) => names,
        Err(wrong) => {
            problems.extend(wrong);
            return Vec::new();
        }
    };
    let (shared, names): (Arc<str>, Arc<[_]>) = (file.into(), names.into());
    let mut records = Vec::new();
    for record in reader.records() {
        match record {
            Ok(cells) => records.push(Record {
                file: Arc::clone(&shared),
                line: cells.position().map_or(0, csv::Position::line),
                names: Arc::clone(&names),
                cells,
            }),
            Err(error) => problems.push(unreadable(file, &error)),
        }
    }
    problems.extend(records.iter().filter_map(formula));
    records
}

impl Columns {
    fn names(&self, file: &str, header: &csv::StringRecord) -> Result<Vec<&'static str>, Vec<Problem>> {
        let mut wrong = Vec::new();
        let mut names = Vec::new();
        for cell in header {
            let mut known = self.required.iter().chain(self.optional);
            match known.find(|name| **name == cell) {
                Some(name) if !names.contains(name) => names.push(*name),
                _ => wrong.push(Problem::new(
                    file,
                    1,
                    format!("未知或重复的列：{cell}"),
                    format!("unknown or repeated column {cell:?}"),
                )),
            }
        }
        for name in self.required.iter().filter(|name| !names.contains(name)) {
            wrong.push(Problem::new(
                file,
                1,
                format!("缺少列 {name}"),
                format!("column {name:?} is missing"),
            ));
        }
        if wrong.is_empty() { Ok(names) } else { Err(wrong) }
    }
}

/// A cell that a spreadsheet would take for a formula is refused, as in the row language; an apostrophe guards it.
fn formula(record: &Record) -> Option<Problem> {
    let cell = record
        .cells
        .iter()
        .find(|cell| cell.starts_with(['=', '+', '@']) || cell.starts_with('-'))?;
    Some(record.problem(
        format!("单元格 {cell} 会被电子表格当作公式；请在前面加撇号"),
        format!("the cell {cell:?} is a formula to a spreadsheet; guard it with an apostrophe"),
    ))
}

fn unreadable(file: &str, error: &csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    Problem::new(
        file,
        line,
        format!("不是有效的 CSV：{error}"),
        format!("not a CSV table: {error}"),
    )
}
