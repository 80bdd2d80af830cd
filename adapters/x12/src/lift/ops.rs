//! The named operations of the X12 rows: what places, tests and tables cannot say. Each is pure: values in, one element
//! out. They are listed here and nowhere else.

use causeway_core::fhir::Value as Json;
use causeway_mapping::ops::{Input, OpDef, Output};

use super::document::Document;

type Op = OpDef<Document>;
type In<'a> = Input<'a, Document>;

/// All of them, by name.
pub(super) static ALL: &[Op] = &[
    Op {
        name: "date-time",
        reads: &[],
        tables: &[],
        writes: &["dateTime"],
        each: false,
        doc: "a date and a time of day that stand in two elements",
        run: date_time,
    },
    Op {
        name: "icd-point",
        reads: &[],
        tables: &[],
        writes: &["code"],
        each: false,
        doc: "an ICD code with its point, which X12 leaves out; the qualifier given second tells ICD-9 from ICD-10",
        run: icd_point,
    },
    Op {
        name: "ndc",
        reads: &[],
        tables: &[],
        writes: &["code"],
        each: true,
        doc: "a National Drug Code of ten digits in three groups as eleven without hyphens; eleven stay as they are",
        run: ndc,
    },
    Op {
        name: "procedure-system",
        reads: &[],
        tables: &[],
        writes: &["uri"],
        each: false,
        doc: "the system of a procedure code: HC does not say whether it is CPT or HCPCS level II, the code's form does",
        run: procedure_system,
    },
    Op {
        name: "range",
        reads: &[],
        tables: &[],
        writes: &["Period"],
        each: true,
        doc: "a range of dates, CCYYMMDD-CCYYMMDD (RD8), as a period",
        run: range,
    },
];

fn write(text: &str, out: &mut Output<'_>) -> bool {
    !text.is_empty() && out.value(Json::String(text)).is_some()
}

fn date_time(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let (date, time) = (input.leaf(0), input.leaf(1));
    let (date, time) = (date.trim(), time.trim());
    let whole = out.date_time(&format!("{date}{time}"));
    let made = whole.or_else(|| out.date_time(date));
    made.is_some_and(|made| write(&made, out))
}

/// ICD-9-CM has its point behind the third character, behind the fourth of an external cause (E800 to E999); ICD-10-CM
/// behind the third. ICD-9 is what the qualifiers BK, BF, BJ, BN and PR say.
fn icd_point(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let (code, qualifier) = (input.leaf(0), input.leaf(1));
    let code = code.trim();
    let ninth = !qualifier.trim().starts_with('A');
    let head = if ninth && code.starts_with('E') { 4 } else { 3 };
    match (code.get(..head), code.get(head..)) {
        (Some(head), Some(rest)) if !rest.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            write(&format!("{head}.{rest}"), out)
        }
        _ => write(code, out),
    }
}

fn ndc(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let code = input.first();
    let groups: Vec<&str> = code.trim().split('-').collect();
    let digits = groups
        .iter()
        .all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    match groups.as_slice() {
        [labeler, product, package] if digits && code.trim().len() == 12 => {
            write(&format!("{labeler:0>5}{product:0>4}{package:0>2}"), out)
        }
        _ => write(code.trim(), out),
    }
}

/// CPT (HCPCS level I) is five characters, four digits first; HCPCS level II is a letter from A to V and four digits.
fn procedure_system(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let (qualifier, code) = (input.leaf(0), input.leaf(1));
    if qualifier.trim() != "HC" {
        return false;
    }
    match code.trim().as_bytes() {
        [letter @ b'A'..=b'V', digits @ ..] if is_digits(digits) && letter.is_ascii() => {
            write("https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", out)
        }
        [digits @ .., last] if is_digits(digits) && last.is_ascii_alphanumeric() => {
            write("http://www.ama-assn.org/go/cpt", out)
        }
        _ => false,
    }
}

fn is_digits(bytes: &[u8]) -> bool {
    bytes.len() == 4 && bytes.iter().all(u8::is_ascii_digit)
}

fn range(input: &In<'_>, out: &mut Output<'_>) -> bool {
    let text = input.first();
    let Some((start, end)) = text.trim().split_once('-') else {
        return false;
    };
    let (Some(start), Some(end)) = (out.date_time(start), out.date_time(end)) else {
        return false;
    };
    // FHIR forbids a period that ends before it starts (R4 per-1); the ledger then says that nothing came of it.
    let sound = start.len() == end.len() && start <= end;
    let Some(period) = out.object().filter(|_| sound) else {
        return false;
    };
    out.put(period, "start", Json::String(&start));
    out.put(period, "end", Json::String(&end));
    true
}
