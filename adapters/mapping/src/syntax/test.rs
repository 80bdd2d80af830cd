//! Tests of the `when` column: a closed list, joined by `and`. They are read here and never run.

use std::fmt;

use super::cursor::{Cursor, quote};
use super::place::Place;
use super::span::{Bad, Span};

/// One test, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// `not` stands before it.
    pub not: bool,
    /// What is tested.
    pub on: Subject,
    /// What must hold of it.
    pub check: Check,
    /// Where it is written.
    pub span: Span,
}

/// What a test looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The value in hand.
    InHand,
    /// A place, parameter or setting.
    Place(Place),
    /// The message's trigger event or transaction.
    Trigger,
    /// The version that the message states.
    Version,
    /// The message itself, for [`Check::Has`].
    Message,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// There is a value.
    Valued,
    /// There is none.
    Absent,
    /// The explicit nothing: `""` in HL7v2, null in JSON.
    Null,
    /// It equals the text.
    Is(String),
    /// It equals one of the texts.
    In(Vec<String>),
    /// A code table has it.
    InTable(TableRef),
    /// It equals what stands at the other place.
    SameAs(Place),
    /// It is a number.
    Number,
    /// It is a number and compares so with the literal.
    NumberIs(Compare, String),
    /// It is a number, or one behind a comparator: `<10`.
    Measure,
    /// The number of its characters compares so.
    Length(Compare, u32),
    /// The number of its occurrences compares so.
    Count(Compare, u32),
    /// The version compares so with the literal, by its numbers.
    VersionIs(Compare, String),
    /// The message has the segment, loop or element.
    Has(Place),
}

/// A code table by name, or by the parameter that names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TableRef {
    /// `table:0001`.
    Name(String),
    /// `table:$table`.
    Param(String),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `=`
    Equal,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

impl Compare {
    /// Whether an ordering is the one asked for.
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Less => "<",
            Self::AtMost => "<=",
        }
    }
}

/// Words that begin a test; a place of that name is written `./count`.
const WORDS: [&str; 12] = [
    "valued", "absent", "null", "is", "in", "same", "number", "measure", "length", "count", "not", "has",
];

impl Test {
    /// Reads a `when` cell.
    pub fn parse(text: &str, span: Span) -> Result<Vec<Self>, Bad> {
        let mut cursor = Cursor::new(text, span);
        cursor.skip_space();
        let mut tests = Vec::new();
        while !cursor.is_done() {
            if !tests.is_empty() && !cursor.eat_word("and") {
                return Err(cursor.bad(format!("expected 'and' between tests, found '{}'", cursor.word_ahead())));
            }
            tests.push(test(&mut cursor)?);
            cursor.skip_space();
        }
        Ok(tests)
    }
}

fn test(cursor: &mut Cursor<'_>) -> Result<Test, Bad> {
    let span = cursor.span();
    let mut not = cursor.eat_word("not");
    let on = subject(cursor)?;
    cursor.skip_space();
    if on != Subject::Message {
        not ^= cursor.eat_word("not");
    }
    let at = cursor.span();
    let (inner, check) = check(cursor, &on)?;
    if matches!(check, Check::VersionIs(..)) != (on == Subject::Version) {
        return Err(Bad::new(at, "only 'version' compares so, as in version >= 2.7"));
    }
    Ok(Test {
        not: not ^ inner,
        on,
        check,
        span,
    })
}

fn subject(cursor: &mut Cursor<'_>) -> Result<Subject, Bad> {
    match cursor.word_ahead() {
        "trigger" => {
            cursor.eat_word("trigger");
            Ok(Subject::Trigger)
        }
        "version" => {
            cursor.eat_word("version");
            Ok(Subject::Version)
        }
        "has" => Ok(Subject::Message),
        word if WORDS.contains(&word) => Ok(Subject::InHand),
        _ => Place::scan(cursor).map(Subject::Place),
    }
}

/// The check, and whether a `not` stood within it (`is not X`).
fn check(cursor: &mut Cursor<'_>, on: &Subject) -> Result<(bool, Check), Bad> {
    let at = cursor.span();
    let word = cursor.word_ahead();
    if let (Subject::Version, Some(compare)) = (on, compare(cursor)) {
        return Ok((false, Check::VersionIs(compare, number(cursor)?)));
    }
    cursor.take_while(|c| !c.is_whitespace());
    cursor.skip_space();
    let plain = |check| Ok((false, check));
    match word {
        "valued" => plain(Check::Valued),
        "absent" => plain(Check::Absent),
        "null" => plain(Check::Null),
        "is" => {
            let not = cursor.eat_word("not");
            Ok((not, Check::Is(cursor.value("")?)))
        }
        "in" => plain(within(cursor)?),
        "same" if cursor.eat_word("as") => plain(Check::SameAs(Place::scan(cursor)?)),
        "number" => plain(number_check(cursor)?),
        "measure" => plain(Check::Measure),
        "length" => plain(Check::Length(wanted(cursor)?, count(cursor)?)),
        "count" => plain(Check::Count(wanted(cursor)?, count(cursor)?)),
        "has" => plain(Check::Has(Place::scan(cursor)?)),
        "" => Err(missing(on, at)),
        _ => Err(Bad::new(at, format!("'{word}' is no test")).nearest_of(word, WORDS)),
    }
}

/// Nothing follows the subject: a bare word was perhaps meant as a test itself.
fn missing(on: &Subject, at: Span) -> Bad {
    let tests = "valued, absent, null, is, in, same as, number, measure, length or count";
    match on {
        Subject::Place(place) => {
            let word = place.to_string();
            Bad::new(place.span, format!("'{word}' is no test and none follows it: {tests}")).nearest_of(&word, WORDS)
        }
        _ => Bad::new(at, format!("a test is missing: {tests}")),
    }
}

fn within(cursor: &mut Cursor<'_>) -> Result<Check, Bad> {
    if cursor.eat_text("table:") {
        return TableRef::scan(cursor, "").map(Check::InTable);
    }
    let mut values = vec![cursor.value("")?];
    cursor.skip_space();
    while !cursor.is_done() && cursor.word_ahead() != "and" {
        values.push(cursor.value("")?);
        cursor.skip_space();
    }
    Ok(Check::In(values))
}

impl TableRef {
    pub(crate) fn scan(cursor: &mut Cursor<'_>, stops: &str) -> Result<Self, Bad> {
        let param = cursor.eat('$');
        let name = cursor.value(stops)?;
        Ok(if param { Self::Param(name) } else { Self::Name(name) })
    }
}

fn number_check(cursor: &mut Cursor<'_>) -> Result<Check, Bad> {
    match compare(cursor) {
        Some(compare) => Ok(Check::NumberIs(compare, number(cursor)?)),
        None => Ok(Check::Number),
    }
}

fn compare(cursor: &mut Cursor<'_>) -> Option<Compare> {
    let compare = match () {
        () if cursor.eat_text(">=") => Compare::AtLeast,
        () if cursor.eat_text("<=") => Compare::AtMost,
        () if cursor.eat('>') => Compare::Greater,
        () if cursor.eat('<') => Compare::Less,
        () if cursor.eat('=') => Compare::Equal,
        () => return None,
    };
    cursor.skip_space();
    Some(compare)
}

fn wanted(cursor: &mut Cursor<'_>) -> Result<Compare, Bad> {
    let bad = cursor.bad(format!("expected =, >, >=, < or <=, found {}", cursor.found()));
    compare(cursor).ok_or(bad)
}

fn number(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let bad = cursor.bad(format!("expected a number, found {}", cursor.found()));
    let text = cursor.take_while(|c| c.is_ascii_digit() || c == '.' || c == '-');
    let body = text.strip_prefix('-').unwrap_or(text);
    let right = !body.is_empty() && body.split('.').all(|digits| !digits.is_empty()) && !body.contains('-');
    if right { Ok(text.to_owned()) } else { Err(bad) }
}

fn count(cursor: &mut Cursor<'_>) -> Result<u32, Bad> {
    let bad = cursor.bad(format!("expected a whole number, found {}", cursor.found()));
    cursor.take_while(|c| c.is_ascii_digit()).parse().map_err(|_| bad)
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Param(name) => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            Subject::Place(place) => write!(f, "{place} ")?,
            Subject::Trigger => write!(f, "trigger ")?,
            Subject::Version => write!(f, "version ")?,
            Subject::InHand | Subject::Message => {}
        }
        if self.not {
            write!(f, "not ")?;
        }
        write!(f, "{}", self.check)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valued => write!(f, "valued"),
            Self::Absent => write!(f, "absent"),
            Self::Null => write!(f, "null"),
            Self::Is(value) => write!(f, "is {}", quote(value)),
            Self::In(values) => {
                let values: Vec<String> = values.iter().map(|value| quote(value)).collect();
                write!(f, "in {}", values.join(" "))
            }
            Self::InTable(table) => write!(f, "in table:{table}"),
            Self::SameAs(place) => write!(f, "same as {place}"),
            Self::Number => write!(f, "number"),
            Self::Measure => write!(f, "measure"),
            Self::NumberIs(compare, number) => write!(f, "number {} {number}", compare.text()),
            Self::Length(compare, count) => write!(f, "length {} {count}", compare.text()),
            Self::Count(compare, count) => write!(f, "count {} {count}", compare.text()),
            Self::VersionIs(compare, number) => write!(f, "{} {number}", compare.text()),
            Self::Has(place) => write!(f, "has {place}"),
        }
    }
}
