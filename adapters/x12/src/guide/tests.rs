use super::*;

fn guide() -> Guide {
    Guide::load(&load::PROFESSIONAL).expect("the embedded guide")
}

fn name(guide: &Guide, index: u16) -> String {
    guide.loops[usize::from(index)].id.to_string()
}

#[test]
fn the_embedded_guide_compiles() {
    assert!(Guide::of("837", "005010X222A1").is_some());
    assert!(Guide::of("837", "005010X222").is_some());
    assert_eq!(Guide::of("837", "005010X223A2"), None);
    assert_eq!(Guide::of("835", "005010X222A1"), None);
}

/// 2300 stands in 2000B and in 2000C and is one loop: what is right for one is right for the other.
#[test]
fn a_loop_is_defined_once_and_referenced_by_several() {
    let guide = guide();
    let holders = guide.loops.iter().filter(|one| {
        one.entries
            .iter()
            .any(|entry| matches!(entry.item, Item::Loop(inner) if name(&guide, inner) == "2300"))
    });
    let holders: Vec<_> = holders.map(|one| one.id.to_string()).collect();
    assert_eq!(holders, ["2000B", "2000C"]);
    assert_eq!(guide.loops.iter().filter(|one| one.id.as_str() == "2300").count(), 1);
}

#[test]
fn every_loop_of_the_guide_is_there() {
    let guide = guide();
    let ids: Vec<_> = guide.loops.iter().map(|one| one.id.to_string()).collect();
    for id in [
        "ST", "1000A", "1000B", "2000A", "2010AA", "2010AB", "2010AC", "2000B", "2010BA", "2010BB", "2000C", "2010CA",
        "2300", "2310A", "2310B", "2310C", "2310D", "2310E", "2310F", "2320", "2330A", "2330B", "2330C", "2330D",
        "2330E", "2330F", "2330G", "2400", "2410", "2420A", "2420B", "2420C", "2420D", "2420E", "2420F", "2420G",
        "2420H", "2430", "2440",
    ] {
        assert!(ids.iter().any(|known| known == id), "{id}");
    }
}

#[test]
fn a_qualifier_tells_uses_apart() {
    let guide = guide();
    let claim = guide.loops.iter().find(|one| one.id.as_str() == "2300").unwrap();
    let uses = claim.opened_by(SegmentId::new(b"NM1"));
    let segment = Segment::cut(b"NM1*77*2*CLINIC", crate::Delimiters::USUAL);
    let meant: Vec<_> = uses
        .iter()
        .map(|index| &claim.entries[usize::from(*index)])
        .filter(|entry| guide.opener(entry).unwrap().is_meant(&segment))
        .collect();
    assert_eq!(meant.len(), 1);
    assert!(matches!(meant[0].item, Item::Loop(inner) if name(&guide, inner) == "2310C"));
}

/// Where two entries of a loop could be meant by the same segment, the first would always win and the second be dead.
#[test]
fn no_two_entries_of_a_loop_are_meant_by_the_same_segment() {
    let guide = guide();
    for one in &guide.loops {
        for (index, a) in one.entries.iter().enumerate() {
            for b in &one.entries[index + 1..] {
                let (a, b) = (guide.opener(a).unwrap(), guide.opener(b).unwrap());
                let told = a.id != b.id
                    || a.discriminators.is_empty() != b.discriminators.is_empty()
                    || a.discriminators
                        .iter()
                        .zip(&b.discriminators)
                        .any(|(a, b)| !a.codes.meets(&b.codes));
                assert!(told, "{} of {} twice", a.id, one.id);
            }
        }
    }
}
