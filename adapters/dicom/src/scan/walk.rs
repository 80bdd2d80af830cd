//! The walk over a data set: a loop with a stack of its own, so that no nesting can exhaust ours. Each step reads one
//! header and either notes a value's span, goes into a sequence or item, or comes out of one.

use bytes::Bytes;

use super::header::{self, Header};
use super::{End, Limits};
use crate::data_set::{DataSet, Element, NONE, Scope};
use crate::problem::{Problem, ProblemKind};
use crate::syntax::Syntax;
use crate::tag::{Tag, Vr};

/// What a walk found.
pub(super) struct Walked {
    pub(super) set: DataSet,
    pub(super) end: End,
    /// How many bytes were read.
    pub(super) length: usize,
    pub(super) problems: Vec<Problem>,
}

/// A sequence that is open, and its open item.
struct Open {
    sequence: u32,
    /// Where it ends; `None` at its delimiter.
    end: Option<usize>,
    /// The scope and encoding around it.
    outer: (u32, Syntax),
    item: Option<Item>,
    /// The last item's scope and how many there were.
    last: u32,
    count: u32,
}

struct Item {
    end: Option<usize>,
}

struct Walk<'a> {
    bytes: &'a Bytes,
    whole: bool,
    limits: &'a Limits,
    stop: fn(Tag) -> bool,
    at: usize,
    syntax: Syntax,
    scope: u32,
    stack: Vec<Open>,
    set: DataSet,
    last: Option<Tag>,
    problems: Vec<Problem>,
}

/// Walks over a data set until its end, or an element at its top that `stop` says yes to.
pub(super) fn walk(bytes: &Bytes, syntax: Syntax, whole: bool, limits: &Limits, stop: fn(Tag) -> bool) -> Walked {
    let root = Scope {
        sequence: None,
        number: 0,
        first: 0,
        end: 0,
        next: NONE,
    };
    let mut walk = Walk {
        bytes,
        whole,
        limits,
        stop,
        at: 0,
        syntax: syntax.inflated(),
        scope: 0,
        stack: Vec::new(),
        set: DataSet {
            bytes: bytes.clone(),
            elements: Vec::new(),
            scopes: vec![root],
        },
        last: None,
        problems: Vec::new(),
    };
    let end = loop {
        if let Some(end) = walk.step() {
            break end;
        }
    };
    walk.finish(end)
}

impl Walk<'_> {
    fn finish(mut self, end: End) -> Walked {
        let length = self.at;
        while !self.stack.is_empty() {
            self.close_item();
            self.close_sequence();
        }
        let count = self.count();
        if let Some(root) = self.set.scopes.first_mut() {
            root.end = count;
        }
        Walked {
            set: self.set,
            end,
            length,
            problems: self.problems,
        }
    }

    fn count(&self) -> u32 {
        small(self.set.elements.len())
    }

    fn step(&mut self) -> Option<End> {
        if self.leave() {
            return None;
        }
        if self.at >= self.bytes.len() {
            return Some(self.out_of_bytes());
        }
        if self.set.elements.len() >= self.limits.elements {
            self.say(ProblemKind::TooMany, None);
            return Some(End::Broken);
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(header) = header::read(rest, self.syntax) else {
            // A few bytes at the end: padding, or a header cut through.
            return Some(self.cut_header(rest));
        };
        match self.stack.last() {
            Some(open) if open.item.is_none() => self.between_items(header),
            _ => self.element(header),
        }
    }

    /// Comes out of an item or sequence whose length is used up.
    fn leave(&mut self) -> bool {
        let at = self.at;
        let Some(open) = self.stack.last() else { return false };
        let over = |end: Option<usize>| end.is_some_and(|end| at >= end);
        match &open.item {
            // An item without its delimiter ends with its sequence.
            Some(item) if over(item.end.or(open.end)) => self.close_item(),
            None if over(open.end) => self.close_sequence(),
            _ => return false,
        }
        true
    }

    fn out_of_bytes(&mut self) -> End {
        if !self.whole {
            return End::Beyond;
        }
        if self.stack.is_empty() {
            return End::Whole;
        }
        self.say(ProblemKind::Truncated, None);
        End::Broken
    }

    fn cut_header(&mut self, rest: &[u8]) -> End {
        if !self.whole {
            return End::Beyond;
        }
        if rest.iter().any(|byte| *byte != 0) {
            self.say(ProblemKind::Truncated, None);
        }
        End::Whole
    }

    /// Within a sequence only items and its delimiter may stand.
    fn between_items(&mut self, header: Header) -> Option<End> {
        match header.tag {
            Tag::ITEM => self.open_item(header),
            Tag::SEQUENCE_END => {
                self.at += header.size;
                self.close_sequence();
            }
            _ => {
                let end = self.stack.last().and_then(|open| open.end);
                self.say(ProblemKind::Garbage, Some(header.tag));
                let Some(end) = end.filter(|end| *end <= self.bytes.len()) else {
                    return Some(End::Broken);
                };
                self.at = end;
            }
        }
        None
    }

    fn open_item(&mut self, header: Header) {
        self.at += header.size;
        let end = header.length.map(|length| self.at.saturating_add(length as usize));
        let (first, scope) = (self.count(), small(self.set.scopes.len()));
        let Some(open) = self.stack.last_mut() else { return };
        open.count += 1;
        open.item = Some(Item { end });
        let made = Scope {
            sequence: Some(open.sequence),
            number: open.count,
            first,
            end: first,
            next: NONE,
        };
        let before = std::mem::replace(&mut open.last, scope);
        match self.set.scopes.get_mut(before as usize) {
            Some(before) => before.next = scope,
            None => {
                if let Some(sequence) = self.set.elements.get_mut(open.sequence as usize) {
                    sequence.first_item = scope;
                }
            }
        }
        self.set.scopes.push(made);
        self.scope = scope;
        self.last = None;
    }

    fn close_item(&mut self) {
        let count = self.count();
        let Some(open) = self.stack.last_mut() else { return };
        if open.item.take().is_some()
            && let Some(scope) = self.set.scopes.get_mut(open.last as usize)
        {
            scope.end = count;
        }
    }

    fn close_sequence(&mut self) {
        let (count, at) = (self.count(), small(self.at));
        let Some(open) = self.stack.pop() else { return };
        (self.scope, self.syntax) = open.outer;
        if let Some(sequence) = self.set.elements.get_mut(open.sequence as usize) {
            sequence.after = count;
            sequence.end = at;
            self.last = Some(sequence.tag);
        }
    }

    fn element(&mut self, header: Header) -> Option<End> {
        match header.tag {
            Tag::ITEM_END if !self.stack.is_empty() => {
                self.at += header.size;
                self.close_item();
                return None;
            }
            Tag::SEQUENCE_END if !self.stack.is_empty() => {
                self.at += header.size;
                self.close_item();
                self.close_sequence();
                return None;
            }
            tag if tag.group() == 0xFFFE => return self.stray(header),
            tag if self.stack.is_empty() && (self.stop)(tag) => return Some(End::Bulk(tag)),
            _ => {}
        }
        if self.last.is_some_and(|last| header.tag <= last) {
            self.say(ProblemKind::Unordered, Some(header.tag));
        }
        self.last = Some(header.tag);
        match header.length {
            _ if header.vr == Vr::SQ => self.open_sequence(header),
            None => self.fragments(header),
            Some(length) => self.value(header, length as usize),
        }
    }

    /// A delimiter outside of any sequence: an empty one is stepped over.
    fn stray(&mut self, header: Header) -> Option<End> {
        self.say(ProblemKind::Garbage, Some(header.tag));
        if header.length != Some(0) {
            return Some(End::Broken);
        }
        self.at += header.size;
        None
    }

    fn value(&mut self, header: Header, length: usize) -> Option<End> {
        let start = self.at + header.size;
        let end = start.saturating_add(length);
        if end <= self.bytes.len() {
            self.note(header, start, end);
            self.at = end;
            return None;
        }
        if !self.whole {
            self.say(ProblemKind::Beyond, Some(header.tag));
            return Some(End::Beyond);
        }
        self.say(ProblemKind::Truncated, Some(header.tag));
        self.note(header, start.min(self.bytes.len()), self.bytes.len());
        self.at = self.bytes.len();
        Some(End::Broken)
    }

    fn note(&mut self, header: Header, start: usize, end: usize) {
        let after = self.count() + 1;
        self.set.elements.push(Element {
            tag: header.tag,
            vr: header.vr,
            scope: self.scope,
            start: small(start),
            end: small(end),
            after,
            first_item: NONE,
        });
    }

    fn open_sequence(&mut self, header: Header) -> Option<End> {
        if self.stack.len() >= self.limits.depth {
            self.say(ProblemKind::TooDeep, Some(header.tag));
            // With a length it can be passed over.
            let Some(length) = header.length else {
                return Some(End::Broken);
            };
            return self.value(header, length as usize);
        }
        let sequence = self.count();
        let start = self.at + header.size;
        self.note(header, start, start);
        self.at = start;
        let outer = (self.scope, self.syntax);
        if header.implicit_within {
            self.syntax = Syntax::IMPLICIT;
        }
        self.stack.push(Open {
            sequence,
            end: header.length.map(|length| start.saturating_add(length as usize)),
            outer,
            item: None,
            last: NONE,
            count: 0,
        });
        None
    }

    /// Passes over the fragments of an encapsulated value (PS3.5 A.4), such as an icon's pixels.
    fn fragments(&mut self, header: Header) -> Option<End> {
        let start = self.at + header.size;
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(fragment) = header::read(rest, self.syntax) else {
                return self.value(header, usize::MAX);
            };
            match (fragment.tag, fragment.length) {
                (Tag::SEQUENCE_END, _) => {
                    self.note(header, start, at);
                    self.at = at + fragment.size;
                    return None;
                }
                (Tag::ITEM, Some(length)) => {
                    at = at.saturating_add(fragment.size).saturating_add(length as usize);
                }
                _ => {
                    self.say(ProblemKind::Garbage, Some(fragment.tag));
                    return Some(End::Broken);
                }
            }
        }
    }

    /// Says something, once a kind.
    fn say(&mut self, kind: ProblemKind, tag: Option<Tag>) {
        if self.problems.iter().all(|problem| problem.kind != kind) {
            self.problems.push(Problem {
                kind,
                tag,
                about: String::new(),
            });
        }
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}
