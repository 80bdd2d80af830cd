//! What the syntax of a body can have wrong with it: one closed list, found by `charset` and `tokenise`. No problem here
//! stops the reading; what it means for the sender is decided where it becomes a finding.

use causeway_core::Place;

/// One oddity of the syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// What is odd.
    pub kind: ProblemKind,
    /// The segment or field it is about; `Place(0)` is the body.
    pub place: Place,
    /// How many: bytes of junk, lines, values beyond the limit.
    pub count: u32,
}

/// What is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// No line of the body begins a message.
    NoMessage,
    /// Bytes stand before the first header segment; they were skipped.
    JunkBefore,
    /// A line outside of all messages that is no batch segment.
    Stray,
    /// A line does not begin with a segment name; it is kept as `???`.
    BadName,
    /// A segment name in small letters.
    SmallName,
    /// MSH-2 has fewer than four characters.
    ShortDelimiters,
    /// A character of MSH-2 cannot be a delimiter, or stands there twice.
    UnusableDelimiters,
    /// Line feeds inside a field of a message whose segments end with carriage returns.
    LineFeedInField,
    /// More segments than a body can have places for; the rest was not read.
    TooManySegments,
    /// More fields, repetitions, components or subcomponents than have places of their own.
    TooManyValues,
}
