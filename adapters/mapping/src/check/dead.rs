//! Rows that can never fire, and rows that say the same.

use std::collections::BTreeMap;

use super::Check;
use crate::overlay::subject;
use crate::primitives::Primitive;
use crate::syntax::{Bad, Check as Holds, ElementFile, ElementRow, How, Subject, Test};

impl<'a> Check<'a> {
    /// Rows of a file that say the same.
    pub(super) fn same_rows(&mut self) {
        for file in self.library.elements.values() {
            let mut first: BTreeMap<String, u32> = BTreeMap::new();
            for row in &file.rows {
                let line = *first.entry(said(row)).or_insert(row.span.line);
                if line != row.span.line {
                    self.errors
                        .push(Bad::new(row.span, format!("says the same as line {line}")));
                }
            }
        }
    }

    /// Rows whose tests contradict each other, or that an earlier row always beats.
    pub(super) fn dead_rows(&mut self) {
        for file in self.library.elements.values() {
            for row in &file.rows {
                if let Some(test) = contradiction(&row.when) {
                    let text = format!("can never fire: '{test}' contradicts another test of the row");
                    self.errors.push(Bad::new(test.span, text));
                }
            }
            self.beaten(file);
        }
    }

    fn beaten(&mut self, file: &'a ElementFile) {
        let written: Vec<Written<'_>> = file.rows.iter().map(Written::of).collect();
        for (n, row) in written.iter().enumerate() {
            let mut earlier = written.iter().take(n);
            if let Some(winner) = earlier.find(|other| beats(other, row)) {
                let text = format!("can never fire: line {} wins whenever this could", winner.row.span.line);
                self.errors.push(Bad::new(row.row.span, text));
            }
        }
    }
}

/// A row with its cells as written, so that rows are compared without writing them again.
struct Written<'a> {
    row: &'a ElementRow,
    from: String,
    to: String,
    tests: Vec<String>,
}

impl<'a> Written<'a> {
    fn of(row: &'a ElementRow) -> Self {
        let (from, to) = subject(row);
        let tests = row.when.iter().map(ToString::to_string).collect();
        Self { row, from, to, tests }
    }
}

/// What a row says, note and spacing apart.
fn said(row: &ElementRow) -> String {
    let (from, to) = subject(row);
    let mut tests: Vec<String> = row.when.iter().map(ToString::to_string).collect();
    tests.sort();
    format!("{from}\t{}\t{to}\t{}", tests.join(" and "), row.how)
}

/// Whether an earlier row yields a value for the same target whenever a later one could.
fn beats(earlier: &Written<'_>, later: &Written<'_>) -> bool {
    if earlier.to.is_empty() || earlier.to != later.to || !sure(&earlier.row.how) {
        return false;
    }
    let wins = earlier.tests.iter().all(|test| later.tests.contains(test));
    let once = earlier.from.is_empty() && later.from.is_empty() && alone(earlier.row) && alone(later.row);
    let same_source = earlier.from == later.from && said(earlier.row) != said(later.row);
    wins && (same_source || once)
}

/// Whether a row fills one element: not a further item of one that repeats. Only labels and single elements are named by
/// constants twice, so a path whose last segment has a label or that writes a constant is taken as one.
fn alone(row: &ElementRow) -> bool {
    matches!(row.how, How::Const(_) | How::Default(_) | How::Absent(_))
}

/// Whether a way yields for every value.
fn sure(how: &How) -> bool {
    match how {
        How::Keep | How::Const(_) | How::Default(_) | How::Absent(_) => true,
        How::TypeMap(map) => matches!(Primitive::named(&map.name), Some(Primitive::String)),
        _ => false,
    }
}

/// A test that cannot hold together with another.
fn contradiction(tests: &[Test]) -> Option<&Test> {
    tests.iter().enumerate().find_map(|(n, test)| {
        let clash = tests.iter().take(n).any(|other| clash(other, test));
        clash.then_some(test)
    })
}

fn clash(a: &Test, b: &Test) -> bool {
    if place(a) != place(b) {
        return false;
    }
    if a.check == b.check {
        return a.not != b.not;
    }
    match (values(a), values(b)) {
        (Some(a), Some(b)) => return a.iter().all(|value| !b.contains(value)),
        (Some(_), None) => return is_absent(b),
        (None, Some(_)) => return is_absent(a),
        (None, None) => {}
    }
    is_absent(a) && is_valued(b) || is_absent(b) && is_valued(a)
}

fn place(test: &Test) -> String {
    match &test.on {
        Subject::Place(place) => place.to_string(),
        other => format!("{other:?}"),
    }
}

/// The values of which the subject must be one.
fn values(test: &Test) -> Option<Vec<&str>> {
    match &test.check {
        _ if test.not => None,
        Holds::Is(value) => Some(vec![value]),
        Holds::In(values) => Some(values.iter().map(String::as_str).collect()),
        _ => None,
    }
}

fn is_absent(test: &Test) -> bool {
    !test.not && test.check == Holds::Absent || test.not && test.check == Holds::Valued
}

fn is_valued(test: &Test) -> bool {
    let valued = matches!(
        test.check,
        Holds::Valued | Holds::Number | Holds::NumberIs(..) | Holds::Measure
    );
    !test.not && valued || test.not && test.check == Holds::Absent
}
