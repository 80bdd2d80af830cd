//! Reads the code tables: which code or name is which analyte in which specimen, and what a specimen's own code says.

use std::collections::HashMap;

use super::fold::fold;
use super::read::{Reading, analyte};
use super::{Code, Limits, Specimen};
use crate::table::{Columns, Record};

const CODES: Columns = Columns {
    required: &["system", "code", "analyte", "specimen"],
    optional: &["note"],
};

const SPECIMENS: Columns = Columns {
    required: &["code", "specimen"],
    optional: &["note"],
};

/// Reads `codes.csv`. The system is `loinc`, `local` (a code of any other system) or `name` (a display or text).
pub(super) fn codes(reading: &mut Reading<'_>, limits: &mut Limits) {
    let key = |record: &Record| format!("{} {}", record.get("system"), fold(record.get("code")));
    for record in reading.table("codes.csv", CODES, key) {
        let (Some(analyte), Some(specimen)) = (analyte(reading, limits, &record), specimen(reading, &record)) else {
            continue;
        };
        let code = Code { analyte, specimen };
        let written = record.get("code");
        match record.get("system") {
            "loinc" if !is_loinc(written) => reading.wrong(
                &record,
                format!("{written} 不是 LOINC 代码（校验位）"),
                format!("{written} is no LOINC code: its check digit is wrong"),
            ),
            "loinc" => drop(limits.loinc.insert(written.into(), code)),
            "local" => keep(&mut limits.local, written, code),
            "name" => keep(&mut limits.names, written, code),
            system => reading.wrong(
                &record,
                format!("system 应为 loinc、local 或 name，而非 {system}"),
                format!("system must be loinc, local or name, not {system:?}"),
            ),
        }
    }
}

/// Reads `specimens.csv`.
pub(super) fn specimens(reading: &mut Reading<'_>, limits: &mut Limits) {
    for record in reading.table("specimens.csv", SPECIMENS, |record| fold(record.get("code"))) {
        if let Some(specimen) = specimen(reading, &record) {
            keep(&mut limits.specimens, record.get("code"), specimen);
        }
    }
}

fn keep<T>(table: &mut HashMap<Box<str>, T>, written: &str, value: T) {
    let folded = fold(written);
    if !folded.is_empty() {
        table.insert(folded.into_boxed_str(), value);
    }
}

fn specimen(reading: &mut Reading<'_>, record: &Record) -> Option<Specimen> {
    let word = record.get("specimen");
    let found = Specimen::of(word);
    if found.is_none() {
        reading.wrong(
            record,
            format!("未知的标本类别 {word}"),
            format!("unknown specimen {word:?}"),
        );
    }
    found
}

/// Whether a code has the form and check digit (modulo 10) of a LOINC code: LOINC Users' Guide, appendix C.
fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else {
        return false;
    };
    let digits: Option<Vec<u32>> = number.chars().map(|digit| digit.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| (1..=7).contains(&digits.len())) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 0 {
                (digit * 2) / 10 + (digit * 2) % 10
            } else {
                *digit
            }
        })
        .sum();
    check == ((10 - sum % 10) % 10).to_string()
}

#[cfg(test)]
mod tests {
    use super::is_loinc;

    #[test]
    fn check_digits_of_published_codes() {
        for code in ["2823-3", "718-7", "6690-2", "10839-9", "89579-7", "24323-8", "1-8"] {
            assert!(is_loinc(code), "{code}");
        }
        for code in ["2823-4", "2832-3", "2823", "-3", "28a3-3", "2823-", "K"] {
            assert!(!is_loinc(code), "{code}");
        }
    }
}
