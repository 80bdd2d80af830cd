//! Ids: the same thing said by two senders or in two claims is one, what is numbered by a sender alone is not.

use super::text::CLAIMS;
use super::{HASH, LIFT, case, cases, walk};

#[test]
fn an_npi_is_one_provider_whoever_sends_and_a_payers_number_is_the_senders() {
    let lift = &*LIFT;
    let by = |sender: &str| {
        let mut part = walk::parts(CLAIMS).remove(0);
        let envelope = std::sync::Arc::make_mut(&mut part.envelope);
        sender.clone_into(&mut envelope.application_sender);
        case(lift, part)
    };
    let (one, other) = (by("ONE"), by("OTHER"));
    let ids = |kind: &str, name: &str| {
        let of = |case: &super::Case| {
            let found = case
                .all(kind)
                .into_iter()
                .find(|found| found["name"].to_string().contains(name));
            found.unwrap()["id"].clone()
        };
        (of(&one), of(&other))
    };
    let (here, there) = ids("Practitioner", "WOOD");
    assert_eq!(here, there);
    let (here, there) = ids("Organization", "RIVER CLINIC");
    assert_eq!(here, there);
    assert_eq!(
        one.one("Claim")["id"],
        other.one("Claim")["id"],
        "numbered by the billing provider"
    );
    let (here, there) = ids("Patient", "DOE");
    assert_ne!(
        here, there,
        "the payer's number is known by the sender's name of the payer only"
    );
}

#[test]
fn a_claim_sent_again_corrected_has_its_id_and_another_has_not() {
    let of = |text: &str| {
        let ids: Vec<_> = cases(text).iter().map(|case| case.one("Claim")["id"].clone()).collect();
        ids
    };
    let (first, again) = (
        of(CLAIMS),
        of(&CLAIMS.replace("1234.50", "1200.00").replace("E119", "E118")),
    );
    assert_eq!(first, again);
    assert_ne!(first[0], first[1]);
}

/// What has no key is numbered by its place in the file, not in the part.
#[test]
fn what_has_no_key_is_not_one_with_that_of_another_claim() {
    let unnamed = CLAIMS.replace("NM1*82*1*WOOD*WILL****XX*1679576722~", "NM1*82*1~");
    let second = unnamed.replacen("HI*BK:25000~", "HI*BK:25000~NM1*82*1~", 1);
    let lift = &*LIFT;
    let parts = walk::parts(&second);
    let ids: Vec<_> = parts
        .into_iter()
        .take(2)
        .map(|part| {
            let made = lift.lift(part, &HASH).unwrap();
            assert!(made.findings.iter().any(|finding| finding.code == "key-missing"));
            made.bundle.tree.clone()
        })
        .collect();
    let written = |tree: &causeway_core::Tree| {
        let mut out = Vec::new();
        causeway_core::fhir::write_compact(tree, causeway_core::NodeId::ROOT, &mut out);
        let bundle: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let entries = bundle["entry"].as_array().unwrap().clone();
        let bare = entries
            .into_iter()
            .find(|entry| entry["resource"]["resourceType"] == "Practitioner" && entry["resource"]["name"].is_null());
        bare.unwrap()["fullUrl"].clone()
    };
    assert_ne!(written(&ids[0]), written(&ids[1]));
}
