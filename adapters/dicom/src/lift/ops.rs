//! The named operations of the DICOM rows: what places, tests and type maps cannot say. Each is pure: values in, one
//! element out.

use causeway_mapping::ops::{Input, OpDef, Output, private_address};

use super::document::Document;
use crate::adapter::is_uid;

type Op = OpDef<Document>;

/// All of them, by name.
pub(super) static ALL: &[Op] = &[
    Op {
        name: "ae-system",
        reads: &[],
        tables: &[],
        writes: &["uri"],
        each: true,
        doc: "the private address of what an application entity numbers",
        run: ae_system,
    },
    Op {
        name: "date-and-time",
        reads: &[],
        tables: &[],
        writes: &["dateTime"],
        each: false,
        doc: "a date (DA), a time (TM) and an offset from UTC as one time; without an offset of the object or the site the date alone",
        run: date_and_time,
    },
    Op {
        name: "name-text",
        reads: &[],
        tables: &[],
        writes: &["string"],
        each: true,
        doc: "the components of a name's group in their order; with blanks between them where it is in letters",
        run: name_text,
    },
    Op {
        name: "oid-uri",
        reads: &[],
        tables: &[],
        writes: &["uri", "code", "string"],
        each: true,
        doc: "a UID as a URI (RFC 3061)",
        run: oid_uri,
    },
];

fn ae_system(input: &Input<'_, Document>, out: &mut Output<'_>) -> bool {
    let title = input.first().into_owned();
    !title.is_empty() && out.text(&private_address("ae", &title))
}

fn oid_uri(input: &Input<'_, Document>, out: &mut Output<'_>) -> bool {
    let uid = input.first();
    is_uid(&uid) && out.text(&format!("urn:oid:{uid}"))
}

fn name_text(input: &Input<'_, Document>, out: &mut Output<'_>) -> bool {
    let group = input.first();
    let components = group.split('^').filter(|component| !component.is_empty());
    let between = if group.is_ascii() || group.chars().any(|c| c.is_ascii_alphabetic()) {
        " "
    } else {
        ""
    };
    let text = components.collect::<Vec<_>>().join(between);
    out.text(&text)
}

/// DA may have the points of ACR-NEMA, TM its colons (PS3.5 6.2); a leap second counts as the one before.
fn date_and_time(input: &Input<'_, Document>, out: &mut Output<'_>) -> bool {
    let date: String = input.leaf(0).chars().filter(char::is_ascii_digit).collect();
    let time: String = input.leaf(1).chars().filter(|c| *c != ':').collect();
    let offset = input.leaf(2).into_owned();
    let whole = time.replacen("60", "59", usize::from(time.get(4..6) == Some("60")));
    let candidates = [format!("{date}{whole}{offset}"), date];
    // A time without an offset is one where the site has a zone, else `date_time` makes nothing of it.
    let skip = usize::from(time.is_empty());
    let found = candidates.iter().skip(skip).find_map(|text| out.date_time(text));
    found.is_some_and(|text| out.text(&text))
}
