//! Writes a tree as JSON, compact or pretty. Numbers leave as they came; strings are escaped as RFC 8259 asks and no
//! more.

use super::{Kind, NodeId, Tree};

/// Compact JSON of a node.
pub fn compact(tree: &Tree, node: NodeId) -> String {
    let mut out = Vec::with_capacity(tree.text_len() + tree.len() * 4);
    write_compact(tree, node, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Pretty JSON of a node, two spaces a level, without a line end at the end.
pub fn pretty(tree: &Tree, node: NodeId) -> String {
    let mut out = Vec::with_capacity(tree.text_len() * 2 + tree.len() * 16);
    write(tree, node, Some(0), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends compact JSON of a node.
pub fn write_compact(tree: &Tree, node: NodeId, out: &mut Vec<u8>) {
    write(tree, node, None, out);
}

fn write(tree: &Tree, node: NodeId, level: Option<usize>, out: &mut Vec<u8>) {
    match tree.kind(node) {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::True => out.extend_from_slice(b"true"),
        Kind::False => out.extend_from_slice(b"false"),
        Kind::Number => out.extend_from_slice(tree.text(node).unwrap_or("0").as_bytes()),
        Kind::String => write_string(tree.text(node).unwrap_or(""), out),
        Kind::Object => write_children(tree, node, level, *b"{}", out),
        Kind::Array => write_children(tree, node, level, *b"[]", out),
    }
}

fn write_children(tree: &Tree, node: NodeId, level: Option<usize>, [open, close]: [u8; 2], out: &mut Vec<u8>) {
    out.push(open);
    let mut any = false;
    for child in tree.children(node) {
        if any {
            out.push(b',');
        }
        any = true;
        line(level.map(|level| level + 1), out);
        if open == b'{' {
            write_string(tree.name(child), out);
            out.extend_from_slice(if level.is_some() { b": " } else { b":" });
        }
        write(tree, child, level.map(|level| level + 1), out);
    }
    if any {
        line(level, out);
    }
    out.push(close);
}

fn line(level: Option<usize>, out: &mut Vec<u8>) {
    if let Some(level) = level {
        out.push(b'\n');
        out.resize(out.len() + level * 2, b' ');
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut plain = 0;
    while let Some(found) = next_escaped(bytes.get(plain..).unwrap_or_default()) {
        let at = plain + found;
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        escape(bytes.get(at).copied().unwrap_or(b' '), out);
        plain = at + 1;
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
    out.push(b'"');
}

/// Where the first byte stands that cannot stand in a JSON string as it is. Eight bytes a step: a word's bytes that are
/// below 0x20, a quote or a backslash leave their high bit set.
pub(super) fn next_escaped(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let below = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (below | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5C))) & HIGH;
        if found != 0 {
            let near = number * 8;
            let within = bytes.get(near..near + 8)?.iter().position(|byte| is_escaped(*byte));
            // A borrow may mark a byte behind the one that is meant, never one before it: none is missed.
            if let Some(within) = within {
                return Some(near + within);
            }
        }
    }
    let within = rest.iter().position(|byte| is_escaped(*byte))?;
    Some(words.len() * 8 + within)
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    }
}
