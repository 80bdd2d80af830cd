//! What is known of a file after it was read through once: its interchanges, groups and transaction sets with their
//! faults, without their text. A file of any size leaves a few dozen bytes a transaction set.

use std::ops::Range;

use crate::delimiters::Delimiters;
use crate::envelope::Envelope;
use crate::guide::Guide;
use crate::locate::{Index, Spot};
use crate::name::SegmentId;
use crate::problem::{Faults, InterchangeFault, Problem};
use crate::tokenise::Isa;

/// Transaction sets of a file at most. Claims come by the thousand in one; a file of a claim each has some 200 MB then.
pub const MAX_SETS: usize = 400_000;
/// Functional groups of a file at most.
pub const MAX_GROUPS: usize = 50_000;
/// Interchanges of a file at most.
pub const MAX_INTERCHANGES: usize = 10_000;
/// Problems that are kept of a transaction set; the rest is counted.
pub const MAX_PROBLEMS_OF_SET: usize = 1_000;
/// Problems that are kept of a file; the rest is counted.
pub const MAX_PROBLEMS: usize = 20_000;

/// An interchange.
#[derive(Debug, Clone)]
pub struct Interchange {
    /// Its header.
    pub isa: Isa,
    /// What is wrong with it, the first that was met.
    pub fault: Option<InterchangeFault>,
    /// Its groups, indices into [`Records::groups`].
    pub groups: Range<usize>,
    /// Whether a TA1 stands in it.
    pub has_ta1: bool,
}

/// A functional group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// GS01.
    pub functional_id: Box<str>,
    /// GS02.
    pub sender: Box<str>,
    /// GS03.
    pub receiver: Box<str>,
    /// GS04 and GS05 together.
    pub time: Box<str>,
    /// GS06.
    pub control: Box<str>,
    /// GS08.
    pub version: Box<str>,
    /// GE01, the number of sets it says it has; the number it has where it does not say.
    pub declared: u32,
    /// What is wrong with it.
    pub faults: Faults,
    /// Its sets, indices into [`Records::sets`].
    pub sets: Range<usize>,
}

/// A transaction set.
#[derive(Debug, Clone)]
pub struct Set {
    /// Where its ST begins in the file.
    pub start: u64,
    /// Its interchange, an index into [`Records::interchanges`].
    pub interchange: u32,
    /// Its group, an index into [`Records::groups`].
    pub group: u32,
    /// Its number in the interchange, from 1.
    pub transaction: u32,
    /// ST01.
    pub kind: SegmentId,
    /// ST02, at most nine characters.
    pub control: Control,
    /// ST03, an index into [`Records::versions`].
    pub version: u16,
    /// Whether segments or the set itself are in error, so that it is not taken.
    pub rejected: bool,
    /// What is wrong with it as a whole.
    pub faults: Faults,
    /// How many problems were met that are not kept.
    pub more: u32,
    /// Where its segments begin in [`Records::index`], and how many it has.
    pub segments: (u32, u32),
    /// Its problems in order, indices into [`Records::problems`].
    pub problems: Range<u32>,
}

/// A control number of a transaction set, held in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Control([u8; 9]);

impl Control {
    /// The first nine characters of a text; those that cannot stand in an acknowledgement become `?`.
    pub fn of(text: &[u8]) -> Self {
        let mut held = [0; 9];
        for (slot, byte) in held.iter_mut().zip(text.trim_ascii()) {
            *slot = if byte.is_ascii_graphic() { *byte } else { b'?' };
        }
        Self(held)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        self.0
            .get(..end)
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

/// Everything that is known of a file.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// Interchanges in order.
    pub interchanges: Vec<Interchange>,
    /// Groups in order.
    pub groups: Vec<Group>,
    /// Transaction sets in order.
    pub sets: Vec<Set>,
    /// Problems of the sets in order.
    pub problems: Vec<Problem>,
    /// Where the segments of sets with a guide stand.
    pub index: Index,
    /// The different ST03 of the file; the first is empty.
    pub versions: Vec<Box<str>>,
}

impl Records {
    /// The problems of a set.
    pub fn problems_of(&self, set: &Set) -> &[Problem] {
        self.problems
            .get(set.problems.start as usize..set.problems.end as usize)
            .unwrap_or_default()
    }

    /// The group and interchange of a set.
    pub fn around(&self, set: &Set) -> Option<(&Interchange, &Group)> {
        Some((
            self.interchanges.get(set.interchange as usize)?,
            self.groups.get(set.group as usize)?,
        ))
    }

    /// The sets of a group.
    pub fn sets_of(&self, group: &Group) -> &[Set] {
        self.sets.get(group.sets.clone()).unwrap_or_default()
    }

    /// The groups of an interchange.
    pub fn groups_of(&self, interchange: &Interchange) -> &[Group] {
        self.groups.get(interchange.groups.clone()).unwrap_or_default()
    }

    /// What ISA, GS and ST around a set say.
    pub fn envelope(&self, set: &Set) -> Envelope {
        let Some((interchange, group)) = self.around(set) else {
            return Envelope::default();
        };
        let isa = &interchange.isa;
        Envelope {
            interchange: set.interchange.saturating_add(1),
            transaction: set.transaction,
            sender_qualifier: isa.value(5),
            sender: isa.value(6),
            receiver_qualifier: isa.value(7),
            receiver: isa.value(8),
            interchange_time: isa.value(9) + &isa.value(10),
            interchange_version: isa.value(12),
            interchange_control: isa.value(13),
            usage: isa.value(15),
            functional_id: group.functional_id.to_string(),
            application_sender: group.sender.to_string(),
            application_receiver: group.receiver.to_string(),
            group_time: group.time.to_string(),
            group_control: group.control.to_string(),
            group_version: group.version.to_string(),
            set: set.kind.to_string(),
            set_control: set.control.as_str().to_owned(),
            guide: self.version(set).to_owned(),
        }
    }

    /// ST03 of a set; empty if it has none.
    pub fn version(&self, set: &Set) -> &str {
        self.versions
            .get(usize::from(set.version))
            .map(AsRef::as_ref)
            .unwrap_or_default()
    }

    /// The guide of a set, by ST03 or else GS08.
    pub fn guide(&self, set: &Set) -> Option<&'static Guide> {
        let said = self.version(set);
        let group = self.groups.get(set.group as usize)?;
        Guide::of(set.kind.as_str(), if said.is_empty() { &group.version } else { said })
    }

    /// Position in a set of the segment that a place names; none if it names none of the set, or one too far back in a
    /// large file.
    pub fn position(&self, set: &Set, spot: &Spot) -> Option<u32> {
        let here = spot.interchange == set.interchange.saturating_add(1) && spot.transaction == set.transaction;
        let guide = self.guide(set).filter(|_| here)?;
        self.index
            .find(guide, set.segments.0 as usize, set.segments.1 as usize, spot)
    }

    /// The delimiters of a set's interchange.
    pub fn delimiters(&self, set: &Set) -> Option<Delimiters> {
        self.interchanges
            .get(set.interchange as usize)
            .map(|interchange| interchange.isa.delimiters)
    }
}

impl Interchange {
    /// Whether nothing of it is taken.
    pub fn is_rejected(&self) -> bool {
        self.fault.is_some_and(InterchangeFault::is_fatal)
    }
}

impl Group {
    /// Whether it is itself acknowledgements, which are never acknowledged.
    pub fn is_acknowledgement(&self) -> bool {
        &*self.functional_id == "FA"
    }
}
