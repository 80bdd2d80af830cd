//! Element paths of the `to` column and of items in `make`. Whether FHIR has such an element is checked elsewhere.

use std::fmt;

use super::cursor::Cursor;
use super::span::{Bad, Span};

/// A path of elements within an instance: `participant#attending.individual`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its segments, outermost first; at least one.
    pub segments: Vec<Segment>,
    /// Where it is written.
    pub span: Span,
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The element's name, `extension` for extensions; a choice with its type (`valueQuantity`).
    pub element: String,
    /// For extensions: the short name or URL in the brackets. None where an item of `make` writes its own.
    pub extension: Option<String>,
    /// The label of an item of a repeating element.
    pub label: Option<String>,
    /// Where it is written.
    pub span: Span,
}

impl Target {
    /// Reads a `to` cell; an empty one is no target.
    pub fn parse(text: &str, span: Span) -> Result<Option<Self>, Bad> {
        let mut cursor = Cursor::new(text, span);
        cursor.skip_space();
        if cursor.is_done() {
            return Ok(None);
        }
        let target = Self::scan(&mut cursor)?;
        cursor.done()?;
        Ok(Some(target))
    }

    pub(crate) fn scan(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let span = cursor.span();
        let mut segments = vec![segment(cursor)?];
        while cursor.eat('.') {
            segments.push(segment(cursor)?);
        }
        Ok(Self { segments, span })
    }

    /// Whether this path leads into what `outer` names, label for label.
    pub fn is_inside(&self, outer: &Self) -> bool {
        let same = |(a, b): (&Segment, &Segment)| a.is_same(b);
        self.segments.len() > outer.segments.len() && self.segments.iter().zip(&outer.segments).all(same)
    }
}

impl Segment {
    /// The same element, extension and label, wherever written.
    pub fn is_same(&self, other: &Self) -> bool {
        self.element == other.element && self.extension == other.extension && self.label == other.label
    }
}

fn segment(cursor: &mut Cursor<'_>) -> Result<Segment, Bad> {
    let span = cursor.span();
    let element = cursor.take_while(char::is_alphanumeric).to_owned();
    if element.is_empty() {
        return Err(cursor.bad(format!("expected an element's name, found {}", cursor.found())));
    }
    let extension = if cursor.eat('(') {
        Some(extension(cursor)?)
    } else {
        None
    };
    if extension.is_some() && !matches!(element.as_str(), "extension" | "modifierExtension") {
        return Err(Bad::new(span, "only an extension has brackets"));
    }
    let label = if cursor.eat('#') { Some(label(cursor)?) } else { None };
    Ok(Segment {
        element,
        extension,
        label,
        span,
    })
}

fn extension(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    cursor.skip_space();
    let name = cursor.value(")")?;
    cursor.skip_space();
    cursor.want(')', "after an extension's name")?;
    Ok(name)
}

fn label(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let label = cursor.take_while(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if label.is_empty() {
        return Err(cursor.bad(format!("expected a label after '#', found {}", cursor.found())));
    }
    Ok(label.to_owned())
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, segment) in self.segments.iter().enumerate() {
            if n > 0 {
                write!(f, ".")?;
            }
            write!(f, "{segment}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.element)?;
        if let Some(extension) = &self.extension {
            write!(f, "({extension})")?;
        }
        match &self.label {
            Some(label) => write!(f, "#{label}"),
            None => Ok(()),
        }
    }
}
