//! What a sender gets: each defect of a file of claims draws the acknowledgement that X231 and X12.56 ask for. The codes
//! expected here come from the standard's code lists (data elements 620, 621, 618, 716, I18).

mod support;

use bytes::Bytes;
use causeway_core::{Adapter, Answer, Draft, Head, MemorySource, Reply, Severity, Stamp, Verdict};
use causeway_x12::X12;
use std::sync::Arc;
use support::{ISA, claims, file, one, replaced, set};

struct Run {
    drafts: Vec<Draft>,
    commit: Option<Reply>,
    replies: Vec<Reply>,
}

fn stamp() -> Stamp {
    Stamp {
        time: "2026-03-01T12:30:00Z".parse().unwrap(),
        control_id: "CW69A5D3A000000001".to_owned(),
    }
}

/// Everything the gateway does with a file, the chain reduced to its last stage: an error refuses.
fn run_with(text: &str, decide: impl Fn(u32, &mut Draft) -> Verdict) -> Run {
    let adapter = X12::new(&causeway_x12::lift::Options::default()).unwrap();
    let head = Head::File {
        name: "claims.837".to_owned(),
    };
    let mut source = MemorySource(Bytes::copy_from_slice(text.as_bytes()));
    let mut reading = adapter.parse(&head, &mut source).value.expect("an interchange");
    let commit = adapter.commit(&reading, &stamp());
    let (mut sum, mut drafts) = (causeway_x12::reply::Sum::default(), Vec::new());
    while let Some(mut draft) = adapter.next(&mut reading, &mut source, &[7; 32]) {
        let part = u32::try_from(drafts.len()).unwrap();
        let verdict = decide(part, &mut draft);
        drafts.push(draft.clone());
        let answer = Answer {
            verdict,
            part,
            bundle: Arc::new(draft.bundle),
            context: Arc::new(draft.context),
            findings: draft.findings,
            deliveries: Vec::new(),
            rules: None,
        };
        adapter.add(&mut sum, part, &answer);
    }
    let replies = adapter.reply(&reading, sum, &stamp());
    Run {
        drafts,
        commit,
        replies,
    }
}

fn run(text: &str) -> Run {
    run_with(text, |_, draft| {
        let refused = draft.findings.iter().any(|finding| finding.severity == Severity::Error);
        if refused { Verdict::Refused } else { Verdict::Accepted }
    })
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.bytes.to_vec()).unwrap()
}

/// The segments of the acknowledgement from AK2 to AK9.
fn acknowledged(file: &str) -> Vec<String> {
    let run = run(file);
    assert_eq!(run.replies.len(), 1);
    let text = text(&run.replies[0]);
    let segments = text
        .split("~\n")
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned);
    let kept = ["AK2", "IK3", "CTX", "IK4", "IK5", "AK9"];
    segments
        .filter(|segment| kept.iter().any(|name| segment.starts_with(name)))
        .collect()
}

/// What the acknowledgement says of one set that is rejected, between AK2 and IK5.
fn faults(segments: &[String]) -> Vec<String> {
    let all = acknowledged(&one(segments));
    assert!(all[0].starts_with("AK2*837*0001*005010X222A1"), "{all:?}");
    assert_eq!(all.last().unwrap(), "AK9*R*1*1*0", "{all:?}");
    assert!(all[all.len() - 2].starts_with("IK5*R*"), "{all:?}");
    all[1..all.len() - 2].to_vec()
}

#[test]
fn what_is_right_is_accepted() {
    let file = one(&claims(3));
    assert_eq!(
        acknowledged(&file),
        ["AK2*837*0001*005010X222A1", "IK5*A", "AK9*A*1*1*1"]
    );
    let run = run(&file);
    assert_eq!(run.drafts.len(), 3, "one part a claim");
    assert!(
        run.drafts.iter().all(|draft| draft.findings.is_empty()),
        "{:?}",
        run.drafts[0].findings
    );
    assert!(run.replies[0].positive);
}

#[test]
fn the_whole_acknowledgement_is_an_interchange_of_its_own() {
    let run = run(&one(&claims(1)));
    let text = text(&run.replies[0]);
    let segments: Vec<&str> = text.split("~\n").collect();
    let isa = "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *260301*1230*^*00501*";
    assert!(segments[0].starts_with(isa), "{text}");
    assert_eq!(text.find('~'), Some(105), "the header has its width");
    assert!(segments[1].starts_with("GS*FA*PAYER*CLINIC*20260301*123000*"), "{text}");
    assert!(segments[1].ends_with("*X*005010X231A1"), "{text}");
    assert_eq!(
        segments[2..8].join("~"),
        "ST*999*0001*005010X231A1~AK1*HC*77*005010X222A1~AK2*837*0001*005010X222A1~IK5*A~AK9*A*1*1*1~SE*6*0001"
    );
    assert!(
        segments[8].starts_with("GE*1*") && segments[9].starts_with("IEA*1*"),
        "{text}"
    );
}

#[test]
fn ta1_stands_before_any_group_in_its_own_interchange() {
    let run = run(&one(&claims(1)));
    let text = text(run.commit.as_ref().expect("ISA14 asks for one"));
    let segments: Vec<&str> = text.split("~\n").collect();
    assert_eq!(segments[1], "TA1*000000077*260301*1200*A*000");
    assert!(segments[2].starts_with("IEA*0*"), "{text}");
    assert!(!text.contains("GS*"));
}

#[test]
fn nobody_is_told_who_did_not_ask() {
    let file = one(&claims(1)).replacen("*1*T*:~", "*0*T*:~", 1);
    assert!(run(&file).commit.is_none());
}

#[test]
fn a_bad_interchange_is_refused_though_nobody_asked() {
    for (bad, code) in [
        (one(&claims(1)).replace("IEA*1*000000077", "IEA*1*000000078"), "R*001"),
        (one(&claims(1)).replace("IEA*1*", "IEA*2*"), "R*021"),
        (one(&claims(1)).replace("IEA*1*000000077~\n", ""), "R*023"),
        (one(&claims(1)).replace("GS*HC", "ST*837*0009~\nGS*HC"), "R*022"),
        (one(&claims(1)).replacen("*260301*1200*^", "*261301*1200*^", 1), "E*014"),
        (one(&claims(1)).replacen("*T*:~", "*X*:~", 1), "E*020"),
    ] {
        let bad = bad.replacen("*1*T*:~", "*0*T*:~", 1);
        let run = run(&bad);
        let said = text(run.commit.as_ref().expect(code));
        assert!(said.contains(&format!("*{code}~")), "{code}: {said}");
        let rejected = code.starts_with('R');
        assert_eq!(
            run.replies.is_empty(),
            rejected,
            "what is in a rejected interchange is not acknowledged"
        );
        let refused = |draft: &Draft| draft.findings.iter().any(|finding| finding.severity == Severity::Error);
        assert_eq!(run.drafts.iter().all(refused), rejected, "{code}");
    }
}

#[test]
fn a_missing_segment_makes_one_ik3() {
    // In the place of each, by the number of the segment that stands there.
    assert_eq!(faults(&replaced("N3*1 R", &[])), ["IK3*N3*9*2010AA*3"]);
    assert_eq!(
        faults(&replaced("SV1", &[])),
        ["IK3*SV1*25*2400*3", "CTX*CLM01:C0000001"]
    );
    assert_eq!(faults(&replaced("BHT", &[])), ["IK3*BHT*2**3"]);
    assert_eq!(faults(&replaced("REF*EI", &[])), ["IK3*REF*11*2010AA*3"]);
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
    assert_eq!(faults(&replaced("NM1*IL", &[])), ["IK3*NM1*14*2010BA*3"]);
    assert_eq!(faults(&replaced("NM1*40", &[])), ["IK3*NM1*5*1000B*3"]);
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
        ["IK3*NM1*24*2310B*2", "CTX*CLM01:C0000001"]
    );
}

#[test]
fn order_is_checked() {
    let swapped = replaced("N3*1 R", &["N4*SPRINGFIELD*IL*62701", "N3*1 RIVER ROAD"]);
    let mut swapped: Vec<String> = swapped;
    swapped.remove(9); // the N4 that stood behind
    assert_eq!(faults(&swapped), ["IK3*N3*10*2010AA*7"]);
    // A claim's REF inside a line: the line goes on behind it.
    let late = replaced("LX*1", &["LX*1", "REF*F8*LATE"]);
    assert_eq!(faults(&late), ["IK3*REF*25*2300*7", "CTX*CLM01:C0000001"]);
}

#[test]
fn elements_are_told_with_place_number_code_and_copy() {
    let one = |segment: &str, by: &str| faults(&replaced(segment, &[by]));
    assert_eq!(
        one("DMG", "DMG*D8*19621314*F"),
        ["IK3*DMG*17*2010BA*8", "IK4*2*1251*8*19621314"]
    );
    assert_eq!(
        one("SBR", "SBR*Q*18*GRP1******CI"),
        ["IK3*SBR*13*2000B*8", "IK4*1*1138*7*Q"]
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
        ["IK3*NM1*18*2010BB*8", "IK4*9*67*1"]
    );
}

#[test]
fn hierarchy_is_checked() {
    assert_eq!(
        faults(&replaced("HL*2", &["HL*9*1*22*0"])),
        [
            "IK3*HL*12*2000B*8",
            "IK4*1*628*7*9",
            "IK3*HL*32*2000B*8",
            "IK4*1*628*7*3"
        ]
    );
    assert_eq!(
        faults(&replaced("HL*2", &["HL*2*7*22*0"])),
        ["IK3*HL*12*2000B*8", "IK4*2*734*7*7"]
    );
    // A flag that says that levels follow where none do is noted, and the set is taken.
    let flagged = acknowledged(&one(&replaced("HL*2", &["HL*2*1*22*1"])));
    assert_eq!(
        flagged[1..],
        ["IK3*HL*12*2000B*8", "IK4*4*736*I12", "IK5*E*I5", "AK9*E*1*1*1"]
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

#[test]
fn a_group_is_taken_in_part() {
    let bad = replaced("BHT", &[]);
    let sets = [
        set("0001", &claims(1)),
        set("0002", &bad),
        set("0002", &claims(1)),
        set("0003", &claims(1)),
    ];
    let all = acknowledged(&file(&sets));
    let verdicts: Vec<_> = all.iter().filter(|segment| segment.starts_with("IK5")).collect();
    assert_eq!(verdicts, ["IK5*A", "IK5*R*5", "IK5*R*23", "IK5*A"]);
    assert_eq!(all.last().unwrap(), "AK9*P*4*4*2");
}

#[test]
fn every_group_and_every_interchange_is_answered() {
    let group = |id: &str| {
        format!(
            "GS*HC*CLINIC*PAYER*20260301*1200*{id}*X*005010X222A1~\n{}GE*1*{id}~\n",
            set("0001", &claims(1))
        )
    };
    let two = format!("{ISA}\n{}{}IEA*2*000000077~\n", group("1"), group("2"));
    let both = two.clone() + "\n" + &one(&claims(1));
    let run = run(&both);
    assert_eq!((run.replies.len(), run.drafts.len()), (2, 3));
    let first = text(&run.replies[0]);
    assert!(
        first.contains("ST*999*0001") && first.contains("ST*999*0002") && first.contains("AK1*HC*2*"),
        "{first}"
    );
    assert!(first.contains("GE*2*"), "{first}");
    let numbers: Vec<_> = run.replies.iter().map(|reply| text(reply)[90..99].to_owned()).collect();
    assert_ne!(numbers[0], numbers[1], "control numbers of ours differ");
    assert_eq!(text(run.commit.as_ref().unwrap()).matches("TA1*").count(), 2);
}

#[test]
fn acknowledgements_are_never_acknowledged() {
    let ours = text(&run(&one(&claims(1))).replies[0]).replacen("*0*T*:~", "*1*T*:~", 1);
    let answer = run(&ours);
    assert!(answer.replies.is_empty() && answer.commit.is_none());
    assert_eq!(answer.drafts.len(), 1);
    let ta1 = text(run(&one(&claims(1))).commit.as_ref().unwrap()).replacen("*0*T*:~", "*1*T*:~", 1);
    let answer = run(&ta1);
    assert!(answer.replies.is_empty() && answer.commit.is_none());
}

#[test]
fn a_set_without_a_guide_is_checked_for_its_structure() {
    let other = |body: &str, count: u32| {
        format!(
            "{ISA}\nGS*HI*A*B*20260301*1200*5*X*005010X217~\nST*278*0001*005010X217~\n{body}SE*{count}*0001~\nGE*1*5~\nIEA*1*000000077~\n"
        )
    };
    assert_eq!(
        acknowledged(&other("BHT*0007*13*1~\nUM*HS~\n", 4))[1..],
        ["IK5*A", "AK9*A*1*1*1"]
    );
    assert_eq!(
        acknowledged(&other("BHT*0007*13*1~\nUM*HS~\n", 5))[1..],
        ["IK5*R*4", "AK9*R*1*1*0"]
    );
    assert_eq!(
        acknowledged(&other("bht*0007~\n", 3))[1..],
        ["IK3*BHT*2**1", "IK5*R*5", "AK9*R*1*1*0"]
    );
}

#[test]
fn what_rules_say_against_a_claim_rejects_its_set() {
    use causeway_core::{Actor, ActorKind, Class, Finding, Text};
    let remark = |severity| {
        let by = Actor::new(ActorKind::Rule, "claims:duplicate");
        Finding::new(
            "duplicate-claim",
            severity,
            Class::Business,
            by,
            Text::new("重复", "a duplicate"),
        )
        .at_place("ISA[1]/ST[2]/2300[2]/CLM[1]-01")
    };
    let sets = file(&[set("0001", &claims(2)), set("0002", &claims(2))]);
    let refused = run_with(&sets, |part, draft| {
        draft.findings.extend((part == 3).then(|| remark(Severity::Error)));
        if part == 3 { Verdict::Refused } else { Verdict::Accepted }
    });
    let said = text(&refused.replies[0]);
    let segments: Vec<&str> = said
        .split("~\n")
        .filter(|text| text.starts_with("IK") || text.starts_with("AK9"))
        .collect();
    assert_eq!(segments, ["IK5*A", "IK3*CLM*39*2300*8", "IK5*R*I5", "AK9*P*2*2*1"]);
    let remarked = run_with(&sets, |part, draft| {
        draft.findings.extend((part == 3).then(|| remark(Severity::Warning)));
        Verdict::Remarked
    });
    assert!(remarked.replies[0].positive && text(&remarked.replies[0]).contains("AK9*A*2*2*2"));
}

#[test]
fn findings_name_their_place() {
    let mut segments = claims(2);
    let at = segments
        .iter()
        .rposition(|segment| segment.starts_with("REF*6R"))
        .unwrap();
    segments[at] = "REF*6R*".to_owned() + &"9".repeat(51);
    let drafts = run(&one(&segments)).drafts;
    let places: Vec<_> = drafts
        .iter()
        .flat_map(|draft| &draft.findings)
        .map(|one| (one.code.as_ref(), one.place.as_deref()))
        .collect();
    assert_eq!(
        places,
        [
            ("set-rejected", Some("ISA[1]/ST[1]")),
            ("element-too-long", Some("ISA[1]/ST[1]/2400[4]/REF[1]-02"))
        ]
    );
}

#[test]
fn delimiters_of_the_sender_are_used() {
    let file = one(&claims(1))
        .replace("~\n", "~")
        .replace('*', "|")
        .replace(':', ">")
        .replace('~', "\n");
    let run = run(&file);
    let text = text(&run.replies[0]);
    assert!(
        text.starts_with("ISA|00|") && text.contains("\nAK9|A|1|1|1\n") && !text.contains('*'),
        "{text}"
    );
    assert_eq!(run.drafts.len(), 1);
}
