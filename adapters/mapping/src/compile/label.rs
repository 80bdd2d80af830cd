//! Items of repeating elements: which rows are alternatives for each value, which stand under one label, and which field
//! drives a label's items.

use std::rc::Rc;

use causeway_profiles::definitions::Found;

use super::fill::Pending;
use super::place::sign;
use super::{Bound, Compiler, D, Env, HeadBase, Sign};
use crate::doc::Format;
use crate::plan::{Guards, Label, Part, Read, Row, Variant};
use crate::syntax::{How, Place, Scope};

impl<'a, F: Format> Compiler<'a, F> {
    /// The items of a repeating element, in the order of rows.
    pub(crate) fn parts(&mut self, rows: &[Pending<'a>], found: &Found) -> Vec<Part<D<F>>> {
        let mut groups: Vec<(String, bool, Vec<Pending<'a>>)> = Vec::new();
        for row in rows {
            let Some(segment) = row.next() else { continue };
            let plain = row.is_last() && segment.label.is_none() && segment.extension.is_none();
            let key = if plain {
                format!("{} {}", row.source(), Rc::as_ptr(&row.env).addr())
            } else {
                format!("#{segment}")
            };
            match groups.iter_mut().find(|(known, ..)| *known == key) {
                Some((_, _, group)) if !plain || !row.row.from.is_empty() => group.push(row.clone()),
                _ => groups.push((key, plain, vec![row.clone()])),
            }
        }
        let mut parts = Vec::new();
        for (_, plain, group) in groups {
            if plain {
                let compiled: Vec<Row<D<F>>> = group.iter().filter_map(|row| self.row(row, found)).collect();
                if !compiled.is_empty() {
                    parts.push(Part::Values(compiled));
                }
            } else {
                parts.push(Part::Label(Box::new(self.label(&group, found))));
            }
        }
        // What has no source of its own runs last.
        parts.shrink_to_fit();
        parts.sort_by_key(|part| match part {
            Part::Values(rows) => rows.iter().all(|row| !row.strong),
            Part::Label(_) => false,
        });
        parts
    }

    fn label(&mut self, rows: &[Pending<'a>], found: &Found) -> Label<D<F>> {
        let segment = rows.first().and_then(|row| row.next().cloned());
        let short = segment.and_then(|segment| segment.extension);
        let within = rows.first().and_then(|row| row.within.clone());
        let url = short
            .as_deref()
            .map(|short| self.extension_url(short, within.as_deref()));
        let single = short
            .as_deref()
            .and_then(|short| self.defs.extension(short))
            .is_some_and(|def| def.max() == Some(1));
        let rows: Vec<Pending<'a>> = rows
            .iter()
            .map(|row| Pending {
                within: short.clone().or(row.within.clone()),
                ..row.clone()
            })
            .collect();
        let drivers = self.drivers(&rows, found).into_iter();
        let mut variants: Vec<Variant<D<F>>> = drivers
            .filter_map(|driver| self.variant(&rows, found, driver))
            .collect();
        variants.shrink_to_fit();
        let mut label = Label {
            each: self.each(&rows, found),
            url: url.map(Into::into),
            guards: Guards::default(),
            limit: if single { 1 } else { u32::MAX },
            variants,
        };
        if label.each.is_none() {
            label.guards = super::guard::of_label(&label);
        }
        label
    }

    /// An extension whose value refers to all instances of a name is one for each of them.
    fn each(&mut self, rows: &[Pending<'a>], found: &Found) -> Option<(Box<str>, Row<D<F>>)> {
        let [row] = rows else { return None };
        let [extension, value] = row.segments() else {
            return None;
        };
        let all = matches!(&row.row.how, How::Ref(reference) if reference.scope == Scope::All && reference.conditions.is_empty());
        if extension.extension.is_none() || !all || !row.row.from.is_empty() {
            return None;
        }
        let target = found.child(&value.element)?;
        Some((value.element.as_str().into(), self.row(&row.inner(), &target)?))
    }

    /// What may make the items of a label: whole rows, else the fields of rows inside; none for one item.
    fn drivers(&self, rows: &[Pending<'a>], found: &Found) -> Vec<Driver<'a>> {
        let mut out: Vec<Driver<'a>> = Vec::new();
        for row in rows.iter().filter(|row| row.is_last()) {
            let known = out.iter().any(|driver| driver.whole.as_deref() == Some(&row.source()));
            if !known {
                out.push(Driver {
                    sign: self.driver_sign(row),
                    row: Some(row.clone()),
                    whole: Some(row.source()),
                });
            }
        }
        let mut single = false;
        let driving: Vec<Sign> = rows
            .iter()
            .filter(|row| !is_deep(row, found))
            .filter_map(|row| self.driver_sign(row))
            .collect();
        for row in rows.iter().filter(|row| !row.is_last() && !row.row.from.is_empty()) {
            match self.driver_sign(row) {
                Some(sign) if driving.contains(&sign) => {
                    let known = out.iter().any(|driver| driver.sign.as_ref() == Some(&sign));
                    out.extend((!known).then(|| Driver {
                        sign: Some(sign),
                        row: Some(row.clone()),
                        whole: None,
                    }));
                }
                _ if !single => {
                    single = true;
                    out.push(Driver {
                        sign: None,
                        row: None,
                        whole: None,
                    });
                }
                _ => {}
            }
        }
        // An extension may be made by a reference alone, which reads nothing.
        let extension = rows
            .first()
            .and_then(|row| row.next())
            .is_some_and(|segment| segment.extension.is_some());
        if out.is_empty() && extension {
            out.push(Driver {
                sign: None,
                row: None,
                whole: None,
            });
        }
        out
    }

    /// The field whose values a row reads; none for parts of a value in hand and for what does not read.
    fn driver_sign(&self, row: &Pending<'a>) -> Option<Sign> {
        let [place] = row.row.from.as_slice() else { return None };
        let step = place.steps.last()?;
        let of_head = row
            .env
            .head
            .as_ref()
            .is_some_and(|(head, _)| super::structure::names(step) == std::slice::from_ref(head));
        if !of_head && self.is_of_value(place, &row.env) {
            return None;
        }
        if of_head {
            // A type's name that stands for a place of an item reads that place.
            return match row.env.head.as_ref() {
                Some((_, HeadBase::Place(outer, _))) => sign(outer).filter(|sign| sign.field.is_some()),
                _ => None,
            };
        }
        let sign = sign(place)?;
        let bound = row.env.bound.iter().any(|bound| bound.sign == sign);
        (!bound).then_some(sign)
    }

    fn variant(&mut self, rows: &[Pending<'a>], found: &Found, driver: Driver<'a>) -> Option<Variant<D<F>>> {
        let mut bound_rows: Vec<Pending<'a>> = Vec::new();
        let depth = rows.first().map_or(0, |row| row.env.depth);
        for row in rows {
            let keep = match &driver.whole {
                Some(source) => !row.is_last() || row.source() == *source,
                None => !row.is_last(),
            };
            if keep {
                bound_rows.push(row.clone());
            }
        }
        let read = match (&driver.sign, &driver.row) {
            (Some(_), Some(row)) => Some((self.driver_read(row)?, depth)),
            _ => None,
        };
        if let Some(sign) = driver.sign.filter(|_| read.is_some()) {
            let chosen = driver.row.as_ref().map(Pending::source);
            for row in &mut bound_rows {
                let mut env = (*row.env).clone();
                env.bound.push(Bound {
                    sign: sign.clone(),
                    depth,
                    chosen: chosen.clone(),
                });
                env.depth = env.depth.max(depth + 1);
                row.env = Rc::new(env);
            }
        }
        let slot = self.slot(&bound_rows, found, true);
        if slot.alternatives.is_empty() && slot.inner.is_none() {
            return None;
        }
        Some(Variant { driver: read, slot })
    }

    /// The whole occurrences of the field that a row reads.
    fn driver_read(&mut self, row: &Pending<'a>) -> Option<Read<D<F>>> {
        let mut place = row.row.from.first()?.clone();
        if let Some((_, HeadBase::Place(outer, env))) = &row.env.head
            && place.first_name() == row.env.head.as_ref().map(|(head, _)| head.as_str())
        {
            let (outer, env) = (outer.clone(), Rc::clone(env));
            return self.read(&field_only(outer), &env);
        }
        place = field_only(place);
        self.read(
            &place,
            &Env {
                hand: None,
                ..(*row.env).clone()
            },
        )
    }
}

/// A row's place without its parts, so that its occurrences are read whole.
fn field_only(mut place: Place) -> Place {
    if let Some(last) = place.steps.last_mut() {
        let fields = last
            .parts
            .iter()
            .take_while(|part| part.mark == crate::syntax::Mark::Field)
            .count();
        last.parts.truncate(fields);
    }
    place
}

#[derive(Clone)]
struct Driver<'a> {
    sign: Option<Sign>,
    row: Option<Pending<'a>>,
    /// The source of whole rows.
    whole: Option<String>,
}

/// Whether a repeating element lies between the label and the end of the row's target, so that values go there.
fn is_deep(row: &Pending<'_>, found: &Found) -> bool {
    let mut at = *found;
    for segment in row.segments().iter().skip(1) {
        let Some(next) = at.child(&segment.element) else {
            return false;
        };
        if next.element.repeats() {
            return true;
        }
        at = next;
    }
    false
}
