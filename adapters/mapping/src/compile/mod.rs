//! From rows to a plan. Names become numbers, places become slots and steps, type maps are inlined and targets become
//! trees in the order of FHIR. What does not fit FHIR was found by the checker before; here it is only left out and said.

mod fill;
mod guard;
mod label;
mod map;
mod place;
mod row;
mod structure;
mod test;
mod tree;

pub(crate) use fill::Scope;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use causeway_profiles::definitions::{CodeSystem, Definitions, r4};

use crate::doc::Format;
use crate::group::Grammar;
use crate::plan::{Code, Codes, Make, MessageKind, Node, Plan, RowTexts, Settings};
use crate::syntax::{Bad, FileId, Level, Library, Part, Place, Problem, Span};
use crate::table::To;

pub(crate) type D<F> = <F as Format>::Doc;

impl<T: crate::doc::Doc> Plan<T> {
    /// Compiles a library for a format. What cannot be compiled is left out and reported.
    pub fn compile<F: Format<Doc = T>>(library: &Library, format: &F) -> (Self, Vec<Problem>) {
        let mut compiler = Compiler::new(library, format);
        let structures = compiler.structures();
        let settings = compiler.settings();
        let problems = library.problems(Level::Error, std::mem::take(&mut compiler.bad));
        let kind = |row: &crate::syntax::MessageRow| MessageKind {
            pattern: row.message.clone(),
            structure: row.structure.clone(),
            fallback: row.note.starts_with("fallback"),
        };
        let messages = library.messages.iter().map(kind).collect();
        let plan = Self {
            structures,
            messages,
            rows: Arc::new(compiler.texts),
            settings: Arc::new(settings),
            stencils: std::sync::Mutex::default(),
        };
        (plan, problems)
    }
}

/// What a type map's own name, its parameters and the fields bound to values mean where a place is compiled.
#[derive(Debug, Clone)]
pub(crate) struct Env {
    /// The kind of group that the anchor opens or stands in.
    pub(crate) kind: u16,
    pub(crate) head: Option<(String, HeadBase)>,
    /// At an anchor that is a value, any type's name in places means that value.
    pub(crate) of_value: bool,
    pub(crate) bound: Vec<Bound>,
    pub(crate) params: Rc<Vec<(String, Arg)>>,
    /// The next free depth of cut values.
    pub(crate) depth: u8,
    /// What the row's own `from` reads, for its tests.
    pub(crate) hand: Option<Sign>,
    /// How deep type maps are inlined.
    pub(crate) nesting: u8,
}

/// What a type's name in places stands for.
#[derive(Debug, Clone)]
pub(crate) enum HeadBase {
    Frame(u8),
    Place(Place, Rc<Env>),
}

/// A field whose value in hand was cut at a depth.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) sign: Sign,
    pub(crate) depth: u8,
    /// Where an item is bound: the place that chose it, as written; none where it is the anchor's.
    pub(crate) chosen: Option<String>,
}

/// A field of an item, whichever of its occurrences and parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sign {
    /// The groups before it and the item's name.
    pub(crate) item: String,
    /// None for the item itself.
    pub(crate) field: Option<String>,
}

/// The value of a parameter.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Text(String, bool),
    Place(Place, Rc<Env>),
}

/// What a parameter or setting that a place names stands for.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// The place is of the source.
    Not,
    /// It is not given.
    Nothing,
    Value(Arg),
}

/// A type map that reads nothing but its value, and whether what it makes may be used again; none when it reads more.
type Shared<T> = (Option<Arc<Node<T>>>, bool);

/// The most that type maps may be nested; one that is deeper calls itself.
const MOST_NESTED: u8 = 12;

pub(crate) struct Compiler<'a, F: Format> {
    pub(crate) library: &'a Library,
    pub(crate) format: &'a F,
    pub(crate) defs: &'static Definitions,
    pub(crate) bad: Vec<Bad>,
    pub(crate) texts: RowTexts,
    row_ids: HashMap<(FileId, u32), u32>,
    tables: BTreeMap<String, Arc<Codes>>,
    extensions: BTreeMap<(Option<String>, String), String>,
    signatures: HashMap<String, u32>,
    pub(crate) grammar: Grammar,
    pub(crate) names: Vec<String>,
    /// Elements that instances make items of: name of the instance, element.
    pub(crate) elements: Vec<(u16, String)>,
    pub(crate) made: HashMap<String, Arc<[Make<D<F>>]>>,
    /// Type maps that read nothing but their value, compiled once for all rows that use them alike.
    pub(crate) shared: HashMap<String, Shared<D<F>>>,
    test_ids: HashMap<String, u32>,
    /// Whether an instance was made of a value.
    pub(crate) makes: bool,
    /// Whether something was read from beyond the value that opens the instance.
    pub(crate) outside: bool,
    /// The places of each make of a name, and its row, for conditions of references. Rows that can never make anything are
    /// not compiled, so makes cannot be told by their number.
    pub(crate) kinds_of_names: Vec<(u16, u16, Option<Place>, u32)>,
}

impl<'a, F: Format> Compiler<'a, F> {
    fn new(library: &'a Library, format: &'a F) -> Self {
        let own = library.extensions.iter();
        Self {
            library,
            format,
            defs: r4(),
            bad: Vec::new(),
            texts: RowTexts::default(),
            row_ids: HashMap::new(),
            tables: BTreeMap::new(),
            extensions: own
                .map(|row| ((row.within.clone(), row.id.clone()), row.url.clone()))
                .collect(),
            signatures: HashMap::new(),
            grammar: Grammar::default(),
            names: Vec::new(),
            elements: Vec::new(),
            made: HashMap::new(),
            shared: HashMap::new(),
            test_ids: HashMap::new(),
            outside: false,
            makes: false,
            kinds_of_names: Vec::new(),
        }
    }

    fn structures(&mut self) -> BTreeMap<String, Arc<crate::plan::Structure<D<F>>>> {
        let used: BTreeSet<&str> = self.library.messages.iter().map(|row| row.structure.as_str()).collect();
        let all = self.library.structures.keys().filter(|name| *name != "types");
        let names: Vec<String> = all
            .filter(|name| used.is_empty() || used.contains(name.as_str()))
            .cloned()
            .collect();
        // Structures of the same rows, as for kinds of messages that differ in their events only, are compiled once.
        let mut known: HashMap<Vec<Span>, Arc<crate::plan::Structure<D<F>>>> = HashMap::new();
        let mut structures = BTreeMap::new();
        for name in names {
            let rows: Vec<Span> = self.rows_of(&name).iter().map(|row| row.span).collect();
            let structure = match known.get(&rows) {
                Some(structure) => Arc::clone(structure),
                None => Arc::new(self.structure(&name)),
            };
            known.insert(rows, Arc::clone(&structure));
            structures.insert(name, structure);
        }
        structures
    }

    fn settings(&mut self) -> Settings {
        let site = &self.library.site;
        let zone = site.zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
        if zone.is_none() && site.zone.is_some() {
            let text = format!("'{}' is no time zone", site.zone.as_deref().unwrap_or(""));
            self.bad.push(Bad::new(Span::default(), text));
        }
        Settings {
            authorities: site.authorities.clone(),
            zone,
        }
    }

    /// The number of a row.
    pub(crate) fn row_id(&mut self, span: Span) -> u32 {
        let next = crate::group::small(self.texts.texts.len());
        let id = *self.row_ids.entry((span.file, span.line)).or_insert(next);
        if id == next {
            self.texts.texts.push(self.library.row_text(span));
        }
        id
    }

    /// The number of a row that was numbered before.
    pub(crate) fn known_row(&self, span: Span) -> Option<u32> {
        self.row_ids.get(&(span.file, span.line)).copied()
    }

    pub(crate) fn say(&mut self, span: Span, text: impl Into<String>) {
        self.bad.push(Bad::new(span, text));
    }

    /// The number of an instance's name.
    pub(crate) fn name(&mut self, name: &str) -> u16 {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return short(at);
        }
        self.names.push(name.to_owned());
        short(self.names.len() - 1)
    }

    pub(crate) fn signature(&mut self, text: String) -> u32 {
        let next = crate::group::small(self.signatures.len());
        *self.signatures.entry(text).or_insert(next)
    }

    /// The number of a test that says the same for one instance.
    pub(crate) fn test_id(&mut self, text: String) -> u32 {
        let next = crate::group::small(self.test_ids.len());
        *self.test_ids.entry(text).or_insert(next)
    }

    pub(crate) fn take_tests(&mut self) -> u32 {
        let count = crate::group::small(self.test_ids.len());
        self.test_ids.clear();
        count
    }

    /// The address of a code system: a short name, or as it is.
    pub(crate) fn system(&self, name: &str) -> String {
        let known = || self.defs.system(name).map(str::to_owned);
        if name.contains(':') || name.is_empty() {
            name.to_owned()
        } else {
            known().unwrap_or_else(|| name.to_owned())
        }
    }

    /// A table, its short names resolved.
    pub(crate) fn table(&mut self, name: &str) -> Option<Arc<Codes>> {
        if let Some(table) = self.tables.get(name) {
            return Some(Arc::clone(table));
        }
        let table = self.library.tables.get(name)?;
        let code = |entry: &crate::table::Entry| Code {
            to: match &entry.to {
                To::Code(code) => Some(code.as_str().into()),
                To::None | To::Same => None,
            },
            none: entry.to == To::None,
            system: self.system(&entry.system).into(),
            closed: match &entry.to {
                To::Code(code) if code.contains("://") => self.defs.code_system(code).filter(CodeSystem::is_complete),
                _ => None,
            },
            display: entry.display.as_str().into(),
        };
        let named = table.entries().filter(|entry| entry.code != "*");
        let entries: Vec<(Box<str>, Code)> = named.map(|entry| (entry.code.as_str().into(), code(entry))).collect();
        let codes = Arc::new(Codes::new(entries, table.rest().map(code)));
        self.tables.insert(name.to_owned(), Arc::clone(&codes));
        Some(codes)
    }

    /// The address of an extension; a nested one has a bare name.
    pub(crate) fn extension_url(&self, short: &str, within: Option<&str>) -> String {
        if short.contains(':') {
            return short.to_owned();
        }
        let own = |within: Option<&str>| {
            self.extensions
                .get(&(within.map(str::to_owned), short.to_owned()))
                .cloned()
        };
        if let Some(outer) = within {
            let nested = self.defs.extension(outer).and_then(|outer| outer.nested_named(short));
            return own(within)
                .or_else(|| nested.map(|found| found.url().to_owned()))
                .unwrap_or_else(|| short.to_owned());
        }
        let known = || self.defs.extension(short).map(|found| found.url().to_owned());
        own(None).or_else(known).unwrap_or_else(|| short.to_owned())
    }
}

pub(crate) fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// A place with further parts behind it.
pub(crate) fn with_parts(place: &Place, parts: &[Part]) -> Place {
    let mut place = place.clone();
    if let Some(last) = place.steps.last_mut() {
        last.parts.extend(parts.iter().cloned());
    }
    place
}
