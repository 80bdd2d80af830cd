//! What is added to an object that stands already: by an instance of the same key, and by rows inside a whole row's target.

use super::*;

fn visits(rows: &str) -> Plan<Message> {
    plan(&[
        (
            "S.csv",
            format!(
                "{STRUCTURE}PID,Patient,patient,,PID.Patient,PID-3[1],\n\
                 PID/PV1,Encounter,encounter,,PV1.Encounter,PV1-19,\n"
            ),
        ),
        (
            "types.csv",
            format!("{STRUCTURE}XCN,Practitioner,practitioner,,XCN.Practitioner,XCN.1,\n"),
        ),
        ("PID.Patient.csv", format!("{ROWS}PID-7,,birthDate,DTM.date,\n")),
        ("XCN.Practitioner.csv", format!("{ROWS}XCN.2,,name#n.family,keep,\n")),
        (
            "PV1.Encounter.csv",
            format!("{ROWS},,status,const(unknown),\n,,class,const(v3-ActCode|AMB),\n{rows}\n"),
        ),
    ])
}

const PERIOD: &str = "PV1-44,,period.start,DTM.dateTime,\nPV1-45,,period.end,DTM.dateTime,\n\
                      PV1-7,,participant#attending.individual,XCN.Practitioner,";

fn visit(number: &str, attending: &str, period: &str) -> String {
    format!("PV1|1|I|||||{attending}||||||||||||{number}{}{period}", "|".repeat(25))
}

fn encounter(lifted: &Lifted<Nothing>) -> String {
    let all = resources(lifted);
    let found = all.iter().find(|text| text.contains("Encounter"));
    let text = found.cloned().unwrap_or_default();
    let (_, rest) = text.split_once(r#""class":{"#).unwrap_or(("", &text));
    let (_, rest) = rest.split_once('}').unwrap_or(("", rest));
    rest.trim_start_matches(',').trim_end_matches('}').to_owned()
}

#[test]
fn what_a_later_instance_adds_stands_in_its_place_and_all_that_it_refers_to_is_there() {
    let plan = visits(PERIOD);
    let text = format!(
        "PID|||1\n{}\n{}",
        visit("V", "", "20240101|"),
        visit("V", "77^Smith", "20240101|20240102")
    );
    let lifted = live(&plan, &message(&text));
    let found = encounter(&lifted);
    assert!(
        found.starts_with(r#""participant":[{"individual":{"reference":"urn:uuid:"#),
        "{found}"
    );
    assert!(
        found.ends_with(r#""period":{"start":"2024-01-01","end":"2024-01-02""#),
        "{found}"
    );
    assert!(resources(&lifted).iter().any(|text| text.contains("Smith")));
}

#[test]
fn an_object_that_says_something_else_stays_whole() {
    let plan = visits(PERIOD);
    let text = format!(
        "PID|||1\n{}\n{}",
        visit("V", "", "20240101|"),
        visit("V", "", "20230101|20230102")
    );
    assert_eq!(
        encounter(&live(&plan, &message(&text))),
        r#""period":{"start":"2024-01-01""#
    );
}

#[test]
fn an_end_before_its_start_is_kept_beside_the_period() {
    let plan = visits(PERIOD);
    let text = format!("PID|||1\n{}", visit("V", "", "20240102|20240101"));
    let lifted = live(&plan, &message(&text));
    let url = "http://causeway.health/fhir/StructureDefinition/end-before-start";
    let expect =
        format!(r#""period":{{"start":"2024-01-02","_end":{{"extension":[{{"url":"{url}","valueDateTime":"2024-01-01"#);
    assert!(encounter(&lifted).starts_with(&expect), "{}", encounter(&lifted));
    let codes: Vec<&str> = lifted.remarks.iter().map(|remark| remark.code.as_ref()).collect();
    assert_eq!(codes, ["period-reversed"]);
}

#[test]
fn rows_inside_what_a_whole_row_made_fill_what_is_empty_there() {
    let table = "PV1-2,,serviceType,const(http://x|amb),\nPV1-3,,serviceType.text,keep,\n\
                 PV1-4,,type#t,const(http://x|t),\nPV1-5,,type#t.text,keep,";
    let lifted = live(&visits(table), &message("PID|||1\nPV1||I|ward|E|note||||||||||||||V"));
    let expect = r#""type":[{"coding":[{"system":"http://x","code":"t"}],"text":"note"}],"serviceType":{"coding":[{"system":"http://x","code":"amb"}],"text":"ward""#;
    assert_eq!(encounter(&lifted), expect);
}

#[test]
fn a_leaf_that_says_what_stands_already_is_mapped_and_another_is_superseded() {
    let plan =
        visits("PV1-3,,serviceType.text,keep,\nPV1-4,,serviceType.text,keep,\nPV1-44,,period.start,DTM.dateTime,");
    let first = "PV1||I|ward|ward|||||||||||||||V";
    let message = message(&format!("PID|||1\n{first}\nPV1||I|other|ward|||||||||||||||V"));
    let tracked = plan
        .run("S", &message, setting(), Arc::new(NoPlaces), Tracked::default())
        .unwrap();
    let ledger = plan.ledger(&message, &tracked, &|place| message.place_text(place));
    let of = |place: &str| ledger.iter().find(|record| record.place == place).unwrap();
    assert_eq!(of("PV1[1]-4[1].1.1").state, LeafState::Mapped);
    assert_eq!(
        of("PV1[2]-3[1].1.1").reason.as_deref(),
        Some("superseded by PV1.Encounter.csv:4")
    );
}
