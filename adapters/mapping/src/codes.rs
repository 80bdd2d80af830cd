//! Code tables as the run needs them: short names resolved, looked up by hash.

/// A code table with addresses in place of short names.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    /// Half empty; a code stands at its hash or behind it.
    slots: Vec<Option<(Box<str>, Code)>>,
    pub(crate) rest: Option<Code>,
}

/// What a code becomes.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// None for the source's code as it is.
    pub(crate) to: Option<Box<str>>,
    /// Whether no element comes of it.
    pub(crate) none: bool,
    pub(crate) system: Box<str>,
    pub(crate) display: Box<str>,
    /// Where the code is the address of a system: that system, if all its codes are known.
    pub(crate) closed: Option<causeway_profiles::definitions::CodeSystem>,
}

impl Codes {
    pub(crate) fn new(entries: Vec<(Box<str>, Code)>, rest: Option<Code>) -> Self {
        let size = (entries.len() * 2).next_power_of_two().max(2);
        let mut codes = Self {
            slots: vec![None; size],
            rest,
        };
        for entry in entries {
            let start = codes.start(&entry.0);
            let free = (0..size).map(|step| (start + step) % size).find(|at| {
                codes
                    .slots
                    .get(*at)
                    .is_some_and(|slot| slot.as_ref().is_none_or(|known| known.0 == entry.0))
            });
            if let Some(slot) = free.and_then(|at| codes.slots.get_mut(at)) {
                slot.get_or_insert(entry);
            }
        }
        codes
    }

    fn start(&self, code: &str) -> usize {
        let hash = crate::run::hash(code.as_bytes()) >> 20;
        usize::try_from(hash).unwrap_or(0) & (self.slots.len() - 1)
    }

    /// The row of a code itself.
    pub(crate) fn exact(&self, code: &str) -> Option<&Code> {
        let mut at = self.start(code);
        while let Some((known, found)) = self.slots.get(at)? {
            if known.as_ref() == code {
                return Some(found);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    /// The row of a code, else the row for all others.
    pub(crate) fn get(&self, code: &str) -> Option<&Code> {
        self.exact(code).or(self.rest.as_ref())
    }

    pub(crate) fn has(&self, code: &str) -> bool {
        self.exact(code).is_some()
    }
}
