//! Who uses what: parameters that rows read, files and tables that nobody names.

use std::collections::BTreeSet;

use super::Check;
use super::value::param_name;
use crate::syntax::{
    Bad, Check as Holds, Constant, ElementRow, How, KeyWhat, Library, Literal, Make, ParamValue, Place, Span,
    StructureRow, Subject, TableRef, Test, TypeMap,
};

/// The parameters that an element row reads.
pub(super) fn params_of_row(row: &ElementRow) -> Vec<&str> {
    let mut found: Vec<&str> = row.from.iter().filter_map(param_name).collect();
    found.extend(params_of_tests(&row.when));
    match &row.how {
        How::TypeMap(map) => found.extend(map.params.iter().filter_map(|param| match &param.value {
            ParamValue::Place(place) => param_name(place),
            ParamValue::Text(_) => None,
        })),
        How::Table(TableRef::Param(name)) => found.push(name),
        How::Const(constant) | How::Default(constant) => found.extend(params_of_constant(constant)),
        How::Ref(reference) => {
            let places = reference.conditions.iter().flat_map(|(there, here)| [there, here]);
            found.extend(places.filter_map(param_name));
        }
        _ => {}
    }
    found
}

/// The parameters that a structure row reads.
pub(super) fn params_of_structure(row: &StructureRow) -> Vec<&str> {
    let parts = row.key.iter().flat_map(|candidate| &candidate.parts);
    let keys = parts.filter_map(|part| match &part.what {
        KeyWhat::Place(place) => param_name(place),
        _ => None,
    });
    keys.chain(params_of_tests(&row.when)).collect()
}

fn params_of_constant(constant: &Constant) -> impl Iterator<Item = &str> {
    let halves = constant.system.iter().chain([&constant.value]);
    halves.filter_map(|half| match half {
        Literal::Param(name) => Some(name.as_str()),
        _ => None,
    })
}

fn params_of_tests(tests: &[Test]) -> Vec<&str> {
    let mut found = Vec::new();
    for test in tests {
        let place: Option<&Place> = match &test.on {
            Subject::Place(place) => Some(place),
            _ => None,
        };
        found.extend(place.and_then(param_name));
        match &test.check {
            Holds::InTable(TableRef::Param(name)) => found.push(name),
            Holds::SameAs(place) => found.extend(param_name(place)),
            _ => {}
        }
    }
    found
}

impl Check<'_> {
    /// Files and tables that nobody names.
    pub(super) fn uses(&mut self) {
        let mut used = used(self.library);
        for op in self.facts.ops {
            used.tables.extend(op.tables);
            let missing = op
                .tables
                .iter()
                .filter(|table| !self.library.tables.contains_key(**table));
            for table in missing {
                let text = format!("op({}) looks into table {table}, and no such table is there", op.name);
                self.errors.push(Bad::new(NOWHERE, text));
            }
        }
        for (name, file) in &self.library.elements {
            if !used.files.contains(name.as_str()) {
                let at = top(file.rows.first().map(|row| row.span));
                self.warnings.push(Bad::new(at, "no row uses this file"));
            }
        }
        self.unused_tables(&used);
    }

    /// One warning for all tables that no row names: some are found by a name that the message gives.
    fn unused_tables(&mut self, used: &Used<'_>) {
        let tables = self.library.tables.iter();
        let unused: Vec<_> = tables
            .filter(|(name, _)| !used.tables.contains(name.as_str()))
            .collect();
        let Some((_, first)) = unused.first() else { return };
        let names: Vec<&str> = unused.iter().map(|(name, _)| name.as_str()).collect();
        let at = top(first.entries().next().map(|entry| entry.span));
        let text = format!("no row names the tables {}", names.join(", "));
        self.warnings.push(Bad::new(at, text));
    }
}

fn top(span: Option<Span>) -> Span {
    Span {
        line: 1,
        column: 1,
        ..span.unwrap_or_default()
    }
}

/// A problem that no file has.
const NOWHERE: Span = Span {
    file: crate::syntax::FileId(u32::MAX),
    line: 0,
    column: 0,
};

#[derive(Default)]
struct Used<'a> {
    files: BTreeSet<&'a str>,
    tables: BTreeSet<&'a str>,
}

fn used(library: &Library) -> Used<'_> {
    let mut used = Used::default();
    for row in library.structures.values().flat_map(|file| &file.rows) {
        if row.make != Make::Use {
            used.files.extend(row.fill.iter().map(|file| file.name.as_str()));
        }
        used.tables.extend(tables_of_tests(&row.when));
    }
    for row in library.elements.values().flat_map(|file| &file.rows) {
        used.tables.extend(tables_of_tests(&row.when));
        match &row.how {
            How::TypeMap(map) => {
                used.files.insert(&map.name);
                used.tables.extend(texts(map));
            }
            How::Table(TableRef::Name(name)) => {
                used.tables.insert(name);
            }
            _ => {}
        }
    }
    used
}

/// Texts given as parameters: any of them may be the name of a table.
fn texts(map: &TypeMap) -> impl Iterator<Item = &str> {
    map.params.iter().filter_map(|param| match &param.value {
        ParamValue::Text(text) => Some(text.as_str()),
        ParamValue::Place(_) => None,
    })
}

fn tables_of_tests(tests: &[Test]) -> impl Iterator<Item = &str> {
    tests.iter().filter_map(|test| match &test.check {
        Holds::InTable(TableRef::Name(name)) => Some(name.as_str()),
        _ => None,
    })
}
