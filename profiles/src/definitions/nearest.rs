//! The name that was probably meant. Used by every check that refuses a name written by a person.

/// The name among those given that is nearest to the wrong one, when it is near enough to be what was meant: at most a
/// third of the letters differ, and a difference of case alone is the nearest of all.
pub fn nearest<'a>(wrong: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // No name is so long, and the price of comparing grows with the length.
    if wrong.len() > LONGEST {
        return None;
    }
    let limit = (wrong.chars().count() / 3).max(1) * COST;
    let rated = among.into_iter().map(|name| (distance(wrong, name), name));
    rated
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, name)| (*distance, name.len()))
        .map(|(_, name)| name)
}

/// Bytes of the longest name that is compared.
const LONGEST: usize = 128;

/// Price of a letter that is missing, added, changed or swapped with its neighbour; a change of case costs one.
const COST: usize = 4;

/// Edit distance with neighbours swapped (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).map(|count| count * COST).collect();
    let mut previous = None;
    for (row, letter) in left.chars().enumerate() {
        let mut line = vec![(row + 1) * COST];
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let change = at(&last, column) + price(letter, *other);
            let edit = (at(&last, column + 1) + COST).min(at(&line, column) + COST);
            let ahead = column.checked_sub(1).and_then(|one| right.get(one));
            let swapped = previous == Some(*other) && ahead == Some(&letter);
            let swap = if swapped {
                at(&before, column - 1) + COST
            } else {
                usize::MAX
            };
            line.push(change.min(edit).min(swap));
        }
        previous = Some(letter);
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or(0)
}

fn price(left: char, right: char) -> usize {
    match (left == right, left.eq_ignore_ascii_case(&right)) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => COST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_mended() {
        let among = ["identifier", "name", "birthDate", "gender"];
        assert_eq!(nearest("birthdate", among), Some("birthDate"));
        assert_eq!(nearest("indentifier", among), Some("identifier"));
        assert_eq!(nearest("nmae", among), Some("name"));
        assert_eq!(nearest("generalPractitioner", among), None);
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        assert_eq!(distance("kitten", "sitting"), 3 * COST);
        assert_eq!(distance("ab", "ba"), COST);
        assert_eq!(distance("", "abc"), 3 * COST);
        assert_eq!(distance("Abc", "abc"), 1);
    }
}
