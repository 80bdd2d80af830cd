//! Reads a guide's files and compiles them to tables. Everything that a file can have wrong is found here, so what was
//! compiled needs no second look.

use std::collections::{BTreeMap, BTreeSet};

use super::dictionary::{Dictionary, Shape, Slot};
use super::notation::{Lists, Word, words};
use super::{Codes, Component, Content, Discriminator, Element, Entry, Guide, Item, Loop, Rule, Simple, Table, Usage};
use crate::name::{LoopId, SegmentId};

/// What of a guide's files cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(pub String);

/// The files of a guide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files {
    pub(super) elements: &'static str,
    pub(super) composites: &'static str,
    pub(super) segments: &'static str,
    pub(super) codes: &'static str,
    pub(super) structure: &'static str,
}

/// The files of 005010X222A1.
pub(super) const PROFESSIONAL: Files = Files {
    elements: include_str!("../../guides/005010/elements.csv"),
    composites: include_str!("../../guides/005010/composites.csv"),
    segments: include_str!("../../guides/005010/segments.csv"),
    codes: include_str!("../../guides/005010X222A1/codes.csv"),
    structure: include_str!("../../guides/005010X222A1/structure.csv"),
};

/// The rows of a CSV text behind its header line, each made into something.
pub(super) fn rows<T>(text: &str, make: impl Fn(&[&str]) -> Option<T>) -> Result<Vec<T>, Unusable> {
    let mut all = Vec::new();
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row.map_err(|error| Unusable(error.to_string()))?;
        let cells: Vec<&str> = row.iter().collect();
        all.push(make(&cells).ok_or_else(|| Unusable(cells.join(",")))?);
    }
    Ok(all)
}

/// One row of `structure.csv`.
#[derive(Debug)]
struct Record {
    within: LoopId,
    position: u16,
    item: String,
    usage: Usage,
    max: u32,
    words: Vec<Word>,
}

fn record(cells: &[&str], lists: &Lists) -> Option<Record> {
    let [within, position, item, usage, max, elements] = *cells else {
        return None;
    };
    Some(Record {
        within: LoopId::of(within)?,
        position: position.parse().ok()?,
        item: item.to_owned(),
        usage: match usage {
            "R" => Usage::Required,
            "S" => Usage::Situational,
            _ => return None,
        },
        max: if max == ">1" { u32::MAX } else { max.parse().ok()? },
        words: words(elements, lists)?,
    })
}

impl Guide {
    pub(super) fn load(files: &Files) -> Result<Self, Unusable> {
        let dictionary = Dictionary::load(files.elements, files.composites, files.segments)?;
        let lists = rows(files.codes, |cells| {
            let [name, codes] = *cells else { return None };
            Some((name.to_owned(), codes.split_whitespace().map(str::to_owned).collect()))
        })?;
        let lists = lists.into_iter().collect();
        let records = rows(files.structure, |cells| record(cells, &lists))?;
        Compiler::new(dictionary, &records).compile(&records)
    }
}

/// What is known while a guide is compiled.
struct Compiler {
    dictionary: Dictionary,
    /// Index of each loop, in order of its first row.
    loops: Vec<LoopId>,
    rules: Vec<Rule>,
}

impl Compiler {
    fn new(dictionary: Dictionary, records: &[Record]) -> Self {
        let mut loops: Vec<LoopId> = Vec::new();
        for record in records {
            if !loops.contains(&record.within) {
                loops.push(record.within);
            }
        }
        Self {
            dictionary,
            loops,
            rules: Vec::new(),
        }
    }

    fn compile(mut self, records: &[Record]) -> Result<Guide, Unusable> {
        let mut entries: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
        for record in records {
            let within = self.index(record.within)?;
            let entry = self.entry(record)?;
            let of_loop = entries.entry(within).or_default();
            if of_loop.last().is_some_and(|last| last.position > entry.position) {
                return Err(Unusable(format!(
                    "{} stands out of order in {}",
                    record.item, record.within
                )));
            }
            of_loop.push(entry);
        }
        let known: BTreeSet<SegmentId> = self.rules.iter().map(|rule| rule.id).collect();
        let mut guide = Guide {
            rules: self.rules.into(),
            loops: Box::default(),
            known: known.into_iter().collect(),
        };
        let bare = |(index, entries): (usize, Vec<Entry>)| {
            Some(Loop {
                id: *self.loops.get(index)?,
                entries: entries.into(),
                table: Box::default(),
            })
        };
        let loops: Option<Vec<Loop>> = entries.into_iter().map(bare).collect();
        guide.loops = loops
            .ok_or_else(|| Unusable("a loop without a name".to_owned()))?
            .into();
        let tables: Option<Vec<_>> = guide.loops.iter().map(|one| table(&guide, one)).collect();
        let tables = tables.ok_or_else(|| Unusable("a loop that no segment opens".to_owned()))?;
        for (one, table) in guide.loops.iter_mut().zip(tables) {
            one.table = table;
        }
        Ok(guide)
    }

    fn index(&self, id: LoopId) -> Result<usize, Unusable> {
        let found = self.loops.iter().position(|known| *known == id);
        found.ok_or_else(|| Unusable(format!("no loop {id}")))
    }

    fn entry(&mut self, record: &Record) -> Result<Entry, Unusable> {
        let many = |_| Unusable("more loops or segments than have a number".to_owned());
        let item = if let Some(name) = record.item.strip_prefix('@') {
            let id = LoopId::of(name).ok_or_else(|| Unusable(name.to_owned()))?;
            Item::Loop(u16::try_from(self.index(id)?).map_err(many)?)
        } else {
            let rule = self.rule(record)?;
            self.rules.push(rule);
            Item::Segment(u16::try_from(self.rules.len() - 1).map_err(many)?)
        };
        Ok(Entry {
            position: record.position,
            item,
            usage: record.usage,
            max: record.max,
        })
    }

    fn rule(&self, record: &Record) -> Result<Rule, Unusable> {
        let wrong = |what: &str| Unusable(format!("{} in {}: {what}", record.item, record.within));
        let id = SegmentId::of(record.item.as_bytes()).ok_or_else(|| wrong("no segment identifier"))?;
        let shape = self.dictionary.segments.get(&record.item);
        let shape = shape.ok_or_else(|| wrong("not in segments.csv"))?;
        if record.words.len() > shape.slots.len() {
            return Err(wrong("more elements than the segment has"));
        }
        let absent = Word {
            usage: Usage::NotUsed,
            codes: Vec::new(),
            tells: false,
            inner: Vec::new(),
        };
        let words = record.words.iter().chain(std::iter::repeat(&absent));
        let made = shape
            .slots
            .iter()
            .zip(words)
            .map(|(slot, word)| self.element(slot, word));
        let elements: Option<Box<[Element]>> = made.collect();
        Ok(Rule {
            id,
            discriminators: discriminators(&record.words),
            elements: elements.ok_or_else(|| wrong("an element or component that is not in the dictionary"))?,
            notes: shape.notes.clone().into(),
        })
    }

    fn element(&self, slot: &Slot, word: &Word) -> Option<Element> {
        let content = match self.dictionary.composites.get(&slot.name) {
            Some(shape) => self.composite(shape, word)?,
            None => Content::Simple(self.simple(&slot.name, word)?),
        };
        Some(Element {
            usage: word.usage,
            repeat: slot.repeat,
            content,
        })
    }

    fn composite(&self, shape: &Shape, word: &Word) -> Option<Content> {
        let absent = Word {
            usage: Usage::NotUsed,
            codes: Vec::new(),
            tells: false,
            inner: Vec::new(),
        };
        let words = word.inner.iter().chain(std::iter::repeat(&absent));
        let component = |(slot, word): (&Slot, &Word)| {
            Some(Component {
                usage: word.usage,
                value: self.simple(&slot.name, word)?,
            })
        };
        let fits = word.inner.len() <= shape.slots.len();
        let components: Option<Box<[Component]>> = shape.slots.iter().zip(words).map(component).collect();
        Some(Content::Composite {
            components: components.filter(|_| fits)?,
            notes: shape.notes.clone().into(),
        })
    }

    fn simple(&self, name: &str, word: &Word) -> Option<Simple> {
        let datum = self.dictionary.data.get(name)?;
        Some(Simple {
            number: datum.number,
            kind: datum.kind,
            min: datum.min,
            max: datum.max,
            codes: listed(&word.codes),
        })
    }
}

fn listed(codes: &[String]) -> Codes {
    Codes::new(codes.iter().map(String::as_str))
}

/// The words in square brackets, of elements and of components.
fn discriminators(words: &[Word]) -> Box<[Discriminator]> {
    let one = |element: u8, component: u8, word: &Word| {
        word.tells.then(|| Discriminator {
            element,
            component,
            codes: listed(&word.codes),
        })
    };
    let of_word = |(element, word): (u8, &Word)| {
        let inner: Vec<_> = (1_u8..)
            .zip(&word.inner)
            .filter_map(|(number, word)| one(element, number, word))
            .collect();
        one(element, 0, word).into_iter().chain(inner)
    };
    (1_u8..).zip(words).flat_map(of_word).collect()
}

/// The entries of a loop by the segment that opens them.
fn table(guide: &Guide, one: &Loop) -> Option<Table> {
    let mut table: BTreeMap<SegmentId, Vec<u16>> = BTreeMap::new();
    for (index, entry) in (0_u16..).zip(&one.entries) {
        table.entry(guide.opener(entry)?.id).or_default().push(index);
    }
    let told = |index: &u16| {
        let entry = one.entries.get(usize::from(*index));
        entry
            .and_then(|entry| guide.opener(entry))
            .is_none_or(|rule| rule.discriminators.is_empty())
    };
    for entries in table.values_mut() {
        entries.sort_by_key(told);
    }
    Some(table.into_iter().map(|(id, entries)| (id, entries.into())).collect())
}
