//! Code tables: which code of the source becomes which code of FHIR. Looked up by binary search; what they are used for
//! is said by rows.

use crate::syntax::{Bad, FileId, Record, Sheet, Span};

/// A code table: `tables/0001.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its name without `.csv`.
    pub name: String,
    /// Its rows, sorted by code; the row of `*` stands apart.
    entries: Vec<Entry>,
    /// The row of `*`, for every code that has none.
    rest: Option<Entry>,
}

/// One row of a code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source's code.
    pub code: String,
    /// What becomes of it.
    pub to: To,
    /// The system of the target code: a short name or URL; empty when the element has a plain code.
    pub system: String,
    /// The display of the target code.
    pub display: String,
    /// Of several codes with one target, the one written on the way back.
    pub back: bool,
    /// Why.
    pub note: String,
    /// Where the row begins.
    pub span: Span,
}

/// What becomes of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// This code.
    Code(String),
    /// `none`: no element.
    None,
    /// An empty to-code: the source's code as it is.
    Same,
}

/// The way back of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back<'a> {
    /// The one code that gives the target, or the one marked.
    Code(&'a str),
    /// The target's own code.
    Same,
    /// No code gives it.
    Missing,
    /// Several give it and none is marked.
    Several,
}

const COLUMNS: [&str; 6] = ["code", "to-code", "to-system", "display", "back", "note"];

impl Table {
    /// Reads a table; rows that cannot be read are left out and reported.
    pub(crate) fn read(name: &str, text: &str, file: FileId, bad: &mut Vec<Bad>) -> Self {
        let mut table = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        let Some(sheet) = Sheet::read(text, file, &COLUMNS, &["code", "to-code"], bad) else {
            return table;
        };
        sheet.check_width(bad);
        for record in &sheet.rows {
            match entry(&sheet, record) {
                Ok(entry) => table.push(entry, bad),
                Err(found) => bad.push(found),
            }
        }
        table.sort(bad);
        table
    }

    fn push(&mut self, entry: Entry, bad: &mut Vec<Bad>) {
        if entry.code != "*" {
            self.entries.push(entry);
        } else if self.rest.is_some() {
            bad.push(Bad::new(entry.span, "the row of * stands twice"));
        } else {
            self.rest = Some(entry);
        }
    }

    fn sort(&mut self, bad: &mut Vec<Bad>) {
        self.entries.shrink_to_fit();
        self.entries.sort_by(|a, b| a.code.cmp(&b.code));
        for pair in self.entries.windows(2) {
            if let [first, second] = pair
                && first.code == second.code
            {
                bad.push(Bad::new(second.span, format!("the code {} stands twice", second.code)));
            }
        }
    }

    /// These rows over those of a base; a code that both have is the site's.
    pub(crate) fn over(self, base: &Self) -> Self {
        let kept = base.entries.iter().filter(|entry| !self.has(&entry.code)).cloned();
        let kept: Vec<Entry> = kept.collect();
        let mut merged = self;
        merged.entries.extend(kept);
        merged.entries.sort_by(|a, b| a.code.cmp(&b.code));
        merged.rest = merged.rest.or_else(|| base.rest.clone());
        merged
    }

    /// The code that gives a target on the way back.
    pub fn back(&self, system: &str, code: &str) -> Back<'_> {
        let gives = |entry: &&Entry| match &entry.to {
            To::Code(to) => to == code && entry.system == system,
            To::Same => entry.code == code && entry.system == system,
            To::None => false,
        };
        let mut found = self.entries.iter().filter(gives);
        match (found.next(), found.next()) {
            (Some(one), None) => Back::Code(&one.code),
            (Some(_), Some(_)) => {
                let marked = self.entries.iter().filter(gives).find(|entry| entry.back);
                marked.map_or(Back::Several, |entry| Back::Code(&entry.code))
            }
            (None, _) => self.back_by_rest(system, code),
        }
    }

    /// A row of `*` that leaves the code as it is gives any code that no other row takes.
    fn back_by_rest<'a>(&'a self, system: &str, code: &str) -> Back<'a> {
        let same = self
            .rest
            .as_ref()
            .filter(|rest| rest.to == To::Same && rest.system == system);
        match same {
            Some(_) if !self.has(code) => Back::Same,
            _ => Back::Missing,
        }
    }

    /// Targets that several codes give with none marked: there the way back is lost.
    pub fn ambiguous(&self) -> Vec<&Entry> {
        let lost = |entry: &&Entry| match &entry.to {
            To::Code(to) => self.back(&entry.system, to) == Back::Several,
            To::Same => self.back(&entry.system, &entry.code) == Back::Several,
            To::None => false,
        };
        self.entries.iter().filter(lost).collect()
    }

    /// The row of a code, else the row of `*`.
    pub fn get(&self, code: &str) -> Option<&Entry> {
        self.exact(code).or(self.rest.as_ref())
    }

    /// The row of a code itself.
    pub fn exact(&self, code: &str) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.code.as_str().cmp(code))
            .ok()?;
        self.entries.get(at)
    }

    /// Whether a row, not counting `*`, has the code.
    pub fn has(&self, code: &str) -> bool {
        self.exact(code).is_some()
    }

    /// The row of `*`.
    pub fn rest(&self) -> Option<&Entry> {
        self.rest.as_ref()
    }

    /// Its rows by code, that of `*` last.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().chain(&self.rest)
    }
}

fn entry(sheet: &Sheet, record: &Record) -> Result<Entry, Bad> {
    let cell = |column| sheet.cell(record, column);
    let (code, to, back) = (cell("code"), cell("to-code").text, cell("back"));
    if code.text.is_empty() {
        return Err(Bad::new(code.span, "the code is empty"));
    }
    let to = match to.as_str() {
        "" => To::Same,
        "none" => To::None,
        _ => To::Code(to),
    };
    let back = match back.text.as_str() {
        "" => false,
        "x" | "yes" => true,
        other => return Err(Bad::new(back.span, format!("'{other}' in back: x or nothing"))),
    };
    Ok(Entry {
        code: code.text,
        to,
        system: cell("to-system").text,
        display: cell("display").text,
        back,
        note: cell("note").text,
        span: record.span,
    })
}
