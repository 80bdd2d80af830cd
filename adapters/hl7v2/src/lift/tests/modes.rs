//! How a site's updates are meant: what the real maps make of the segments that repeat.

use super::*;

/// The Lists of a message under a site's mode.
fn lists(mode: &str, segments: &str) -> Vec<String> {
    let site = format!("mode = \"{mode}\"\n");
    let (base, problems) = crate::lift::library(&[]);
    assert!(
        problems
            .iter()
            .all(|problem| problem.level != causeway_mapping::syntax::Level::Error)
    );
    let source = Source {
        name: "site.toml",
        text: &site,
    };
    let library = base.with_site("here", &[source]).unwrap();
    let (plan, _) = Plan::compile(&library, &Hl7v2Format);
    let message = message(segments);
    let lifted = plan
        .run("ADT_A01", &message, setting(), Arc::new(NoPlaces), Nothing)
        .unwrap();
    resources(&lifted)
        .into_iter()
        .filter(|text| text.contains(r#""resourceType":"List""#))
        .collect()
}

const ALLERGIES: &str = "PID|1||1^^^H^MR\nIAM|1||N^Nuts|SV||D|7^X\nIAM|2||M^Milk|SV||A|8^X";

#[test]
fn a_snapshot_is_a_list_of_all_there_are() {
    let lists = lists("snapshot", ALLERGIES);
    assert_eq!(lists.len(), 1);
    assert!(
        lists[0].contains(r#""status":"current","mode":"snapshot""#),
        "{}",
        lists[0]
    );
    assert_eq!(lists[0].matches(r#""item":"#).count(), 2);
    assert!(!lists[0].contains("deleted"));
}

#[test]
fn action_codes_are_a_list_of_changes() {
    let lists = lists("action-code", ALLERGIES);
    assert!(lists[0].contains(r#""mode":"changes""#));
    let (first, second) = lists[0].split_once(r#""deleted":true"#).unwrap();
    assert!(
        first.contains(r#""code":"D""#) && second.contains(r#""code":"A""#),
        "{}",
        lists[0]
    );
    assert!(!second.contains("deleted"));
}

#[test]
fn a_statement_makes_no_list() {
    assert_eq!(lists("statement", ALLERGIES), [""; 0]);
}
