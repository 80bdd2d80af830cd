use super::*;
use crate::delimiters::Delimiters;
use crate::guide::Guide;

const NONE: [&str; 0] = [];

/// The faults of a segment, as `element.component:code`, by the first use of it in a loop.
fn faults(within: &str, text: &str) -> Vec<String> {
    let guide = Guide::of("837", "005010X222A1").unwrap();
    let segment = Segment::cut(text.as_bytes(), Delimiters::USUAL);
    let one = guide.loops.iter().find(|one| one.id.as_str() == within).unwrap();
    let entries = one.opened_by(segment.id().unwrap()).iter();
    let rules = entries.map(|index| guide.opener(&one.entries[usize::from(*index)]).unwrap());
    let rule = rules.into_iter().find(|rule| rule.is_meant(&segment)).unwrap();
    let mut found = Vec::new();
    check(&segment, rule, &mut |problem| {
        found.push(format!(
            "{}.{}:{}",
            problem.element,
            problem.component,
            problem.fault.code()
        ));
    });
    found
}

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(faults("2010AA", "NM1*85*2*CLINIC*****XX*1234567893"), NONE);
    assert_eq!(faults("2400", "SV1*HC:99213:25*-40.50*UN*1***1:2"), NONE);
    assert_eq!(faults("2400", "DTP*472*RD8*20260101-20260131"), NONE);
    assert_eq!(faults("2400", "DTP*472*D8*20240229"), NONE);
}

#[test]
fn usage_is_checked() {
    assert_eq!(faults("2010AA", "NM1*85*2"), ["3.0:1"]);
    assert_eq!(faults("2010BB", "NM1*PR*2*PAYER*X****PI*12"), ["4.0:I10"]);
    assert_eq!(faults("2010BA", "N3*1 MAIN*SUITE*MORE"), ["3.0:3"]);
    assert_eq!(faults("2400", "SV1*HC::25*40*UN*1***1"), ["1.2:1"]);
    assert_eq!(faults("2400", "SV1*HC:99213::::::8*40*UN*1***1"), ["1.8:I10"]);
    assert_eq!(faults("2400", "SV1*HC:99213:::::::9*40*UN*1***1"), ["1.0:13"]);
}

#[test]
fn lengths_and_characters_are_checked() {
    assert_eq!(faults("2010AA", "N4*X*NY*10001"), ["1.0:4"]);
    assert_eq!(faults("2010AA", &format!("N3*{}", "A".repeat(56))), ["1.0:5"]);
    assert_eq!(faults("2300", "AMT*F5*1,5"), ["2.0:6"]);
    assert_eq!(faults("2300", "AMT*F5*1.5.0"), ["2.0:6"]);
    assert_eq!(faults("2010AA", "N3*1 MAIN\u{7}"), ["1.0:6"]);
    assert_eq!(faults("2400", "LX*1.0"), ["1.0:6"]);
    // Sign and point are no digits (X12.6 section 3.5.1.4): 18 digits fit, 19 do not.
    assert_eq!(faults("2300", "AMT*F5*-1234567890123456.78"), NONE);
    assert_eq!(faults("2300", "AMT*F5*1234567890123456.789"), ["2.0:5"]);
}

#[test]
fn codes_dates_and_times_are_checked() {
    assert_eq!(faults("2010AA", "NM1*85*3*CLINIC"), ["2.0:7"]);
    assert_eq!(faults("2400", "DTP*472*D8*20230229"), ["3.0:8"]);
    assert_eq!(faults("2400", "DTP*472*RD8*20260101"), ["3.0:8"]);
    assert_eq!(faults("ST", "BHT*0019*00*1*20261301*1260*CH"), ["4.0:8", "5.0:9"]);
    assert_eq!(faults("2010BA", "DMG*D8*19621"), ["2.0:8", "3.0:1"]);
}

#[test]
fn relations_are_checked() {
    // P0809 of NM1: the qualifier without the number.
    assert_eq!(faults("2010AA", "NM1*85*2*CLINIC*****XX"), ["9.0:2"]);
    // E0207 of N4: state and subdivision exclude each other.
    assert_eq!(faults("2010AA", "N4*CITY*NY*10001*US***XX"), ["7.0:10"]);
    // L050607 and C0605 of CAS: an amount without its reason.
    assert_eq!(faults("2320", "CAS*PR*1*10**20"), ["6.0:2"]);
    assert_eq!(faults("2430", "CAS*PR*1*10***20"), ["5.0:2"]);
}

#[test]
fn repetitions_are_checked() {
    assert_eq!(faults("2010AA", "N3*A^B"), ["1.0:12"]);
}

#[test]
fn what_would_break_the_acknowledgement_is_not_given_back() {
    let segment = Segment::cut(b"N3*A:B*\x07*OK", Delimiters::USUAL);
    assert_eq!(copy(segment.element(1), &segment), None);
    assert_eq!(copy(segment.element(2), &segment), None);
    assert_eq!(copy(segment.element(3), &segment).as_deref(), Some("OK"));
    assert_eq!(copy(&[b'A'; 200], &segment).map(|copy| copy.len()), Some(99));
}
