//! The `how` column: in which way a value becomes an element. A closed list; what a row cannot say is a named operation.

mod display;

use super::cursor::Cursor;
use super::place::{Base, Place};
use super::span::{Bad, Span};
use super::test::TableRef;

/// In which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// `CX.Identifier(type=VN)`: a type map.
    TypeMap(TypeMap),
    /// The text as it is.
    Keep,
    /// `table:0001`, `table:$table`.
    Table(TableRef),
    /// `const(V)`, `const(SYSTEM|CODE)`.
    Const(Constant),
    /// `default(V)`: a constant that never replaces what is stored.
    Default(Constant),
    /// `absent(CODE)`: a data-absent-reason.
    Absent(String),
    /// `ref(...)`.
    Ref(Ref),
    /// `ordinal`, `ordinal(NAME)`: number of the item in its element, or of the nearest of the name.
    Ordinal(Option<String>),
    /// `ordinal(NAME*)`: the numbers of all of the name below the anchor.
    Ordinals(String),
    /// `op(NAME)`: a named operation.
    Op(String),
    /// `finding(CODE)`: a remark, no element.
    Finding(String),
    /// Read and left out; the note says why.
    Ignore,
    /// In an overlay: the base's row is switched off.
    Off,
}

/// A type map with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMap {
    /// `CX.Identifier`: what it reads, a dot, what it makes.
    pub name: String,
    /// Its parameters, in the order written.
    pub params: Vec<Param>,
}

impl TypeMap {
    /// What it reads: `CX`.
    pub fn source(&self) -> &str {
        self.name
            .split_once('.')
            .map_or(self.name.as_str(), |(source, _)| source)
    }

    /// What it makes: `Identifier`, `dateTime`.
    pub fn target(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, target)| target)
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<&ParamValue> {
        self.params
            .iter()
            .find(|param| param.name == name)
            .map(|param| &param.value)
    }
}

/// A parameter given to a type map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name, without `$`.
    pub name: String,
    /// Its value.
    pub value: ParamValue,
    /// Where it is written.
    pub span: Span,
}

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A constant text.
    Text(String),
    /// A place, a parameter handed on, or a site setting.
    Place(Place),
}

/// A constant, in one or two halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// The system of a coding: a short name, a URL or a setting.
    pub system: Option<Literal>,
    /// The code or value.
    pub value: Literal,
}

/// Half of a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// As written.
    Text(String),
    /// `site:NAME`.
    Site(String),
    /// `$NAME`.
    Param(String),
}

/// A reference to another instance of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// The name in `as`.
    pub name: String,
    /// Which of them.
    pub scope: Scope,
    /// Pairs that must be equal: the other instance's place, the place here.
    pub conditions: Vec<(Place, Place)>,
    /// Where it is written.
    pub span: Span,
}

/// Which instances a reference considers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `ref(NAME)`: the nearest, from the own group outward. With conditions: any in the message.
    Nearest,
    /// `ref(NAME here)`: the own group only.
    Here,
    /// `ref(NAME*)`: all below the anchor. With conditions: all in the message.
    All,
    /// `ref(NAME below PLACE)`: those of the enclosing group that the place puts below this one. The place stands twice in
    /// the conditions.
    Below,
}

/// Words that are ways by themselves or before a bracket.
const WORDS: [&str; 12] = [
    "keep", "const", "default", "absent", "ref", "ordinal", "op", "finding", "ignore", "off", "table:", "site:",
];

impl How {
    /// Reads a `how` cell.
    pub fn parse(text: &str, span: Span) -> Result<Self, Bad> {
        let mut cursor = Cursor::new(text, span);
        cursor.skip_space();
        let how = how(&mut cursor)?;
        cursor.done()?;
        Ok(how)
    }
}

fn how(cursor: &mut Cursor<'_>) -> Result<How, Bad> {
    let at = cursor.span();
    if cursor.eat_text("table:") {
        return TableRef::scan(cursor, "").map(How::Table);
    }
    let word = cursor.take_while(|c| c.is_alphanumeric() || "._-".contains(c));
    let open = cursor.eat('(');
    let how = match (word, open) {
        ("keep", false) => How::Keep,
        ("ignore", false) => How::Ignore,
        ("off", false) => How::Off,
        ("ordinal", false) => How::Ordinal(None),
        ("ordinal", true) => {
            let name = name(cursor)?;
            if cursor.eat('*') {
                How::Ordinals(name)
            } else {
                How::Ordinal(Some(name))
            }
        }
        ("const", true) => How::Const(constant(cursor)?),
        ("default", true) => How::Default(constant(cursor)?),
        ("absent", true) => How::Absent(name(cursor)?),
        ("op", true) => How::Op(name(cursor)?),
        ("finding", true) => How::Finding(name(cursor)?),
        ("ref", true) => How::Ref(reference(cursor, at)?),
        (word, open) => return type_map(cursor, word, open, at),
    };
    if open {
        cursor.skip_space();
        cursor.want(')', "at the end")?;
    }
    Ok(how)
}

fn type_map(cursor: &mut Cursor<'_>, word: &str, open: bool, at: Span) -> Result<How, Bad> {
    let name = word.to_owned();
    let halves = word.split_once('.');
    if halves.is_none_or(|(source, target)| source.is_empty() || target.is_empty()) {
        return Err(unknown(word, cursor.rest(), at));
    }
    let mut params: Vec<Param> = Vec::new();
    cursor.skip_space();
    while open && !cursor.eat(')') {
        let param = param(cursor)?;
        if params.iter().any(|before| before.name == param.name) {
            return Err(Bad::new(
                param.span,
                format!("the parameter {} is given twice", param.name),
            ));
        }
        params.push(param);
        cursor.skip_space();
    }
    Ok(How::TypeMap(TypeMap { name, params }))
}

fn unknown(word: &str, rest: &str, at: Span) -> Bad {
    if word.is_empty() && rest.is_empty() {
        return Bad::new(at, "'how' is empty: say what becomes of the value");
    }
    let text = format!(
        "'{word}{}' is no way to fill an element",
        rest.chars().take(1).collect::<String>()
    );
    Bad::new(at, text).nearest_of(word, WORDS)
}

fn name(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    cursor.skip_space();
    let name = cursor.take_while(|c| c.is_alphanumeric() || "._-:/".contains(c));
    if name.is_empty() {
        return Err(cursor.bad(format!("expected a name, found {}", cursor.found())));
    }
    Ok(name.to_owned())
}

fn constant(cursor: &mut Cursor<'_>) -> Result<Constant, Bad> {
    cursor.skip_space();
    let first = literal(cursor)?;
    cursor.skip_space();
    if !cursor.eat('|') {
        return Ok(Constant {
            system: None,
            value: first,
        });
    }
    cursor.skip_space();
    Ok(Constant {
        system: Some(first),
        value: literal(cursor)?,
    })
}

/// A literal runs to `|` or `)` and may hold spaces between its words.
fn literal(cursor: &mut Cursor<'_>) -> Result<Literal, Bad> {
    if cursor.eat_text("site:") {
        return name(cursor).map(Literal::Site);
    }
    if cursor.eat('$') {
        return name(cursor).map(Literal::Param);
    }
    if cursor.peek() == Some('\'') {
        return cursor.value("").map(Literal::Text);
    }
    let text = cursor.take_while(|c| c != '|' && c != ')').trim_end();
    if text.is_empty() {
        return Err(cursor.bad(format!("expected a constant, found {}", cursor.found())));
    }
    Ok(Literal::Text(text.to_owned()))
}

fn param(cursor: &mut Cursor<'_>) -> Result<Param, Bad> {
    let span = cursor.span();
    let name = cursor
        .take_while(|c| c.is_alphanumeric() || c == '-' || c == '_')
        .to_owned();
    if name.is_empty() {
        return Err(cursor.bad(format!(
            "expected a parameter such as type=VN, found {}",
            cursor.found()
        )));
    }
    cursor.skip_space();
    cursor.want('=', "after a parameter's name")?;
    cursor.skip_space();
    let value = param_value(cursor)?;
    Ok(Param { name, value, span })
}

/// A constant, unless it is written as a place: with `$`, `site:`, a slash, or a field or component number.
fn param_value(cursor: &mut Cursor<'_>) -> Result<ParamValue, Bad> {
    if cursor.peek() == Some('\'') {
        return cursor.value("").map(ParamValue::Text);
    }
    let mut ahead = cursor.clone();
    if let Ok(place) = Place::scan(&mut ahead) {
        let ends = matches!(ahead.peek(), Some(')') | None) || ahead.peek().is_some_and(char::is_whitespace);
        let dotted = cursor.rest().starts_with("./");
        if ends && (dotted || has_look_of_place(&place)) {
            *cursor = ahead;
            return Ok(ParamValue::Place(place));
        }
    }
    cursor.value(")").map(ParamValue::Text)
}

pub(super) fn has_look_of_place(place: &Place) -> bool {
    place.base != Base::Source
        || place.steps.len() > 1
        || place
            .steps
            .iter()
            .any(|step| !step.parts.is_empty() || !step.select.is_empty() || step.bare().is_none())
}

fn reference(cursor: &mut Cursor<'_>, span: Span) -> Result<Ref, Bad> {
    let name = name(cursor)?;
    let mut scope = Scope::Nearest;
    if cursor.eat('*') {
        scope = Scope::All;
    }
    cursor.skip_space();
    if scope == Scope::Nearest && cursor.eat_text("here") {
        scope = Scope::Here;
        cursor.skip_space();
    }
    let mut conditions = Vec::new();
    if scope == Scope::Nearest && cursor.eat_word("below") {
        scope = Scope::Below;
        cursor.skip_space();
        let place = Place::scan(cursor)?;
        conditions.push((place.clone(), place));
        cursor.skip_space();
    }
    while scope != Scope::Below && cursor.eat(',') {
        cursor.skip_space();
        let there = Place::scan(cursor)?;
        cursor.skip_space();
        cursor.want('=', "between the two places")?;
        cursor.skip_space();
        conditions.push((there, Place::scan(cursor)?));
        cursor.skip_space();
    }
    Ok(Ref {
        name,
        scope,
        conditions,
        span,
    })
}
