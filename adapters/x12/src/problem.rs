//! What can be wrong with a transaction set, in the terms of the implementation acknowledgement (999, X231): the codes of
//! IK304, IK403, IK502 and AK905, and where each was met. What is said of them to people is in `remark`, how they look to
//! the sender in `reply`.

use crate::name::{LoopId, SegmentId};

/// What is wrong with a segment: IK304.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SegmentFault {
    /// 1: no segment of the standard.
    Unrecognised,
    /// 2: it may not stand here.
    Unexpected,
    /// 3: it must stand here and does not.
    Missing,
    /// 4: its loop stands more often than it may.
    LoopTooOften,
    /// 5: it stands more often than it may.
    TooOften,
    /// 6: it is not in the transaction set.
    NotInSet,
    /// 7: it stands later than it may.
    OutOfSequence,
    /// 8: its elements are in error; see [`ElementProblem`].
    Elements,
}

impl SegmentFault {
    /// The code of IK304 (data element 620).
    pub fn code(self) -> &'static str {
        match self {
            Self::Unrecognised => "1",
            Self::Unexpected => "2",
            Self::Missing => "3",
            Self::LoopTooOften => "4",
            Self::TooOften => "5",
            Self::NotInSet => "6",
            Self::OutOfSequence => "7",
            Self::Elements => "8",
        }
    }
}

/// What is wrong with an element: IK403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementFault {
    /// 1: it must stand.
    Missing,
    /// 2: it must stand since another does.
    MissingByOther,
    /// 3: the segment has more elements than it may.
    TooMany,
    /// 4: fewer characters than it needs.
    TooShort,
    /// 5: more characters than it may have.
    TooLong,
    /// 6: a character that it may not have.
    Character,
    /// 7: no code of those allowed.
    Code,
    /// 8: no date.
    Date,
    /// 9: no time.
    Time,
    /// 10: it may not stand since another does.
    Excluded,
    /// 12: more repetitions than it may have.
    TooManyRepetitions,
    /// 13: more components than it may have.
    TooManyComponents,
    /// I9: it must stand by what else is said.
    DependentMissing,
    /// I10: the guide does not use it.
    NotUsed,
    /// I12: it does not fit what else is said, such as a flag of HL or a rule.
    Pattern,
}

impl ElementFault {
    /// The code of IK403 (data element 621).
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "1",
            Self::MissingByOther => "2",
            Self::TooMany => "3",
            Self::TooShort => "4",
            Self::TooLong => "5",
            Self::Character => "6",
            Self::Code => "7",
            Self::Date => "8",
            Self::Time => "9",
            Self::Excluded => "10",
            Self::TooManyRepetitions => "12",
            Self::TooManyComponents => "13",
            Self::DependentMissing => "I9",
            Self::NotUsed => "I10",
            Self::Pattern => "I12",
        }
    }

    /// Whether the set can be taken all the same, with the error noted: a flag that says wrongly whether levels follow
    /// leaves no doubt about what was meant.
    pub fn is_tolerable(self) -> bool {
        self == Self::Pattern
    }
}

/// Where in a segment, and what: IK4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementProblem {
    /// What is wrong.
    pub fault: ElementFault,
    /// The element, from 1: IK401-1.
    pub element: u16,
    /// The component, from 1; 0 for the whole element: IK401-2.
    pub component: u16,
    /// The repetition, from 1; 0 where the element does not repeat: IK401-3.
    pub repetition: u16,
    /// Number of the data element, 0 for a composite: IK402.
    pub number: u16,
    /// The value, at most 99 characters, where it can be given back: IK404.
    pub copy: Option<Box<str>>,
}

/// One problem of a transaction set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong with the segment.
    pub fault: SegmentFault,
    /// The segment; of a missing one, its name all the same: IK301.
    pub segment: SegmentId,
    /// Number of the segment in the set, from 1, which is ST; of a missing one, of the segment in whose place it should
    /// stand: IK302.
    pub position: u32,
    /// The loop, of a missing loop its name all the same: IK303.
    pub within: LoopId,
    /// The loop instance that it was met in, by name and number in the set, from 1.
    pub around: (LoopId, u32),
    /// Number of the segment among those of its identifier in the instance, from 1.
    pub occurrence: u32,
    /// What is wrong with an element of it.
    pub element: Option<Box<ElementProblem>>,
    /// CLM01 of the claim it stands in: CTX.
    pub claim: Option<Box<str>>,
}

impl Problem {
    /// Whether the set can be taken all the same.
    pub fn is_tolerable(&self) -> bool {
        self.element
            .as_ref()
            .is_some_and(|element| element.fault.is_tolerable())
    }

    /// The full place: `ISA[1]/ST[1]/2300[4]/REF[2]-01.1`.
    pub fn place(&self, interchange: u32, transaction: u32) -> String {
        use std::fmt::Write as _;
        let mut place = format!("ISA[{interchange}]/ST[{transaction}]");
        // Writing to a String cannot fail.
        let (name, instance) = self.around;
        if name != LoopId::ROOT {
            let _written = write!(place, "/{name}[{instance}]");
        }
        if self.fault == SegmentFault::Missing {
            return place; // what is not there has no place of its own
        }
        let _written = write!(place, "/{}[{}]", self.segment, self.occurrence);
        if let Some(element) = &self.element {
            let _written = write!(place, "-{:02}", element.element);
            if element.repetition > 1 {
                let _written = write!(place, "[{}]", element.repetition);
            }
            if element.component > 0 {
                let _written = write!(place, ".{}", element.component);
            }
        }
        place
    }
}

/// What is wrong with a transaction set as a whole: IK502.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetFault {
    /// 2: no SE.
    NoTrailer,
    /// 3: ST02 and SE02 differ.
    ControlNumber,
    /// 4: SE01 is not the number of segments.
    SegmentCount,
    /// 5: segments are in error.
    Segments,
    /// 6: ST01 is missing or no set.
    Identifier,
    /// 7: ST02 is missing or malformed.
    BadControlNumber,
    /// 18: the set does not belong into the group.
    NotInGroup,
    /// 23: ST02 stands twice in the group.
    Duplicate,
    /// I5: segments are in error by the guide.
    GuideSegments,
    /// I6: ST03 is not the guide of GS08.
    Guide,
}

impl SetFault {
    /// All of them, in the order they are given.
    pub const ALL: [Self; 10] = [
        Self::NoTrailer,
        Self::ControlNumber,
        Self::SegmentCount,
        Self::Segments,
        Self::Identifier,
        Self::BadControlNumber,
        Self::NotInGroup,
        Self::Duplicate,
        Self::GuideSegments,
        Self::Guide,
    ];

    /// The code of IK502 (data element 618).
    pub fn code(self) -> &'static str {
        match self {
            Self::NoTrailer => "2",
            Self::ControlNumber => "3",
            Self::SegmentCount => "4",
            Self::Segments => "5",
            Self::Identifier => "6",
            Self::BadControlNumber => "7",
            Self::NotInGroup => "18",
            Self::Duplicate => "23",
            Self::GuideSegments => "I5",
            Self::Guide => "I6",
        }
    }
}

/// What is wrong with a functional group: AK905.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupFault {
    /// 1: GS01 names no functional group.
    Unknown,
    /// 3: no GE.
    NoTrailer,
    /// 4: GS06 and GE02 differ.
    ControlNumber,
    /// 5: GE01 is not the number of sets.
    SetCount,
    /// 6: GS06 is missing or malformed.
    BadControlNumber,
}

impl GroupFault {
    /// All of them, in the order they are given.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::NoTrailer,
        Self::ControlNumber,
        Self::SetCount,
        Self::BadControlNumber,
    ];

    /// The code of AK905 (data element 716).
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "1",
            Self::NoTrailer => "3",
            Self::ControlNumber => "4",
            Self::SetCount => "5",
            Self::BadControlNumber => "6",
        }
    }
}

/// What is wrong with an interchange: TA105.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterchangeFault {
    /// 001: ISA13 and IEA02 differ.
    ControlNumber,
    /// 017: ISA12 names no version.
    Version,
    /// 005: ISA05 is no qualifier.
    SenderQualifier,
    /// 006: ISA06 is missing or not padded to its width.
    Sender,
    /// 007: ISA07 is no qualifier.
    ReceiverQualifier,
    /// 008: ISA08 is missing or not padded to its width.
    Receiver,
    /// 010: ISA01 is no qualifier.
    AuthorisationQualifier,
    /// 012: ISA03 is no qualifier.
    SecurityQualifier,
    /// 014: ISA09 is no date.
    Date,
    /// 015: ISA10 is no time.
    Time,
    /// 018: ISA13 is no number of nine digits.
    BadControlNumber,
    /// 019: ISA14 is neither 0 nor 1.
    AckRequested,
    /// 020: ISA15 is none of P, T, I.
    Usage,
    /// 021: IEA01 is not the number of groups.
    GroupCount,
    /// 022: control segments stand where they cannot.
    Structure,
    /// 023: the file ends before the IEA.
    PrematureEnd,
    /// 024: what is in it cannot be taken.
    Content,
}

impl InterchangeFault {
    /// Whether nothing of the interchange is taken: TA104 is `R` then, else `E`. What stands in a header field that
    /// nothing depends on is noted and no more.
    pub fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::ControlNumber
                | Self::Version
                | Self::BadControlNumber
                | Self::GroupCount
                | Self::Structure
                | Self::PrematureEnd
                | Self::Content
        )
    }

    /// The code of TA105 (data element I18).
    pub fn code(self) -> &'static str {
        match self {
            Self::ControlNumber => "001",
            Self::Version => "017",
            Self::SenderQualifier => "005",
            Self::Sender => "006",
            Self::ReceiverQualifier => "007",
            Self::Receiver => "008",
            Self::AuthorisationQualifier => "010",
            Self::SecurityQualifier => "012",
            Self::Date => "014",
            Self::Time => "015",
            Self::BadControlNumber => "018",
            Self::AckRequested => "019",
            Self::Usage => "020",
            Self::GroupCount => "021",
            Self::Structure => "022",
            Self::PrematureEnd => "023",
            Self::Content => "024",
        }
    }
}

/// A few of a closed list, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults(u16);

impl Faults {
    /// Adds the one that stands at `index` of its list.
    pub(crate) fn add(&mut self, index: usize) {
        self.0 |= 1_u16.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
    }

    /// Whether the one at `index` is among them.
    pub(crate) fn has(self, index: usize) -> bool {
        self.0 & 1_u16.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a fault of a transaction set.
    pub fn set(&mut self, fault: SetFault) {
        self.add(fault as usize);
    }

    /// Adds a fault of a group.
    pub fn group(&mut self, fault: GroupFault) {
        self.add(fault as usize);
    }

    /// The faults of a transaction set.
    pub fn of_set(self) -> impl Iterator<Item = SetFault> {
        SetFault::ALL.into_iter().filter(move |fault| self.has(*fault as usize))
    }

    /// The faults of a group.
    pub fn of_group(self) -> impl Iterator<Item = GroupFault> {
        GroupFault::ALL
            .into_iter()
            .filter(move |fault| self.has(*fault as usize))
    }
}
