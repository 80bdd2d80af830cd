//! Reads JSON into a tree. The error names line, column and the path reached; depth and size are limited; nothing is
//! allocated by what the text declares. A name that stands twice in an object is an error, since no reader could tell
//! which was meant.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::origin::OriginId;

use super::write::next_escaped;
use super::{NodeId, Tree, Value};

/// How large a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of objects and arrays.
    pub depth: usize,
    /// Bytes of text.
    pub bytes: usize,
    /// Nodes.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            bytes: 64 << 20,
            nodes: 4_000_000,
        }
    }
}

/// Why and where a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason} (in {path})")]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// FHIRPath reached.
    pub path: String,
    /// What is wrong.
    pub reason: &'static str,
}

/// Reads a JSON text.
///
/// # Errors
/// The first place where it is not JSON (RFC 8259), not UTF-8, beyond the limits, or names a member twice.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Tree, JsonError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(error_at(bytes, error.valid_up_to(), "$this".into(), "not UTF-8")),
    };
    let mut tree = Tree::with_capacity(Value::Null, bytes.len() / 16, bytes.len().min(limits.bytes));
    let mut reader = Reader {
        text,
        at: 0,
        limits,
        here: NodeId::ROOT,
    };
    match reader.document(&mut tree) {
        Ok(()) => Ok(tree),
        Err(reason) => Err(error_at(bytes, reader.at, tree.path(reader.here), reason)),
    }
}

fn error_at(bytes: &[u8], at: usize, path: String, reason: &'static str) -> JsonError {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default())
        .chars()
        .count()
        + 1;
    JsonError {
        line,
        column,
        path,
        reason,
    }
}

type Step<T> = Result<T, &'static str>;

/// The names of an object so far. Looking among the members is quickest while they are few; past that a set keeps a
/// hostile object with a million members from costing a million times a million.
#[derive(Default)]
struct Names {
    count: usize,
    set: HashSet<Box<str>>,
}

impl Names {
    const FEW: usize = 32;

    fn is_new(&mut self, tree: &Tree, object: NodeId, name: &str) -> bool {
        self.count += 1;
        if self.count <= Self::FEW {
            return tree.get(object, name).is_none();
        }
        if self.set.is_empty() {
            self.set
                .extend(tree.children(object).map(|member| tree.name(member).into()));
        }
        self.set.insert(name.into())
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    here: NodeId,
}

impl<'a> Reader<'a> {
    fn document(&mut self, tree: &mut Tree) -> Step<()> {
        if self.text.len() > self.limits.bytes {
            return Err("larger than the limit");
        }
        self.space();
        self.value(tree, NodeId::ROOT, 0)?;
        self.space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err("something stands after the end")
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, tree: &mut Tree, node: NodeId, depth: usize) -> Step<()> {
        self.here = node;
        if tree.len() > self.limits.nodes {
            return Err("more nodes than the limit");
        }
        match self.peek() {
            Some(b'{') => self.object(tree, node, depth + 1),
            Some(b'[') => self.array(tree, node, depth + 1),
            Some(b'"') => {
                let text = self.string()?;
                tree.set(node, Value::String(&text), OriginId::GENERATED);
                Ok(())
            }
            Some(b't') => self.word(tree, node, "true", Value::Bool(true)),
            Some(b'f') => self.word(tree, node, "false", Value::Bool(false)),
            Some(b'n') => self.word(tree, node, "null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(tree, node),
            Some(_) => Err("a value must stand here"),
            None => Err("the text ends too early"),
        }
    }

    fn word(&mut self, tree: &mut Tree, node: NodeId, word: &str, value: Value<'_>) -> Step<()> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err("a value must stand here");
        }
        self.at += word.len();
        tree.set(node, value, OriginId::GENERATED);
        Ok(())
    }

    fn number(&mut self, tree: &mut Tree, node: NodeId) -> Step<()> {
        let start = self.at;
        self.skip(b'-');
        if self.skip(b'0') {
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err("a number cannot start with 0");
            }
        } else {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or("0");
        tree.set(node, Value::Number(text), OriginId::GENERATED);
        Ok(())
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn digits(&mut self) -> Step<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err("a digit must stand here")
        }
    }

    fn object(&mut self, tree: &mut Tree, node: NodeId, depth: usize) -> Step<()> {
        self.open(tree, node, depth, Value::Object)?;
        if self.skip(b'}') {
            return Ok(());
        }
        let mut names = Names::default();
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("a member's name must stand here");
            }
            let name = self.string()?;
            if !names.is_new(tree, node, &name) {
                return Err("a name stands twice in an object");
            }
            self.space();
            if !self.skip(b':') {
                return Err("a colon must stand here");
            }
            self.space();
            let member = tree.member(node, &name, Value::Null, OriginId::GENERATED);
            self.value(tree, member, depth)?;
            self.here = node;
            if self.close(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, tree: &mut Tree, node: NodeId, depth: usize) -> Step<()> {
        self.open(tree, node, depth, Value::Array)?;
        if self.skip(b']') {
            return Ok(());
        }
        loop {
            self.space();
            let item = tree.item(node, Value::Null, OriginId::GENERATED);
            self.value(tree, item, depth)?;
            self.here = node;
            if self.close(b']')? {
                return Ok(());
            }
        }
    }

    fn open(&mut self, tree: &mut Tree, node: NodeId, depth: usize, value: Value<'_>) -> Step<()> {
        if depth > self.limits.depth {
            return Err("deeper than the limit");
        }
        self.at += 1;
        tree.set(node, value, OriginId::GENERATED);
        self.space();
        Ok(())
    }

    fn close(&mut self, end: u8) -> Step<bool> {
        self.space();
        if self.skip(end) {
            return Ok(true);
        }
        if self.skip(b',') {
            return Ok(false);
        }
        Err(if self.peek().is_none() {
            "the text ends too early"
        } else {
            "a comma or the end must stand here"
        })
    }

    /// A string: a piece of the text where nothing in it is escaped, as nearly always.
    fn string(&mut self) -> Step<Cow<'a, str>> {
        self.at += 1;
        let plain = self.plain()?;
        if self.skip(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut out = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => out.push(self.escaped()?),
                _ => return Err("a control character in a string"),
            }
            out.push_str(self.plain()?);
        }
    }

    /// What stands as it is, up to the next quote, backslash or control character.
    fn plain(&mut self) -> Step<&'a str> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = next_escaped(rest).ok_or("a string without an end")?;
        let plain = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        Ok(plain)
    }

    fn escaped(&mut self) -> Step<char> {
        self.at += 1;
        let byte = self.peek().ok_or("a string without an end")?;
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err("an unknown escape"),
        })
    }

    fn unicode(&mut self) -> Step<char> {
        let high = self.hex()?;
        if !(0xd800..0xe000).contains(&high) {
            return char::from_u32(high).ok_or("an unknown escape");
        }
        if high >= 0xdc00 || !(self.skip(b'\\') && self.skip(b'u')) {
            return Err("half a surrogate pair");
        }
        let low = self.hex()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err("half a surrogate pair");
        }
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).ok_or("an unknown escape")
    }

    fn hex(&mut self) -> Step<u32> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or("four hex digits must follow")?;
        self.at += 4;
        Ok(value)
    }
}
