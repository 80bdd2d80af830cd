//! Value sets and code systems: the text `codes`, and the questions asked of both texts.
//!
//! ```text
//! S url content case      a code system; content as the standard says it: complete, fragment, example; case is `i`
//!                         where upper and lower case are the same
//! C depth code display    a code of it, deeper ones below; no display when it is the code itself
//! ```

use std::fmt;
use std::sync::OnceLock;

use super::Definitions;
use super::names::{NameTable, Region, Slot};
use super::rows::{BindingRow, PartContent, PartRow, Strength, ValueSetRow};

/// A code with what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concept {
    /// The code.
    pub code: &'static str,
    /// What it is called; the code itself when it has no other name.
    pub display: &'static str,
    /// How deep it stands in the system's hierarchy, from 0; those below follow it.
    pub depth: u32,
}

pub(crate) struct SystemRow {
    pub(crate) url: &'static str,
    complete: bool,
    ignores_case: bool,
    concepts: Vec<Concept>,
    index: OnceLock<(NameTable, Region)>,
}

impl SystemRow {
    fn find(&self, code: &str) -> Option<&Concept> {
        let (table, region) = self
            .index
            .get_or_init(|| index(self.concepts.iter().map(|concept| concept.code)));
        match table.find(*region, code) {
            Some(slot) => self.concepts.get(slot.target as usize),
            None if self.ignores_case => self
                .concepts
                .iter()
                .find(|concept| concept.code.eq_ignore_ascii_case(code)),
            None => None,
        }
    }
}

fn index(codes: impl Iterator<Item = &'static str>) -> (NameTable, Region) {
    let mut table = NameTable::default();
    let slots = codes.zip(0..).map(|(code, target)| Slot::new(code, target)).collect();
    let region = table.add(slots);
    (table, region)
}

/// All of `codes`.
#[derive(Default)]
pub(crate) struct Codes {
    /// Sorted by address.
    systems: Vec<SystemRow>,
    /// Numbers of the systems, sorted by short name.
    by_short: Vec<usize>,
    by_url: (NameTable, Region),
}

impl Codes {
    pub(crate) fn decode(text: &'static str) -> Self {
        let mut systems: Vec<SystemRow> = Vec::new();
        for line in text.lines().skip(1) {
            let mut fields = line.split('\t');
            let (letter, first, second) = (fields.next(), fields.next().unwrap_or(""), fields.next().unwrap_or(""));
            if letter == Some("S") {
                systems.push(SystemRow {
                    url: first,
                    complete: second == "complete",
                    ignores_case: fields.next() == Some("i"),
                    concepts: Vec::new(),
                    index: OnceLock::new(),
                });
            } else if let Some(system) = systems.last_mut() {
                let display = fields.next().filter(|display| !display.is_empty()).unwrap_or(second);
                system.concepts.push(Concept {
                    code: second,
                    display,
                    depth: first.parse().unwrap_or(0),
                });
            }
        }
        systems.sort_by_key(|system| system.url);
        let mut by_short: Vec<usize> = (0..systems.len()).collect();
        by_short.sort_by_key(|at| systems.get(*at).map(|system| short(system.url)));
        let by_url = index(systems.iter().map(|system| system.url));
        Self {
            systems,
            by_short,
            by_url,
        }
    }

    pub(crate) fn systems(&self) -> impl Iterator<Item = &SystemRow> {
        self.systems.iter()
    }

    pub(crate) fn number(&self, url: &str) -> Option<usize> {
        let (table, region) = &self.by_url;
        table.find(*region, url).map(|slot| slot.target as usize)
    }

    pub(crate) fn get(&self, number: usize) -> Option<&SystemRow> {
        self.systems.get(number)
    }

    pub(crate) fn by_short(&self, name: &str) -> Option<&SystemRow> {
        let key = |at: &usize| self.systems.get(*at).map_or("", |system| short(system.url));
        let at = self.by_short.binary_search_by_key(&name, key).ok()?;
        self.systems.get(*self.by_short.get(at)?)
    }
}

/// The short name of a code system: the last segment of its address.
pub(crate) fn short(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// A code system whose codes the pack holds.
#[derive(Clone, Copy)]
pub struct CodeSystem {
    pub(super) row: &'static SystemRow,
}

impl fmt::Debug for CodeSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeSystem({})", self.row.url)
    }
}

impl CodeSystem {
    /// Its address.
    pub fn url(&self) -> &'static str {
        self.row.url
    }

    /// Whether these are all its codes, and not a fragment or an example.
    pub fn is_complete(&self) -> bool {
        self.row.complete
    }

    /// Its codes in order.
    pub fn concepts(&self) -> &'static [Concept] {
        &self.row.concepts
    }

    /// The concept of a code; upper and lower case differ, save where the system does not say so (the v2 tables).
    pub fn concept(&self, code: &str) -> Option<Concept> {
        self.row.find(code).copied()
    }
}

/// The codes an element takes.
#[derive(Clone, Copy)]
pub struct Binding {
    pub(super) defs: &'static Definitions,
    pub(super) row: &'static BindingRow,
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({:?} {})", self.row.strength, self.row.value_set)
    }
}

impl Binding {
    /// How binding it is.
    pub fn strength(&self) -> Strength {
        self.row.strength
    }

    /// Address of the value set.
    pub fn url(&self) -> &'static str {
        self.row.value_set
    }

    /// The value set, when the pack has it.
    pub fn value_set(&self) -> Option<ValueSet> {
        let row = self.defs.tables.value_sets.get(self.row.set? as usize)?;
        Some(ValueSet { defs: self.defs, row })
    }
}

/// A value set.
#[derive(Clone, Copy)]
pub struct ValueSet {
    pub(super) defs: &'static Definitions,
    pub(super) row: &'static ValueSetRow,
}

impl fmt::Debug for ValueSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueSet({})", self.row.url)
    }
}

impl ValueSet {
    /// Its address.
    pub fn url(&self) -> &'static str {
        self.row.url
    }

    /// The systems its codes come from, in order.
    pub fn systems(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.row
            .parts
            .iter()
            .map(|part| part.system)
            .filter(|system| !system.is_empty())
    }

    /// Whether a code is of the set; without a system, whether a code of any of its systems is. None when the pack does
    /// not hold the codes that would tell.
    pub fn contains(&self, system: Option<&str>, code: &str) -> Option<bool> {
        let mut known = true;
        for part in &self.row.parts {
            if system.is_some_and(|system| system != part.system && !part.system.is_empty()) {
                continue;
            }
            match self.holds(part, code) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => known = false,
            }
        }
        known.then_some(false)
    }

    fn holds(&self, part: &PartRow, code: &str) -> Option<bool> {
        match &part.content {
            PartContent::Codes(codes) => Some(codes.binary_search(&code).is_ok()),
            PartContent::Whole => self.system(part).map(|system| system.concept(code).is_some()),
            PartContent::Unknown => None,
        }
    }

    fn system(&self, part: &PartRow) -> Option<CodeSystem> {
        let found = part.number.get_or_init(|| self.defs.codes.number(part.system));
        self.defs.codes.get((*found)?).map(|row| CodeSystem { row })
    }

    /// Its codes with their systems; none when the pack does not hold them all.
    pub fn codes(&self) -> Option<Vec<(&'static str, &'static str)>> {
        let mut all = Vec::new();
        for part in &self.row.parts {
            let codes: Vec<&'static str> = match &part.content {
                PartContent::Codes(codes) => codes.clone(),
                PartContent::Whole => self
                    .system(part)?
                    .concepts()
                    .iter()
                    .map(|concept| concept.code)
                    .collect(),
                PartContent::Unknown => return None,
            };
            all.extend(codes.into_iter().map(|code| (part.system, code)));
        }
        Some(all)
    }
}
