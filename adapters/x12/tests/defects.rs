//! Each defect of a transaction set of claims draws the codes that X231 asks for. The codes expected here come from the
//! standard's code lists (data elements 620, 621, 618, 716).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on stops"
)]

mod support;

use support::run::{acknowledged, faults};
use support::{claims, one, replaced};

#[test]
fn a_missing_segment_makes_one_ik3() {
    // In the place of each, by the number of the segment that stands there.
    assert_eq!(faults(&replaced("N3*1 R", &[])), ["IK3*N3*9*2010*3"]);
    assert_eq!(
        faults(&replaced("SV1", &[])),
        ["IK3*SV1*25*2400*3", "CTX*CLM01:C0000001"]
    );
    assert_eq!(faults(&replaced("BHT", &[])), ["IK3*BHT*2**3"]);
    assert_eq!(faults(&replaced("REF*EI", &[])), ["IK3*REF*11*2010*3"]);
}

/// Where the segment that opens a loop is missing, the rest of the loop is still known: no error follows from the error.
#[test]
fn a_missing_loop_start_makes_one_ik3() {
    assert_eq!(
        faults(&replaced("LX*1", &[])),
        ["IK3*LX*24*2400*3", "CTX*CLM01:C0000001"]
    );
    assert_eq!(
        faults(&replaced("LX*2", &[])),
        ["IK3*LX*28*2400*3", "CTX*CLM01:C0000001"]
    );
    assert_eq!(faults(&replaced("NM1*IL", &[])), ["IK3*NM1*14*2010*3"]);
    assert_eq!(faults(&replaced("NM1*40", &[])), ["IK3*NM1*5*1000*3"]);
    assert_eq!(faults(&replaced("CLM", &[])), ["IK3*CLM*19*2300*3"]);
}

#[test]
fn what_may_not_stand_is_said_once() {
    assert_eq!(
        faults(&replaced("REF*D9", &["REF*D9*1", "REF*D9*2"])),
        ["IK3*REF*21*2300*5", "CTX*CLM01:C0000001"]
    );
    assert_eq!(
        faults(&replaced("REF*D9", &["QTY*PT*1"])),
        ["IK3*QTY*20*2300*2", "CTX*CLM01:C0000001"]
    );
    assert_eq!(
        faults(&replaced("REF*D9", &["UM*HS"])),
        ["IK3*UM*20*2300*6", "CTX*CLM01:C0000001"]
    );
    assert_eq!(
        faults(&replaced("REF*D9", &["lower*1"])),
        ["IK3*LOW*20*2300*1", "CTX*CLM01:C0000001"]
    );
    // A provider loop that no loop knows, with its own segments.
    let unknown = ["PRV*PE*PXC*207Q00000X", "NM1*ZQ*1*NOBODY", "N3*X1", "N4*TOWN*IL*62701"];
    assert_eq!(
        faults(&replaced("PRV*PE", &unknown)),
        ["IK3*NM1*24*2310*2", "CTX*CLM01:C0000001"]
    );
}

#[test]
fn order_is_checked() {
    let swapped = replaced("N3*1 R", &["N4*SPRINGFIELD*IL*62701", "N3*1 RIVER ROAD"]);
    let mut swapped: Vec<String> = swapped;
    swapped.remove(9); // the N4 that stood behind
    assert_eq!(faults(&swapped), ["IK3*N3*10*2010*7"]);
    // A claim's REF inside a line: the line goes on behind it.
    let late = replaced("LX*1", &["LX*1", "REF*F8*LATE"]);
    assert_eq!(faults(&late), ["IK3*REF*25*2300*7", "CTX*CLM01:C0000001"]);
}

#[test]
fn elements_are_told_with_place_number_code_and_copy() {
    let one = |segment: &str, by: &str| faults(&replaced(segment, &[by]));
    assert_eq!(
        one("DMG", "DMG*D8*19621314*F"),
        ["IK3*DMG*17*2010*8", "IK4*2*1251*8*19621314"]
    );
    assert_eq!(
        one("SBR", "SBR*Q*18*GRP1******CI"),
        ["IK3*SBR*13*2000*8", "IK4*1*1138*7*Q"]
    );
    assert_eq!(
        one("SV1", "SV1*HC:99213::::::8*100*XX*1***1:2"),
        [
            "IK3*SV1*25*2400*8",
            "CTX*CLM01:C0000001",
            "IK4*1:8*234*I10*8",
            "IK4*3*355*7*XX"
        ]
    );
    assert_eq!(
        one("HI", "HI*ABK:E119*ZZ:I10"),
        ["IK3*HI*21*2300*8", "CTX*CLM01:C0000001", "IK4*2:1*1270*7*ZZ"]
    );
    assert_eq!(
        one("REF*D9", "REF*ZZ*1"),
        ["IK3*REF*20*2300*8", "CTX*CLM01:C0000001", "IK4*1*128*7*ZZ"]
    );
    assert_eq!(
        one("NM1*PR", "NM1*PR*2*PAYER*****PI"),
        ["IK3*NM1*18*2010*8", "IK4*9*67*1"]
    );
}

#[test]
fn hierarchy_is_checked() {
    assert_eq!(
        faults(&replaced("HL*2", &["HL*9*1*22*0"])),
        ["IK3*HL*12*2000*8", "IK4*1*628*7*9", "IK3*HL*32*2000*8", "IK4*1*628*7*3"]
    );
    assert_eq!(
        faults(&replaced("HL*2", &["HL*2*7*22*0"])),
        ["IK3*HL*12*2000*8", "IK4*2*734*7*7"]
    );
    // A flag that says that levels follow where none do is noted, and the set is taken.
    let flagged = acknowledged(&one(&replaced("HL*2", &["HL*2*1*22*1"])));
    assert_eq!(
        flagged[1..],
        ["IK3*HL*12*2000*8", "IK4*4*736*I12", "IK5*E*I5", "AK9*E*1*1*1"]
    );
}

#[test]
fn trailers_are_checked() {
    let set = |bad: (&str, &str)| {
        let all = acknowledged(&one(&claims(1)).replace(bad.0, bad.1));
        all[1..].to_vec()
    };
    assert_eq!(set(("SE*32*", "SE*31*")), ["IK5*R*4", "AK9*R*1*1*0"]);
    assert_eq!(set(("SE*32*0001", "SE*32*0002")), ["IK5*R*3", "AK9*R*1*1*0"]);
    assert_eq!(set(("SE*32*0001~\n", "")), ["IK5*R*2", "AK9*R*1*1*0"]);
    assert_eq!(set(("GE*1*77", "GE*2*77")), ["IK5*A", "AK9*R*2*1*0*5"]);
    assert_eq!(set(("GE*1*77", "GE*1*78")), ["IK5*A", "AK9*R*1*1*0*4"]);
    assert_eq!(set(("GE*1*77~\n", "")), ["IK5*A", "AK9*R*1*1*0*3"]);
    assert_eq!(set(("GS*HC", "GS*HP")), ["IK5*R*18", "AK9*R*1*1*0"]);
}
