//! Text of a data set in the Specific Character Set of its scope (PS3.3 C.12.1.1.2, PS3.5 6.1): decoded as a whole first
//! and split then, since the second bytes of GBK and of ISO 2022 look like delimiters. Text that is not in the set it
//! claims is read in the set that it is in, and that is said.

pub mod detect;
pub mod iso2022;
pub mod names;
pub mod person;

use std::collections::BTreeMap;

use crate::data_set::{DataSet, Element};
use crate::problem::{Problem, ProblemKind};
use crate::tag::{Tag, Vr};
use iso2022::Decoder;
use names::{Coding, Set};

/// The character sets in force over a data set: one for each scope that declares its own, the rest from around them.
#[derive(Debug, Clone)]
pub struct Charsets {
    by_scope: BTreeMap<u32, Coding>,
    usual: Coding,
}

impl Charsets {
    /// Reads what a data set declares and looks whether its text keeps to it. `usual` is for senders that declare none.
    pub fn of(set: &DataSet, usual: Option<Set>, problems: &mut Vec<Problem>) -> Self {
        let usual = usual.map_or_else(Coding::ascii, Coding::alone);
        let mut charsets = Self {
            by_scope: BTreeMap::new(),
            usual,
        };
        let declared: Vec<&Element> = set.elements().iter().filter(|e| e.tag == Tag::CHARSET).collect();
        for element in declared {
            let coding = names::declared(set.raw(element), problems);
            charsets.by_scope.insert(element.scope, coding);
        }
        charsets.correct(set, problems);
        charsets
    }

    /// Puts the set that fits in the place of one that does not.
    fn correct(&mut self, set: &DataSet, problems: &mut Vec<Problem>) {
        let mut samples: BTreeMap<u32, Vec<&[u8]>> = BTreeMap::new();
        for element in set.elements().iter().filter(|element| element.vr.is_free_text()) {
            let raw = set.raw(element);
            if raw.iter().any(|byte| *byte >= 0x80) {
                samples.entry(self.holder(set, element.scope)).or_default().push(raw);
            }
        }
        for (scope, texts) in samples {
            let declared = self.by_scope.get(&scope).unwrap_or(&self.usual);
            if let Some(better) = detect::better(declared, &texts) {
                let about = format!("{} instead of {}", better.name(), declared.name());
                problems.push(Problem::at(ProblemKind::Mislabelled, Tag::CHARSET, about));
                self.by_scope.insert(scope, Coding::alone(better));
            }
        }
    }

    /// The scope whose declaration is in force in a scope.
    fn holder(&self, set: &DataSet, mut scope: u32) -> u32 {
        while scope != 0 && !self.by_scope.contains_key(&scope) {
            let around = set.scope(scope).and_then(|scope| scope.sequence);
            scope = around
                .and_then(|sequence| set.element(sequence))
                .map_or(0, |element| element.scope);
        }
        scope
    }

    /// The character set in force in a scope.
    pub fn in_force(&self, set: &DataSet, scope: u32) -> &Coding {
        let holder = self.holder(set, scope);
        self.by_scope.get(&holder).unwrap_or(&self.usual)
    }
}

/// The values of an element as text, without padding; `false` when some bytes could not be read.
pub fn values(set: &DataSet, charsets: &Charsets, element: &Element) -> (Vec<String>, bool) {
    let raw = set.raw(element);
    let vr = element.vr;
    let (text, clean) = if vr.is_free_text() {
        let mut decoder = Decoder::new(charsets.in_force(set, element.scope), vr);
        decoder.decode(raw)
    } else {
        let ascii = Coding::ascii();
        Decoder::new(&ascii, vr).decode(raw)
    };
    let values = if vr.is_multiple() {
        text.split('\\').map(|value| trimmed(value, vr)).collect()
    } else {
        vec![trimmed(&text, vr)]
    };
    (values, clean)
}

/// Without what only pads (PS3.5 6.2): spaces behind, before where they do not count, and the NUL of UIDs.
fn trimmed(value: &str, vr: Vr) -> String {
    let behind = value.trim_end_matches(['\0', ' ']);
    let both = vr.is_multiple();
    let text = if both { behind.trim_start_matches(' ') } else { behind };
    text.to_owned()
}

#[cfg(test)]
mod tests;
