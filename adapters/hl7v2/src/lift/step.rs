//! What rows read of a message, compiled: fields, which of their repetitions, parts; and values cut into their parts.

use causeway_core::Place;

use crate::place;

/// A compiled path: a field of a segment, which of its repetitions, and the parts behind it.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The field, from 1; 0 where the path begins at a value.
    pub(crate) field: u32,
    pub(crate) pick: Pick,
    /// The component, from 1; 0 for the whole.
    pub(crate) component: u32,
    /// The subcomponent, from 1; 0 for the whole.
    pub(crate) subcomponent: u32,
    /// Every component in turn.
    pub(crate) star: bool,
}

/// Which repetitions of a field.
#[derive(Debug, Clone, Default)]
pub(crate) enum Pick {
    /// All.
    #[default]
    All,
    /// The one of a number.
    Nth(u32),
    /// The one numbered like the anchor's own value.
    Anchor,
    /// Those whose part says one of several.
    Says(Box<Says>),
}

/// What a part must say for its repetition to be picked.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    /// The part.
    pub(crate) part: Step,
    pub(crate) values: Vec<Box<str>>,
}

/// XCN has 25 components, the most of any type (HL7 v2.9 2A.2.88); no row can name one beyond.
const CUTS: usize = 26;

/// The components of a repetition, or the subcomponents of a component, found once.
#[derive(Debug, Clone)]
pub struct Cut {
    pub(super) start: u32,
    pub(super) place: Place,
    pub(super) level: Level,
    pub(super) count: u8,
    pub(super) mask: u64,
    pub(super) ends: [u32; CUTS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Repetition,
    Component,
    Leaf,
}

pub(super) fn level(place: Place) -> Level {
    match place::narrowed(place) {
        (false, _) => Level::Repetition,
        (true, false) => Level::Component,
        (true, true) => Level::Leaf,
    }
}

impl Default for Cut {
    fn default() -> Self {
        Self {
            start: 0,
            place: Place(0),
            level: Level::Leaf,
            count: 0,
            mask: 0,
            ends: [0; CUTS],
        }
    }
}

/// The bit of a number; the highest stands for all from there on.
pub(super) fn bit(number: u32) -> u64 {
    1 << number.min(63)
}

pub(super) fn narrowed(place: Place, level: Level, number: u32) -> Place {
    match level {
        Level::Repetition => place::component(place, number),
        Level::Component | Level::Leaf => place::subcomponent(place, number),
    }
}
