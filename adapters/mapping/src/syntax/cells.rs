//! CSV text to cells with positions. Nothing here knows what a column means.

use super::span::{Bad, FileId, Span};

/// One cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its text, quotes removed, a guarding apostrophe dropped, white space at the ends trimmed.
    pub text: String,
    /// Where its text begins.
    pub span: Span,
}

/// One record of a CSV text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) cells: Vec<Cell>,
    pub(crate) span: Span,
}

/// A CSV text with a header: rows whose cells are found by column name.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// The known column at each position.
    columns: Vec<Option<&'static str>>,
    pub(crate) rows: Vec<Record>,
}

impl Sheet {
    /// Reads a text whose header may hold `known` columns in any order and must hold `needed`.
    pub(crate) fn read(
        text: &str,
        file: FileId,
        known: &'static [&'static str],
        needed: &[&str],
        bad: &mut Vec<Bad>,
    ) -> Option<Self> {
        let mut records = records(text, file, bad).into_iter();
        let top = Span {
            file,
            line: 1,
            column: 1,
        };
        let Some(header) = records.next() else {
            bad.push(Bad::new(top, "the file is empty: a header line is missing"));
            return None;
        };
        let columns = columns(&header, known, bad);
        let missing: Vec<&str> = needed
            .iter()
            .copied()
            .filter(|name| !columns.contains(&Some(*name)))
            .collect();
        if !missing.is_empty() {
            bad.push(Bad::new(
                header.span,
                format!("the header lacks {}", missing.join(", ")),
            ));
            return None;
        }
        let rows = records.collect();
        Some(Self { columns, rows })
    }

    /// The cell of a column; an empty one at the row's start when the row is short.
    pub(crate) fn cell(&self, row: &Record, column: &str) -> Cell {
        let at = self.columns.iter().position(|name| *name == Some(column));
        at.and_then(|at| row.cells.get(at)).cloned().unwrap_or(Cell {
            text: String::new(),
            span: row.span,
        })
    }

    /// Reports rows with more cells than the header.
    pub(crate) fn check_width(&self, bad: &mut Vec<Bad>) {
        for row in &self.rows {
            let extra = row.cells.iter().skip(self.columns.len());
            if let Some(cell) = extra.into_iter().find(|cell| !cell.text.is_empty()) {
                let text = "more cells than the header has columns; a cell with a comma wants quotes";
                bad.push(Bad::new(cell.span, text));
            }
        }
    }
}

fn columns(header: &Record, known: &'static [&'static str], bad: &mut Vec<Bad>) -> Vec<Option<&'static str>> {
    let mut columns: Vec<Option<&'static str>> = Vec::new();
    for cell in &header.cells {
        let found = known.iter().copied().find(|name| *name == cell.text);
        if found.is_some() && columns.contains(&found) {
            bad.push(Bad::new(cell.span, format!("the column {} stands twice", cell.text)));
        }
        if found.is_none() {
            let unknown = format!("'{}' is no column of this file ({})", cell.text, known.join(", "));
            bad.push(Bad::new(cell.span, unknown).nearest_of(&cell.text, known.iter().copied()));
        }
        columns.push(found);
    }
    columns
}

/// The first line's columns, for telling what kind of file a text is.
pub(crate) fn header(text: &str) -> Vec<String> {
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or("");
    let clean = |cell: &str| cell.trim().trim_matches('"').to_owned();
    line.split(',').map(clean).collect()
}

/// All records with content.
pub(crate) fn records(text: &str, file: FileId, bad: &mut Vec<Bad>) -> Vec<Record> {
    let mut reader = Reader::new(text, file);
    let mut records = Vec::new();
    while let Some(record) = reader.record(bad) {
        if record.cells.iter().any(|cell| !cell.text.is_empty()) {
            records.push(record);
        }
    }
    records
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    at: Span,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, file: FileId) -> Self {
        Self {
            chars: text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable(),
            at: Span {
                file,
                line: 1,
                column: 1,
            },
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            self.at.line = self.at.line.saturating_add(1);
            self.at.column = 1;
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(c)
    }

    fn record(&mut self, bad: &mut Vec<Bad>) -> Option<Record> {
        self.chars.peek()?;
        let span = self.at;
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell(bad));
            match self.next() {
                Some(',') => {}
                Some('\r') if self.chars.peek() == Some(&'\n') => {
                    self.next();
                    break;
                }
                _ => break,
            }
        }
        Some(Record { cells, span })
    }

    /// Reads a cell and stops before the comma or line end.
    fn cell(&mut self, bad: &mut Vec<Bad>) -> Cell {
        let mut span = self.at;
        let mut text = String::new();
        if self.chars.peek() == Some(&'"') {
            self.next();
            span = self.at;
            self.quoted(&mut text, span, bad);
        }
        while let Some(&c) = self.chars.peek() {
            if matches!(c, ',' | '\n' | '\r') {
                break;
            }
            text.push(c);
            self.next();
        }
        cell(&text, span, bad)
    }

    fn quoted(&mut self, text: &mut String, open: Span, bad: &mut Vec<Bad>) {
        loop {
            match self.next() {
                Some('"') if self.chars.peek() == Some(&'"') => {
                    text.push('"');
                    self.next();
                }
                Some('"') => return,
                Some(c) => text.push(c),
                None => {
                    bad.push(Bad::new(open, "the quote is not closed"));
                    return;
                }
            }
        }
    }
}

/// Trims, drops the guard and refuses what a spreadsheet would run.
fn cell(raw: &str, span: Span, bad: &mut Vec<Bad>) -> Cell {
    let left = raw.trim_start();
    let mut span = span.right(raw.chars().count() - left.chars().count());
    let mut text = left.trim_end();
    if let Some(c) = text.chars().next().filter(|c| "=+-@".contains(*c)) {
        let hint = format!("a cell may not begin with '{c}', a formula to a spreadsheet; guard it with an apostrophe");
        bad.push(Bad::new(span, hint));
    }
    if let Some(guarded) = text.strip_prefix('\'') {
        text = guarded;
        span = span.right(1);
    }
    Cell {
        text: text.to_owned(),
        span,
    }
}
