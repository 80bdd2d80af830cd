//! Structure files: which instances a message makes, where, and under which keys. Read here, run elsewhere.

use std::collections::BTreeSet;

use super::cells::{Record, Sheet};
use super::cursor::Cursor;
use super::place::Place;
use super::span::{Bad, FileId, Span};
use super::target::Target;
use super::test::Test;

/// A structure file: `ORU_R01.csv`, `types.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureFile {
    /// Its name without `.csv`.
    pub name: String,
    /// Its rows in order.
    pub rows: Vec<StructureRow>,
}

/// One row of a structure file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureRow {
    /// The anchor that opens an instance, under the groups it lives in; a type in `types.csv`.
    pub at: Place,
    /// What it makes.
    pub make: Make,
    /// Its name for other rows; rows of one `at` and name are alternatives.
    pub name: Option<String>,
    /// Tests that must all hold.
    pub when: Vec<Test>,
    /// The files that fill it, in order.
    pub fill: Vec<FileRef>,
    /// Candidates for its identity; the first fully valued wins.
    pub key: Vec<KeyCandidate>,
    /// The clause, and why the row is as it is.
    pub note: String,
    /// Where the row begins.
    pub span: Span,
    /// Where its cells begin, for remarks on them.
    pub cells: StructureCells,
}

/// Where the cells of a structure row begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StructureCells {
    /// `at`
    pub at: Span,
    /// `make`
    pub make: Span,
    /// `as`
    pub name: Span,
    /// `when`
    pub when: Span,
    /// `fill`
    pub fill: Span,
    /// `key`
    pub key: Span,
}

/// What a structure row makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Make {
    /// A resource; `Bundle` is the message's own.
    Resource(String),
    /// `encounter.diagnosis`: an item in an element of the nearest instance of that name.
    Item {
        /// The instance's name.
        name: String,
        /// The element within it.
        element: Target,
    },
    /// `use`: the rows of the structure files in `fill`.
    Use,
    /// `off`, in an overlay: the base's rows are switched off. Merged libraries hold none.
    Off,
}

/// A file named by a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Its name without `.csv`.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// One candidate for an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCandidate {
    /// Its parts, joined.
    pub parts: Vec<KeyPart>,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// What it is.
    pub what: KeyWhat,
    /// `PART?`: it may be empty.
    pub optional: bool,
    /// Where it is written.
    pub span: Span,
}

/// What a key part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyWhat {
    /// A place or parameter.
    Place(Place),
    /// The key of an instance opened before.
    Name(String),
    /// The number among what is else equal.
    Ordinal,
}

/// Columns of a structure file.
pub(crate) const COLUMNS: [&str; 7] = ["at", "make", "as", "when", "fill", "key", "note"];

impl StructureFile {
    /// Reads a structure file; rows that cannot be read are left out and reported.
    pub(crate) fn read(name: &str, text: &str, file: FileId, bad: &mut Vec<Bad>) -> Self {
        let mut rows = Vec::new();
        if let Some(sheet) = Sheet::read(text, file, &COLUMNS, &["at", "make"], bad) {
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

    /// The names that its own rows give.
    pub fn names(&self) -> BTreeSet<&str> {
        self.rows.iter().filter_map(|row| row.name.as_deref()).collect()
    }

    /// Turns bare words of keys into names where they are one. Words that are none stay places.
    pub(crate) fn resolve_keys(&mut self, names: &BTreeSet<String>) {
        let parts = self
            .rows
            .iter_mut()
            .flat_map(|row| &mut row.key)
            .flat_map(|candidate| &mut candidate.parts);
        for part in parts {
            if let KeyWhat::Place(place) = &part.what
                && let Some(word) = place.bare().filter(|word| names.contains(*word))
            {
                part.what = KeyWhat::Name(word.to_owned());
            }
        }
    }
}

fn row(sheet: &Sheet, record: &Record) -> Result<StructureRow, Bad> {
    let cell = |column| sheet.cell(record, column);
    let (at, make, name) = (cell("at"), cell("make"), cell("as"));
    let (when, fill, key) = (cell("when"), cell("fill"), cell("key"));
    let row = StructureRow {
        at: Place::parse(&at.text, at.span)?,
        make: parse_make(&make.text, make.span)?,
        name: parse_name(&name.text, name.span)?,
        when: Test::parse(&when.text, when.span)?,
        fill: parse_fill(&fill.text, fill.span)?,
        key: parse_key(&key.text, key.span)?,
        note: cell("note").text,
        span: record.span,
        cells: StructureCells {
            at: at.span,
            make: make.span,
            name: name.span,
            when: when.span,
            fill: fill.span,
            key: key.span,
        },
    };
    match row.make {
        Make::Use if row.fill.is_empty() => Err(Bad::new(fill.span, "'use' wants the structure file in 'fill'")),
        _ => Ok(row),
    }
}

fn parse_make(text: &str, span: Span) -> Result<Make, Bad> {
    let mut cursor = Cursor::new(text, span);
    let word = cursor
        .take_while(|c| c.is_alphanumeric() || c == '-' || c == '_')
        .to_owned();
    if cursor.eat('.') {
        let element = Target::scan(&mut cursor)?;
        cursor.done()?;
        return Ok(Make::Item { name: word, element });
    }
    cursor.done()?;
    match word.chars().next() {
        None => Err(Bad::new(span, "'make' is empty: a resource type, NAME.element or use")),
        Some(c) if c.is_ascii_uppercase() => Ok(Make::Resource(word)),
        Some(_) if word == "use" => Ok(Make::Use),
        Some(_) if word == "off" => Ok(Make::Off),
        Some(_) => Err(Bad::new(
            span,
            format!("'{word}' is neither a resource type, NAME.element nor use"),
        )),
    }
}

fn parse_name(text: &str, span: Span) -> Result<Option<String>, Bad> {
    let right = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    match text {
        "" => Ok(None),
        "ordinal" | "here" => Err(Bad::new(
            span,
            format!("'{text}' is a word of the language, not a name"),
        )),
        _ if text.chars().all(right) => Ok(Some(text.to_owned())),
        _ => Err(Bad::new(span, format!("'{text}' is no name: letters, digits, - and _"))),
    }
}

fn parse_fill(text: &str, span: Span) -> Result<Vec<FileRef>, Bad> {
    let mut cursor = Cursor::new(text, span);
    let mut files: Vec<FileRef> = Vec::new();
    cursor.skip_space();
    while !cursor.is_done() {
        let span = cursor.span();
        let word = cursor.take_while(|c| !c.is_whitespace());
        let name = word.strip_suffix(".csv").unwrap_or(word).to_owned();
        if files.iter().any(|before| before.name == name) {
            return Err(Bad::new(span, format!("{name} fills it twice")));
        }
        files.push(FileRef { name, span });
        cursor.skip_space();
    }
    Ok(files)
}

fn parse_key(text: &str, span: Span) -> Result<Vec<KeyCandidate>, Bad> {
    let mut cursor = Cursor::new(text, span);
    let mut candidates = Vec::new();
    cursor.skip_space();
    if cursor.is_done() {
        return Ok(candidates);
    }
    loop {
        let mut parts = vec![key_part(&mut cursor)?];
        while cursor.eat('+') {
            parts.push(key_part(&mut cursor)?);
        }
        candidates.push(KeyCandidate { parts });
        if !cursor.eat('|') {
            cursor.done()?;
            return Ok(candidates);
        }
    }
}

fn key_part(cursor: &mut Cursor<'_>) -> Result<KeyPart, Bad> {
    cursor.skip_space();
    let place = Place::scan(cursor)?;
    let span = place.span;
    let what = match place.bare() {
        Some("ordinal") => KeyWhat::Ordinal,
        _ => KeyWhat::Place(place),
    };
    let optional = cursor.eat('?');
    cursor.skip_space();
    Ok(KeyPart { what, optional, span })
}
