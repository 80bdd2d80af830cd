//! The loops of a guide as the row language needs them: every full path once. Read from the guide's own structure, so
//! that there is one list of loops; how segments are judged against it is not known here.

use causeway_mapping::doc::Branch;

/// The structure of 005010X222A1: the loops that a loop holds are its items that begin with `@`.
const STRUCTURE: &str = include_str!("../../guides/005010X222A1/structure.csv");

/// How deep loops lie in each other; 837P has five levels.
const DEEPEST: usize = 12;

/// The paths of the 837P guide, the transaction set itself first.
pub(super) fn branches() -> Vec<Branch> {
    let rows: Vec<(&'static str, &'static str)> = STRUCTURE.lines().skip(1).filter_map(row).collect();
    let mut branches = Vec::new();
    add("ST", 0, 0, &rows, &mut branches);
    branches
}

fn row(line: &'static str) -> Option<(&'static str, &'static str)> {
    let mut cells = line.split(',');
    let (name, _position, item) = (cells.next()?, cells.next()?, cells.next()?);
    Some((name, item))
}

fn add(
    name: &'static str,
    around: usize,
    depth: usize,
    rows: &[(&'static str, &'static str)],
    branches: &mut Vec<Branch>,
) {
    let of_loop = || rows.iter().filter(|(of, _)| *of == name).map(|(_, item)| *item);
    let Some(opener) = of_loop().find(|item| !item.starts_with('@')) else {
        return;
    };
    let number = branches.len();
    let symbol = symbol(name);
    branches.push(Branch {
        name,
        symbol,
        opener,
        around,
    });
    if depth < DEEPEST {
        for inner in of_loop().filter_map(|item| item.strip_prefix('@')) {
            add(inner, number, depth + 1, rows, branches);
        }
    }
}

/// A name of up to six capitals and digits as a number: one digit of base 37 for each.
pub(super) fn symbol(name: &str) -> u32 {
    name.bytes().take(6).fold(0, |number, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0' + 1,
            b'A'..=b'Z' => byte - b'A' + 11,
            _ => 0,
        };
        number * 37 + u32::from(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stands_in_two_is_two_paths() {
        let branches = branches();
        let path = |mut at: usize| {
            let mut path = Vec::new();
            while at > 0 {
                path.insert(0, branches[at].name);
                at = branches[at].around;
            }
            path.join("/")
        };
        let paths: Vec<String> = (0..branches.len()).map(path).collect();
        for wanted in [
            "2000A/2000B/2300",
            "2000A/2000B/2000C/2300",
            "2000A/2000B/2000C/2300/2400/2420A",
            "1000B",
        ] {
            assert_eq!(paths.iter().filter(|path| *path == wanted).count(), 1, "{wanted}");
        }
        let openers: Vec<&str> = branches
            .iter()
            .filter(|branch| branch.name == "2300")
            .map(|branch| branch.opener)
            .collect();
        assert_eq!(openers, ["CLM", "CLM"]);
    }

    #[test]
    fn symbols_differ() {
        assert_ne!(symbol("2010AA"), symbol("2010AB"));
        assert_ne!(symbol("N3"), symbol("N4"));
        assert_eq!(symbol("ZZZZZZ"), 37u32.pow(6) - 1);
    }
}
