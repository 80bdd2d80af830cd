//! Checks every row against the facts of FHIR R4 and against its fellows: unknown names, wrong types, missing labels,
//! required elements that nothing fills, keys that come too early, rows that can never fire. Nothing is run here.

mod dead;
mod element;
mod holder;
mod names;
mod required;
mod structure;
#[cfg(test)]
mod tests;
mod uses;
mod value;

use std::collections::BTreeSet;

use crate::doc::Doc;
use crate::ops::OpDef;
use crate::syntax::{Bad, Level, Library, Problem};

/// What a named operation is, as far as rows need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpFact<'a> {
    /// Its name.
    pub name: &'a str,
    /// Places that it reads besides those in `from`.
    pub reads: &'a [&'a str],
    /// Code tables that it looks into.
    pub tables: &'a [&'a str],
    /// The types that it may fill; none when it fills whatever it stands at.
    pub writes: &'a [&'a str],
    /// One sentence for the manual.
    pub doc: &'a str,
    /// Whether it has a way back.
    pub back: bool,
}

impl<'a> OpFact<'a> {
    /// What an operation says of itself. None has a way back yet.
    pub fn of<D: Doc>(op: &'a OpDef<D>) -> Self {
        Self {
            name: op.name,
            reads: op.reads,
            tables: op.tables,
            writes: op.writes,
            doc: op.doc,
            back: false,
        }
    }
}

/// What is known of a format besides its rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// Its named operations.
    pub ops: &'a [OpFact<'a>],
}

/// Checks a library; what could not even be read is in [`crate::Loaded::problems`]. Errors keep it from being used.
pub fn check(library: &Library, facts: &Facts<'_>) -> Vec<Problem> {
    let mut check = Check {
        library,
        facts,
        errors: Vec::new(),
        warnings: Vec::new(),
        seen: BTreeSet::new(),
    };
    check.structures();
    check.same_rows();
    check.dead_rows();
    check.uses();
    let mut problems = library.problems(Level::Error, unique(check.errors));
    problems.extend(library.problems(Level::Warning, unique(check.warnings)));
    problems
}

/// A row that several instances share is wrong once.
fn unique(bad: Vec<Bad>) -> Vec<Bad> {
    let mut seen = BTreeSet::new();
    bad.into_iter()
        .filter(|bad| seen.insert((bad.span, bad.text.clone())))
        .collect()
}

/// One run of the checker.
struct Check<'a> {
    library: &'a Library,
    facts: &'a Facts<'a>,
    errors: Vec<Bad>,
    warnings: Vec<Bad>,
    /// Files checked, with what they fill and their parameters.
    seen: BTreeSet<String>,
}
