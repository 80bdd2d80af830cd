//! How often a segment name was seen. Only counting lives here.

use std::collections::HashMap;

use crate::message::Name;

/// How often each name was seen in a message. Most messages have few names, so a short list is searched from its end;
/// beyond that a map keeps a hostile body from costing the square of its names.
#[derive(Default)]
pub(super) struct Counts {
    few: Vec<(Name, u32)>,
    many: HashMap<Name, u32>,
}

impl Counts {
    const FEW: usize = 32;

    pub(super) fn next(&mut self, name: Name) -> u32 {
        if let Some((_, count)) = self.few.iter_mut().rev().find(|(known, _)| *known == name) {
            *count += 1;
            return *count;
        }
        if self.few.len() < Self::FEW {
            self.few.push((name, 1));
            return 1;
        }
        let count = self.many.entry(name).or_insert(0);
        *count += 1;
        *count
    }
}
