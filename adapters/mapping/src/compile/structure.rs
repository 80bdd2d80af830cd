//! Structure rows: the grammar of groups, and what is made of them, with names, keys and fill.

use std::rc::Rc;

use super::{Arg, Bound, Compiler, D, Env, Given, short};
use crate::doc::Format;
use crate::group::{Grammar, GroupKind, NO};
use crate::plan::{From, KeyPart, KeyWhat, Make, Read, Structure, What};
use crate::syntax::{self, Head, Make as Makes, Place, Step, StructureRow};

impl<F: Format> Compiler<'_, F> {
    /// Compiles a structure.
    pub(crate) fn structure(&mut self, name: &str) -> Structure<D<F>> {
        self.grammar = self.brought();
        self.names.clear();
        self.elements.clear();
        self.made.clear();
        self.shared.clear();
        self.kinds_of_names.clear();
        let rows = self.rows_of(name);
        let anchors: Vec<Vec<u16>> = rows.iter().map(|row| self.anchor(&row.at)).collect();
        self.register(&rows, &anchors);
        let mut makes = Vec::new();
        for (row, kinds) in rows.iter().zip(&anchors) {
            for kind in kinds {
                makes.extend(self.make(row, *kind).map(|make| (*kind, make)));
            }
        }
        let mut of_kind = vec![Vec::new(); self.grammar.kinds.len()];
        for (at, (kind, _)) in makes.iter().enumerate() {
            if let Some(list) = of_kind.get_mut(usize::from(*kind)) {
                list.push(short(at));
            }
        }
        self.finish_grammar();
        Structure {
            grammar: std::mem::take(&mut self.grammar),
            makes: makes.into_iter().map(|(_, make)| make).collect(),
            of_kind,
            tests: self.take_tests(),
            names: self.names.clone(),
        }
    }

    /// The rows of a structure, those of the structures that it uses in their place.
    pub(crate) fn rows_of(&self, name: &str) -> Vec<StructureRow> {
        let mut rows = Vec::new();
        self.flatten(name, 0, &mut rows);
        rows
    }

    fn flatten(&self, name: &str, depth: u8, out: &mut Vec<StructureRow>) {
        let Some(file) = self.library.structures.get(name) else {
            return;
        };
        for row in &file.rows {
            match row.make {
                Makes::Use if depth < super::MOST_NESTED => {
                    for used in &row.fill {
                        self.flatten(&used.name, depth + 1, out);
                    }
                }
                Makes::Use | Makes::Off => {}
                _ => out.push(row.clone()),
            }
        }
    }

    /// The kinds of group of an anchor. Where documents bring their groups it is every one whose path ends so; else
    /// the one of this path, and kinds are made as they are met.
    fn anchor(&mut self, at: &Place) -> Vec<u16> {
        if self.grammar.brought {
            return self.ending_so(at);
        }
        let mut kind = 0;
        for step in &at.steps {
            if step.parts.is_empty() {
                kind = self.kind_below(kind, step);
            }
        }
        vec![kind]
    }

    fn kind_below(&mut self, parent: u16, step: &Step) -> u16 {
        let symbols: Vec<u16> = names(step).iter().filter_map(|name| self.symbol(name)).collect();
        let same = |kind: &GroupKind| {
            kind.parent == parent && kind.members.get(..usize::from(kind.openers)) == Some(symbols.as_slice())
        };
        let known = self.grammar.kinds.iter().skip(1).position(same);
        if let Some(at) = known {
            return short(at + 1);
        }
        self.grammar.kinds.push(GroupKind {
            parent,
            openers: short(symbols.len()),
            members: symbols,
            ..GroupKind::default()
        });
        short(self.grammar.kinds.len() - 1)
    }

    /// The number of an item's name in the grammar.
    pub(crate) fn symbol(&mut self, name: &str) -> Option<u16> {
        let symbol = self.format.symbol(name)?;
        if let Some(at) = self.grammar.symbols.iter().position(|known| *known == symbol) {
            return Some(short(at));
        }
        self.grammar.symbols.push(symbol);
        Some(short(self.grammar.symbols.len() - 1))
    }

    /// Names and the elements that items are made of, before anything is compiled that may point forward.
    fn register(&mut self, rows: &[StructureRow], anchors: &[Vec<u16>]) {
        let types = self.library.structures.get("types");
        for row in rows.iter().chain(types.into_iter().flat_map(|file| &file.rows)) {
            if let Some(name) = &row.name {
                self.name(name);
            }
        }
        for row in rows {
            if let Makes::Item { name, element } = &row.make {
                let name = self.name(name);
                let element = element.to_string();
                if !self.elements.iter().any(|known| *known == (name, element.clone())) {
                    self.elements.push((name, element));
                }
            }
        }
        for (row, kinds) in rows.iter().zip(anchors) {
            if let Some(name) = &row.name {
                let name = self.name(name);
                let id = self.row_id(row.span);
                for kind in kinds {
                    let value = self.value_anchor(&row.at);
                    self.kinds_of_names.push((name, *kind, value, id));
                }
            }
        }
    }

    fn make(&mut self, row: &StructureRow, kind: u16) -> Option<Make<D<F>>> {
        let mut env = Env {
            kind,
            head: None,
            of_value: false,
            bound: Vec::new(),
            params: Rc::new(Vec::new()),
            depth: 1,
            hand: None,
            nesting: 0,
        };
        let value = self.value_anchor(&row.at);
        let at = value.as_ref().and_then(|place| self.read(place, &env));
        if let Some(place) = &value {
            env.bound.push(Bound {
                sign: super::place::sign(place)?,
                depth: 0,
                chosen: None,
            });
            env.of_value = true;
        }
        let choice = format!("{} {}", row.at, row.name.as_deref().unwrap_or(""));
        let choice = if row.name.is_some() {
            choice
        } else {
            format!("{choice} {:?}", row.span)
        };
        self.compile_make(row, at, &env, choice)
    }

    /// Compiles what a structure row makes, in an environment.
    pub(crate) fn compile_make(
        &mut self,
        row: &StructureRow,
        at: Option<Read<D<F>>>,
        env: &Env,
        choice: String,
    ) -> Option<Make<D<F>>> {
        let name = row.name.as_deref().map_or(NO, |name| self.name(name));
        let (what, scope) = match &row.make {
            Makes::Resource(kind) if kind == "Bundle" => (What::Bundle, self.scope_of("Bundle")?),
            Makes::Resource(kind) => {
                let what = What::Resource {
                    kind: kind.as_str().into(),
                    patient: kind == "Patient",
                };
                (what, self.scope_of(kind)?)
            }
            Makes::Item { name, element } => self.item(name, element)?,
            Makes::Use | Makes::Off => return None,
        };
        let when = self.tests(&row.when, env)?;
        let outside = std::mem::replace(&mut self.outside, false);
        let files: Vec<&str> = row.fill.iter().map(|file| file.name.as_str()).collect();
        let pending = self.pending(&files, env, row.span);
        let top = name;
        let fill = self.node(pending, &scope, (!matches!(what, What::Bundle)).then_some(top), true);
        let self_contained = !std::mem::replace(&mut self.outside, outside);
        let keys = self.keys(row, env);
        let given: Vec<String> = env
            .params
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        let signature = self.signature(format!("{:?}{}", row.span, given.join(" ")));
        let choice = self.signature(choice);
        Some(Make {
            row: self.row_id(row.span),
            choice: short(choice as usize),
            name,
            what,
            at,
            when,
            keys,
            fill,
            signature,
            self_contained,
        })
    }

    fn item(&mut self, name: &str, element: &syntax::Target) -> Option<(What, super::fill::Scope)> {
        let parent = self.name(name);
        let text = element.to_string();
        let at = self
            .elements
            .iter()
            .position(|known| *known == (parent, text.clone()))?;
        let holder = self.path_of(name, 0)?;
        let found = self.defs.element(&format!("{holder}.{text}"))?;
        let what = What::Item {
            name: parent,
            element: short(at),
        };
        Some((what, super::fill::Scope::Element(found)))
    }

    /// The path that instances of a name stand at: `Claim`, `Claim.item`.
    fn path_of(&self, name: &str, depth: u8) -> Option<String> {
        let rows = self.library.structures.values().flat_map(|file| &file.rows);
        let mut named = rows.filter(|row| row.name.as_deref() == Some(name) && depth < super::MOST_NESTED);
        named.find_map(|row| match &row.make {
            Makes::Resource(kind) => Some(kind.clone()),
            Makes::Item { name, element } => Some(format!("{}.{element}", self.path_of(name, depth + 1)?)),
            Makes::Use | Makes::Off => None,
        })
    }

    fn keys(&mut self, row: &StructureRow, env: &Env) -> Vec<Vec<KeyPart<D<F>>>> {
        let mut keys = Vec::new();
        for candidate in &row.key {
            let parts = candidate.parts.iter().enumerate().filter_map(|(at, part)| {
                let what = self.key_part(&part.what, env).map(|what| match what {
                    // A setting that begins a key is the authority that numbers the rest.
                    KeyWhat::Text(address) if at == 0 && is_setting(&part.what) => KeyWhat::Space(address),
                    what => what,
                });
                what.map(|what| KeyPart {
                    what,
                    optional: part.optional,
                })
                .or_else(|| {
                    // What can never be valued makes the candidate void, unless it may be empty.
                    let void = KeyWhat::Place {
                        read: Read {
                            from: From::Nowhere,
                            step: None,
                        },
                        identity: None,
                        authority: false,
                    };
                    (!part.optional).then_some(KeyPart {
                        what: void,
                        optional: false,
                    })
                })
            });
            keys.push(parts.collect());
        }
        keys
    }

    fn key_part(&mut self, what: &syntax::KeyWhat, env: &Env) -> Option<KeyWhat<D<F>>> {
        let place = match what {
            syntax::KeyWhat::Ordinal => return Some(KeyWhat::Ordinal),
            syntax::KeyWhat::Name(name) => return Some(KeyWhat::Name(self.name(name))),
            syntax::KeyWhat::Place(place) => place,
        };
        match self.argument(place, env) {
            Given::Value(Arg::Text(text, _)) => return Some(KeyWhat::Text(text.as_str().into())),
            Given::Nothing => return None,
            Given::Value(Arg::Place(..)) | Given::Not => {}
        }
        let (head, parts) = place
            .steps
            .last()
            .map(|step| (names(step).join("+"), step.parts.clone()))?;
        let of_type = self.format.type_of(&head, &parts);
        let identity = of_type.and_then(|kind| self.format.identity(kind));
        let read = self.read(place, env)?;
        Some(KeyWhat::Place {
            read,
            identity,
            authority: of_type == Some("HD"),
        })
    }

    fn finish_grammar(&mut self) {
        let Grammar { symbols, kinds, .. } = &mut self.grammar;
        // The numbers of symbols stay; the list is sorted for looking up, so members are renumbered.
        let mut order: Vec<usize> = (0..symbols.len()).collect();
        order.sort_by_key(|at| symbols.get(*at).copied());
        let mut new_number = vec![NO; symbols.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = new_number.get_mut(*old) {
                *slot = short(new);
            }
        }
        symbols.sort_unstable();
        let count = symbols.len();
        for kind in kinds.iter_mut() {
            kind.member_of = vec![NO; count];
            kind.opens = vec![NO; count];
            kind.supposed = vec![NO; count];
            for (member, number) in kind.members.iter_mut().enumerate() {
                *number = new_number.get(usize::from(*number)).copied().unwrap_or(NO);
                set(&mut kind.member_of, *number, short(member));
            }
        }
        for at in 1..kinds.len() {
            let Some(kind) = kinds.get(at) else { continue };
            let (parent, openers) = (
                kind.parent,
                kind.members.get(..usize::from(kind.openers)).unwrap_or(&[]).to_vec(),
            );
            let outer = kinds.get(usize::from(parent)).map_or(NO, |outer| outer.parent);
            for opener in openers {
                if let Some(holder) = kinds.get_mut(usize::from(parent)) {
                    set(&mut holder.opens, opener, short(at));
                }
                if parent != 0
                    && outer == 0
                    && let Some(root) = kinds.first_mut()
                {
                    set(&mut root.supposed, opener, parent);
                }
            }
        }
        let joins: Vec<(usize, Vec<u16>)> = (1..kinds.len())
            .filter(|at| kinds.get(*at).is_some_and(|kind| kind.parent == 0))
            .map(|at| {
                (
                    at,
                    kinds.get(at).map_or(Vec::new(), |kind| {
                        kind.members.iter().skip(usize::from(kind.openers)).copied().collect()
                    }),
                )
            })
            .collect();
        if let Some(root) = kinds.first_mut() {
            for (at, members) in joins {
                for member in members {
                    if root.supposed.get(usize::from(member)) == Some(&NO) {
                        set(&mut root.supposed, member, short(at));
                    }
                }
            }
        }
    }
}

fn is_setting(what: &syntax::KeyWhat) -> bool {
    matches!(what, syntax::KeyWhat::Place(place) if matches!(place.base, syntax::Base::Site(_)))
}

fn set(table: &mut [u16], at: u16, value: u16) {
    if let Some(slot) = table.get_mut(usize::from(at)) {
        *slot = value;
    }
}

/// The names of a step.
pub(crate) fn names(step: &Step) -> &[String] {
    match &step.head {
        Head::Names(names) => names,
        Head::Concept { .. } => &[],
    }
}
