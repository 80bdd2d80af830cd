//! Values as results carry them, with the little that a comparator leaves open. Comparing has three outcomes: beyond
//! the limit, not beyond it, or open, as with `<10` against a limit of 2.8.

use std::cmp::Ordering;

use super::{Analyte, Row, Side};
use crate::decimal::{Decimal, Ratio};

/// How a result bounds its value (FHIR `Quantity.comparator`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Exactly,
    Below,
    AtMost,
    AtLeast,
    Above,
}

impl Comparator {
    /// Reads FHIR's comparators.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Below,
            "<=" | "≤" => Self::AtMost,
            ">=" | "≥" => Self::AtLeast,
            ">" => Self::Above,
            _ => return None,
        })
    }
}

/// A number with its comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) comparator: Comparator,
    pub(super) number: Decimal,
}

/// Whether a value is beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    Yes,
    No,
    /// The comparator leaves it open.
    Open,
}

/// Compares a value of a unit with a row; `None` when the numbers are too long to compare exactly.
pub(super) fn beyond(value: Value, factor: Ratio, row: &Row) -> Option<Beyond> {
    let ordering = value.number.ratio()?.times(factor)?.compare(row.exact)?;
    Some(decide(value.comparator, ordering, row.side, row.inclusive))
}

fn decide(comparator: Comparator, ordering: Ordering, side: Side, inclusive: bool) -> Beyond {
    use Comparator::{Above, AtLeast, AtMost, Below, Exactly};
    // On the low side mirrored: "below" becomes "above", and the rest reads as for the high side.
    let (comparator, ordering) = match (side, comparator) {
        (Side::High, comparator) => (comparator, ordering),
        (Side::Low, Below) => (Above, ordering.reverse()),
        (Side::Low, AtMost) => (AtLeast, ordering.reverse()),
        (Side::Low, AtLeast) => (AtMost, ordering.reverse()),
        (Side::Low, Above) => (Below, ordering.reverse()),
        (Side::Low, Exactly) => (Exactly, ordering.reverse()),
    };
    let reaches = ordering == Ordering::Greater || (ordering == Ordering::Equal && inclusive);
    let (test, then, otherwise) = match comparator {
        Exactly => (reaches, Beyond::Yes, Beyond::No),
        AtLeast => (reaches, Beyond::Yes, Beyond::Open),
        // Above the limit itself is beyond it, whether or not the limit is.
        Above => (ordering != Ordering::Less, Beyond::Yes, Beyond::Open),
        AtMost => (reaches, Beyond::Open, Beyond::No),
        Below => (ordering == Ordering::Greater, Beyond::Open, Beyond::No),
    };
    if test { then } else { otherwise }
}

/// Whether an exact value is within what its table calls plausible.
pub(super) fn plausible(value: Value, factor: Ratio, analyte: &Analyte) -> bool {
    let [from, to] = analyte.plausible;
    if value.comparator != Comparator::Exactly || (from.is_none() && to.is_none()) {
        return true;
    }
    let Some(exact) = value.number.ratio().and_then(|number| number.times(factor)) else {
        return true;
    };
    let outside = |bound: Option<Ratio>, side| bound.and_then(|bound| exact.compare(bound)) == Some(side);
    !outside(from, Ordering::Less) && !outside(to, Ordering::Greater)
}

/// A text that is a number after all: an optional comparator, a number, and what follows it, taken as the unit.
pub(super) fn from_text(text: &str) -> Option<(Value, &str)> {
    let text = text.trim();
    let end = text
        .find(|letter: char| !"<>=≤≥ ".contains(letter))
        .unwrap_or(text.len());
    let (sign, rest) = text.split_at_checked(end)?;
    let comparator = match sign.trim() {
        "" => Comparator::Exactly,
        sign => Comparator::parse(sign)?,
    };
    let end = rest
        .find(|letter: char| !letter.is_ascii_digit() && !"+-.".contains(letter))
        .unwrap_or(rest.len());
    let (number, unit) = rest.split_at_checked(end)?;
    // What follows is a unit, not the other half of a decimal comma.
    let unitlike = |letter: char| letter.is_alphabetic() || letter.is_whitespace() || "/%[{×(".contains(letter);
    if !unit.is_empty() && !unit.starts_with(unitlike) {
        return None;
    }
    let number = Decimal::parse(number)?;
    Some((Value { comparator, number }, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_outcomes() {
        use Comparator::{Above, AtLeast, AtMost, Below, Exactly};
        let cases = [
            // side, inclusive, comparator, value against limit, outcome
            (Side::High, true, Exactly, Ordering::Equal, Beyond::Yes),
            (Side::High, false, Exactly, Ordering::Equal, Beyond::No),
            (Side::High, true, Exactly, Ordering::Less, Beyond::No),
            (Side::High, true, Above, Ordering::Equal, Beyond::Yes),
            (Side::High, false, Above, Ordering::Equal, Beyond::Yes),
            (Side::High, true, Above, Ordering::Less, Beyond::Open),
            (Side::High, false, AtLeast, Ordering::Equal, Beyond::Open),
            (Side::High, true, AtLeast, Ordering::Equal, Beyond::Yes),
            (Side::High, true, Below, Ordering::Equal, Beyond::No),
            (Side::High, true, Below, Ordering::Greater, Beyond::Open),
            (Side::High, true, AtMost, Ordering::Equal, Beyond::Open),
            (Side::High, false, AtMost, Ordering::Equal, Beyond::No),
            (Side::High, true, AtMost, Ordering::Less, Beyond::No),
            (Side::Low, true, Exactly, Ordering::Equal, Beyond::Yes),
            (Side::Low, false, Exactly, Ordering::Equal, Beyond::No),
            (Side::Low, true, Exactly, Ordering::Greater, Beyond::No),
            (Side::Low, false, Below, Ordering::Equal, Beyond::Yes),
            (Side::Low, true, Below, Ordering::Greater, Beyond::Open),
            (Side::Low, true, Above, Ordering::Equal, Beyond::No),
            (Side::Low, true, Above, Ordering::Less, Beyond::Open),
        ];
        for (side, inclusive, comparator, ordering, outcome) in cases {
            let found = decide(comparator, ordering, side, inclusive);
            assert_eq!(found, outcome, "{side:?} {inclusive} {comparator:?} {ordering:?}");
        }
    }

    #[test]
    fn texts_that_are_numbers() {
        let (value, unit) = from_text(" > 33.3 mmol/L ").unwrap();
        assert_eq!(
            (value.comparator, value.number.to_string(), unit),
            (Comparator::Above, "33.3".into(), "mmol/L")
        );
        assert_eq!(from_text("6.8").unwrap().1, "");
        assert_eq!(from_text("≤2").unwrap().0.comparator, Comparator::AtMost);
        for text in [
            "",
            "haemolysed",
            "溶血",
            "<",
            "6,8",
            "5-7",
            "1.2.3",
            ">>5",
            "++",
            "pos. 3",
        ] {
            assert!(from_text(text).is_none(), "{text}");
        }
    }
}
