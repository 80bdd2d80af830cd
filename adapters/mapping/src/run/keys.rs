//! Keys and ids: the first candidate that is fully valued, in the namespace of its authority, so that the same thing said
//! again has the same id (DESIGN decision 8). What has no key gets an id of its frame and place and is never merged.

use std::borrow::Cow;

use causeway_core::id;
use uuid::Uuid;

use super::address::site_address;
use super::track::Track;
use super::{Hand, Keyed, Run};
use crate::doc::{Doc, Identity, Presence, Value};
use crate::plan::{KeyPart, KeyWhat, What};

/// Between the parts of a key; no source text holds it.
const PART: char = '\u{1f}';

/// A number for a text, for telling equal from unequal within one message.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    // 2^64 divided by the golden ratio, an odd number with well spread bits.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        state = (state.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(SPREAD);
    }
    state ^ (state >> 29)
}

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    /// Takes an instance's key, and finds the instance that it is one with.
    pub(crate) fn key(&mut self, inst: u32) {
        let Some(found) = self.insts.get_mut(inst as usize) else {
            return;
        };
        if found.keyed != Keyed::Not {
            return;
        }
        found.keyed = Keyed::Busy;
        let make = found.make;
        let id = make.keys.iter().find_map(|candidate| self.candidate(inst, candidate));
        let unkeyed = id.is_none();
        let id = id.unwrap_or_else(|| self.unkeyed(inst));
        let keyed_resource = !unkeyed && !matches!(make.what, What::Bundle);
        let one = if keyed_resource {
            *self.ids.entry(id.as_u128()).or_insert(inst)
        } else {
            inst
        };
        if let Some(found) = self.insts.get_mut(inst as usize) {
            found.id = id;
            found.keyed = Keyed::Done;
            found.one = one;
        }
        if unkeyed && !make.keys.is_empty() && matches!(make.what, What::Resource { .. }) {
            let place = self.place_of(inst);
            self.remark("key-missing", place, make.row, kind_of(&make.what));
        }
    }

    fn unkeyed(&self, inst: u32) -> Uuid {
        let Some(found) = self.insts.get(inst as usize) else {
            return Uuid::nil();
        };
        let place = self.place_of(inst).map_or(0, |place| place.0);
        // Several instances may be opened at one place.
        let kind = format!("{}{PART}{}", kind_of(&found.make.what), found.make.signature);
        id::unkeyed(self.setting.hash, &kind, place)
    }

    fn candidate(&mut self, inst: u32, parts: &'a [KeyPart<D>]) -> Option<Uuid> {
        let (make, group, hand, number) = {
            let found = self.insts.get(inst as usize)?;
            (found.make, found.group, found.hand, found.number)
        };
        let mut text = std::mem::take(&mut self.key);
        text.clear();
        let mut space = None;
        let mut whole = true;
        let mut valued = false;
        let mut ordinal = false;
        for (at, part) in parts.iter().enumerate() {
            self.group = group;
            self.number = number;
            if let Some(hand) = hand {
                self.set_frame(0, hand);
            }
            let behind_space = at == 1 && matches!(parts.first().map(|part| &part.what), Some(KeyWhat::Space(_)));
            if at > 0 && !behind_space {
                text.push(PART);
            }
            let said = match &part.what {
                KeyWhat::Ordinal => {
                    ordinal = true;
                    continue;
                }
                KeyWhat::Text(fixed) => {
                    text.push_str(fixed);
                    true
                }
                KeyWhat::Space(address) => {
                    space = Some(self.authority(address));
                    continue;
                }
                KeyWhat::Name(name) => self.key_of_name(*name, inst, at == 0, &mut space, &mut text),
                KeyWhat::Place {
                    read,
                    identity,
                    authority,
                } => {
                    let first = self.first_valued(read, None);
                    first.is_some_and(|first| self.key_of_value(first, *identity, *authority, &mut space, &mut text))
                }
            };
            valued |= said;
            whole &= said || part.optional;
        }
        let id = (whole && valued).then(|| self.id_of(make, inst, space, ordinal, &mut text));
        self.key = text;
        if T::ON {
            self.track.settle(id.is_some());
        }
        id
    }

    fn id_of(
        &mut self,
        make: &'a crate::plan::Make<D>,
        inst: u32,
        space: Option<Uuid>,
        ordinal: bool,
        text: &mut String,
    ) -> Uuid {
        let mut space = space.unwrap_or_else(|| self.authority(self.setting.sender));
        if let What::Item { name, element } = make.what {
            // Items count within their element.
            space = self.nearest(name, inst, false).map_or(space, |parent| self.id(parent));
            text.push_str(&element.to_string());
        }
        if ordinal {
            let equal = hash(text.as_bytes()) ^ hash(space.as_bytes()) ^ hash(kind_of(&make.what).as_bytes());
            let count = self.equals.entry(equal).or_insert(0);
            *count += 1;
            if *count > 1 {
                text.push(PART);
                text.push_str(&count.to_string());
            }
        }
        id::resource(&space, kind_of(&make.what), text)
    }

    /// The id of an instance, taken now if it was not yet.
    pub(crate) fn id(&mut self, inst: u32) -> Uuid {
        let (group, number) = (self.group, self.number);
        self.key(inst);
        self.group = group;
        self.number = number;
        self.insts.get(inst as usize).map_or(Uuid::nil(), |found| found.id)
    }

    fn key_of_name(&mut self, name: u16, inst: u32, first: bool, space: &mut Option<Uuid>, text: &mut String) -> bool {
        let Some(other) = self.nearest(name, inst, false) else {
            return false;
        };
        if self
            .insts
            .get(other as usize)
            .is_some_and(|other| other.keyed == Keyed::Busy)
        {
            return false;
        }
        // Frame 0 is cut again before each part, so taking the other key may overwrite it.
        let id = self.id(other);
        if first {
            *space = Some(id);
        } else {
            let mut buffer = Uuid::encode_buffer();
            text.push_str(id.simple().encode_lower(&mut buffer));
        }
        true
    }

    fn key_of_value(
        &mut self,
        hand: Hand,
        identity: Option<Identity>,
        authority: bool,
        space: &mut Option<Uuid>,
        text: &mut String,
    ) -> bool {
        let doc = self.doc;
        if T::ON {
            self.track.tested(hand.value.place);
        }
        if authority {
            return self.within(hand.value, None, space, text);
        }
        let Some(identity) = identity else {
            let said = doc.text(hand.value);
            text.push_str(said.trim());
            return !said.trim().is_empty();
        };
        let number = identity.number.iter().find_map(|part| self.part(hand.value, *part));
        let Some(number) = number else { return false };
        text.push_str(crate::primitives::trimmed(&doc.text(doc.first(number))));
        let authority = identity.authority.iter().find_map(|part| self.part(hand.value, *part));
        let Some(authority) = authority else { return true };
        if !identity.namespace {
            text.push('\u{1e}');
            text.push_str(crate::primitives::trimmed(&doc.text(doc.first(authority))));
            return true;
        }
        let flat = (identity.width > 1).then_some((hand.value, identity));
        self.within(authority, flat, space, text);
        true
    }

    /// A key's first authority is its namespace, a further one part of its text. An authority may stand flat in several
    /// parts of a value (EI).
    fn within(
        &mut self,
        authority: Value,
        flat: Option<(Value, Identity)>,
        space: &mut Option<Uuid>,
        text: &mut String,
    ) -> bool {
        let mut address = std::mem::take(&mut self.address);
        address.clear();
        let found = match flat {
            Some((value, identity)) => self.flat_address(value, identity, &mut address),
            None => self.write_address(authority, &mut address),
        };
        if found && space.is_none() {
            *space = Some(self.authority(&address));
        } else if found {
            text.push_str(&address);
        }
        self.address = address;
        found
    }

    pub(crate) fn part(&self, value: Value, number: u32) -> Option<Value> {
        self.doc
            .nth(value, number)
            .filter(|part| self.doc.presence(*part) == Presence::Valued)
    }

    /// The namespace of an authority.
    fn authority(&mut self, address: &str) -> Uuid {
        if let Some((_, space)) = self.authorities.iter().find(|(known, _)| known == address) {
            return *space;
        }
        let space = id::authority(address);
        if self.authorities.len() < 64 {
            self.authorities.push((address.to_owned(), space));
        }
        space
    }

    fn flat_address(&self, value: Value, identity: Identity, out: &mut String) -> bool {
        let first = identity.authority.first().copied().unwrap_or(0);
        let text = |offset| self.leaf(value, first + offset);
        let (name, universal, kind) = (text(0), text(1), text(2));
        site_address(&self.plan.settings, [&name, &universal, &kind], out)
    }

    fn leaf(&self, value: Value, number: u32) -> Cow<'a, str> {
        let part = self.part(value, number);
        part.map_or(Cow::Borrowed(""), |part| self.doc.text(self.doc.first(part)))
    }

    /// Writes the address of a hierarchic designator.
    pub(crate) fn write_address(&self, value: Value, out: &mut String) -> bool {
        if self.doc.presence(value) != Presence::Valued {
            return false;
        }
        if !self.doc.is_complex(value) {
            let name = self.doc.text(value);
            return site_address(&self.plan.settings, [&name, "", ""], out);
        }
        let (name, universal, kind) = (self.leaf(value, 1), self.leaf(value, 2), self.leaf(value, 3));
        site_address(&self.plan.settings, [&name, &universal, &kind], out)
    }
}

pub(crate) fn kind_of(what: &What) -> &str {
    match what {
        What::Resource { kind, .. } => kind,
        What::Item { .. } => "item",
        What::Bundle => "Bundle",
    }
}
