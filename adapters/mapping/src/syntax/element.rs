//! Element and type files: which place becomes which element, in which way. Read here, run elsewhere.

use super::cells::{Record, Sheet};
use super::cursor::Cursor;
use super::how::How;
use super::place::Place;
use super::span::{Bad, FileId, Span};
use super::target::Target;
use super::test::Test;

/// An element or type file: `PID.Patient.csv`, `CX.Identifier.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementFile {
    /// Its name without `.csv`.
    pub name: String,
    /// Its rows in order.
    pub rows: Vec<ElementRow>,
}

/// One row of an element or type file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementRow {
    /// The places it reads; empty runs once, several are joined and feed one operation.
    pub from: Vec<Place>,
    /// Tests that must all hold.
    pub when: Vec<Test>,
    /// The element it writes; none for remarks, for type maps into the instance itself, and for operations.
    pub to: Option<Target>,
    /// In which way.
    pub how: How,
    /// The clause, and why the row departs from the official map.
    pub note: String,
    /// Where the row begins.
    pub span: Span,
    /// Where its cells begin, for remarks on them.
    pub cells: CellSpans,
}

/// Where the cells of an element row begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellSpans {
    /// `from`
    pub from: Span,
    /// `when`
    pub when: Span,
    /// `to`
    pub to: Span,
    /// `how`
    pub how: Span,
}

/// Columns of an element file.
pub(crate) const COLUMNS: [&str; 5] = ["from", "when", "to", "how", "note"];

impl ElementFile {
    /// Reads an element file; rows that cannot be read are left out and reported.
    pub(crate) fn read(name: &str, text: &str, file: FileId, bad: &mut Vec<Bad>) -> Self {
        let mut rows = Vec::new();
        if let Some(sheet) = Sheet::read(text, file, &COLUMNS, &["from", "to", "how"], bad) {
            sheet.check_width(bad);
            for record in &sheet.rows {
                match row(&sheet, record) {
                    Ok(row) => rows.push(row),
                    Err(found) => bad.push(found),
                }
            }
        }
        let name = name.to_owned();
        Self { name, rows }
    }

    /// What the file reads, by its name: `CX` of `CX.Identifier`.
    pub fn source(&self) -> &str {
        self.name
            .split_once('.')
            .map_or(self.name.as_str(), |(source, _)| source)
    }

    /// What the file fills, by its name: `Identifier` of `CX.Identifier`.
    pub fn target(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, target)| target)
    }
}

fn row(sheet: &Sheet, record: &Record) -> Result<ElementRow, Bad> {
    let (from, when) = (sheet.cell(record, "from"), sheet.cell(record, "when"));
    let (to, how) = (sheet.cell(record, "to"), sheet.cell(record, "how"));
    let row = ElementRow {
        from: parse_from(&from.text, from.span)?,
        when: Test::parse(&when.text, when.span)?,
        to: Target::parse(&to.text, to.span)?,
        how: How::parse(&how.text, how.span)?,
        note: sheet.cell(record, "note").text,
        span: record.span,
        cells: CellSpans {
            from: from.span,
            when: when.span,
            to: to.span,
            how: how.span,
        },
    };
    fits(&row)?;
    Ok(row)
}

/// What the grammar alone can say about a row.
fn fits(row: &ElementRow) -> Result<(), Bad> {
    let target_free = matches!(
        row.how,
        How::TypeMap(_) | How::Op(_) | How::Finding(_) | How::Ignore | How::Off
    );
    if row.to.is_none() && !target_free {
        return Err(Bad::new(
            row.cells.to,
            format!("'{}' wants an element in 'to'", row.how),
        ));
    }
    let remark = matches!(row.how, How::Finding(_) | How::Ignore);
    if row.to.is_some() && remark {
        return Err(Bad::new(row.cells.to, format!("'{}' writes no element", row.how)));
    }
    if row.from.len() > 1 && !matches!(row.how, How::Op(_) | How::TypeMap(_) | How::Off) {
        let text = format!("joined places feed an operation or a type map, not '{}'", row.how);
        return Err(Bad::new(row.cells.how, text));
    }
    let reads = matches!(row.how, How::TypeMap(_) | How::Keep | How::Table(_) | How::Ignore);
    if row.from.is_empty() && reads {
        return Err(Bad::new(
            row.cells.from,
            format!("'{}' wants a place in 'from'", row.how),
        ));
    }
    Ok(())
}

/// Reads a `from` cell: nothing, a place, or places joined by ` + `.
pub(crate) fn parse_from(text: &str, span: Span) -> Result<Vec<Place>, Bad> {
    let mut cursor = Cursor::new(text, span);
    let mut places = Vec::new();
    cursor.skip_space();
    if cursor.is_done() {
        return Ok(places);
    }
    loop {
        places.push(Place::scan(&mut cursor)?);
        cursor.skip_space();
        if !cursor.eat('+') {
            cursor.done()?;
            return Ok(places);
        }
        cursor.skip_space();
    }
}
