//! How a guide's record says what becomes of a segment's elements, one word an element: `R` required, `S` situational,
//! `N` not used; `R(41 40)` with the codes allowed, `R($entity)` with a list of `codes.csv`; `R[41]` with codes that also
//! tell this use of the segment from others; `R{R S N}` for a composite; `11*N` eleven times the same.

use std::collections::BTreeMap;

use super::Usage;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) usage: Usage,
    pub(super) codes: Vec<String>,
    /// Whether the codes tell this use from others.
    pub(super) tells: bool,
    /// Of a composite: its components.
    pub(super) inner: Vec<Word>,
}

/// Lists of codes by name.
pub(super) type Lists = BTreeMap<String, Vec<String>>;

/// Reads the words of a record; none if it is not written so.
pub(super) fn words(text: &str, lists: &Lists) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (times, after) = times(rest);
        let (word, after) = word(after, lists)?;
        words.extend(std::iter::repeat_n(word, times));
        rest = after.trim_start();
    }
    Some(words)
}

fn times(text: &str) -> (usize, &str) {
    let counted = text
        .split_once('*')
        .and_then(|(count, rest)| Some((count.parse().ok()?, rest)));
    counted
        .filter(|(count, _)| *count <= super::super::segment::MAX_ELEMENTS)
        .unwrap_or((1, text))
}

fn word<'t>(text: &'t str, lists: &Lists) -> Option<(Word, &'t str)> {
    let mut word = Word {
        usage: match text.get(..1)? {
            "R" => Usage::Required,
            "S" => Usage::Situational,
            "N" => Usage::NotUsed,
            _ => return None,
        },
        codes: Vec::new(),
        tells: false,
        inner: Vec::new(),
    };
    let rest = text.get(1..)?;
    let closed = |end: char| rest.get(1..)?.split_once(end);
    match rest.chars().next() {
        Some('(') => {
            let (codes, rest) = closed(')')?;
            word.codes = listed(codes, lists)?;
            Some((word, rest))
        }
        Some('[') => {
            let (codes, rest) = closed(']')?;
            word.codes = listed(codes, lists)?;
            word.tells = true;
            Some((word, rest))
        }
        Some('{') => {
            let (inner, rest) = closed('}')?;
            word.inner = words(inner, lists)?;
            Some((word, rest))
        }
        _ => Some((word, rest)),
    }
}

fn listed(text: &str, lists: &Lists) -> Option<Vec<String>> {
    match text.strip_prefix('$') {
        Some(name) => lists.get(name).cloned(),
        None => Some(text.split_whitespace().map(str::to_owned).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        let lists = Lists::from([("entity".to_owned(), vec!["1".to_owned(), "2".to_owned()])]);
        let read = words("R[41] R($entity) S{R(HC) N} 2*N", &lists).unwrap();
        assert_eq!(read.len(), 5);
        assert!(read[0].tells && read[0].codes == ["41"]);
        assert_eq!(read[1].codes, ["1", "2"]);
        assert_eq!((read[2].inner.len(), read[4].usage), (2, Usage::NotUsed));
        assert_eq!(words("R($unknown)", &lists), None);
        assert_eq!(words("Q", &lists), None);
        assert_eq!(words("R(41", &lists), None);
    }
}
