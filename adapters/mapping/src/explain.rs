//! Which rows use a place, with what: a text for a person, in reading order, through type maps down to the elements.
//! Rows are only listed, never run.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::reading::{Asked, Role, of_element, of_structure};
use crate::syntax::{
    Bad, ElementFile, ElementRow, How, Library, Make, Place, Span, StructureFile, StructureRow, Target, Test, TypeMap,
};

/// How deep type maps are followed.
const DEPTH: usize = 6;

/// What [`explain`] says of a place that no row uses.
pub const UNREAD: &str = "no row reads it; where a message has it, it is reported";

/// The rows that use a place, as text.
///
/// # Errors
/// When the text is no place.
pub fn explain(library: &Library, place: &str) -> Result<String, Bad> {
    let place = Place::parse(place, Span::default())?;
    let Some(asked) = Asked::of(&place) else {
        return Err(Bad::new(place.span, "ask for a place of a message, such as PID-5"));
    };
    let mut text = format!("{place}\n");
    let mut pages = Pages {
        library,
        text: &mut text,
        shown: BTreeSet::new(),
    };
    for file in library.structures.values() {
        pages.structure(file, &asked);
    }
    let nothing = pages.shown.is_empty();
    if nothing {
        text.push_str("  ");
        text.push_str(UNREAD);
        text.push('\n');
    }
    Ok(text)
}

struct Pages<'a> {
    library: &'a Library,
    text: &'a mut String,
    /// What stands there already: a file shared by several structures is shown once.
    shown: BTreeSet<String>,
}

impl Pages<'_> {
    fn structure(&mut self, file: &StructureFile, asked: &Asked) {
        for row in &file.rows {
            let mut places = of_structure(row);
            let bare = row.at.steps.last().is_some_and(|step| step.parts.is_empty());
            places.retain(|(role, _)| *role != Role::From || !bare || asked.is_whole());
            let roles = roles(&places, asked);
            let files: Vec<&ElementFile> = row
                .fill
                .iter()
                .filter(|_| row.make != Make::Use)
                .filter_map(|part| self.library.elements.get(&part.name))
                .filter(|file| file.rows.iter().any(|row| !roles_of(row, asked).is_empty()))
                .collect();
            if row.make == Make::Use || roles.is_empty() && files.is_empty() {
                continue;
            }
            self.instance(row, &roles);
            for file in files {
                self.element(file, row, asked);
            }
        }
    }

    fn instance(&mut self, row: &StructureRow, roles: &[Role]) {
        let what = made(row);
        let line = format!(
            "  {}  {} makes {what}{}",
            self.library.row_text(row.span),
            row.at,
            said(roles)
        );
        self.shown.insert(line.clone());
        self.line(&line);
    }

    fn element(&mut self, file: &ElementFile, row: &StructureRow, asked: &Asked) {
        let outer = made(row);
        if !self.shown.insert(format!("{} into {outer}", file.name)) {
            let line = format!("    {}.csv, as above", file.name);
            return self.line(&line);
        }
        for row in &file.rows {
            self.row(row, &outer, asked, 2);
        }
    }

    fn row(&mut self, row: &ElementRow, outer: &str, asked: &Asked, depth: usize) {
        let roles = roles_of(row, asked);
        if roles.is_empty() {
            return;
        }
        let path = path(outer, row.to.as_ref());
        let indent = "  ".repeat(depth);
        let mut line = format!("{indent}{}  {}", self.library.row_text(row.span), sentence(row, &path));
        line.push_str(&said(&roles));
        if !row.note.is_empty() {
            write!(line, "  ({})", row.note).unwrap_or(());
        }
        self.line(&line);
        if let (How::TypeMap(map), Some(place)) = (&row.how, row.from.first())
            && roles.contains(&Role::From)
            && depth < DEPTH
        {
            self.type_map(map, &path, &asked.within(map.source(), place), depth + 1);
        }
    }

    fn type_map(&mut self, map: &TypeMap, path: &str, asked: &Asked, depth: usize) {
        if let Some(file) = self
            .library
            .elements
            .get(&map.name)
            .filter(|_| !self.makes_instances(map))
        {
            for row in &file.rows {
                self.row(row, path, asked, depth);
            }
            return;
        }
        let types = self.library.structures.get("types");
        let rows = types
            .into_iter()
            .flat_map(|file| &file.rows)
            .filter(|row| is_made_by(row, map));
        for row in rows {
            let line = format!(
                "{}{}  makes {}",
                "  ".repeat(depth),
                self.library.row_text(row.span),
                made(row)
            );
            self.line(&line);
            for file in row.fill.iter().filter_map(|part| self.library.elements.get(&part.name)) {
                for inner in &file.rows {
                    self.row(inner, &made(row), asked, depth + 1);
                }
            }
        }
    }

    fn makes_instances(&self, map: &TypeMap) -> bool {
        let types = self.library.structures.get("types");
        types.is_some_and(|file| file.rows.iter().any(|row| is_made_by(row, map)))
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// Whether a row of `types.csv` is what a type map on a Reference makes.
pub(crate) fn is_made_by(row: &StructureRow, map: &TypeMap) -> bool {
    row.at.bare() == Some(map.source()) && matches!(&row.make, Make::Resource(kind) if kind == map.target())
}

/// What a structure row makes, in words: `Patient`, `encounter.diagnosis`.
pub(crate) fn made(row: &StructureRow) -> String {
    match &row.make {
        Make::Resource(kind) => kind.clone(),
        Make::Item { name, element } => format!("{name}.{element}"),
        Make::Use => {
            let files: Vec<&str> = row.fill.iter().map(|file| file.name.as_str()).collect();
            format!("what {} says", files.join(" and "))
        }
        Make::Off => "nothing".to_owned(),
    }
}

/// What a row does, in a line.
fn sentence(row: &ElementRow, path: &str) -> String {
    let from = joined(&row.from);
    let from = if from.is_empty() { "always".to_owned() } else { from };
    let when = tests(&row.when);
    let when = if when.is_empty() { when } else { format!(" when {when}") };
    match &row.how {
        How::Ignore | How::Finding(_) | How::Off => format!("{from}{when}: {}", row.how),
        how => format!("{from}{when} -> {path} by {how}"),
    }
}

/// A row's places as its cell writes them.
pub(crate) fn joined(places: &[Place]) -> String {
    let places: Vec<String> = places.iter().map(ToString::to_string).collect();
    places.join(" + ")
}

/// A row's tests as its cell writes them.
pub(crate) fn tests(tests: &[Test]) -> String {
    let tests: Vec<String> = tests.iter().map(ToString::to_string).collect();
    tests.join(" and ")
}

fn path(outer: &str, to: Option<&Target>) -> String {
    match to {
        Some(to) => format!("{outer}.{to}"),
        None => outer.to_owned(),
    }
}

fn roles_of(row: &ElementRow, asked: &Asked) -> Vec<Role> {
    roles(&of_element(row), asked)
}

/// In which parts of a row the place is used.
fn roles(places: &[(Role, &Place)], asked: &Asked) -> Vec<Role> {
    let mut found: BTreeSet<Role> = BTreeSet::new();
    for (role, place) in places {
        if asked.is_read_by(place) {
            found.insert(*role);
        }
        if asked.is_selected_by(place) {
            found.insert(Role::Selector);
        }
    }
    found.into_iter().collect()
}

/// What a row uses the place for, when that is not plain reading.
fn said(roles: &[Role]) -> String {
    if roles.contains(&Role::From) {
        return String::new();
    }
    let words: Vec<&str> = roles
        .iter()
        .filter_map(|role| match role {
            Role::From => None,
            Role::When => Some("tests it"),
            Role::Selector => Some("selects by it"),
            Role::Key => Some("has it in its key"),
            Role::Param => Some("hands it on"),
            Role::Condition => Some("compares it"),
        })
        .collect();
    if words.is_empty() {
        String::new()
    } else {
        format!("  [{}]", words.join(", "))
    }
}

#[cfg(test)]
mod tests;
