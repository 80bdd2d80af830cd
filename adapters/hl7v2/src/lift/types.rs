//! The data types of fields where identity depends on them (HL7 v2.9 chapters 2A to 7): which values are counted by number
//! and authority, and which by code and system.

use causeway_mapping::doc::Identity;

/// Segment, field, type; sorted by segment.
const FIELDS: [(&str, &[(u32, &str)]); 23] = [
    ("AL1", &[(3, "CWE")]),
    ("ARV", &[(3, "CWE")]),
    ("CTI", &[(1, "EI")]),
    ("DG1", &[(3, "CWE"), (6, "CWE"), (20, "EI"), (22, "EI")]),
    ("GT1", &[(2, "CX"), (19, "CX")]),
    ("IAM", &[(3, "CWE"), (7, "EI")]),
    ("IN1", &[(2, "CWE"), (3, "CX"), (4, "XON")]),
    ("IN3", &[(2, "CX")]),
    (
        "MRG",
        &[(1, "CX"), (2, "CX"), (3, "CX"), (4, "CX"), (5, "CX"), (6, "CX")],
    ),
    ("MSH", &[(3, "HD"), (4, "HD"), (5, "HD"), (6, "HD"), (21, "EI")]),
    ("NK1", &[(3, "CWE"), (12, "CX"), (13, "XON"), (33, "CX")]),
    ("OBR", &[(2, "EI"), (3, "EI"), (4, "CWE"), (16, "XCN"), (29, "EIP")]),
    (
        "OBX",
        &[
            (3, "CWE"),
            (15, "CWE"),
            (16, "XCN"),
            (18, "EI"),
            (21, "EI"),
            (23, "XON"),
            (25, "XCN"),
            (33, "EI"),
        ],
    ),
    (
        "ORC",
        &[(2, "EI"), (3, "EI"), (4, "EIP"), (8, "EIP"), (12, "XCN"), (21, "XON")],
    ),
    ("PD1", &[(3, "XON"), (4, "XCN")]),
    ("PID", &[(2, "CX"), (3, "CX"), (4, "CX"), (18, "CX"), (21, "CX")]),
    ("PR1", &[(3, "CWE"), (19, "EI"), (25, "EI")]),
    (
        "PRT",
        &[(1, "EI"), (4, "CWE"), (5, "XCN"), (8, "XON"), (10, "EI"), (16, "EI")],
    ),
    (
        "PV1",
        &[
            (5, "CX"),
            (7, "XCN"),
            (8, "XCN"),
            (9, "XCN"),
            (17, "XCN"),
            (19, "CX"),
            (50, "CX"),
            (52, "XCN"),
        ],
    ),
    ("RF1", &[(6, "EI"), (11, "EI")]),
    ("ROL", &[(1, "EI"), (3, "CWE"), (4, "XCN")]),
    (
        "SPM",
        &[(2, "EIP"), (3, "EIP"), (4, "CWE"), (30, "CX"), (31, "CX"), (32, "EI")],
    ),
    ("TXA", &[(12, "EI"), (13, "EI")]),
];

/// The type of a part of a type, where identity depends on it.
const PARTS: [(&str, u32, &str); 6] = [
    ("CNN", 10, "HD"),
    ("CX", 4, "HD"),
    ("EIP", 1, "EI"),
    ("EIP", 2, "EI"),
    ("XCN", 9, "HD"),
    ("XON", 6, "HD"),
];

/// The type of a field or part. `numbers` are field, component, subcomponent for a segment, else component and
/// subcomponent of a type.
pub(crate) fn type_of(head: &str, numbers: &[u32]) -> Option<&'static str> {
    let field = |number: u32| {
        let (_, fields) = FIELDS.iter().find(|(segment, _)| *segment == head)?;
        fields.iter().find(|(known, _)| *known == number).map(|(_, kind)| *kind)
    };
    match numbers {
        [] => identity_name(head),
        [number, parts @ ..] => match (field(*number), parts) {
            (Some(kind), []) => Some(kind),
            (Some(kind), [part, rest @ ..]) => part_of(kind, *part, rest),
            (None, rest) => part_of(head, *number, rest),
        },
    }
}

fn part_of(kind: &str, number: u32, rest: &[u32]) -> Option<&'static str> {
    let (_, _, found) = PARTS.iter().find(|(known, at, _)| *known == kind && *at == number)?;
    match rest {
        [] => Some(found),
        // The namespace or universal id of an authority stands for the authority.
        [1 | 2] if *found == "HD" => Some(found),
        _ => None,
    }
}

fn identity_name(kind: &str) -> Option<&'static str> {
    ["CNN", "CWE", "CX", "EI", "EIP", "HD", "XCN", "XON"]
        .into_iter()
        .find(|known| *known == kind)
}

/// How values of a type are told apart (HL7 v2.9 2A: CX.1 and CX.4, EI.1 and EI.2 to 4, XCN.1 and XCN.9, XON.10 or XON.3
/// and XON.6, CWE.1 and CWE.3).
pub(crate) fn identity(kind: &str) -> Option<Identity> {
    let by = |number, authority, width, namespace| {
        Some(Identity {
            number,
            authority,
            width,
            namespace,
        })
    };
    match kind {
        "CX" => by(&[1], &[4], 1, true),
        "EI" => by(&[1], &[2, 3], 3, true),
        "EIP" => by(&[1, 2], &[], 1, true),
        "XCN" => by(&[1], &[9], 1, true),
        "CNN" => by(&[1], &[10], 1, true),
        "XON" => by(&[10, 3, 1], &[6], 1, true),
        "CWE" => by(&[1, 2, 4, 9], &[3], 1, false),
        _ => None,
    }
}
