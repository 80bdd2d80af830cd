//! Makes codes, names and units comparable without allocating: ASCII lower case, no spaces, micro signs as `u`,
//! full-width forms as ASCII.

/// Bytes of a text that is looked up; longer ones are in no table.
const ROOM: usize = 96;

/// A folded text on the stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folded {
    bytes: [u8; ROOM],
    len: usize,
}

impl Folded {
    /// Folds a text; `None` when it is too long to be in a table.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut folded = Self {
            bytes: [0; ROOM],
            len: 0,
        };
        for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
            let letter = plain(letter);
            let room = folded.bytes.get_mut(folded.len..folded.len + letter.len_utf8())?;
            letter.encode_utf8(room);
            folded.len += letter.len_utf8();
        }
        Some(folded)
    }

    /// The folded text.
    pub(crate) fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// The folded text of a table's cell.
pub(crate) fn fold(text: &str) -> String {
    Folded::of(text)
        .map(|folded| folded.text().to_owned())
        .unwrap_or_default()
}

fn plain(letter: char) -> char {
    match letter {
        'A'..='Z' => letter.to_ascii_lowercase(),
        'µ' | 'μ' => 'u',
        '×' => 'x',
        '\u{ff01}'..='\u{ff5e}' => {
            let ascii = char::from_u32(letter as u32 - 0xfee0).unwrap_or(letter);
            ascii.to_ascii_lowercase()
        }
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_laboratories_vary() {
        for (text, folded) in [
            ("mmol/L", "mmol/l"),
            ("µmol/L", "umol/l"),
            ("μmol/l", "umol/l"),
            ("× 10^9 / L", "x10^9/l"),
            ("血清钾(K)", "血清钾(k)"),
            ("mm[Hg]", "mm[hg]"),
            ("", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
        assert!(Folded::of(&"钾".repeat(33)).is_none());
        assert!(Folded::of(&"k".repeat(96)).is_some());
    }
}
