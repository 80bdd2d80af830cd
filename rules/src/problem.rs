//! What is wrong with a pack, with file and line. A pack with one problem is not used at all; nothing here knows what
//! a rule means.

use std::fmt;

use causeway_core::Text;

/// One thing that is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, with its pack: `critical-values/rows.csv`.
    pub file: String,
    /// The line in it, from 1; 0 when it concerns the whole file.
    pub line: u64,
    /// What is wrong.
    pub text: Text,
}

impl Problem {
    /// A problem at a line.
    pub fn new(file: impl Into<String>, line: u64, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line,
            text: Text::new(zh.into(), en.into()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.text.en)
    }
}

/// A pack or snapshot that is refused, with every reason found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<Problem>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}
