//! Guards: what must be said for a row, an element or a label to have anything to do, so that what is not there costs a
//! comparison of bits and not a row.

use crate::doc::Doc;
use crate::plan::{
    Act, Content, From, Guard, Guards, Index, Label, Member, Node, Part, Read, Row, Slot, Spoken, Words,
};

/// More guards than this are not worth their comparing.
const MOST: usize = 4;

/// Guards on the way: none as soon as one thing always has something to do.
#[derive(Debug)]
pub(crate) struct Gather {
    guards: Option<Vec<Guard>>,
}

impl Gather {
    pub(crate) fn new() -> Self {
        Self {
            guards: Some(Vec::new()),
        }
    }

    fn always(&mut self) {
        self.guards = None;
    }

    fn all(&mut self, guards: &[Guard]) {
        if guards.is_empty() {
            return self.always();
        }
        for guard in guards {
            self.one(*guard);
        }
    }

    fn one(&mut self, guard: Guard) {
        let Some(guards) = &mut self.guards else { return };
        for known in guards.iter_mut() {
            match (known, guard) {
                (Guard::Frame(depth, mask), Guard::Frame(other, more)) if *depth == other => {
                    *mask |= more;
                    return;
                }
                (
                    Guard::Group { up, member, mask },
                    Guard::Group {
                        up: other_up,
                        member: other,
                        mask: more,
                    },
                ) if *up == other_up && *member == other => {
                    *mask |= more;
                    return;
                }
                _ => {}
            }
        }
        guards.push(guard);
        if guards.len() > MOST {
            self.always();
        }
    }

    /// What nothing could guard has no row at all: an empty list would let it pass always, and so it does.
    pub(crate) fn done(self) -> Guards {
        self.guards.unwrap_or_default().into_iter().collect()
    }
}

/// The guard of a place; none when it may always say something.
fn of_read<D: Doc>(read: &Read<D>) -> Option<Guard> {
    match (read.from, &read.step) {
        (From::Frame(depth), Some(step)) => Some(Guard::Frame(depth, D::bit(step, false))),
        (From::Group { up, member }, Some(step)) => Some(Guard::Group {
            up,
            member,
            mask: D::bit(step, true),
        }),
        (From::Group { up, member }, None) => Some(Guard::Group {
            up,
            member,
            mask: u64::MAX,
        }),
        _ => None,
    }
}

/// The guards of a row by what it reads.
pub(crate) fn of_row<D: Doc>(from: &[Read<D>], on_absent: bool) -> Guards {
    let mut gather = Gather::new();
    if from.is_empty() || on_absent {
        gather.always();
    }
    for read in from {
        match of_read(read) {
            Some(guard) => gather.one(guard),
            None => gather.always(),
        }
    }
    gather.done()
}

fn rows<D: Doc>(rows: &[Row<D>], weak: bool, gather: &mut Gather) {
    for row in rows {
        if row.strong || weak {
            gather.all(&row.guards);
        }
    }
}

fn slot<D: Doc>(slot: &Slot<D>, weak: bool, gather: &mut Gather) {
    rows(&slot.alternatives, weak, gather);
    if let Some(inner) = &slot.inner {
        node(inner, weak, gather);
    }
}

/// What any of an object's rows may do; those that only add do not count where an item must have a source.
fn node<D: Doc>(node: &Node<D>, weak: bool, gather: &mut Gather) {
    rows(&node.remarks, true, gather);
    for member in &node.members {
        content(&member.content, weak, gather);
    }
}

fn content<D: Doc>(content: &Content<D>, weak: bool, gather: &mut Gather) {
    match content {
        Content::One(one) => slot(one, weak, gather),
        Content::Choice(options, _) => options.iter().for_each(|option| slot(&option.slot, weak, gather)),
        Content::Many(parts, ..) => {
            for part in parts {
                match part {
                    Part::Values(values) => rows(values, weak, gather),
                    Part::Label(label) => gather.all(&label.guards),
                }
            }
        }
    }
}

/// The guards of a label: its driver's, or those of the rows that can make its one item. An extension may be made by a
/// reference alone.
pub(crate) fn of_label<D: Doc>(label: &Label<D>) -> Guards {
    let mut gather = Gather::new();
    let refers = label.url.is_some() && label.variants.iter().any(|variant| slot_refers(&variant.slot));
    if refers {
        gather.always();
    }
    for variant in &label.variants {
        match &variant.driver {
            Some((read, _)) => match of_read(read) {
                Some(guard) => gather.one(guard),
                None => gather.always(),
            },
            None => slot(&variant.slot, false, &mut gather),
        }
    }
    gather.done()
}

/// The guards of an element; one that instances make items of always has something to do.
pub(crate) fn of_member<D: Doc>(member: &Member<D>) -> Guards {
    let mut gather = Gather::new();
    if member.element.is_some() {
        gather.always();
    }
    content(&member.content, true, &mut gather);
    gather.done()
}

/// The index of a list by the guards of its members.
pub(crate) fn index<'g>(guards: impl Iterator<Item = &'g [Guard]>) -> Index {
    let mut index = Index::default();
    for (at, guards) in guards.enumerate() {
        let at = super::short(at);
        if guards.is_empty() || usize::from(at) >= Words::default().len() * 64 {
            set(&mut index.always, at);
        }
        for guard in guards {
            let known = index
                .sources
                .iter_mut()
                .position(|known| known.guard.looks_where(*guard));
            let known = known.unwrap_or_else(|| {
                let passes = Vec::new();
                index.sources.push(Spoken { guard: *guard, passes });
                index.sources.len() - 1
            });
            if let Some(source) = index.sources.get_mut(known) {
                source.let_pass(guard.mask(), at);
            }
        }
    }
    index
        .sources
        .iter_mut()
        .for_each(|source| source.passes.shrink_to_fit());
    index.sources.shrink_to_fit();
    index
}

impl Guard {
    fn looks_where(self, other: Self) -> bool {
        match (self, other) {
            (Self::Frame(depth, _), Self::Frame(other, _)) => depth == other,
            (
                Self::Group { up, member, .. },
                Self::Group {
                    up: other, member: of, ..
                },
            ) => (up, member) == (other, of),
            _ => false,
        }
    }

    pub(crate) fn mask(self) -> u64 {
        let (Self::Frame(_, mask) | Self::Group { mask, .. }) = self;
        mask
    }
}

impl Spoken {
    fn let_pass(&mut self, bits: u64, at: u16) {
        let (Guard::Frame(_, mask) | Guard::Group { mask, .. }) = &mut self.guard;
        *mask |= bits;
        for bit in (0..64).filter(|bit| bits & (1 << bit) != 0) {
            if self.passes.len() <= bit {
                self.passes.resize(bit + 1, Words::default());
            }
            if let Some(passes) = self.passes.get_mut(bit) {
                set(passes, at);
            }
        }
    }
}

/// The index of an object's members.
pub(crate) fn of_members<D: Doc>(members: &[Member<D>]) -> Index {
    index(members.iter().map(|member| &*member.guards))
}

/// The index of the parts of an array.
pub(crate) fn of_parts<D: Doc>(parts: &[Part<D>]) -> Index {
    let of_part = |part: &Part<D>| match part {
        Part::Label(label) => label.guards.clone(),
        Part::Values(values) => {
            let mut gather = Gather::new();
            rows(values, true, &mut gather);
            gather.done()
        }
    };
    let guards: Vec<Guards> = parts.iter().map(of_part).collect();
    index(guards.iter().map(|guards| &**guards))
}

fn set(words: &mut Words, at: u16) {
    if let Some(word) = words.get_mut(usize::from(at / 64)) {
        *word |= 1 << (at % 64);
    }
}

/// Whether a row without a source in an object refers to an instance.
fn slot_refers<D: Doc>(slot: &Slot<D>) -> bool {
    let refers = |row: &Row<D>| !row.strong && matches!(row.act, Act::Ref(_));
    let inside = |node: &Node<D>| {
        node.members.iter().any(|member| match &member.content {
            Content::One(one) => slot_refers(one),
            Content::Choice(options, _) => options.iter().any(|option| slot_refers(&option.slot)),
            Content::Many(..) => false,
        })
    };
    slot.alternatives.iter().any(refers) || slot.inner.as_deref().is_some_and(inside)
}
