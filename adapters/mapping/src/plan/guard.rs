//! What must say something for rows to have anything to do, as bits that are compared before any row is looked at. How guards
//! are derived from rows is in `compile`; no test of a row stands here.

use smallvec::SmallVec;

/// What must say something for rows to have anything to do: any of these bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Parts of the value that was cut at a depth.
    Frame(u8, u64),
    /// Fields of a member's items of the group so many levels further out.
    Group { up: u8, member: u16, mask: u64 },
}

/// Any of the guards lets pass; none always does. Most rows have one, which stands in the row itself.
pub(crate) type Guards = SmallVec<[Guard; 1]>;

/// Which of a list have anything to do, found by comparing bits.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Those that always have.
    pub(crate) always: Words,
    /// The places that guards look at.
    pub(crate) sources: Vec<Spoken>,
}

/// A place that guards look at.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// The place, with all the bits that matter there.
    pub(crate) guard: Guard,
    /// Which of the list each bit lets pass, by the number of the bit.
    pub(crate) passes: Vec<Words>,
}

/// A set of numbers below 256; a list that is longer has everything to do.
pub(crate) type Words = [u64; 4];
