//! Which places a row reads, and in which part of the row. What is asked by place (`explain`) and what is listed by row
//! (the way back) rest on it.

use crate::syntax::{
    Base, Check, ElementRow, Head, How, KeyWhat, Mark, ParamValue, Part, Place, Select, Step, StructureRow, Subject,
    Test,
};

/// In which part of a row a place stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// `from`, or the anchor of a structure row.
    From,
    /// `when`.
    When,
    /// A selector such as `[5=MR]`.
    Selector,
    /// A key.
    Key,
    /// A parameter of a type map.
    Param,
    /// A condition of a `ref`.
    Condition,
}

/// The places of an element row.
pub(crate) fn of_element(row: &ElementRow) -> Vec<(Role, &Place)> {
    let mut found: Vec<(Role, &Place)> = row.from.iter().map(|place| (Role::From, place)).collect();
    found.extend(of_tests(&row.when));
    match &row.how {
        How::TypeMap(map) => found.extend(map.params.iter().filter_map(|param| match &param.value {
            ParamValue::Place(place) => Some((Role::Param, place)),
            ParamValue::Text(_) => None,
        })),
        How::Ref(reference) => {
            let pairs = reference.conditions.iter();
            found.extend(pairs.flat_map(|(there, here)| [(Role::Condition, there), (Role::Condition, here)]));
        }
        _ => {}
    }
    found
}

/// The places of a structure row. Its anchor counts where it ends in a place.
pub(crate) fn of_structure(row: &StructureRow) -> Vec<(Role, &Place)> {
    let mut found = vec![(Role::From, &row.at)];
    found.extend(of_tests(&row.when));
    let parts = row.key.iter().flat_map(|candidate| &candidate.parts);
    found.extend(parts.filter_map(|part| match &part.what {
        KeyWhat::Place(place) => Some((Role::Key, place)),
        KeyWhat::Name(_) | KeyWhat::Ordinal => None,
    }));
    found
}

fn of_tests(tests: &[Test]) -> impl Iterator<Item = (Role, &Place)> {
    tests.iter().flat_map(|test| {
        let on = match &test.on {
            Subject::Place(place) => Some(place),
            _ => None,
        };
        let other = match &test.check {
            Check::SameAs(place) | Check::Has(place) => Some(place),
            _ => None,
        };
        on.into_iter().chain(other).map(|place| (Role::When, place))
    })
}

/// A place asked for, reduced to what rows are compared by: a name and the numbers behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    name: String,
    numbers: Vec<Option<u32>>,
}

impl Asked {
    /// The innermost step of a place.
    pub(crate) fn of(place: &Place) -> Option<Self> {
        let step = place.steps.last().filter(|_| place.base == Base::Source)?;
        Some(Self {
            name: names(step).first().cloned()?,
            numbers: step.parts.iter().map(number).collect(),
        })
    }

    /// Whether it is a whole segment, item or value, and not a part of one.
    pub(crate) fn is_whole(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The same parts of a value that a type map reads under another name.
    pub(crate) fn within(&self, name: &str, outer: &Place) -> Self {
        let skipped = outer.steps.last().map_or(0, |step| step.parts.len());
        Self {
            name: name.to_owned(),
            numbers: self.numbers.iter().skip(skipped).copied().collect(),
        }
    }

    /// Whether a place is read when this one is: one lies in the other.
    pub(crate) fn is_read_by(&self, place: &Place) -> bool {
        let Some(step) = place.steps.last().filter(|_| place.base == Base::Source) else {
            return false;
        };
        let own: Vec<Option<u32>> = step.parts.iter().map(number).collect();
        names(step).contains(&self.name) && meets(&self.numbers, &own)
    }

    /// Whether one of a place's selectors looks at this.
    pub(crate) fn is_selected_by(&self, place: &Place) -> bool {
        place.steps.iter().any(|step| {
            let on_step = step.select.iter().any(|select| self.selects(step, &[], select));
            let mut before: Vec<Option<u32>> = Vec::new();
            let on_parts = step.parts.iter().any(|part| {
                before.push(number(part));
                part.select.iter().any(|select| self.selects(step, &before, select))
            });
            on_step || on_parts
        })
    }

    fn selects(&self, step: &Step, before: &[Option<u32>], select: &Select) -> bool {
        let Select::Says { part, .. } = select else {
            return false;
        };
        let mut path = before.to_vec();
        path.extend(part.iter().map(|number| number.parse().ok()));
        names(step).contains(&self.name) && meets(&self.numbers, &path)
    }
}

fn names(step: &Step) -> Vec<String> {
    match &step.head {
        Head::Names(names) => names.clone(),
        Head::Concept { code, scheme } => vec![format!("{{{code} {scheme}}}")],
    }
}

/// A part's number; none for `*`, which is every one.
fn number(part: &Part) -> Option<u32> {
    match part.mark {
        Mark::Field | Mark::Component => part.number.as_deref().and_then(|number| number.parse().ok()),
    }
}

/// Whether one path lies in the other; a part that is every one meets each.
fn meets(a: &[Option<u32>], b: &[Option<u32>]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b || a.is_none() || b.is_none())
}
