//! Places: where reading starts from, seen from an anchor, and the steps behind it.

use std::rc::Rc;

use super::structure::names;
use super::{Arg, Compiler, D, Env, Given, HeadBase, Sign, short, with_parts};
use crate::doc::Format;
use crate::group::NO;
use crate::plan::{From, Read};
use crate::syntax::{Base, Mark, ParamValue, Part, Place, Select, Step, TypeMap};

/// The field that a place reads, whichever occurrence and part; none for parameters and settings.
pub(crate) fn sign(place: &Place) -> Option<Sign> {
    if place.base != Base::Source {
        return None;
    }
    let (last, groups) = place.steps.split_last()?;
    let mut item: Vec<String> = groups.iter().map(ToString::to_string).collect();
    item.push(names(last).join("+"));
    let field = last.parts.first().filter(|part| part.mark == Mark::Field);
    Some(Sign {
        item: item.join("/"),
        field: field.map(|part| part.number.clone().unwrap_or_else(|| "*".to_owned())),
    })
}

/// The components behind the field.
fn components(step: &Step) -> &[Part] {
    match step.parts.split_first() {
        Some((first, rest)) if first.mark == Mark::Field => rest,
        _ => &step.parts,
    }
}

impl<F: Format> Compiler<'_, F> {
    /// What a parameter or setting stands for.
    pub(crate) fn argument(&self, place: &Place, env: &Env) -> Given {
        match &place.base {
            Base::Source => Given::Not,
            Base::Param(name) => {
                let found = env.params.iter().find(|(known, _)| known == name);
                found.map_or(Given::Nothing, |(_, value)| Given::Value(value.clone()))
            }
            Base::Site(name) => {
                let value = self.library.site.settings.get(name).cloned();
                value.map_or(Given::Nothing, |text| Given::Value(Arg::Text(text, true)))
            }
        }
    }

    /// The parameters of a type map, as its rows see them.
    pub(crate) fn arguments(&self, map: &TypeMap, env: &Env) -> Rc<Vec<(String, Arg)>> {
        let mut given = Vec::new();
        for param in &map.params {
            let value = match &param.value {
                ParamValue::Text(text) => Some(Arg::Text(text.clone(), false)),
                ParamValue::Place(place) => match self.argument(place, env) {
                    Given::Value(value) => Some(value),
                    Given::Nothing => None,
                    Given::Not => Some(Arg::Place(
                        place.clone(),
                        Rc::new(Env {
                            hand: None,
                            ..env.clone()
                        }),
                    )),
                },
            };
            given.extend(value.map(|value| (param.name.clone(), value)));
        }
        Rc::new(given)
    }

    /// Compiles a place of the source, or a parameter that is one.
    pub(crate) fn read(&mut self, place: &Place, env: &Env) -> Option<Read<D<F>>> {
        match self.argument(place, env) {
            Given::Value(Arg::Place(place, outer)) => return self.read(&place, &outer),
            Given::Value(Arg::Text(..)) | Given::Nothing => return None,
            Given::Not => {}
        }
        let last = place.steps.last()?;
        if let Some((head, base)) = &env.head
            && place.steps.len() == 1
            && names(last) == std::slice::from_ref(head)
        {
            return match base {
                HeadBase::Frame(depth) => self.below(From::Frame(*depth), &last.select, &last.parts, place),
                HeadBase::Place(outer, outer_env) => {
                    let whole = with_parts(outer, &last.parts);
                    self.read(&whole, &outer_env.clone())
                }
            };
        }
        if self.is_of_value(place, env) {
            return self.below(From::Frame(0), &last.select, &last.parts, place);
        }
        match self.bound(place, last, env) {
            Some((from, select, parts)) => self.below(from, select, parts, place),
            None => self.grouped(place, env),
        }
    }

    /// Whether a place begins with a type's name at an anchor that is a value.
    pub(crate) fn is_of_value(&self, place: &Place, env: &Env) -> bool {
        let [step] = place.steps.as_slice() else { return false };
        let [name] = names(step) else { return false };
        let field = step.parts.first().is_some_and(|part| part.mark == Mark::Field);
        env.of_value && !field && self.format.symbol(name).is_none()
    }

    /// A place whose value is in hand already: of a label, an anchor or the row's own `from`.
    fn bound<'p>(&mut self, place: &Place, last: &'p Step, env: &Env) -> Option<(From, &'p [Select], &'p [Part])> {
        let sign = sign(place)?;
        let chosen = last.parts.first().is_some_and(|field| !field.select.is_empty());
        if chosen {
            return None;
        }
        if let Some(found) = self.of_item(place, last, &sign, env) {
            return Some(found);
        }
        if sign.field.is_some()
            && let Some(bound) = env.bound.iter().rev().find(|bound| bound.sign == sign)
        {
            return Some((From::Frame(bound.depth), &[], components(last)));
        }
        let hand = env.hand.as_ref().filter(|hand| hand.item == sign.item)?;
        if sign.field.is_some() && hand.field == sign.field {
            return Some((From::HandSpot, &[], components(last)));
        }
        self.outside = true;
        // The item that opens a group is one: what it says, all rows of the instance may share.
        if place.steps.len() == 1
            && let Some(from) = self.opened(last, env.kind)
        {
            return Some((from, &last.select, &last.parts));
        }
        Some((From::HandItem, &last.select, &last.parts))
    }

    /// A place within an item in hand, of an anchor or label, where documents bring their groups: fields are parts of it.
    fn of_item<'p>(
        &self,
        place: &Place,
        last: &'p Step,
        sign: &Sign,
        env: &Env,
    ) -> Option<(From, &'p [Select], &'p [Part])> {
        let item = |bound: &&super::Bound| bound.sign.field.is_none() && bound.sign.item == sign.item;
        let bound = env.bound.iter().rev().find(item).filter(|_| self.grammar.brought)?;
        let whole = bound.chosen.as_ref().is_some_and(|chosen| *chosen == place.to_string());
        let own = last.select.is_empty() || whole;
        own.then_some((From::Frame(bound.depth), &[], &last.parts))
    }

    fn below(&mut self, from: From, select: &[Select], parts: &[Part], place: &Place) -> Option<Read<D<F>>> {
        if parts.is_empty() && select.is_empty() {
            return Some(Read { from, step: None });
        }
        match self.format.step(select, parts) {
            Ok(step) => Some(Read { from, step: Some(step) }),
            Err(text) => {
                self.say(place.span, text);
                None
            }
        }
    }

    /// A place seen from the anchor's group.
    fn grouped(&mut self, place: &Place, env: &Env) -> Option<Read<D<F>>> {
        self.outside = true;
        let (last, groups) = place.steps.split_last()?;
        let from = match groups {
            [] => self.near(last, env.kind),
            groups => self.through(groups, last, env.kind),
        };
        let Some(from) = from else {
            // A file that fills instances of several anchors may name a group that only some of them lie in.
            if groups.is_empty() {
                self.say(place.span, format!("'{place}' cannot be reached from here"));
                return None;
            }
            if let Some(wrong) = groups.iter().find(|step| self.grammar.brought && !self.is_group(step)) {
                self.say(place.span, format!("no group of the format is called {wrong}"));
                return None;
            }
            return Some(Read {
                from: From::Nowhere,
                step: None,
            });
        };
        self.below(from, &last.select, &last.parts, place)
    }

    /// The opener of the own group or of one further out.
    fn opened(&mut self, step: &Step, kind: u16) -> Option<From> {
        let symbol = self.symbol(names(step).first()?)?;
        let (mut at, mut up) = (kind, 0u8);
        while at != 0 {
            if let Some(member) = self.opener(at, symbol) {
                return Some(From::Group { up, member });
            }
            at = self.grammar.kinds.get(usize::from(at)).map_or(0, |kind| kind.parent);
            up = up.saturating_add(1);
        }
        None
    }

    /// A bare item: of the own group, the opener of one further out, or the header.
    fn near(&mut self, step: &Step, kind: u16) -> Option<From> {
        let name = names(step).first()?.clone();
        let symbol = self.symbol(&name)?;
        let (mut at, mut up) = (kind, 0u8);
        loop {
            if let Some(member) = self.opener(at, symbol) {
                return Some(From::Group { up, member });
            }
            // The header is one, wherever the group of an item that stands late in the message was supposed.
            if self.format.header() == Some(name.as_str()) {
                return Some(From::Header);
            }
            if at == 0 {
                break;
            }
            at = self.grammar.kinds.get(usize::from(at)).map_or(0, |kind| kind.parent);
            up = up.saturating_add(1);
        }
        let member = self.member(kind, symbol)?;
        Some(From::Group { up: 0, member })
    }

    /// An item of a group that encloses the anchor, or of one right below such a group.
    fn through(&mut self, groups: &[Step], last: &Step, kind: u16) -> Option<From> {
        let (first, below) = groups.split_first()?;
        let (mut at, mut up) = (kind, 0u8);
        while !self.is_named(at, first) {
            if at == 0 {
                return None;
            }
            at = self.grammar.kinds.get(usize::from(at)).map_or(0, |kind| kind.parent);
            up = up.saturating_add(1);
        }
        let name = names(last).first()?.clone();
        let symbol = self.symbol(&name)?;
        let mut inner = at;
        for step in below {
            inner = self.child_named(inner, step)?;
        }
        if inner == at {
            if let Some(member) = self.opener(at, symbol) {
                return Some(From::Group { up, member });
            }
            let kinds = if self.grammar.brought {
                0
            } else {
                self.grammar.kinds.len()
            };
            let child = (1..kinds).map(short).find(|child| {
                self.grammar
                    .kinds
                    .get(usize::from(*child))
                    .is_some_and(|kind| kind.parent == at)
                    && self.opener(*child, symbol).is_some()
            });
            if let Some(child) = child {
                let member = self.opener(child, symbol)?;
                return Some(From::Below {
                    up,
                    kind: child,
                    member,
                });
            }
            let member = self.member(at, symbol)?;
            return Some(From::Group { up, member });
        }
        let member = self.member(inner, symbol)?;
        Some(From::Below {
            up,
            kind: inner,
            member,
        })
    }

    pub(super) fn is_named(&self, kind: u16, step: &Step) -> bool {
        if self.grammar.brought {
            let kind = self.grammar.kinds.get(usize::from(kind));
            return kind.is_some_and(|kind| super::tree::is_called(kind, step));
        }
        let symbols: Option<Vec<u32>> = names(step).iter().map(|name| self.format.symbol(name)).collect();
        let Some(kind) = self.grammar.kinds.get(usize::from(kind)) else {
            return false;
        };
        let openers = kind.members.iter().take(usize::from(kind.openers));
        let own: Vec<u32> = openers
            .filter_map(|number| self.grammar.symbols.get(usize::from(*number)).copied())
            .collect();
        symbols.is_some_and(|symbols| !symbols.is_empty() && symbols.iter().all(|symbol| own.contains(symbol)))
    }

    fn child_named(&self, parent: u16, step: &Step) -> Option<u16> {
        (1..self.grammar.kinds.len()).map(short).find(|child| {
            self.grammar
                .kinds
                .get(usize::from(*child))
                .is_some_and(|kind| kind.parent == parent)
                && self.is_named(*child, step)
        })
    }

    fn opener(&self, kind: u16, symbol: u16) -> Option<u16> {
        let kind = self.grammar.kinds.get(usize::from(kind))?;
        let at = kind
            .members
            .iter()
            .take(usize::from(kind.openers))
            .position(|known| *known == symbol)?;
        Some(short(at))
    }

    /// The member of a kind with a symbol; made when it has none.
    fn member(&mut self, kind: u16, symbol: u16) -> Option<u16> {
        let kind = self.grammar.kinds.get_mut(usize::from(kind))?;
        if let Some(at) = kind.members.iter().position(|known| *known == symbol) {
            return Some(short(at));
        }
        kind.members.push(symbol);
        Some(short(kind.members.len() - 1)).filter(|member| *member != NO)
    }
}
