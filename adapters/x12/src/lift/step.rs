//! What rows read of a part, compiled: elements of segments, which segments and repetitions, components; and values cut
//! into what they are made of.

use causeway_core::Place;

/// A compiled path: which segments, an element of them, which of its repetitions, a component.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(super) which: Which,
    /// The element, from 1; 0 for the segment itself, or where the path begins at a value.
    pub(super) element: u32,
    /// Every element in turn.
    pub(super) every: bool,
    pub(super) pick: Pick,
    /// The component, from 1; 0 for the whole.
    pub(super) component: u32,
    /// Every component in turn.
    pub(super) star: bool,
}

/// Which segments of a name.
#[derive(Debug, Clone, Default)]
pub(super) enum Which {
    #[default]
    All,
    /// The one of a number in its loop.
    Nth(u32),
    /// Those whose element says one of several.
    Says(Box<Says>),
}

/// Which repetitions of an element, or which elements where every one is read.
#[derive(Debug, Clone, Default)]
pub(super) enum Pick {
    #[default]
    All,
    Nth(u32),
    /// The one numbered like the anchor's own value.
    Anchor,
    /// Those whose component says one of several.
    Says(Box<Says>),
}

/// What a part must say.
#[derive(Debug, Clone)]
pub(super) struct Says {
    /// The element of a segment; 0 within a value.
    pub(super) element: u32,
    /// The component, from 1; 0 for the first.
    pub(super) component: u32,
    pub(super) values: Vec<Box<str>>,
}

impl Says {
    pub(super) fn right(&self, said: &str) -> bool {
        self.values.iter().any(|value| value.as_ref() == said.trim())
    }
}

/// The most components that a value is cut into; C001 has 15, the most of any composite of 005010.
const CUTS: usize = 16;

/// A segment, or the components of an element found once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut {
    pub(super) of: CutOf,
    pub(super) start: u32,
    pub(super) mask: u64,
    pub(super) count: u8,
    pub(super) ends: [u32; CUTS],
}

/// What was cut.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum CutOf {
    #[default]
    Nothing,
    /// A segment: its parts are elements, which the document holds.
    Segment(u32),
    /// An element or one of its repetitions.
    Element(Place),
    /// A component, which has no parts.
    Component(Place),
}

/// The bit of a number; the highest stands for all from there on.
pub(super) fn bit(number: u32) -> u64 {
    1 << number.min(63)
}
