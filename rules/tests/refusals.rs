//! Packs with one thing wrong: each is refused, with the file and line; what is in force stays in force. And a site's
//! changes: approved ones apply, others do not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use causeway_rules::{Packs, Problem, Refused, Rules, Site, Snapshot, lint};

const PACK: &str = "critical-values";

/// The embedded pack with a text of a file replaced.
fn with(file: &str, from: &str, to: &str) -> Packs {
    let mut packs = Packs::embedded();
    let bytes = packs.0.get_mut(PACK).unwrap().base.get_mut(file).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    *bytes = text.replacen(from, to, 1).into_bytes();
    packs
}

fn problems(packs: &Packs) -> Vec<Problem> {
    match Snapshot::build(packs, &Site::default()) {
        Ok(_) => Vec::new(),
        Err(Refused(problems)) => problems,
    }
}

/// The row that is changed.
const ROW: &str = "K-adult-high,K,,adult,high,>=,6.2,mmol/L,kost-1990,1990-02-02,,*";

/// File, what stands there, what is put in its place, and what is said of it.
const MISTAKES: &[[&str; 4]] = &[
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,6.3,mmol/L,kost-1990,1990-02-02,,*",
        "K-adult-high has no case of kind boundary",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "fails: got none",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,6.2,mmol/L,nobody,1990-02-02,,*",
        "no source \"nobody\"",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,6.2,mmol/L,kost-1990,,,*",
        "is no day",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,6.2,mmol/L,kost-1990,1990-02-02,1980-01-01,*",
        "to is before from",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,6.2,furlong,kost-1990,1990-02-02,,*",
        "no unit \"furlong\"",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,<=,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "side and op",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,6;2,mmol/L,kost-1990,1990-02-02,,*",
        "is no number",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,KK,,adult,high,>=,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "has no \"KK\"",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,urine,adult,high,>=,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "unknown specimen",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,grown,high,>=,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "has no \"grown\"",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,child adult,high,>=,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "overlaps K-adult-high",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-high,K,,adult,high,>=,2.7,mmol/L,kost-1990,1990-02-02,,*",
        "is not below that of",
    ],
    [
        "rows.csv",
        "jurisdiction,note",
        "jurisdiction,notes",
        "unknown or repeated column \"notes\"",
    ],
    [
        "rows.csv",
        ROW,
        "K-adult-low,K,,adult,high,>=,6.2,mmol/L,kost-1990,1990-02-02,,*",
        "stands twice",
    ],
    ["units.csv", "K,mmol/L,1,", "K,mmol/L,2,", "own unit with factor 1"],
    ["units.csv", "GLU,mg/dL,10/M", "GLU,mg/dL,10/0", "cannot be computed"],
    ["codes.csv", "loinc,2823-3,", "loinc,2823-4,", "check digit"],
    ["codes.csv", "local,K,K,", "local,NA,K,", "stands twice"],
    ["ages.csv", "child,28 d", "child,29 d", "gap or an overlap"],
    ["ages.csv", ",yes,", ",,", "exactly one age"],
    ["analytes.csv", "39.0983", "0", "no positive number"],
    [
        "cases/limits.csv",
        "K-adult-high,boundary,2823-3,6.2,",
        "K-adult-high,boundary,2823-3,6.3,",
        "no case of kind boundary",
    ],
    [
        "cases/limits.csv",
        "K-adult-high,miss,",
        "K-adult-high,other,",
        "no case of kind miss",
    ],
    [
        "cases/limits.csv",
        "K-adult-high,hit,",
        "K-adult-higher,hit,",
        "no row \"K-adult-higher\"",
    ],
    ["pack.toml", "fail = \"remark\"", "fail = \"ignore\"", "unknown variant"],
    ["pack.toml", "owner =", "owners =", "unknown field"],
    [
        "pack.toml",
        "date = \"1990-02-02\"",
        "date = \"long ago\"",
        "has no date",
    ],
    [
        "pack.toml",
        "id = \"critical-values\"",
        "id = \"critical\"",
        "folder's name",
    ],
];

#[test]
fn each_mistake_is_found_where_it_is() {
    for [file, from, to, wanted] in MISTAKES {
        let found = problems(&with(file, from, to));
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            lines.iter().any(|line| line.contains(wanted)),
            "{file}: {to}: {lines:#?}"
        );
        assert!(
            found
                .iter()
                .all(|problem| !problem.text.zh.is_empty() && !problem.file.is_empty())
        );
    }
}

#[test]
fn a_problem_names_its_line() {
    let packs = with(
        "rows.csv",
        "K-adult-high,K,,adult,high,>=",
        "K-adult-high,K,,adult,high,<=",
    );
    let text = String::from_utf8(packs.0[PACK].base["rows.csv"].clone()).unwrap();
    let line = text.lines().position(|line| line.starts_with("K-adult-high")).unwrap() + 1;
    let found = lint(PACK, &packs.0[PACK], &Site::default());
    assert_eq!(found[0].file, "critical-values/rows.csv");
    assert_eq!(found[0].line, line as u64);
}

#[test]
fn a_formula_is_no_cell() {
    let found = problems(&with("rows.csv", "K-adult-high,K,", "=K-adult-high,K,"));
    assert!(
        found.iter().any(|problem| problem.text.en.contains("formula")),
        "{found:?}"
    );
}

const APPROVAL: &str =
    "site = \"Third Hospital\"\napproved-by = \"Dr Li, head of laboratory\"\napproved-on = \"2026-11-01\"\n";
const ROWS: &str = "id,analyte,age,side,op,limit,unit,source,from,jurisdiction\n";
const CASES: &str = "row,kind,code,value,unit,age,expect\n\
    K-adult-high,hit,K,6.6,mmol/L,45 a,high\n\
    K-adult-high,miss,K,6.3,mmol/L,45 a,none\n\
    K-adult-high,boundary,K,6.5,mmol/L,45 a,high\n";

fn site(folder: &Path, name: &str, text: &str) {
    let path = folder.join(PACK).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn tightened(folder: &Path) {
    site(folder, "site.toml", APPROVAL);
    let row = "K-adult-high,K,adult,high,>=,6.5,mmol/L,rcpath-2017,2017-10-03,*\n";
    site(folder, "rows.csv", &format!("{ROWS}{row}"));
    site(folder, "cases/own.csv", CASES);
}

#[test]
fn a_site_replaces_a_row() {
    let folder = tempfile::tempdir().unwrap();
    tightened(folder.path());
    let rules = Rules::load(vec![folder.path().to_owned()], Site::default()).unwrap();
    let snapshot = rules.current();
    let pack = snapshot.pack(PACK).unwrap();
    assert!(pack.explain("K-adult-high").unwrap().en.contains(">= 6.5 mmol/L"));
    assert!(pack.explain("K-adult-low").unwrap().en.contains("<= 2.8 mmol/L"));
    assert_eq!(pack.approvals()[0].site, "Third Hospital");
    let embedded = Rules::load(Vec::new(), Site::default()).unwrap();
    assert_ne!(snapshot.id(), embedded.current().id());
}

#[test]
fn a_site_switches_a_row_off() {
    let folder = tempfile::tempdir().unwrap();
    site(folder.path(), "site.toml", APPROVAL);
    let row = "TNT-any-high,TNT,any,high,off,,,,,\n";
    site(folder.path(), "rows.csv", &format!("{ROWS}{row}"));
    let rules = Rules::load(vec![folder.path().to_owned()], Site::default()).unwrap();
    assert!(rules.current().explain("TNT-any-high").is_none());
}

#[test]
fn changes_without_approval_or_cases_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    tightened(folder.path());
    fs::remove_file(folder.path().join(PACK).join("site.toml")).unwrap();
    let load = || Rules::load(vec![folder.path().to_owned()], Site::default());
    assert!(load().unwrap_err().to_string().contains("site.toml is missing"));
    site(
        folder.path(),
        "site.toml",
        &APPROVAL.replace("Dr Li, head of laboratory", " "),
    );
    assert!(load().unwrap_err().to_string().contains("approved-by must be filled"));
    site(folder.path(), "site.toml", APPROVAL);
    site(folder.path(), "cases/own.csv", &CASES.replace("hit,", "other,"));
    assert!(load().unwrap_err().to_string().contains("no case of kind hit"));
}

#[test]
fn a_broken_reload_leaves_the_old_in_force() {
    let folder = tempfile::tempdir().unwrap();
    tightened(folder.path());
    let rules = Rules::load(vec![folder.path().to_owned()], Site::default()).unwrap();
    let before = rules.current();
    site(folder.path(), "rows.csv", "id,analyte\nK-adult-high,K\n");
    let refused = rules.reload().unwrap_err();
    assert!(refused.to_string().contains("is missing"), "{refused}");
    assert_eq!(rules.current().id(), before.id());
    tightened(folder.path());
    assert_eq!(rules.reload().unwrap().id(), before.id());
    let replay = Snapshot::from_archive(&before.archive()).unwrap();
    assert_eq!(replay.id(), before.id());
    assert!(Snapshot::from_archive(b"x").is_err());
    // And back to one that was kept.
    site(
        folder.path(),
        "rows.csv",
        &format!("{ROWS}TNT-any-high,TNT,any,high,off,,,,,\n"),
    );
    let changed = rules.reload().unwrap();
    assert_eq!(rules.put(Arc::clone(&before)).id(), changed.id());
    assert_eq!(rules.current().id(), before.id());
}

#[test]
fn a_table_of_cases_replaces_one_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    site(folder.path(), "site.toml", APPROVAL);
    site(
        folder.path(),
        "codes.csv",
        "system,code,analyte,specimen\nlocal,K,GLU,blood\n",
    );
    let load = || Rules::load(vec![folder.path().to_owned()], Site::default());
    assert!(load().unwrap_err().to_string().contains("cases/reading.csv"));
    site(
        folder.path(),
        "cases/reading.csv",
        "row,kind,code,value,unit,age,expect\nGLU-adult-high,other,K,30,mmol/L,45 a,high\n",
    );
    load().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_the_reading(file in 0..10_usize, at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut packs = Packs::embedded();
        let files = &mut packs.0.get_mut(PACK).unwrap().base;
        let name = files.keys().nth(file % files.len()).unwrap().clone();
        let old = files.get_mut(&name).unwrap();
        let at = at.index(old.len());
        old.splice(at..(at + bytes.len()).min(old.len()), bytes);
        drop(Snapshot::build(&packs, &Site::default()));
    }
}

#[test]
fn the_nearest_jurisdiction_wins() {
    let folder = tempfile::tempdir().unwrap();
    tightened(folder.path());
    let row = "K-shanghai-high,K,adult,high,>=,6.5,mmol/L,rcpath-2017,2017-10-03,CN-SH\n";
    site(folder.path(), "rows.csv", &format!("{ROWS}{row}"));
    site(
        folder.path(),
        "cases/own.csv",
        &CASES.replace("K-adult-high", "K-shanghai-high"),
    );
    let at = |place: &str| {
        let jurisdiction = place.to_owned();
        let rules = Rules::load(vec![folder.path().to_owned()], Site { jurisdiction }).unwrap();
        let rows = |id: &str| rules.current().explain(id).is_some();
        (rows("K-adult-high"), rows("K-shanghai-high"))
    };
    let id = |place: &str| {
        let jurisdiction = place.to_owned();
        let rules = Rules::load(vec![folder.path().to_owned()], Site { jurisdiction }).unwrap();
        rules.current().id().to_owned()
    };
    assert_ne!(id("CN-SH"), id("CN"));
    assert_eq!(at("CN-SH"), (false, true));
    assert_eq!(at("CN"), (true, false));
    assert_eq!(at(""), (true, false));
}

#[test]
fn a_folder_that_is_no_pack_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("medication")).unwrap();
    let refused = Rules::load(vec![folder.path().to_owned()], Site::default()).unwrap_err();
    assert!(
        refused.to_string().contains("no pack medication to change"),
        "{refused}"
    );
    let refused = Rules::load(vec![folder.path().join("nowhere")], Site::default()).unwrap_err();
    assert!(refused.to_string().contains("cannot be read"), "{refused}");
}
