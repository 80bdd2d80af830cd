//! From the beginning of an object to its elements: what kind of file it is, how it is encoded, where its metadata ends.
//! Lengths are looked at before anything is done with them, nothing is allocated by one, and nothing behind the first
//! bulk element is read. What is odd is said and never stops the reading before it must.

mod header;
mod start;
mod walk;

use bytes::Bytes;
use causeway_core::Source;

use crate::data_set::DataSet;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::Syntax;
use crate::tag::Tag;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes from the beginning of the object. Default 8 MiB: the largest header without bulk met in public files is
    /// far smaller.
    pub prefix: usize,
    /// Bytes that a deflated data set may become. Default 8 MiB: a deflate stream can grow a thousandfold.
    pub inflated: usize,
    /// Elements, nested ones among them. Default 200,000.
    pub elements: usize,
    /// Depth of sequences. Default 32; structured reports of real systems stay below 15.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            prefix: 8 << 20,
            inflated: 8 << 20,
            elements: 200_000,
            depth: 32,
        }
    }
}

/// Where the reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At the end of the data set: there is no bulk data.
    Whole,
    /// Before a bulk element.
    Bulk(Tag),
    /// Before something that goes beyond the prefix.
    Beyond,
    /// At something that cannot be read.
    Broken,
}

/// The metadata of an object.
#[derive(Debug, Clone)]
pub struct Object {
    /// The file meta information (PS3.10 7.1); empty where there is none.
    pub meta: DataSet,
    /// The data set as far as it was read.
    pub set: DataSet,
    /// Its transfer syntax as it is named; empty where none is.
    pub transfer_syntax: String,
    /// How it really is encoded.
    pub syntax: Syntax,
    /// Where the reading ended.
    pub end: End,
    /// How many bytes of the object were read as metadata; of a deflated one all that were looked at.
    pub length: usize,
}

/// Reads the metadata of an object. Nothing only when there is no DICOM in it.
pub fn read(source: &mut dyn Source, limits: &Limits) -> (Option<Object>, Vec<Problem>) {
    let length = source.len();
    let prefix = length.min(limits.prefix as u64);
    let whole = prefix == length;
    match source.slice(0..prefix) {
        Ok(bytes) => read_bytes(&bytes, whole, limits),
        Err(fault) => (None, vec![Problem::new(ProblemKind::NotDicom, fault.to_string())]),
    }
}

/// Reads the metadata of an object whose beginning is in hand; `whole` says that it is all of it.
pub fn read_bytes(bytes: &Bytes, whole: bool, limits: &Limits) -> (Option<Object>, Vec<Problem>) {
    let mut problems = Vec::new();
    let begin = start::begin(bytes, &mut problems);
    let (meta, at) = start::meta(bytes, begin, limits, &mut problems);
    let named = meta.plain(Tag::TRANSFER_SYNTAX).unwrap_or_default().to_owned();
    let rest = bytes.slice(at.min(bytes.len())..);
    let Some(syntax) = start::syntax(&rest, &named, !meta.elements().is_empty(), &mut problems) else {
        problems.push(Problem::new(ProblemKind::NotDicom, ""));
        return (None, problems);
    };
    let (rest, whole) = if syntax.deflated {
        inflate(&rest, whole, limits, &mut problems)
    } else {
        (rest, whole)
    };
    let walked = walk::walk(&rest, syntax, whole, limits, is_bulk);
    problems.extend(walked.problems);
    let length = if syntax.deflated {
        bytes.len()
    } else {
        at + walked.length
    };
    let object = Object {
        meta,
        set: walked.set,
        transfer_syntax: named,
        syntax,
        end: walked.end,
        length,
    };
    (Some(object), problems)
}

/// How many bytes of a data set are metadata: all before the first bulk element, `None` while that is not in hand yet.
/// `whole` says that there is no more to come. For a transport that must know where to cut.
pub fn metadata_length(bytes: &Bytes, transfer_syntax: &str, whole: bool) -> Option<usize> {
    let syntax = Syntax::of(transfer_syntax);
    let limits = Limits::default();
    let (data, whole_data) = if syntax.deflated {
        inflate(bytes, whole, &limits, &mut Vec::new())
    } else {
        (bytes.clone(), whole)
    };
    let walked = walk::walk(&data, syntax, whole_data, &limits, is_bulk);
    match walked.end {
        End::Beyond if !whole => None,
        _ if syntax.deflated => Some(bytes.len()),
        End::Whole | End::Beyond => Some(bytes.len()),
        End::Bulk(_) | End::Broken => Some(walked.length),
    }
}

fn is_bulk(tag: Tag) -> bool {
    tag >= Tag::BULK && tag.group() != 0xFFFE
}

/// Inflates a data set (PS3.5 A.5) as far as the limit goes.
fn inflate(bytes: &Bytes, whole: bool, limits: &Limits, problems: &mut Vec<Problem>) -> (Bytes, bool) {
    use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
    match decompress_to_vec_with_limit(bytes, limits.inflated) {
        Ok(inflated) => (inflated.into(), true),
        Err(broken) => {
            let cut = broken.status == TINFLStatus::HasMoreOutput
                || (!whole && broken.status == TINFLStatus::FailedCannotMakeProgress);
            if !cut {
                problems.push(Problem::new(ProblemKind::Deflate, ""));
            }
            (broken.output.into(), false)
        }
    }
}

#[cfg(test)]
mod tests;
