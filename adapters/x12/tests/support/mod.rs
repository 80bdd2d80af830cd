//! Files of professional claims for tests and benches, made up for them: every name and number is invented.
#![allow(
    dead_code,
    clippy::expect_used,
    reason = "each test uses its own part of it, and stops where it cannot go on"
)]

pub(crate) mod run;

use std::fmt::Write as _;

/// ISA of the files.
pub(crate) const ISA: &str =
    "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*PAYER          *260301*1200*^*00501*000000077*1*T*:~";

/// Segments of a transaction set between ST and SE for `claims` claims of subscribers who are the patients.
pub(crate) fn claims(claims: usize) -> Vec<String> {
    let mut segments: Vec<String> = [
        "BHT*0019*00*BATCH1*20260301*1200*CH",
        "NM1*41*2*CLINIC BILLING*****46*CLINIC",
        "PER*IC*DESK*TE*5551230000",
        "NM1*40*2*PAYER*****46*PAYER",
        "HL*1**20*1",
        "PRV*BI*PXC*207Q00000X",
        "NM1*85*2*RIVER CLINIC*****XX*1234567893",
        "N3*1 RIVER ROAD",
        "N4*SPRINGFIELD*IL*627010000",
        "REF*EI*123456789",
    ]
    .map(str::to_owned)
    .to_vec();
    for number in 1..=claims {
        segments.push(format!("HL*{}*1*22*0", number + 1));
        segments.push("SBR*P*18*GRP1******CI".to_owned());
        segments.push(format!("NM1*IL*1*MILLER*ANN****MI*M{number:08}"));
        segments.extend(
            [
                "N3*2 HILL STREET",
                "N4*SPRINGFIELD*IL*62701",
                "DMG*D8*19620714*F",
                "NM1*PR*2*PAYER*****PI*PAYER",
            ]
            .map(str::to_owned),
        );
        segments.push(format!("CLM*C{number:07}*140***11:B:1*Y*A*Y*Y"));
        segments.extend(
            [
                "REF*D9*TRACE1",
                "HI*ABK:E119*ABF:I10",
                "NM1*82*1*DOCTOR*DAN****XX*1234567893",
                "PRV*PE*PXC*207Q00000X",
                "LX*1",
                "SV1*HC:99213*100*UN*1***1:2",
                "DTP*472*D8*20260227",
                "REF*6R*LINE1",
                "LX*2",
                "SV1*HC:83036*40*UN*1***1",
                "DTP*472*D8*20260227",
                "REF*6R*LINE2",
            ]
            .map(str::to_owned),
        );
    }
    segments
}

/// A transaction set around segments, with the right count.
pub(crate) fn set(control: &str, segments: &[String]) -> String {
    let mut text = format!("ST*837*{control}*005010X222A1~\n");
    for segment in segments {
        // Writing to a String cannot fail.
        let _written = writeln!(text, "{segment}~");
    }
    let _written = writeln!(text, "SE*{}*{control}~", segments.len() + 2);
    text
}

/// A file with one interchange and one group around transaction sets.
pub(crate) fn file(sets: &[String]) -> String {
    let count = sets.len();
    format!(
        "{ISA}\nGS*HC*CLINIC*PAYER*20260301*1200*77*X*005010X222A1~\n{}GE*{count}*77~\nIEA*1*000000077~\n",
        sets.concat()
    )
}

/// A file of one transaction set.
pub(crate) fn one(segments: &[String]) -> String {
    file(&[set("0001", segments)])
}

/// `claims` with one segment, the nth that begins so, replaced by others.
pub(crate) fn replaced(beginning: &str, by: &[&str]) -> Vec<String> {
    let mut segments = claims(2);
    let at = segments
        .iter()
        .position(|segment| segment.starts_with(beginning))
        .expect("a segment that begins so");
    segments.splice(at..=at, by.iter().map(|text| (*text).to_owned()));
    segments
}
