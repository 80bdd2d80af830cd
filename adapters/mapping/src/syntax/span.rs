//! Where a thing stands in the rows, and what is wrong there. Only positions and messages live here; no grammar does.

use std::fmt;
use std::sync::Arc;

/// Number of a file within its library, in the order of loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A position in a row file. Lines and columns count from 1; columns count characters, as an editor shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Line in the file; the header is line 1.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
}

impl Span {
    /// The position `chars` characters to the right.
    #[must_use]
    pub fn right(self, chars: usize) -> Self {
        let by = u32::try_from(chars).unwrap_or(u32::MAX);
        Self {
            column: self.column.saturating_add(by),
            ..self
        }
    }
}

/// Whether a problem keeps the rows from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The rows work, but not all as written.
    Warning,
    /// The rows cannot be used.
    Error,
}

/// What is wrong at a position, before the file's name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Where.
    pub span: Span,
    /// What is wrong, a sentence without a full stop.
    pub text: String,
    /// The right name that is nearest to the wrong one.
    pub nearest: Option<String>,
}

impl Bad {
    /// Something wrong at a position.
    pub fn new(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
            nearest: None,
        }
    }

    /// The same with the nearest of the names that would be right.
    #[must_use]
    pub fn nearest_of<'a>(mut self, wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(wrong, names).map(str::to_owned);
        self
    }
}

/// One remark on the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How grave.
    pub level: Level,
    /// Name of the file, with its layer: `PID.Patient.csv`, `sites/ruijin/PID.Patient.csv`.
    pub file: Arc<str>,
    /// Line, from 1; 0 when it is about the whole file.
    pub line: u32,
    /// Column in characters, from 1; 0 when it is about the whole row.
    pub column: u32,
    /// What is wrong.
    pub text: String,
    /// The nearest right name.
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if self.level == Level::Warning {
            write!(f, "warning: ")?;
        }
        write!(f, "{}", self.text)?;
        match &self.nearest {
            Some(name) => write!(f, "; did you mean {name}?"),
            None => Ok(()),
        }
    }
}

/// The name nearest to a wrong one, when it is near enough to be meant: at most a third of its letters differ. Of equals
/// the first wins.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong: Vec<char> = wrong.chars().take(80).collect();
    let allowed = (wrong.len() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(&wrong, name), name))
        .filter(|(far, _)| *far > 0 && *far <= allowed)
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

/// Edit distance between two names; case counts half a letter, rounded up over the whole.
fn distance(wrong: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=wrong.len()).map(|n| n * 2).collect();
    for (done, right) in name.chars().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), (done + 1) * 2);
        let mut left = (done + 1) * 2;
        for (cell, &letter) in row.iter_mut().skip(1).zip(wrong) {
            let best = (diagonal + cost(letter, right)).min(left + 2).min(*cell + 2);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().map_or(0, |halves| halves.div_ceil(2))
}

fn cost(a: char, b: char) -> usize {
    match () {
        () if a == b => 0,
        () if a.eq_ignore_ascii_case(&b) => 1,
        () => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name() {
        let names = ["name", "gender", "birthDate", "valueQuantity"];
        assert_eq!(nearest("nmae", names), None, "two letters of four differ");
        assert_eq!(nearest("nam", names), Some("name"));
        assert_eq!(nearest("birthdate", names), Some("birthDate"));
        assert_eq!(nearest("valueQantity", names), Some("valueQuantity"));
        assert_eq!(nearest("zzz", names), None);
    }
}
