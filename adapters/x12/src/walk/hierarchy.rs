//! The hierarchy of HL: numbers count up from 1 through the set, each level names the one it is under, and its flag says
//! whether others follow under it (X12.6, segment HL).

use crate::name::SegmentId;
use crate::problem::{ElementFault, SegmentFault};
use crate::segment::Segment;

use super::{Met, Open, Walk};

/// What an open loop knows of its own HL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// HL01, 0 for a loop without an HL.
    number: u32,
    /// Position of its HL.
    position: u32,
    /// HL04: whether levels are to follow under it; none if it does not say so.
    wants: Option<bool>,
    /// Whether any did.
    has: bool,
}

const HL: SegmentId = SegmentId::new(b"HL\0");

impl Walk {
    /// Takes the numbers of the HL that opened the innermost loop.
    pub(super) fn enter_level(&mut self, segment: &Segment<'_>, position: u32, met: &mut dyn FnMut(Met)) {
        if segment.id() != Some(HL) {
            return;
        }
        self.levels = self.levels.saturating_add(1);
        let around = self.open.iter_mut().rev().skip(1).find(|open| open.level.number > 0);
        let above = around.map(|open| {
            open.level.has = true;
            open.level.number
        });
        let number = read(segment.element(1));
        if number != Some(self.levels) && !segment.element(1).is_empty() {
            self.level_fault(1, ElementFault::Code, position, met);
        }
        self.levels = number.unwrap_or(self.levels); // what follows is counted from here: one slip, one problem
        let parent = segment.element(2);
        if above.is_some_and(|above| !parent.is_empty() && read(parent) != Some(above)) {
            self.level_fault(2, ElementFault::Code, position, met);
        }
        let level = Level {
            number: number.unwrap_or(self.levels).max(1),
            position,
            wants: match segment.element(4) {
                b"1" => Some(true),
                b"0" => Some(false),
                _ => None,
            },
            has: false,
        };
        if let Some(open) = self.open.last_mut() {
            open.level = level;
        }
    }

    fn level_fault(&self, element: u16, fault: ElementFault, position: u32, met: &mut dyn FnMut(Met)) {
        if let Some(open) = self.open.last() {
            met(self.of_level(open, element, fault, position));
        }
    }

    /// Looks whether what the HL of a loop said of levels below it came true.
    pub(super) fn leave_level(&self, open: &Open, met: &mut dyn FnMut(Met)) {
        if open.level.wants.is_some_and(|wants| wants != open.level.has) {
            met(self.of_level(open, 4, ElementFault::Pattern, open.level.position));
        }
    }

    fn of_level(&self, open: &Open, element: u16, fault: ElementFault, position: u32) -> Met {
        Met {
            element: Some((element, 0, fault)),
            ..self.met(SegmentFault::Elements, HL, position, open)
        }
    }
}

fn read(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
