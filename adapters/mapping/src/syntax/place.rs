//! Places in a source message, as text tokens. The grammar is one for all formats; what a step means (a segment, a loop,
//! a keyword, an element) is each format's own and not known here.

use std::fmt;

use super::cursor::{Cursor, quote};
use super::span::{Bad, Span};

/// What a place starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The message, read from the anchor or the value in hand.
    Source,
    /// `$NAME`, a parameter of the type map.
    Param(String),
    /// `site:NAME`, a setting of the site.
    Site(String),
}

/// A place: `PID-3[5=MR].4.2`, `2000B/2010BA/NM1-09`, `{363698007 SCT}/ConceptCodeSequence`, `$table`, `site:mrn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it starts.
    pub base: Base,
    /// Its steps, outermost first; empty for parameters and settings.
    pub steps: Vec<Step>,
    /// Where it is written.
    pub span: Span,
}

/// One step between slashes: `NM1-09`, `OBX-5[2].1`, `ORC+OBR`, `PatientName[I].1`, `{125007 DCM}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it names.
    pub head: Head,
    /// Which of the occurrences: `DTP[01=472]`.
    pub select: Vec<Select>,
    /// Fields and components within it.
    pub parts: Vec<Part>,
    /// Where it is written.
    pub span: Span,
}

/// What a step names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A segment, loop, keyword or element; several joined without spaces (`ORC+OBR`) stand for either.
    Names(Vec<String>),
    /// A coded concept, `{363698007 SCT}`.
    Concept {
        /// The code.
        code: String,
        /// The designator of its scheme.
        scheme: String,
    },
}

/// Whether a part is a field or a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `-`: a field or element of a segment.
    Field,
    /// `.`: a component, subcomponent or group.
    Component,
}

/// A field or component: `-09`, `.1`, `-*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which of the two.
    pub mark: Mark,
    /// Its number as written (`09` keeps its zero), `None` for `*`: every one in turn.
    pub number: Option<String>,
    /// Which of its repetitions: `PID-3[2]`.
    pub select: Vec<Select>,
    /// Where it is written.
    pub span: Span,
}

/// Which of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// `[2]`: the second.
    Nth(u32),
    /// `[n]`: the one numbered like the anchor's value.
    Anchor,
    /// `[A]`: by a letter or word the format knows, such as a name group.
    Word(String),
    /// `[5=MR]`, `[01 in 7 8]`: those whose part says so.
    Says {
        /// The part as written, numbers outermost first: `["4", "1"]` for `4.1`.
        part: Vec<String>,
        /// The values that are right.
        values: Vec<String>,
    },
}

impl Place {
    /// Reads a whole text as one place.
    pub fn parse(text: &str, span: Span) -> Result<Self, Bad> {
        let mut cursor = Cursor::new(text, span);
        cursor.skip_space();
        let place = Self::scan(&mut cursor)?;
        cursor.done()?;
        Ok(place)
    }

    /// The name, when the place is one bare word: `patient`, `diag_code`, `XCN`.
    pub fn bare(&self) -> Option<&str> {
        match (&self.base, self.steps.as_slice()) {
            (Base::Source, [step]) => step.bare(),
            _ => None,
        }
    }

    /// The first name of the first step, without its fields: `PID` of `PID-3.4`.
    pub fn first_name(&self) -> Option<&str> {
        match &self.steps.first()?.head {
            Head::Names(names) => names.first().map(String::as_str),
            Head::Concept { .. } => None,
        }
    }

    /// Reads a place at the cursor and leaves the cursor behind it.
    pub(crate) fn scan(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let span = cursor.span();
        let base = match () {
            () if cursor.eat('$') => Base::Param(setting(cursor, "a parameter's name after $")?),
            () if cursor.eat_text("site:") => Base::Site(setting(cursor, "a setting's name after site:")?),
            () => Base::Source,
        };
        let steps = match base {
            Base::Source => steps(cursor)?,
            _ => Vec::new(),
        };
        Ok(Self { base, steps, span })
    }
}

impl Step {
    /// Its name, when it has neither fields nor selectors.
    pub fn bare(&self) -> Option<&str> {
        match &self.head {
            Head::Names(names) if self.select.is_empty() && self.parts.is_empty() => match names.as_slice() {
                [name] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }
}

fn setting(cursor: &mut Cursor<'_>, wanted: &str) -> Result<String, Bad> {
    let name = cursor.take_while(|c| c.is_alphanumeric() || "-_.".contains(c));
    if name.is_empty() {
        return Err(cursor.bad(format!("expected {wanted}, found {}", cursor.found())));
    }
    Ok(name.to_owned())
}

fn steps(cursor: &mut Cursor<'_>) -> Result<Vec<Step>, Bad> {
    cursor.eat_text("./"); // says that a word is a place where it could be a constant or the name of a test
    let mut steps = vec![step(cursor)?];
    while cursor.eat('/') {
        steps.push(step(cursor)?);
    }
    Ok(steps)
}

fn step(cursor: &mut Cursor<'_>) -> Result<Step, Bad> {
    let span = cursor.span();
    let head = if cursor.eat('{') {
        concept(cursor)?
    } else {
        names(cursor)?
    };
    let select = selects(cursor)?;
    let mut parts = Vec::new();
    while let Some(part) = part(cursor)? {
        parts.push(part);
    }
    Ok(Step {
        head,
        select,
        parts,
        span,
    })
}

fn concept(cursor: &mut Cursor<'_>) -> Result<Head, Bad> {
    cursor.skip_space();
    let code = cursor.value("}")?;
    cursor.skip_space();
    let scheme = cursor.value("}")?;
    cursor.skip_space();
    cursor.want('}', "after a concept's code and scheme")?;
    Ok(Head::Concept { code, scheme })
}

fn names(cursor: &mut Cursor<'_>) -> Result<Head, Bad> {
    let mut names = vec![name(cursor)?];
    while cursor.peek() == Some('+') && cursor.peek_second().is_some_and(is_name) {
        cursor.next();
        names.push(name(cursor)?);
    }
    Ok(Head::Names(names))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '@' || c == ':'
}

/// A name; a hyphen belongs to it unless a number or `*` follows, which makes it a field.
fn name(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let mut name = cursor.take_while(is_name).to_owned();
    while cursor.peek() == Some('-') && cursor.peek_second().is_some_and(char::is_alphabetic) {
        cursor.next();
        name.push('-');
        name.push_str(cursor.take_while(is_name));
    }
    if name.is_empty() {
        return Err(cursor.bad(format!("expected a place, found {}", cursor.found())));
    }
    Ok(name)
}

fn part(cursor: &mut Cursor<'_>) -> Result<Option<Part>, Bad> {
    let span = cursor.span();
    let mark = match cursor.peek() {
        Some('-') => Mark::Field,
        Some('.') => Mark::Component,
        _ => return Ok(None),
    };
    cursor.next();
    let number = if cursor.eat('*') { None } else { Some(number(cursor)?) };
    let select = selects(cursor)?;
    Ok(Some(Part {
        mark,
        number,
        select,
        span,
    }))
}

fn number(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let digits = cursor.take_while(|c| c.is_ascii_digit());
    if digits.is_empty() || digits.len() > 4 {
        return Err(cursor.bad(format!(
            "expected a field or component number or *, found {}",
            cursor.found()
        )));
    }
    Ok(digits.to_owned())
}

fn selects(cursor: &mut Cursor<'_>) -> Result<Vec<Select>, Bad> {
    let mut selects = Vec::new();
    while cursor.eat('[') {
        cursor.skip_space();
        selects.push(select(cursor)?);
        cursor.skip_space();
        cursor.want(']', "at the end of a selector")?;
    }
    Ok(selects)
}

fn select(cursor: &mut Cursor<'_>) -> Result<Select, Bad> {
    let at = cursor.span();
    let first = cursor
        .take_while(|c| c.is_alphanumeric() || c == '.' || c == '_')
        .to_owned();
    cursor.skip_space();
    if cursor.eat('=') {
        cursor.skip_space();
        return says(&first, vec![cursor.value("]")?], at);
    }
    if cursor.eat_word("in") {
        return says(&first, values(cursor)?, at);
    }
    if first == "n" {
        return Ok(Select::Anchor);
    }
    match first.parse::<u32>() {
        Ok(0) => Err(Bad::new(at, "selectors count from 1")),
        Ok(nth) => Ok(Select::Nth(nth)),
        Err(_) if first.is_empty() || first.contains('.') => {
            Err(Bad::new(at, "expected [2], [n], [5=MR], [01 in 7 8] or a name group"))
        }
        Err(_) => Ok(Select::Word(first)),
    }
}

fn says(part: &str, values: Vec<String>, at: Span) -> Result<Select, Bad> {
    let part: Vec<String> = part.split('.').map(str::to_owned).collect();
    if part.iter().any(String::is_empty) {
        return Err(Bad::new(at, "a selector names the part that it tests: [5=MR]"));
    }
    Ok(Select::Says { part, values })
}

fn values(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    let mut values = vec![cursor.value("]")?];
    cursor.skip_space();
    while !matches!(cursor.peek(), Some(']') | None) {
        values.push(cursor.value("]")?);
        cursor.skip_space();
    }
    Ok(values)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            Base::Param(name) => write!(f, "${name}"),
            Base::Site(name) => write!(f, "site:{name}"),
            Base::Source => {
                for (n, step) in self.steps.iter().enumerate() {
                    if n > 0 {
                        write!(f, "/")?;
                    }
                    write!(f, "{step}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.head {
            Head::Names(names) => write!(f, "{}", names.join("+"))?,
            Head::Concept { code, scheme } => write!(f, "{{{code} {scheme}}}")?,
        }
        self.select.iter().try_for_each(|select| write!(f, "{select}"))?;
        self.parts.iter().try_for_each(|part| write!(f, "{part}"))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.mark == Mark::Field { '-' } else { '.' };
        write!(f, "{mark}{}", self.number.as_deref().unwrap_or("*"))?;
        self.select.iter().try_for_each(|select| write!(f, "{select}"))
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nth(nth) => write!(f, "[{nth}]"),
            Self::Anchor => write!(f, "[n]"),
            Self::Word(word) => write!(f, "[{word}]"),
            Self::Says { part, values } => {
                let values: Vec<String> = values.iter().map(|value| quote(value)).collect();
                match values.as_slice() {
                    [one] => write!(f, "[{}={one}]", part.join(".")),
                    many => write!(f, "[{} in {}]", part.join("."), many.join(" ")),
                }
            }
        }
    }
}
