//! What a search asks for (FHIR R4 search 3.1.1): conditions that are tested on resources, and the numbers by which the
//! index leads to those that may meet them.

use std::borrow::Cow;

use causeway_core::fhir::{NodeId, Tree};
use jiff::Timestamp;

use super::dates::stretch;
use super::params::{Form, Values, days, form};
use super::terms;

/// One condition of a search; all must hold. The most telling one leads to resources, the others test what it led to:
/// among a million results that are final, those of one patient are looked at and no others.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// The less, the fewer resources it is likely to leave.
    rank: usize,
    /// What leads to all that may meet it; none where all of the type must be looked at.
    terms: Option<Vec<i64>>,
    test: Test,
}

/// What must hold for one of several alternatives.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Ids(Vec<String>),
    Updated(Vec<Range>),
    /// A parameter, and system and code where they are said.
    Tokens(&'static str, Vec<(Option<String>, Option<String>)>),
    Patient(Vec<String>),
    Subject(Vec<String>),
    Dates(Vec<Range>),
}

/// Parameters by how few resources a value of them is likely to leave.
const TELLING: &[&str] = &[
    "_id",
    "identifier",
    "_tag",
    "patient",
    "subject",
    "code",
    "date",
    "status",
    "_lastUpdated",
];

/// A search: a type and its conditions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// The type.
    pub kind: String,
    /// The conditions.
    pub criteria: Vec<Criterion>,
}

impl Search {
    /// What leads to all that may be found.
    pub(super) fn terms(&self) -> Cow<'_, [i64]> {
        let telling = self.criteria.iter().filter(|criterion| criterion.terms.is_some());
        let first = telling.min_by_key(|criterion| criterion.rank);
        match first.and_then(|criterion| criterion.terms.as_deref()) {
            Some(terms) => Cow::Borrowed(terms),
            None => Cow::Owned(vec![terms::kind(&self.kind)]),
        }
    }

    /// Whether what was written then may meet it; costs no look at the text.
    pub(super) fn may_find(&self, updated: i64) -> bool {
        let mut criteria = self.criteria.iter();
        criteria.all(|criterion| match &criterion.test {
            Test::Updated(all) => all.iter().any(|range| range.holds(updated, updated)),
            _ => true,
        })
    }

    /// Whether a resource meets it.
    pub(super) fn finds(&self, tree: &Tree, updated: i64) -> bool {
        let text = |name| tree.get_str(NodeId::ROOT, name).unwrap_or_default();
        if text("resourceType") != self.kind {
            return false;
        }
        let values = Values::of(&self.kind, tree, NodeId::ROOT, |text| text);
        self.meets(&values, text("id"), updated)
    }

    /// Whether a resource of its type with these values meets it.
    pub(super) fn meets(&self, values: &Values<'_>, id: &str, updated: i64) -> bool {
        let mut criteria = self.criteria.iter();
        criteria.all(|criterion| criterion.test.holds(values, id, updated))
    }
}

impl Criterion {
    /// The condition of a parameter with its decoded value; several values with commas are alternatives.
    ///
    /// # Errors
    /// The type has no such parameter, or the value is none of its form. What is wrong, in English.
    pub fn new(kind: &str, name: &str, value: &str) -> Result<Self, String> {
        let all: Vec<&str> = value.split(',').collect();
        if all.len() > 100 || value.is_empty() {
            return Err(format!("{name} takes 1 to 100 values"));
        }
        let (terms, test) = match (name, form(kind, name)) {
            ("_id", _) => (
                Some(all.iter().map(|id| terms::id(kind, id)).collect()),
                Test::Ids(all.iter().map(|id| (*id).to_owned()).collect()),
            ),
            ("_lastUpdated", _) => (None, Test::Updated(ranges(&all)?)),
            (_, Some(Form::Token)) => tokens(kind, name, &all),
            (_, Some(Form::Reference)) => references(kind, name, &all),
            (_, Some(Form::Date)) => dates(kind, ranges(&all)?),
            (_, None) => return Err(format!("{kind} cannot be searched by {name}")),
        };
        let rank = TELLING.iter().position(|known| *known == name).unwrap_or(TELLING.len());
        Ok(Self { rank, terms, test })
    }
}

impl Test {
    fn holds(&self, values: &Values<'_>, id: &str, updated: i64) -> bool {
        let among =
            |all: &[String], target: Option<&str>| target.is_some_and(|target| all.iter().any(|one| one == target));
        match self {
            Self::Ids(all) => among(all, Some(id)),
            Self::Updated(all) => all.iter().any(|range| range.holds(updated, updated)),
            Self::Patient(all) => among(all, values.patient),
            Self::Subject(all) => among(all, values.subject),
            Self::Dates(all) => {
                let mut dates = values.dates.iter();
                dates.any(|(low, high)| all.iter().any(|range| range.holds(*low, *high)))
            }
            Self::Tokens(name, all) => {
                let meets = |code: &str, system: &str| {
                    let is = |wanted: &Option<String>, said: &str| wanted.as_ref().is_none_or(|wanted| wanted == said);
                    all.iter().any(|(of, one)| is(of, system) && is(one, code))
                };
                let mut tokens = values.tokens.iter();
                tokens.any(|(of, code, system)| of == name && meets(code, system))
            }
        }
    }
}

type Made = (Option<Vec<i64>>, Test);

fn tokens(kind: &str, name: &str, all: &[&str]) -> Made {
    let name = ["identifier", "_tag", "code", "status"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("code");
    let read = |one: &&str| match one.split_once('|') {
        None => (None, Some((*one).to_owned())),
        Some((system, "")) => (Some(system.to_owned()), None),
        Some((system, code)) => (Some(system.to_owned()), Some(code.to_owned())),
    };
    let all: Vec<_> = all.iter().map(read).collect();
    let term = |(_, code): &(_, Option<String>)| Some(terms::token(kind, name, code.as_deref()?));
    (all.iter().map(term).collect(), Test::Tokens(name, all))
}

/// A reference by id alone means a patient, or whatever a subject may be; one by a whole address its end.
fn references(kind: &str, name: &str, all: &[&str]) -> Made {
    let kinds: &[&str] = if name == "patient" {
        &["Patient"]
    } else {
        &["Patient", "Group", "Device", "Location"]
    };
    let mut targets = Vec::new();
    for one in all {
        let mut steps = one.rsplit('/');
        match (steps.next(), steps.next()) {
            (Some(id), Some(kind)) => targets.push(format!("{kind}/{id}")),
            _ => targets.extend(kinds.iter().map(|kind| format!("{kind}/{one}"))),
        }
    }
    let terms = targets.iter().map(|target| terms::about(kind, target)).collect();
    let test = if name == "patient" {
        Test::Patient(targets)
    } else {
        Test::Subject(targets)
    };
    (Some(terms), test)
}

fn dates(kind: &str, all: Vec<Range>) -> Made {
    let now = Timestamp::now().as_microsecond();
    let terms: Option<Vec<Vec<i64>>> = all.iter().map(|range| range.days(kind, now)).collect();
    let terms = terms.map(|terms| {
        let mut terms = terms.concat();
        terms.sort_unstable();
        terms.dedup();
        terms
    });
    (terms, Test::Dates(all))
}

/// A date with its prefix: what must hold between the stretch that a resource has and the one that is asked for (FHIR R4
/// search 3.1.1.5.5).
#[derive(Debug, Clone, PartialEq)]
struct Range {
    prefix: Prefix,
    first: i64,
    last: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Prefix {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Sa,
    Eb,
}

fn ranges(all: &[&str]) -> Result<Vec<Range>, String> {
    all.iter().map(|one| Range::new(one)).collect()
}

impl Range {
    fn new(one: &str) -> Result<Self, String> {
        let (prefix, date) = match one.split_at_checked(2) {
            Some((prefix, date)) if prefix.bytes().all(|byte| byte.is_ascii_alphabetic()) => (prefix, date),
            _ => ("eq", one),
        };
        let (first, last) = stretch(date).ok_or_else(|| format!("{one:?} is no date"))?;
        let prefix = match prefix {
            "eq" => Prefix::Eq,
            "ne" => Prefix::Ne,
            "gt" => Prefix::Gt,
            "ge" => Prefix::Ge,
            "lt" => Prefix::Lt,
            "le" => Prefix::Le,
            "sa" => Prefix::Sa,
            "eb" => Prefix::Eb,
            other => return Err(format!("{other:?} is no prefix of a date")),
        };
        Ok(Self { prefix, first, last })
    }

    fn holds(&self, low: i64, high: i64) -> bool {
        let (first, last) = (self.first, self.last);
        match self.prefix {
            Prefix::Eq => low >= first && high <= last,
            Prefix::Ne => low < first || high > last,
            Prefix::Gt => high > last,
            Prefix::Ge => high > last || low >= first,
            Prefix::Lt => low < first,
            Prefix::Le => low < first || high <= last,
            Prefix::Sa => low > last,
            Prefix::Eb => high < first,
        }
    }

    /// What leads to all that it may hold for.
    fn days(&self, kind: &str, now: i64) -> Option<Vec<i64>> {
        match self.prefix {
            Prefix::Eq => days(kind, self.first, Some(self.last), now),
            Prefix::Gt | Prefix::Ge | Prefix::Sa => days(kind, self.first, None, now),
            Prefix::Ne | Prefix::Lt | Prefix::Le | Prefix::Eb => None,
        }
    }
}
