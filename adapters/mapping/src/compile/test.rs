//! Tests of the `when` column. What parameters and settings decide is decided here; a row whose tests cannot hold is
//! left out.

use super::{Arg, Compiler, D, Env, Given};
use crate::doc::Format;
use crate::plan::{Check, From, Test};
use crate::primitives::behind_comparator;
use crate::syntax::{self, Subject, TableRef};

impl<F: Format> Compiler<'_, F> {
    /// Compiles tests that must all hold; none when one can never hold.
    pub(crate) fn tests(&mut self, tests: &[syntax::Test], env: &Env) -> Option<Vec<Test<D<F>>>> {
        let mut out = Vec::new();
        for test in tests {
            match self.test(test, env) {
                Some(Test {
                    not,
                    check: Check::Fixed(holds),
                    ..
                }) if holds != not => {}
                Some(Test {
                    check: Check::Fixed(_), ..
                })
                | None => return None,
                Some(test) => out.push(test),
            }
        }
        Some(out)
    }

    fn test(&mut self, test: &syntax::Test, env: &Env) -> Option<Test<D<F>>> {
        let fixed = |holds| {
            Some(Test {
                id: None,
                not: test.not,
                on: None,
                check: Check::Fixed(holds),
            })
        };
        let on = match &test.on {
            Subject::Place(place) => match self.argument(place, env) {
                Given::Not | Given::Value(Arg::Place(..)) => Some(self.read(place, env)?),
                Given::Value(Arg::Text(said, _)) => return fixed(self.holds(&test.check, Some(&said), env)),
                Given::Nothing => return fixed(self.holds(&test.check, None, env)),
            },
            Subject::InHand | Subject::Trigger | Subject::Version | Subject::Message => None,
        };
        let check = self.check(&test.check, &test.on, env)?;
        let steady = |read: &crate::plan::Read<D<F>>| {
            matches!(read.from, From::Group { .. } | From::Below { .. } | From::Header)
        };
        let own = on.as_ref().is_some_and(steady) && !matches!(test.check, syntax::Check::SameAs(_));
        let id = own.then(|| {
            let table = match &test.check {
                syntax::Check::InTable(table) => table_name(table, env).unwrap_or_default(),
                _ => String::new(),
            };
            let on = on
                .as_ref()
                .map(|read| format!("{:?} {:?}", read.from, read.step))
                .unwrap_or_default();
            self.test_id(format!("{on} {:?} {table}", test.check))
        });
        Some(Test {
            id,
            not: test.not,
            on,
            check,
        })
    }

    fn check(&mut self, check: &syntax::Check, on: &Subject, env: &Env) -> Option<Check<D<F>>> {
        let boxed = |values: &[String]| {
            values
                .iter()
                .map(|value| value.as_str().into())
                .collect::<Vec<Box<str>>>()
        };
        Some(match check {
            syntax::Check::Is(value) if *on == Subject::Trigger => Check::Trigger(boxed(std::slice::from_ref(value))),
            syntax::Check::In(values) if *on == Subject::Trigger => Check::Trigger(boxed(values)),
            syntax::Check::Valued => Check::Valued,
            syntax::Check::Absent => Check::Absent,
            syntax::Check::Null => Check::Null,
            syntax::Check::Is(value) => Check::In(boxed(std::slice::from_ref(value))),
            syntax::Check::In(values) => Check::In(boxed(values)),
            syntax::Check::InTable(table) => match table_name(table, env).and_then(|name| self.table(&name)) {
                Some(table) => Check::InTable(table),
                None => Check::Fixed(false),
            },
            syntax::Check::SameAs(place) => Check::Same(self.read(
                place,
                &Env {
                    hand: None,
                    ..env.clone()
                },
            )?),
            syntax::Check::Number => Check::Number,
            syntax::Check::Measure => Check::Measure,
            syntax::Check::NumberIs(compare, number) => Check::NumberIs(*compare, number.parse().ok()?),
            syntax::Check::Length(compare, length) => Check::Length(*compare, *length),
            syntax::Check::Count(compare, count) => Check::Count(*compare, *count),
            syntax::Check::VersionIs(compare, version) => Check::Version(*compare, version.as_str().into()),
            syntax::Check::Has(place) => match self.group_symbol(place.first_name()?) {
                Some(group) => Check::HasGroup(group),
                None => Check::Has(self.format.symbol(place.first_name()?)?),
            },
        })
    }

    /// Whether a test holds on a constant.
    fn holds(&mut self, check: &syntax::Check, text: Option<&str>, env: &Env) -> bool {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return matches!(check, syntax::Check::Absent);
        };
        match check {
            syntax::Check::Valued => true,
            syntax::Check::Is(value) => value == text,
            syntax::Check::In(values) => values.iter().any(|value| value == text),
            syntax::Check::InTable(table) => {
                let table = table_name(table, env).and_then(|name| self.table(&name));
                table.is_some_and(|table| table.has(text))
            }
            syntax::Check::Number => text.parse::<f64>().is_ok(),
            syntax::Check::Measure => behind_comparator(text).1.parse::<f64>().is_ok(),
            syntax::Check::NumberIs(compare, number) => {
                let pair = text.parse::<f64>().ok().zip(number.parse::<f64>().ok());
                pair.and_then(|(a, b)| a.partial_cmp(&b))
                    .is_some_and(|order| compare.holds(order))
            }
            syntax::Check::Length(compare, length) => compare.holds(text.chars().count().cmp(&(*length as usize))),
            syntax::Check::Count(compare, count) => compare.holds(1.cmp(count)),
            _ => false,
        }
    }
}

/// The name of a table, which may be a parameter.
pub(crate) fn table_name(table: &TableRef, env: &Env) -> Option<String> {
    match table {
        TableRef::Name(name) => Some(name.clone()),
        TableRef::Param(name) => {
            env.params
                .iter()
                .find(|(known, _)| known == name)
                .and_then(|(_, value)| match value {
                    Arg::Text(text, _) => Some(text.clone()),
                    Arg::Place(..) => None,
                })
        }
    }
}
