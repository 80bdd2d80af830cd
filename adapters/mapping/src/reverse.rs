//! The way back: which rows could write their place again from the element, and why the others could not. A listing for
//! those who mend maps; nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Facts;
use crate::explain::{is_made_by, joined};
use crate::primitives::Primitive;
use crate::syntax::{
    Check, ElementFile, ElementRow, How, Library, ParamValue, Segment, Span, Subject, TableRef, Target, TypeMap,
};

/// What becomes of a row on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// It writes its place.
    Writes,
    /// There is nothing to write: it made its element of nothing that the message says.
    Nothing,
    /// Another row writes the place or is known from the same element.
    Other(
        /// The line of that row, in the same file.
        u32,
    ),
    /// What the place said cannot be told from the element.
    Lost(
        /// Why.
        String,
    ),
}

/// One row on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backward {
    /// The row.
    pub row: Span,
    /// What it reads, as it writes it.
    pub from: String,
    /// What it fills, as it writes it.
    pub to: String,
    /// What becomes of it.
    pub back: Back,
}

/// Every element row, with what becomes of it on the way back, in order of files and lines.
pub fn reverse(library: &Library, facts: &Facts<'_>) -> Vec<Backward> {
    let params = table_params(library);
    let mut all = Vec::new();
    for file in library.elements.values() {
        let unknown = unknown_labels(file);
        for (n, row) in file.rows.iter().enumerate() {
            let judge = Judge {
                library,
                facts,
                file,
                params: &params,
                unknown: &unknown,
            };
            all.push(Backward {
                row: row.span,
                from: joined(&row.from),
                to: row.to.as_ref().map(ToString::to_string).unwrap_or_default(),
                back: judge.row(n, row),
            });
        }
    }
    all
}

/// The listing as text: what has no way back, and how many rows have one.
pub fn reverse_text(library: &Library, facts: &Facts<'_>) -> String {
    let all = reverse(library, facts);
    let lines = all.iter().filter_map(|row| match &row.back {
        Back::Lost(why) => Some(lost_line(library, row, why)),
        _ => None,
    });
    let lines: Vec<String> = lines.collect();
    let count = |wanted: fn(&Back) -> bool| all.iter().filter(|row| wanted(&row.back)).count();
    let writes = count(|back| *back == Back::Writes);
    let other = count(|back| matches!(back, Back::Other(_)));
    let nothing = count(|back| *back == Back::Nothing);
    let sum = format!(
        "{} rows: {writes} write their place, {other} leave it to another row, {nothing} have nothing to write, {} have \
         no way back\n",
        all.len(),
        lines.len()
    );
    lines.concat() + &sum
}

fn lost_line(library: &Library, row: &Backward, why: &str) -> String {
    let to = if row.to.is_empty() {
        String::new()
    } else {
        format!(" -> {}", row.to)
    };
    format!("{}: {}{to}: {why}\n", library.row_text(row.row), row.from)
}

/// The tables that calls give to a parameter of a type map, by map and parameter.
fn table_params(library: &Library) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
    let mut found: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for row in library.elements.values().flat_map(|file| &file.rows) {
        let How::TypeMap(map) = &row.how else { continue };
        for param in &map.params {
            if let ParamValue::Text(text) = &param.value {
                let key = (map.name.as_str(), param.name.as_str());
                found.entry(key).or_default().insert(text);
            }
        }
    }
    found
}

/// Labels that nothing but their name tells apart from another of their element.
fn unknown_labels(file: &ElementFile) -> BTreeSet<String> {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for row in &file.rows {
        let Some(to) = &row.to else { continue };
        for (depth, segment) in to.segments.iter().enumerate() {
            if segment.label.is_none() || segment.extension.is_some() {
                continue;
            }
            let path = path(to, depth + 1);
            labels.entry(bare(to, depth + 1)).or_default().insert(path.clone());
            if tells(row, to, depth) {
                known.insert(path);
            }
        }
    }
    let several = labels.into_values().filter(|labels| labels.len() > 1);
    several.flatten().filter(|label| !known.contains(label)).collect()
}

/// Whether a row gives a label a constant by which it is known again.
fn tells(row: &ElementRow, to: &Target, depth: usize) -> bool {
    match &row.how {
        How::Const(_) => to.segments.len() > depth + 1,
        How::TypeMap(map) => {
            to.segments.len() == depth + 1 && map.params.iter().any(|p| matches!(p.value, ParamValue::Text(_)))
        }
        _ => false,
    }
}

fn path(to: &Target, depth: usize) -> String {
    let segments: Vec<String> = to.segments.iter().take(depth).map(Segment::to_string).collect();
    segments.join(".")
}

/// A path whose last label is left out.
fn bare(to: &Target, depth: usize) -> String {
    let mut segments: Vec<String> = to.segments.iter().take(depth - 1).map(Segment::to_string).collect();
    segments.extend(to.segments.get(depth - 1).map(|segment| segment.element.clone()));
    segments.join(".")
}

struct Judge<'a> {
    library: &'a Library,
    facts: &'a Facts<'a>,
    file: &'a ElementFile,
    params: &'a BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
    unknown: &'a BTreeSet<String>,
}

impl Judge<'_> {
    fn row(&self, n: usize, row: &ElementRow) -> Back {
        let back = self.how(row);
        if back != Back::Writes {
            return back;
        }
        if let Some(label) = self.unknown_label(row) {
            return Back::Lost(format!(
                "nothing tells {label} from the other items of its element: give it a constant"
            ));
        }
        match self.first_writer(n, row) {
            Some(line) => Back::Other(line),
            None => Back::Writes,
        }
    }

    fn how(&self, row: &ElementRow) -> Back {
        match &row.how {
            How::Keep => Back::Writes,
            How::TypeMap(map) => self.type_map(map),
            How::Table(table) => self.table(table),
            How::Const(_) => constant(row),
            How::Op(name) => self.op(name),
            How::Ref(reference) if !reference.conditions.is_empty() => Back::Writes,
            How::Ignore => Back::Lost(format!(
                "ignored: {}",
                if row.note.is_empty() {
                    "no reason given"
                } else {
                    &row.note
                }
            )),
            How::Finding(_)
            | How::Default(_)
            | How::Absent(_)
            | How::Ref(_)
            | How::Ordinal(_)
            | How::Ordinals(_)
            | How::Off => Back::Nothing,
        }
    }

    fn type_map(&self, map: &TypeMap) -> Back {
        match Primitive::named(&map.name) {
            Some(Primitive::Name) => return Back::Lost("a name as one text is not split into its parts again".into()),
            Some(_) => return Back::Writes,
            None => {}
        }
        let types = self
            .library
            .structures
            .get("types")
            .into_iter()
            .flat_map(|file| &file.rows);
        let made = types.filter(|row| is_made_by(row, map)).count() > 0;
        if made || self.library.elements.contains_key(&map.name) {
            return Back::Writes; // its own rows are judged by themselves
        }
        Back::Lost(format!("no type map {} is there", map.name))
    }

    fn table(&self, table: &TableRef) -> Back {
        let names: Vec<&str> = match table {
            TableRef::Name(name) => vec![name],
            TableRef::Param(param) => {
                let given = self.params.get(&(self.file.name.as_str(), param.as_str()));
                given.into_iter().flatten().copied().collect()
            }
        };
        let lost: Vec<String> = names.iter().filter_map(|name| self.table_lost(name)).collect();
        if lost.is_empty() {
            Back::Writes
        } else {
            Back::Lost(lost.join("; "))
        }
    }

    /// What a table cannot give back.
    fn table_lost(&self, name: &str) -> Option<String> {
        let table = self.library.tables.get(name)?;
        let codes: Vec<&str> = table.ambiguous().iter().map(|entry| entry.code.as_str()).collect();
        let shown = codes.iter().take(8).copied().collect::<Vec<_>>().join(", ");
        let more = if codes.len() > 8 { " ..." } else { "" };
        (!codes.is_empty())
            .then(|| format!("in table {name} several codes give one, none is marked in 'back': {shown}{more}"))
    }

    fn op(&self, name: &str) -> Back {
        let has = self.facts.ops.iter().any(|op| op.name == name && op.back);
        if has {
            Back::Writes
        } else {
            Back::Lost(format!("op({name}) has no way back"))
        }
    }

    /// The first label of the row's path that nothing tells from its fellows.
    fn unknown_label(&self, row: &ElementRow) -> Option<String> {
        let to = row.to.as_ref()?;
        let paths = (1..=to.segments.len()).map(|depth| path(to, depth));
        paths.into_iter().find(|path| self.unknown.contains(path))
    }

    /// An earlier row that writes the same element on the way back: of several rows for a target the first writes. Rows
    /// told apart by tests are alternatives and write each their own.
    fn first_writer(&self, n: usize, row: &ElementRow) -> Option<u32> {
        let to = row.to.as_ref()?;
        let earlier = self.file.rows.iter().take(n);
        let mut same = earlier.filter(|other| {
            let target = other
                .to
                .as_ref()
                .is_some_and(|target| target.to_string() == to.to_string());
            target && other.when == row.when && self.how(other) == Back::Writes
        });
        same.next().map(|other| other.span.line)
    }
}

/// A constant made of a place says what the place said where its tests do.
fn constant(row: &ElementRow) -> Back {
    let says = |check: &Check| matches!(check, Check::Is(_));
    let from = row.from.first().map(ToString::to_string);
    let of_from = |on: &Subject| match on {
        Subject::InHand => true,
        Subject::Place(place) => Some(place.to_string()) == from,
        _ => false,
    };
    let known = row
        .when
        .iter()
        .any(|test| !test.not && says(&test.check) && of_from(&test.on));
    if known && from.is_some() {
        Back::Writes
    } else {
        Back::Nothing
    }
}

#[cfg(test)]
mod tests;
