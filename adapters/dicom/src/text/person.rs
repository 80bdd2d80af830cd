//! Person names (PS3.5 6.2.1): three groups, alphabetic, ideographic and phonetic, parted by `=`; five components in
//! each, parted by `^`. Groups are split first. Nothing is moved from one group to another, and no family name is guessed.

/// The three groups of a name; one that is empty is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonName {
    /// In letters: `Zhang^Wei`.
    pub alphabetic: Option<Group>,
    /// In ideographs: `张^伟`.
    pub ideographic: Option<Group>,
    /// As spoken: hiragana, hangul.
    pub phonetic: Option<Group>,
}

/// One group: family, given, middle, prefix, suffix; empty where nothing stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The components, trailing empty ones left out; components beyond the fifth stay in the fifth.
    pub components: Vec<String>,
}

impl Group {
    /// A component by number, from 1.
    pub fn component(&self, number: usize) -> Option<&str> {
        let text = self.components.get(number.checked_sub(1)?)?;
        (!text.is_empty()).then_some(text.as_str())
    }

    fn read(text: &str) -> Option<Self> {
        let mut components: Vec<String> = text
            .splitn(5, '^')
            .map(|part| part.trim_matches(' ').to_owned())
            .collect();
        while components.last().is_some_and(String::is_empty) {
            components.pop();
        }
        (!components.is_empty()).then_some(Self { components })
    }
}

impl PersonName {
    /// Reads one decoded value.
    pub fn read(value: &str) -> Self {
        let mut groups = value.splitn(3, '=').map(|group| group.trim_matches(' '));
        let mut next = || groups.next().and_then(Group::read);
        Self {
            alphabetic: next(),
            ideographic: next(),
            phonetic: next(),
        }
    }
}
