//! The two small files beside the maps: extensions of our own or of others, and which structure a message has.

use super::cells::{Record, Sheet};
use super::span::{Bad, FileId, Span};

/// A row of `extensions.csv`: an extension that the definitions do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionRow {
    /// The short name that rows write.
    pub id: String,
    /// Its URL; relative inside a complex extension.
    pub url: String,
    /// The types its value may have; `extension` for one that holds extensions instead.
    pub types: Vec<String>,
    /// For a part of a complex extension, the short name of that.
    pub within: Option<String>,
    /// The elements it may stand at, `*` for any.
    pub context: String,
    /// Where it comes from.
    pub note: String,
    /// Where the row begins.
    pub span: Span,
}

/// A row of `messages.csv`: the structure of a kind of message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// What the message says it is: a type, or type and trigger with `^` between, `*` for any: `ORU^R01`, `ADT^*`.
    pub message: String,
    /// The structure file that reads it.
    pub structure: String,
    /// The clause.
    pub note: String,
    /// Where the row begins.
    pub span: Span,
}

const EXTENSION_COLUMNS: [&str; 6] = ["id", "url", "types", "within", "context", "note"];
/// A message is said in one cell, or by type and trigger in two.
const MESSAGE_COLUMNS: [&str; 5] = ["message", "type", "trigger", "structure", "note"];

pub(crate) fn read_extensions(text: &str, file: FileId, bad: &mut Vec<Bad>) -> Vec<ExtensionRow> {
    let Some(sheet) = Sheet::read(text, file, &EXTENSION_COLUMNS, &["id", "url"], bad) else {
        return Vec::new();
    };
    sheet.check_width(bad);
    let row = |record: &Record| ExtensionRow {
        id: sheet.cell(record, "id").text,
        url: sheet.cell(record, "url").text,
        types: words(&sheet.cell(record, "types").text),
        context: sheet.cell(record, "context").text,
        within: Some(sheet.cell(record, "within").text).filter(|name| !name.is_empty()),
        note: sheet.cell(record, "note").text,
        span: record.span,
    };
    let rows: Vec<ExtensionRow> = sheet.rows.iter().map(row).collect();
    for row in rows.iter().filter(|row| row.id.is_empty() || row.url.is_empty()) {
        bad.push(Bad::new(row.span, "an extension has an id and a url"));
    }
    rows
}

pub(crate) fn read_messages(text: &str, file: FileId, bad: &mut Vec<Bad>) -> Vec<MessageRow> {
    let Some(sheet) = Sheet::read(text, file, &MESSAGE_COLUMNS, &["structure"], bad) else {
        return Vec::new();
    };
    sheet.check_width(bad);
    let message = |record: &Record| {
        let cell = |column| sheet.cell(record, column).text;
        let (whole, kind) = (cell("message"), cell("type"));
        if kind.is_empty() {
            whole
        } else {
            format!("{kind}^{}", cell("trigger"))
        }
    };
    let row = |record: &Record| MessageRow {
        message: message(record),
        structure: sheet.cell(record, "structure").text,
        note: sheet.cell(record, "note").text,
        span: record.span,
    };
    sheet.rows.iter().map(row).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
