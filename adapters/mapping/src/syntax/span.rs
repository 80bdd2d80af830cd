//! Where a thing stands in the rows, and what is wrong there. Only positions and messages live here; no grammar does.

use std::fmt;
use std::sync::Arc;

use causeway_profiles::nearest;

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
