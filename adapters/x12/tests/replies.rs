//! What a sender gets: TA1, 999 or nothing, for what came of the file as a whole (X231, X12.56). What single defects draw
//! is in `defects.rs`.
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

use causeway_core::{Draft, Severity, Verdict};
use support::run::{acknowledged, run, run_with, text};
use support::{ISA, claims, file, one, replaced, set};

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

/// A 999 is of version 005010, so its interchange is of 00501, though what it answers may be older.
#[test]
fn an_older_interchange_is_answered_in_the_version_of_the_answer() {
    let old = one(&claims(1)).replacen("*^*00501*", "*U*00401*", 1);
    let run = run(&old);
    assert!(text(&run.replies[0]).contains("*^*00501*"));
    assert!(text(run.commit.as_ref().unwrap()).contains("*U*00401*"));
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
        .at_place("ISA[1]/ST[2]/2400[4]/SV1[1]-01.2")
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
    let at = ["IK3*SV1*49*2400*8", "IK4*1:2*234*I12"];
    assert_eq!(segments, ["IK5*A", at[0], at[1], "IK5*R*I5", "AK9*P*2*2*1"]);
    let remarked = run_with(&sets, |part, draft| {
        draft.findings.extend((part == 3).then(|| remark(Severity::Warning)));
        Verdict::Remarked
    });
    assert!(remarked.replies[0].positive && text(&remarked.replies[0]).contains("AK9*A*2*2*2"));
}

/// An answer that says no without a place is told at its claim.
#[test]
fn a_refused_claim_is_named_itself_where_nothing_else_is_known() {
    let sets = file(&[set("0001", &claims(2))]);
    let refused = run_with(&sets, |part, _| {
        if part == 1 {
            Verdict::Failed { retry: true }
        } else {
            Verdict::Accepted
        }
    });
    let said = text(&refused.replies[0]);
    assert!(said.contains("IK3*CLM*39*2300*8~\nIK5*R*I5~"), "{said}");
    assert!(!refused.replies[0].positive);
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

#[test]
fn a_header_that_is_not_padded_is_read_and_told() {
    let loose = one(&claims(1)).replacen("*ZZ*CLINIC         *", "*ZZ*CLINIC*", 1);
    let run = run(&loose);
    let told = text(run.commit.as_ref().unwrap());
    assert!(told.contains("TA1*000000077*260301*1200*E*006~"), "{told}");
    assert!(
        told.starts_with("ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *"),
        "{told}"
    );
    assert!(text(&run.replies[0]).contains("AK9*A*1*1*1"));
    let said = &run.drafts[0].findings[0];
    assert_eq!(
        (said.code.as_ref(), said.severity, said.place.as_deref()),
        ("interchange-fault", Severity::Warning, Some("ISA[1]"))
    );
}

#[test]
fn several_interchanges_with_garbage_between_are_all_read() {
    let both = format!("\u{feff}{}garbage\n{}", one(&claims(1)), one(&claims(2)));
    let run = run(&both);
    assert_eq!((run.replies.len(), run.drafts.len()), (2, 3));
    assert!(
        run.notes.iter().any(|note| note.code == "bytes-outside"),
        "{:?}",
        run.notes
    );
    assert!(run.replies.iter().all(|reply| reply.positive));
}

#[test]
fn a_claim_too_large_is_refused_and_the_next_is_not() {
    let mut segments = claims(2);
    let at = segments
        .iter()
        .position(|segment| segment.starts_with("REF*D9"))
        .unwrap();
    let more = (0..60_000).map(|number| format!("K3*{number:078}"));
    segments.splice(at + 1..=at, more);
    let run = run(&one(&segments));
    let codes = |part: usize| {
        run.drafts[part]
            .findings
            .iter()
            .any(|one| one.code == "claim-too-large")
    };
    assert!(codes(0) && !codes(1));
    assert!(text(&run.replies[0]).contains("IK5*R*5"));
}

#[test]
fn what_holds_no_interchange_is_refused() {
    assert!(support::run::run_bytes(b"MSH|^~").is_none());
    let refusal = causeway_core::Adapter::refuse(
        &support::run::adapter(),
        &causeway_core::Head::file("x"),
        one(&claims(1)).as_bytes(),
        &[],
        &support::run::stamp(),
    );
    let told = text(&refusal);
    assert!(
        !refusal.positive && told.contains("TA1*000000077*260301*1200*R*024~"),
        "{told}"
    );
}
