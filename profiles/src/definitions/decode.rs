//! Reads the text `facts`. A line is a letter and fields between tabs:
//!
//! ```text
//! T name kind base                                             a type
//! E path min max types flags strength valueset                 an element of it, inherited ones too, in order
//! X short url min max types strength valueset contexts         an extension; no types when it has none of its own
//! N depth url min max types strength valueset                  one nested in it
//! V url                                                        a value set
//! P system * | ? | = code...                                   a part of it: whole, unknown, or these codes
//! ```
//!
//! Types are written `Reference(Patient,Group)|Quantity:SimpleQuantity|string`, or `@path` for the content of another
//! element; flags are `m` (modifier) and `s` (summary). A line with another letter is passed over, so that a later pack
//! may say more.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::names::Slot;
use super::rows::{
    BindingRow, ElementRow, ExtensionRow, PartContent, PartRow, Scope, ScopeRow, Special, Strength, Tables, TypeKind,
    TypeRefRow, TypeRow, ValueSetRow,
};
use crate::primitive::Primitive;

const HEAD: &str = "causeway-facts 1 ";

/// Decodes the text; nothing when it is not such a text.
pub(crate) fn facts(text: &'static str) -> Option<Tables> {
    let mut lines = text.lines();
    lines.next().filter(|head| head.starts_with(HEAD))?;
    let mut decoder = Decoder::default();
    for line in lines {
        let mut fields = line.split('\t');
        decoder.line(fields.next()?, Fields(fields))?;
    }
    decoder.finish()
}

/// The fields of a line, read one by one.
struct Fields(std::str::Split<'static, char>);

impl Fields {
    fn text(&mut self) -> Option<&'static str> {
        self.0.next()
    }

    fn number(&mut self) -> Option<u32> {
        match self.text()? {
            "" => Some(0),
            "*" => Some(u32::MAX),
            digits => digits.parse().ok(),
        }
    }
}

/// The binding that two fields tell, if they tell one.
fn binding(strength: &'static str, value_set: &'static str) -> Option<BindingRow> {
    let strength = match strength {
        "" => return None,
        "required" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => Strength::Example,
    };
    Some(BindingRow {
        strength,
        value_set,
        set: None,
    })
}

#[derive(Default)]
struct Decoder {
    tables: Tables,
    /// Elements in the order of the text; they are sorted by the object that holds them when all are read.
    elements: Vec<ElementRow>,
}

impl Decoder {
    fn line(&mut self, letter: &str, mut fields: Fields) -> Option<()> {
        match letter {
            "T" => self.kind(&mut fields),
            "E" => self.element(&mut fields),
            "X" => self.extension(&mut fields),
            "N" => self.nested(&mut fields),
            "V" => {
                self.tables.value_sets.push(ValueSetRow {
                    url: fields.text()?,
                    parts: Vec::new(),
                });
                Some(())
            }
            "P" => self.part(fields),
            _ => Some(()),
        }
    }

    fn kind(&mut self, fields: &mut Fields) -> Option<()> {
        let (name, kind, base) = (fields.text()?, fields.text()?, fields.text()?);
        let kind = match kind {
            "primitive" => TypeKind::Primitive,
            "complex" => TypeKind::Complex,
            "resource" => TypeKind::Resource,
            _ => TypeKind::Abstract,
        };
        self.tables.types.push(TypeRow {
            name,
            kind,
            base,
            scope: Scope::NONE,
            primitive: Primitive::named(name),
            special: Special::named(name),
        });
        Some(())
    }

    fn element(&mut self, fields: &mut Fields) -> Option<()> {
        let (path, min, max) = (fields.text()?, fields.number()?, fields.number()?);
        let types = fields.text()?;
        let reference = types.strip_prefix('@');
        let types = if reference.is_some() { 0..0 } else { self.types(types)? };
        let flags = fields.text()?;
        let binding = binding(fields.text()?, fields.text()?);
        let content = Scope::NONE;
        self.elements.push(ElementRow {
            path,
            min,
            max,
            ordinal: 0,
            flags,
            types,
            reference,
            binding,
            content,
        });
        Some(())
    }

    fn types(&mut self, text: &'static str) -> Option<Range<u32>> {
        let start = u32::try_from(self.tables.refs.len()).ok()?;
        for one in text.split('|').filter(|one| !one.is_empty()) {
            let (named, targets) = one.split_once('(').unwrap_or((one, ""));
            let targets = targets
                .trim_end_matches(')')
                .split(',')
                .filter(|target| !target.is_empty())
                .collect();
            let (code, profile) = named
                .split_once(':')
                .map_or((named, None), |(code, profile)| (code, Some(profile)));
            self.tables.refs.push(TypeRefRow {
                code,
                profile,
                targets,
                of: None,
            });
        }
        Some(start..u32::try_from(self.tables.refs.len()).ok()?)
    }

    fn extension(&mut self, fields: &mut Fields) -> Option<()> {
        let short = fields.text()?;
        let mut row = self.extension_row(fields)?;
        row.short = short;
        row.contexts = fields.text()?;
        self.tables.extensions.push(row);
        Some(())
    }

    fn nested(&mut self, fields: &mut Fields) -> Option<()> {
        let depth = fields.number()?;
        let row = self.extension_row(fields)?;
        let mut holder = self.tables.extensions.last_mut()?;
        for _ in 1..depth {
            holder = holder.nested.last_mut()?;
        }
        holder.nested.push(row);
        Some(())
    }

    fn extension_row(&mut self, fields: &mut Fields) -> Option<ExtensionRow> {
        let (url, min, max) = (fields.text()?, fields.number()?, fields.number()?);
        let types = self.types(fields.text()?)?;
        let binding = binding(fields.text()?, fields.text()?);
        Some(ExtensionRow {
            short: "",
            url,
            min,
            max,
            types,
            binding,
            contexts: "",
            nested: Vec::new(),
        })
    }

    fn part(&mut self, mut fields: Fields) -> Option<()> {
        let system = fields.text()?;
        let content = match fields.text()? {
            "*" => PartContent::Whole,
            "=" => PartContent::Codes(fields.0.collect()),
            _ => PartContent::Unknown,
        };
        self.tables.value_sets.last_mut()?.parts.push(PartRow {
            system,
            content,
            number: OnceLock::new(),
        });
        Some(())
    }

    fn finish(mut self) -> Option<Tables> {
        self.tables.extensions.sort_by_key(|row| row.short);
        self.tables.value_sets.sort_by_key(|row| row.url);
        self.name_types();
        self.bind();
        self.scopes()?;
        self.link();
        self.tables.shrink();
        Some(self.tables)
    }

    fn name_types(&mut self) {
        let slot = |(number, name): (usize, &'static str)| Slot::new(name, to_u32(number));
        let tables = &mut self.tables;
        tables.type_names = tables
            .names
            .add(tables.types.iter().map(|row| row.name).enumerate().map(slot).collect());
        tables.extension_urls = tables.names.add(
            tables
                .extensions
                .iter()
                .map(|row| row.url)
                .enumerate()
                .map(slot)
                .collect(),
        );
        for at in 0..tables.refs.len() {
            let number = tables
                .refs
                .get(at)
                .and_then(|row| tables.type_number(row.profile.unwrap_or(row.code)));
            if let Some(row) = tables.refs.get_mut(at) {
                row.of = number;
            }
        }
    }

    fn bind(&mut self) {
        let sets: HashMap<&str, u32> = self.tables.value_sets.iter().map(|row| row.url).zip(0..).collect();
        for binding in self.elements.iter_mut().filter_map(|row| row.binding.as_mut()) {
            binding.set = sets.get(binding.value_set).copied();
        }
        bind_extensions(&mut self.tables.extensions, &sets);
    }

    /// Sorts the elements into scopes: those right below a type or a group, in order.
    fn scopes(&mut self) -> Option<()> {
        let mut numbers: HashMap<&'static str, usize> = HashMap::new();
        let mut held: Vec<(&'static str, Vec<ElementRow>)> = Vec::new();
        for row in self.elements.drain(..) {
            let (holder, _) = row.path.rsplit_once('.')?;
            let number = *numbers.entry(holder).or_insert_with(|| {
                held.push((holder, Vec::new()));
                held.len() - 1
            });
            held.get_mut(number)?.1.push(row);
        }
        for (_, rows) in held {
            let start = to_u32(self.tables.elements.len());
            let names = self.names(start, &rows);
            // No object of R4 has more elements than a mask has bits; a later one would not be required, and a test says so.
            let bits = rows
                .iter()
                .zip(0..)
                .filter(|(row, _)| row.min > 0)
                .map(|(_, at)| 1_u128.checked_shl(at).unwrap_or(0));
            let required = bits.fold(0, |all, bit| all | bit);
            self.tables.elements.extend(
                rows.into_iter()
                    .zip(0..)
                    .map(|(row, ordinal)| ElementRow { ordinal, ..row }),
            );
            let elements = start..to_u32(self.tables.elements.len());
            self.tables.scopes.push(ScopeRow {
                elements,
                names: self.tables.names.add(names),
                required,
            });
        }
        self.number(&numbers);
        Some(())
    }

    /// The names by which the elements of a scope are found: `value[x]` and `value` for the choice, `valueQuantity` for
    /// one of its types.
    fn names(&self, start: u32, rows: &[ElementRow]) -> Vec<Slot> {
        let mut slots = Vec::new();
        for (target, row) in (start..).zip(rows) {
            let types = self.tables.refs(&row.types);
            let choice = if types.len() == 1 { 0 } else { Slot::ANY };
            let name = row.name();
            let slot = |name: &'static str| Slot::new(name, target).of_type(choice);
            let Some(stem) = name.strip_suffix("[x]") else {
                slots.push(slot(name));
                continue;
            };
            slots.extend([name, stem].map(|name| slot(name).outside_json()));
            let concrete =
                |(choice, kind): (u32, &TypeRefRow)| Slot::new(concrete(stem, kind.code), target).of_type(choice);
            slots.extend((0..).zip(types).map(concrete));
        }
        slots
    }

    fn number(&mut self, numbers: &HashMap<&'static str, usize>) {
        let scope = |path: &str| numbers.get(path).map_or(Scope::NONE, |number| Scope(to_u32(*number)));
        for row in &mut self.tables.types {
            row.scope = scope(row.name);
        }
        for row in &mut self.tables.elements {
            row.content = scope(row.reference.unwrap_or(row.path));
        }
    }

    /// An element of one type holds what the type holds, if it is not a group of its own.
    fn link(&mut self) {
        for at in 0..self.tables.elements.len() {
            let Some(row) = self.tables.elements.get(at) else {
                continue;
            };
            let [only] = self.tables.refs(&row.types) else { continue };
            let content = if row.content == Scope::NONE {
                self.tables.content_of(only)
            } else {
                row.content
            };
            if let Some(row) = self.tables.elements.get_mut(at) {
                row.content = content;
            }
        }
    }
}

fn bind_extensions(rows: &mut [ExtensionRow], sets: &HashMap<&str, u32>) {
    for row in rows {
        if let Some(binding) = row.binding.as_mut() {
            binding.set = sets.get(binding.value_set).copied();
        }
        bind_extensions(&mut row.nested, sets);
    }
}

/// `value` and `dateTime` give `valueDateTime`.
fn concrete(stem: &str, code: &str) -> Cow<'static, str> {
    let mut name = String::with_capacity(stem.len() + code.len());
    name.push_str(stem);
    let mut letters = code.chars();
    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    name.push_str(letters.as_str());
    Cow::Owned(name)
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
