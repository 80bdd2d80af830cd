//! The relations among the elements of a segment or the components of a composite (X12.6 section 3.7.2).

use crate::guide::{Note, Relation};
use crate::problem::ElementFault;

/// Which element breaks a relation, and how; none if it holds.
pub(super) fn broken(note: &Note, stands: &dyn Fn(u8) -> bool) -> Option<(u8, ElementFault)> {
    let (first, others) = note.elements.split_first()?;
    let any = || note.elements.iter().any(|number| stands(*number));
    let missing = |numbers: &[u8]| numbers.iter().copied().find(|number| !stands(*number));
    let told = |number: u8| (number, ElementFault::MissingByOther);
    match note.relation {
        Relation::Paired if any() => missing(&note.elements).map(told),
        Relation::Required if !any() => Some(told(*first)),
        Relation::Conditional if stands(*first) => missing(others).map(told),
        Relation::List if stands(*first) && !others.iter().any(|number| stands(*number)) => {
            others.first().copied().map(told)
        }
        Relation::Exclusion => {
            let second = note.elements.iter().copied().filter(|number| stands(*number)).nth(1);
            second.map(|number| (number, ElementFault::Excluded))
        }
        _ => None,
    }
}
