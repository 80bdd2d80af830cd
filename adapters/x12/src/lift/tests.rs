//! What users rely on of a lifted claim: amounts to the digit, the order of diagnoses and what points to them, dates, who
//! did what, who the patient is, and where each value came from.

mod any;
mod bytes;
mod ids;
mod ledger;
mod text;
mod walk;

use std::sync::LazyLock;

use causeway_core::NodeId;
use causeway_core::fhir::write_compact;
use serde_json::{Value, json};

use super::{Lift, Options};
use crate::{Delimiters, Envelope, LoopId, LoopInstance, Part, PartSegment, SegmentId};
use text::CLAIMS;

pub(super) const HASH: [u8; 32] = [7; 32];

/// A lifted part: its bundle as written, and read again.
pub(super) struct Case {
    written: String,
    bundle: Value,
    findings: Vec<String>,
}

/// The maps, compiled once for all tests.
pub(super) static LIFT: LazyLock<Lift> = LazyLock::new(|| Lift::new(&Options::default()).unwrap());

/// The claims of a text, in order.
pub(super) fn cases(text: &str) -> Vec<Case> {
    walk::parts(text).into_iter().map(|part| case(&LIFT, part)).collect()
}

fn case(lift: &Lift, part: Part) -> Case {
    let made = lift.lift(part, &HASH).unwrap();
    let mut out = Vec::new();
    write_compact(&made.bundle.tree, NodeId::ROOT, &mut out);
    Case {
        bundle: serde_json::from_slice(&out).unwrap(),
        written: String::from_utf8(out).unwrap(),
        findings: made.findings.iter().map(|finding| finding.code.to_string()).collect(),
    }
}

impl Case {
    fn of(text: &str, number: usize) -> Self {
        cases(text).into_iter().nth(number).unwrap()
    }

    /// The resources of a type.
    pub(super) fn all(&self, kind: &str) -> Vec<&Value> {
        let entries = self.bundle["entry"].as_array().unwrap();
        let resources = entries.iter().map(|entry| &entry["resource"]);
        resources.filter(|resource| resource["resourceType"] == kind).collect()
    }

    /// The one resource of a type.
    pub(super) fn one(&self, kind: &str) -> &Value {
        let all = self.all(kind);
        assert_eq!(all.len(), 1, "{kind}");
        all[0]
    }

    /// What a reference refers to.
    pub(super) fn target(&self, reference: &Value) -> &Value {
        let entries = self.bundle["entry"].as_array().unwrap();
        let found = entries.iter().find(|entry| entry["fullUrl"] == reference["reference"]);
        found.map_or(&Value::Null, |entry| &entry["resource"])
    }
}

/// The value of an extension by the end of its address.
fn extension<'v>(of: &'v Value, name: &str) -> Vec<&'v Value> {
    let all = of["extension"].as_array().map_or(&[][..], Vec::as_slice);
    let fits = |extension: &&Value| {
        extension["url"]
            .as_str()
            .is_some_and(|url| url.ends_with(&format!("/{name}")))
    };
    all.iter().filter(fits).collect()
}

#[test]
fn amounts_are_kept_to_the_digit() {
    let case = Case::of(CLAIMS, 0);
    for amount in ["1234.50", "1000.00", "234.50", "0.00"] {
        assert!(
            case.written
                .contains(&format!("{{\"value\":{amount},\"currency\":\"USD\"}}")),
            "{amount}"
        );
    }
    assert!(case.written.contains("\"quantity\":{\"value\":2.50,"));
    assert!(
        Case::of(CLAIMS, 1)
            .written
            .contains("\"total\":{\"value\":75,\"currency\":\"USD\"}")
    );
}

#[test]
fn the_currency_is_the_billing_providers() {
    let other = CLAIMS.replacen("NM1*85*", "CUR*85*CAD~NM1*85*", 1);
    let written = Case::of(&other, 0).written;
    assert!(written.contains("\"total\":{\"value\":1234.50,\"currency\":\"CAD\"}"));
    assert!(!written.contains("USD"));
}

#[test]
fn diagnoses_keep_their_order_and_lines_point_to_them() {
    let case = Case::of(CLAIMS, 0);
    let claim = case.one("Claim");
    let diagnoses = claim["diagnosis"].as_array().unwrap();
    let said: Vec<(&Value, &Value)> = diagnoses
        .iter()
        .map(|one| (&one["sequence"], &one["diagnosisCodeableConcept"]["coding"][0]["code"]))
        .collect();
    let wanted = [
        (json!(1), json!("E11.9")),
        (json!(2), json!("I10")),
        (json!(3), json!("Z79.84")),
    ];
    assert_eq!(
        said,
        wanted
            .iter()
            .map(|(sequence, code)| (sequence, code))
            .collect::<Vec<_>>()
    );
    assert_eq!(diagnoses[0]["type"][0]["coding"][0]["code"], "principal");
    assert!(diagnoses[1]["type"].is_null());
    assert_eq!(claim["item"][0]["diagnosisSequence"], json!([1, 3]));
    assert_eq!(claim["item"][1]["diagnosisSequence"], json!([2]));
    let ninth = Case::of(CLAIMS, 1);
    let ninth = &ninth.one("Claim")["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0];
    assert_eq!(
        ninth,
        &json!({"system": "http://hl7.org/fhir/sid/icd-9-cm", "code": "250.00"})
    );
}

#[test]
fn dates_are_dates_periods_and_times() {
    let case = Case::of(CLAIMS, 0);
    let claim = case.one("Claim");
    assert_eq!(claim["item"][0]["servicedDate"], "2026-09-10");
    assert_eq!(
        claim["item"][1]["servicedPeriod"],
        json!({"start": "2026-09-10", "end": "2026-09-12"})
    );
    assert_eq!(claim["created"], "2026-09-12T10:23:00+00:00");
    assert_eq!(claim["supportingInfo"][0]["timingDate"], "2026-09-01");
    assert_eq!(claim["supportingInfo"][0]["category"]["coding"][0]["code"], "onset");
    let second = Case::of(CLAIMS, 1);
    let admission = &second.one("Claim")["supportingInfo"][0];
    assert_eq!(admission["timingDate"], "2026-09-10");
    assert_eq!(
        admission["_timingDate"]["extension"][0]["valueDateTime"],
        "2026-09-10T15:30:00+00:00"
    );
    assert_eq!(case.one("Patient")["birthDate"], "1970-02-03");
}

#[test]
fn the_lines_own_rendering_provider_is_nearer_than_the_claims() {
    let case = Case::of(CLAIMS, 0);
    let claim = case.one("Claim");
    let team: Vec<(&Value, &Value)> = claim["careTeam"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| {
            (
                &member["sequence"],
                &case.target(&member["provider"])["name"][0]["family"],
            )
        })
        .collect();
    assert_eq!(
        team,
        [
            (&json!(1), &json!("REED")),
            (&json!(2), &json!("WOOD")),
            (&json!(3), &json!("HILL"))
        ]
    );
    // Rendering first, referring behind it; the third line has no rendering provider of its own, and the second's is not its.
    let of_line = |at: usize| &claim["item"][at]["careTeamSequence"];
    assert_eq!(
        [of_line(0), of_line(1), of_line(2)],
        [&json!([2, 1]), &json!([3, 1]), &json!([2, 1])]
    );
    assert_eq!(claim["careTeam"][1]["qualification"]["coding"][0]["code"], "207R00000X");
    assert_eq!(case.target(&claim["facility"])["name"], "RIVER SURGERY");
}

#[test]
fn notes_of_a_line_belong_to_it() {
    let case = Case::of(CLAIMS, 0);
    let claim = case.one("Claim");
    let said = |at: usize| {
        let sequence = &claim["item"][at]["informationSequence"][0];
        let all = claim["supportingInfo"].as_array().unwrap();
        all.iter()
            .find(|info| &info["sequence"] == sequence)
            .map(|info| info["valueString"].clone())
    };
    assert_eq!(said(0), Some(json!("FIRST LINE")));
    assert_eq!(said(1), Some(json!("SECOND LINE")));
    assert!(claim["item"][2]["informationSequence"].is_null());
}

#[test]
fn procedures_have_the_system_of_their_form_and_drugs_eleven_digits() {
    let case = Case::of(CLAIMS, 0);
    let items = &case.one("Claim")["item"];
    let coding = |at: usize| &items[at]["productOrService"]["coding"][0];
    assert_eq!(
        coding(0),
        &json!({"system": "http://www.ama-assn.org/go/cpt", "code": "99213"})
    );
    let level_two = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";
    assert_eq!(coding(1), &json!({"system": level_two, "code": "J3301"}));
    let modifiers: Vec<&Value> = items[1]["modifier"].as_array().unwrap().iter().collect();
    assert_eq!(
        [&modifiers[0]["coding"][0]["code"], &modifiers[1]["coding"][0]["code"]],
        ["JW", "RT"]
    );
    let drug = &items[1]["detail"][0];
    assert_eq!(drug["sequence"], 1);
    let ndc = json!({"system": "http://hl7.org/fhir/sid/ndc", "code": "00003029305"});
    assert_eq!(drug["productOrService"]["coding"][0], ndc);
    assert_eq!(
        drug["quantity"],
        json!({"value": 2, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"})
    );
    let place = |at: usize| &items[at]["locationCodeableConcept"]["coding"][0]["code"];
    assert_eq!([place(0), place(1)], ["11", "22"], "the claim's place, the line's own");
}

#[test]
fn the_subscriber_is_the_patient_or_not() {
    let own = Case::of(CLAIMS, 0);
    let (claim, coverage, patient) = (own.one("Claim"), own.one("Coverage"), own.one("Patient"));
    assert_eq!(own.target(&claim["patient"])["id"], patient["id"]);
    assert_eq!(own.target(&coverage["subscriber"])["id"], patient["id"]);
    assert_eq!(coverage["relationship"]["coding"][0]["code"], "self");
    assert_eq!(coverage["subscriberId"], "M123");
    assert_eq!(own.target(&coverage["payor"][0])["name"], "GREEN HEALTH PLAN");
    assert_eq!(
        patient["name"][0],
        json!({"family": "DOE", "given": ["JOHN", "T"], "suffix": ["JR"]})
    );
    let values: Vec<&Value> = patient["identifier"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| &id["value"])
        .collect();
    assert_eq!(values, ["M123", "123004567", "MR55"]);

    let other = Case::of(CLAIMS, 2);
    let (claim, person, child) = (other.one("Claim"), &other.all("RelatedPerson")[0], other.one("Patient"));
    assert_eq!(other.target(&claim["patient"])["name"][0]["given"], json!(["TIM"]));
    assert_eq!(other.target(&person["patient"])["id"], child["id"]);
    let coverage = other.target(&claim["insurance"][0]["coverage"]);
    assert_eq!(other.target(&coverage["subscriber"])["id"], person["id"]);
    assert_eq!(coverage["relationship"]["coding"][0]["code"], "child");
    assert_eq!(other.target(&coverage["beneficiary"])["id"], child["id"]);
}

#[test]
fn a_claim_says_what_it_replaces_and_who_else_pays() {
    let replaced = Case::of(CLAIMS, 1);
    let claim = replaced.one("Claim");
    assert_eq!(claim["related"][0]["claim"]["identifier"]["value"], "PAYERCLAIM9");
    assert_eq!(claim["related"][0]["relationship"]["coding"][0]["code"], "prior");
    assert_eq!(claim["status"], "active");
    assert_eq!(claim["payee"]["type"]["coding"][0]["code"], "subscriber");

    let void = Case::of(CLAIMS, 2);
    let claim = void.one("Claim");
    assert_eq!(claim["status"], "cancelled");
    let insurance = |at: usize| (&claim["insurance"][at]["sequence"], &claim["insurance"][at]["focal"]);
    assert_eq!(insurance(0), (&json!(2), &json!(true)));
    assert_eq!(insurance(1), (&json!(1), &json!(false)));
    let paid = extension(&claim["insurance"][1], "x12-AMT-D");
    assert_eq!(paid[0]["valueMoney"]["value"], json!(10.05));
    let coverage = void.target(&claim["insurance"][1]["coverage"]);
    assert_eq!(void.target(&coverage["payor"][0])["name"], "OTHER PLAN");
}

#[test]
fn what_another_payer_decided_is_kept_with_the_line() {
    let case = Case::of(CLAIMS, 2);
    let item = &case.one("Claim")["item"][0];
    let decided = extension(item, "x12-2430")[0];
    let part = |of: &Value, name: &str| {
        let parts = of["extension"].as_array().unwrap();
        parts
            .iter()
            .find(|part| part["url"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(part(decided, "paid")["valueMoney"]["value"], json!(10.05));
    assert_eq!(part(decided, "date")["valueDate"], "2026-09-20");
    let adjustments = extension(decided, "x12-CAS");
    let reasons: Vec<Value> = adjustments
        .iter()
        .map(|one| part(one, "reason-1")["valueCode"].clone())
        .collect();
    assert_eq!(reasons, ["45", "1"]);
    assert_eq!(part(adjustments[1], "amount-2")["valueMoney"]["value"], json!(2.0));
}

#[test]
fn who_bills_and_where_to_pay() {
    let case = Case::of(CLAIMS, 0);
    let claim = case.one("Claim");
    let provider = case.target(&claim["provider"]);
    assert_eq!(provider["name"], "RIVER CLINIC");
    let npi = &provider["identifier"][0];
    assert_eq!(
        (&npi["system"], &npi["value"]),
        (&json!("http://hl7.org/fhir/sid/us-npi"), &json!("1234567893"))
    );
    let known: Vec<&Value> = provider["identifier"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| &id["value"])
        .collect();
    assert_eq!(known, ["1234567893", "123456789", "PAYERSNAME1"]);
    assert_eq!(provider["address"][1]["line"], json!(["PO BOX 9"]));
    assert_eq!(provider["address"][1]["use"], "billing");
    let header = case.one("MessageHeader");
    assert_eq!(case.bundle["entry"][0]["resource"], *header);
    assert_eq!(case.target(&header["focus"][0])["id"], claim["id"]);
    assert_eq!(
        case.target(&header["sender"])["contact"][0]["telecom"][0]["value"],
        "3055552222"
    );
    let sending = case.one("Provenance");
    assert_eq!(case.target(&sending["agent"][0]["who"])["name"], "NORTH BILLING");
    assert_eq!(case.target(&sending["target"][0])["id"], header["id"]);
    let line = extension(&claim["item"][0], "x12-REF");
    assert_eq!(
        line[0]["valueIdentifier"]["value"], "LINE1",
        "the key to the remittance"
    );
}

#[test]
fn a_claim_without_its_people_says_so_and_stays_a_claim() {
    let bare = "ST*837*1~BHT*0019*00*B*20260912*1023*CH~HL*1**20*1~HL*2*1*22*0~SBR*P*18~CLM*X*5***11:B:1~LX*1~";
    let case = Case::of(bare, 0);
    let claim = case.one("Claim");
    for element in ["patient", "provider"] {
        assert_eq!(claim[element]["extension"][0]["valueCode"], "unknown", "{element}");
    }
    assert_eq!(claim["total"]["value"], 5);
    assert_eq!(
        case.one("Provenance")["agent"][0]["who"]["display"],
        "unknown submitter"
    );
    assert!(!case.findings.contains(&"segment-unknown".to_owned()));
}
