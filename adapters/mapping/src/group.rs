//! Groups a document's items by the structure's anchors, leniently: no item is refused for standing in an odd place. The
//! result is a tree of groups in the order of the document; which instances they open is not known here.

mod brought;

use crate::doc::Doc;

/// No index.
pub(crate) const NONE: u32 = u32::MAX;
/// No kind, member or symbol.
pub(crate) const NO: u16 = u16::MAX;

/// What kinds of groups a structure has, and which items open and join them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grammar {
    /// The symbols of item names, sorted; the index of a symbol is its number here.
    pub(crate) symbols: Vec<u32>,
    /// The kinds; 0 is the document itself.
    pub(crate) kinds: Vec<GroupKind>,
    /// Whether documents bring their groups; else they are found by the items that open them.
    pub(crate) brought: bool,
}

/// One kind of group.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupKind {
    /// The kind that holds it.
    pub(crate) parent: u16,
    /// Its name, where documents bring their groups.
    pub(crate) name: Option<&'static str>,
    /// Where documents bring their groups: the symbols of the kinds right below, and their numbers.
    pub(crate) below: Vec<(u32, u16)>,
    /// How many members open it; they are the first.
    pub(crate) openers: u16,
    /// The symbols of its members, openers first.
    pub(crate) members: Vec<u16>,
    /// By symbol number: which member it is.
    pub(crate) member_of: Vec<u16>,
    /// By symbol number: the kind of a group that it opens in this one.
    pub(crate) opens: Vec<u16>,
    /// By symbol number: the kind below this one that it would open if that were open.
    pub(crate) supposed: Vec<u16>,
}

/// One group of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) kind: u16,
    pub(crate) parent: u32,
    /// Its first member slot.
    pub(crate) slots: u32,
    /// The group behind its last descendant.
    pub(crate) end: u32,
}

/// The groups of a document.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// In the order of opening, so that a group stands before those in it; 0 is the document.
    pub(crate) list: Vec<Group>,
    /// For each member of each group its first item.
    pub(crate) slots: Vec<u32>,
    /// For each item the next of its name in its group.
    pub(crate) next: Vec<u32>,
    /// For each item the group it stands in.
    pub(crate) of: Vec<u32>,
    /// Where documents bring their groups: for each group the first of its run of neighbours of one kind, and the group
    /// behind the last. Empty else.
    pub(crate) runs: Vec<(u32, u32)>,
    /// For each member of each group its last item.
    last: Vec<u32>,
    stack: Vec<u32>,
}

impl Grammar {
    fn kind(&self, number: u16) -> Option<&GroupKind> {
        self.kinds.get(usize::from(number))
    }

    fn number(&self, symbol: u32) -> Option<usize> {
        self.symbols.binary_search(&symbol).ok()
    }
}

impl Groups {
    /// Groups a document.
    pub(crate) fn read<D: Doc>(&mut self, grammar: &Grammar, doc: &D) {
        self.clear();
        let items = doc.items();
        self.next.resize(items as usize, NONE);
        self.of.resize(items as usize, NONE);
        if grammar.brought {
            return self.take(grammar, doc);
        }
        self.open(grammar, 0, NONE);
        for item in 0..items {
            if let Some(number) = grammar.number(doc.symbol(item)) {
                self.place(grammar, item, number);
            }
        }
        while !self.stack.is_empty() {
            self.close();
        }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.runs.clear();
        self.slots.clear();
        self.last.clear();
        self.next.clear();
        self.of.clear();
        self.stack.clear();
    }

    /// Puts an item into the group that it opens or joins.
    fn place(&mut self, grammar: &Grammar, item: u32, number: usize) {
        for depth in (0..self.stack.len()).rev() {
            let Some((group, kind)) = self.at(grammar, depth) else {
                continue;
            };
            if self.completes(kind, group, number) {
                return self.join_at(depth, group, kind, number, item);
            }
            if let Some(opened) = known(&kind.opens, number) {
                self.close_to(depth + 1);
                let group = self.open(grammar, opened, group);
                return self.join_opened(grammar, group, number, item);
            }
        }
        for depth in (0..self.stack.len()).rev() {
            let Some((group, kind)) = self.at(grammar, depth) else {
                continue;
            };
            if known(&kind.member_of, number).is_some_and(|member| member >= kind.openers) {
                return self.join(group, kind, number, item);
            }
        }
        self.suppose(grammar, item, number);
    }

    /// The group on the stack at a depth.
    fn at<'g>(&self, grammar: &'g Grammar, depth: usize) -> Option<(u32, &'g GroupKind)> {
        let group = *self.stack.get(depth)?;
        let kind = grammar.kind(self.list.get(group as usize)?.kind)?;
        Some((group, kind))
    }

    /// Whether an opener belongs to the open group: another than those that it has, and not one that stands before them.
    fn completes(&self, kind: &GroupKind, group: u32, number: usize) -> bool {
        let Some(member) = known(&kind.member_of, number).filter(|member| *member < kind.openers) else {
            return false;
        };
        (member..kind.openers).all(|opener| self.first(group, opener) == NONE)
    }

    fn join_at(&mut self, depth: usize, group: u32, kind: &GroupKind, number: usize, item: u32) {
        self.close_to(depth + 1);
        self.join(group, kind, number, item);
    }

    fn join_opened(&mut self, grammar: &Grammar, group: u32, number: usize, item: u32) {
        let kind = self.list.get(group as usize).and_then(|group| grammar.kind(group.kind));
        if let Some(kind) = kind {
            self.join(group, kind, number, item);
        }
    }

    fn join(&mut self, group: u32, kind: &GroupKind, number: usize, item: u32) {
        let Some(member) = known(&kind.member_of, number) else {
            return;
        };
        let Some(slot) = self
            .list
            .get(group as usize)
            .map(|group| group.slots as usize + usize::from(member))
        else {
            return;
        };
        let (Some(first), Some(last)) = (self.slots.get_mut(slot), self.last.get_mut(slot)) else {
            return;
        };
        if *first == NONE {
            *first = item;
        } else if let Some(next) = self.next.get_mut(*last as usize) {
            *next = item;
        }
        *last = item;
        if let Some(of) = self.of.get_mut(item as usize) {
            *of = group;
        }
    }

    /// Opens the outermost groups that are missing, as a result without a patient has none.
    fn suppose(&mut self, grammar: &Grammar, item: u32, number: usize) {
        let Some((root, kind)) = self.at(grammar, 0) else {
            return;
        };
        let Some(missing) = known(&kind.supposed, number) else {
            return;
        };
        self.close_to(1);
        let group = self.open(grammar, missing, root);
        let Some(kind) = grammar.kind(missing) else { return };
        if let Some(opened) = known(&kind.opens, number) {
            let group = self.open(grammar, opened, group);
            self.join_opened(grammar, group, number, item);
        } else if known(&kind.member_of, number).is_some() {
            self.join(group, kind, number, item);
        }
    }

    fn open(&mut self, grammar: &Grammar, kind: u16, parent: u32) -> u32 {
        let members = grammar.kind(kind).map_or(0, |kind| kind.members.len());
        let group = Group {
            kind,
            parent,
            slots: small(self.slots.len()),
            end: NONE,
        };
        self.slots.resize(self.slots.len() + members, NONE);
        self.last.resize(self.slots.len(), NONE);
        let number = small(self.list.len());
        self.list.push(group);
        self.stack.push(number);
        number
    }

    fn close_to(&mut self, depth: usize) {
        while self.stack.len() > depth {
            self.close();
        }
    }

    fn close(&mut self) {
        let end = small(self.list.len());
        if let Some(group) = self.stack.pop().and_then(|group| self.list.get_mut(group as usize)) {
            group.end = end;
        }
    }

    pub(crate) fn get(&self, group: u32) -> Option<Group> {
        self.list.get(group as usize).copied()
    }

    /// The first item of a member of a group.
    pub(crate) fn first(&self, group: u32, member: u16) -> u32 {
        let slot = self.get(group).map(|group| group.slots as usize + usize::from(member));
        slot.and_then(|slot| self.slots.get(slot)).copied().unwrap_or(NONE)
    }

    /// The next item of the same name in the same group.
    pub(crate) fn next(&self, item: u32) -> u32 {
        self.next.get(item as usize).copied().unwrap_or(NONE)
    }

    /// The group so many levels further out.
    pub(crate) fn up(&self, group: u32, levels: u8) -> u32 {
        let mut group = group;
        for _ in 0..levels {
            group = self.get(group).map_or(NONE, |group| group.parent);
        }
        group
    }
}

fn known(table: &[u16], number: usize) -> Option<u16> {
    table.get(number).copied().filter(|found| *found != NO)
}

pub(crate) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
