use crate::syntax::{KeyWhat, Library, Make, Source};
use crate::table::{Back, To};

const PATIENT: &str = "from,when,to,how,note\n\
    PID-3,,identifier,CX.Identifier,\n\
    PID-4,,identifier,CX.Identifier,\n\
    PID-5,,name,XPN.HumanName,first\n\
    PID-5,PID-5.7 is L,name,XPN.HumanName(use=L),second\n";
const STRUCTURE: &str = "at,make,as,when,fill,key,note\n\
    PID,Patient,patient,,PID.Patient,PID-3[1],\n\
    PID/NK1,RelatedPerson,kin,NK1-3 is A,NK1.RelatedPerson,,\n\
    PID/NK1,RelatedPerson,kin,,NK1.RelatedPerson,,\n\
    PID/PV1,Encounter,visit,,PV1.Encounter,patient + PV1-19,\n";
const SEX: &str =
    "code,to-code,to-system,display,back,note\nM,male,,,,\nF,female,,,,\nU,unknown,,,yes,\n*,unknown,,,,\n";

fn base() -> Library {
    let sources = [
        ("PID.Patient.csv", PATIENT),
        ("ORU_R01.csv", STRUCTURE),
        ("tables/0001.csv", SEX),
        ("site.toml", "zone = 'UTC'\n[settings]\nmrn = 'a'\nid = 'b'\n"),
    ];
    let loaded = Library::load(&sources.map(|(name, text)| Source { name, text }));
    assert_eq!(loaded.problems, []);
    loaded.library
}

fn over(files: &[(&str, &str)]) -> Library {
    let sources: Vec<Source<'_>> = files.iter().map(|&(name, text)| Source { name, text }).collect();
    base().with_site("ruijin", &sources).unwrap()
}

fn rows(library: &Library, file: &str) -> Vec<String> {
    let shown = |row: &crate::syntax::ElementRow| format!("{} {}", library.row_text(row.span), row.how);
    library.elements[file].rows.iter().map(shown).collect()
}

#[test]
fn rows_of_the_same_place_and_element_are_replaced_and_come_first() {
    let text = "from,when,to,how,note\nPID-4,,identifier,off,a ward note\nPID-5,,name,XPN.HumanName(use=D),\nZPI-1,,name,XPN.HumanName,\n";
    let library = over(&[("PID.Patient.csv", text)]);
    assert_eq!(
        rows(&library, "PID.Patient"),
        [
            "sites/ruijin/PID.Patient.csv:2 off",
            "sites/ruijin/PID.Patient.csv:3 XPN.HumanName(use=D)",
            "sites/ruijin/PID.Patient.csv:4 XPN.HumanName",
            "PID.Patient.csv:2 CX.Identifier",
        ]
    );
}

#[test]
fn structure_rows_are_replaced_by_anchor_and_name() {
    let text = "at,make,as,when,fill,key,note\n\
        PID/NK1,RelatedPerson,kin,,NK1.Other,,\n\
        PID/PV1,off,visit,,,,\n\
        PID/ZPI,Observation,extra,,ZPI.Observation,patient + ZPI-1,\n";
    let library = over(&[("ORU_R01.csv", text)]);
    let rows = &library.structures["ORU_R01"].rows;
    let names: Vec<_> = rows.iter().filter_map(|row| row.name.as_deref()).collect();
    assert_eq!(names, ["patient", "kin", "extra"]);
    assert_eq!(rows[1].fill[0].name, "NK1.Other");
    assert!(rows.iter().all(|row| row.make != Make::Off));
    assert_eq!(rows[2].key[0].parts[0].what, KeyWhat::Name("patient".into()));
}

#[test]
fn tables_and_settings_are_merged() {
    let table = "code,to-code,note\nU,other,\nX,none,\n";
    let site =
        "match = { listener = 'lab' }\nmode = 'snapshot'\n[settings]\nid = 'c'\n[authorities]\nRJH = 'urn:rjh'\n";
    let library = over(&[("tables/0001.csv", table), ("site.toml", site)]);
    let table = &library.tables["0001"];
    assert_eq!(table.get("U").unwrap().to, To::Code("other".into()));
    assert_eq!(table.get("X").unwrap().to, To::None);
    assert_eq!(table.get("M").unwrap().to, To::Code("male".into()));
    assert_eq!(table.get("?").unwrap().to, To::Code("unknown".into()));
    assert_eq!(library.site.zone.as_deref(), Some("UTC"));
    assert_eq!(library.site.settings["mrn"], "a");
    assert_eq!(library.site.settings["id"], "c");
    assert!(library.site.r#match.takes("lab", "any"));
    assert!(!library.site.r#match.takes("ward", "any"));
}

#[test]
fn a_broken_overlay_is_refused_as_a_whole() {
    let refused = |name: &str, text: &str| {
        let problems = base().with_site("ruijin", &[Source { name, text }]).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        refused("PID.Patient.csv", "from,when,to,how,note\nPID-5,,name,kep,\n"),
        ["sites/ruijin/PID.Patient.csv:2:13: 'kep' is no way to fill an element; did you mean keep?"]
    );
    let zon = refused("site.toml", "charset = 'GBK'\nzon = 'UTC'\n");
    assert!(
        zon[0].starts_with("sites/ruijin/site.toml:2:1: unknown field `zon`"),
        "{zon:?}"
    );
    assert!(zon[0].ends_with("did you mean zone?"), "{zon:?}");
    assert_eq!(
        refused("site.toml", "charset = 'GBK'\nzone = 'Asia/Shanghia'\n"),
        ["sites/ruijin/site.toml:2:1: no time zone is called Asia/Shanghia"]
    );
}

#[test]
fn off_is_for_overlays_only() {
    let text = "from,when,to,how,note\nPID-4,,identifier,off,\n";
    let loaded = Library::load(&[Source {
        name: "PID.Patient.csv",
        text,
    }]);
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!(loaded.problems[0].column, 19);
}

#[test]
fn the_hash_changes_with_every_byte_and_not_with_the_order() {
    let hash = |files: &[(&str, &str)]| {
        let sources: Vec<Source<'_>> = files.iter().map(|&(name, text)| Source { name, text }).collect();
        Library::load(&sources).library.hash()
    };
    let (a, b) = (("PID.Patient.csv", PATIENT), ("ORU_R01.csv", STRUCTURE));
    assert_eq!(hash(&[a, b]), hash(&[b, a]));
    assert_ne!(hash(&[a, b]), hash(&[a]));
    assert_ne!(hash(&[a]), hash(&[("PID.Patient.csv", &format!("{PATIENT}\n"))]));
    assert_ne!(
        base().hash(),
        over(&[("tables/0001.csv", "code,to-code\nU,other\n")]).hash()
    );
}

#[test]
fn a_table_knows_its_way_back() {
    let library = base();
    let table = &library.tables["0001"];
    assert_eq!(table.back("", "male"), Back::Code("M"));
    assert_eq!(table.back("", "other"), Back::Missing);
    let text = "code,to-code\nA,x\nB,x\nC,y\nD,y\n*,,sys\n";
    let text = text
        .replace("C,y", "C,y,,,yes")
        .replace("code,to-code", "code,to-code,to-system,display,back");
    let loaded = Library::load(&[Source {
        name: "tables/t.csv",
        text: &text,
    }]);
    assert_eq!(loaded.problems, []);
    let table = &loaded.library.tables["t"];
    assert_eq!(table.back("", "x"), Back::Several);
    assert_eq!(table.back("", "y"), Back::Code("C"));
    assert_eq!(table.back("sys", "Q"), Back::Same);
    assert_eq!(table.back("sys", "y"), Back::Same, "y of another system");
    assert_eq!(table.back("other", "Q"), Back::Missing);
    let lost: Vec<&str> = table.ambiguous().iter().map(|entry| entry.code.as_str()).collect();
    assert_eq!(lost, ["A", "B"]);
}
