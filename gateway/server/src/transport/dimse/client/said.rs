//! What a peer's status says (PS3.4 B.2.3, PS3.7 annex C), by what follows from it.

/// What follows from a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Done,
    /// Done, with a remark: elements were coerced or left out, or the peer has had the instance before.
    Remarked,
    /// Nothing is taken now.
    Busy,
    /// It could not be processed, which may pass.
    Failed,
    /// It will never be taken.
    Rejected,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The status (0000,0900).
    pub status: u16,
    /// The error comment (0000,0902); may name a patient.
    pub comment: String,
}

impl Verdict {
    /// What follows from a status.
    pub fn of(status: u16) -> Self {
        match status {
            0x0000 => Self::Done,
            // Coerced, discarded, does not match (B.2.3); optional attributes, attribute list, value out of range (C.4);
            // a duplicate instance (C.5.7): it has it.
            0xB000..=0xBFFF | 0x0001 | 0x0107 | 0x0116 | 0x0111 => Self::Remarked,
            // Out of resources (B.2.3), resource limitation (C.5.21).
            0xA700..=0xA7FF | 0x0213 => Self::Busy,
            // Does not match, cannot understand (B.2.3); class not supported, not authorised and what else is wrong with a
            // request (C.5). A processing failure (0110) may pass, and so may what no table has.
            0xA900..=0xA9FF | 0xC000..=0xCFFF | 0x0105 | 0x0106 | 0x0112..=0x0124 | 0x0210..=0x0212 => Self::Rejected,
            _ => Self::Failed,
        }
    }

    /// Whether the peer has it.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Done | Self::Remarked)
    }
}

impl Said {
    /// What follows from it.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.status)
    }

    /// Whether the peer has it.
    pub fn is_taken(&self) -> bool {
        self.verdict().is_taken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_classed_as_the_standard_does() {
        let table = [
            (0x0000, Verdict::Done),
            (0xB000, Verdict::Remarked),
            (0xB006, Verdict::Remarked),
            (0xB007, Verdict::Remarked),
            (0x0111, Verdict::Remarked),
            (0xA700, Verdict::Busy),
            (0xA701, Verdict::Busy),
            (0x0213, Verdict::Busy),
            (0x0110, Verdict::Failed),
            (0xFE00, Verdict::Failed),
            (0xA900, Verdict::Rejected),
            (0xC000, Verdict::Rejected),
            (0xC123, Verdict::Rejected),
            (0x0122, Verdict::Rejected),
            (0x0124, Verdict::Rejected),
        ];
        for (status, verdict) in table {
            assert_eq!(Verdict::of(status), verdict, "{status:04X}");
        }
    }
}
