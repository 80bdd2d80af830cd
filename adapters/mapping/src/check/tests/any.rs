//! Rows of any kind, right and wrong: nothing that is said of them panics.

use super::OPS;
use crate::check::{Facts, check};
use crate::syntax::{Library, Source};

/// Cells that rows are made of, right ones and wrong ones.
fn cells(
    of: &'static [&'static str],
    count: std::ops::Range<usize>,
) -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    proptest::collection::vec(prop::sample::select(of), count).prop_map(|cells| cells.join(","))
}

const ELEMENT: &[&str] = &[
    "",
    "PID-3",
    "PID-3[5=MR].4",
    "CX.1",
    "$table",
    "A + B",
    "valued",
    "PID-3 absent",
    "is M",
    "in table:t",
    "name",
    "name#a.family",
    "identifier",
    "extension(patient-birthTime).valueDateTime",
    "status",
    "code",
    "subject",
    "keep",
    "table:t",
    "table:$table",
    "const(x)",
    "const(loinc|1-8)",
    "ref(a)",
    "ref(a*)",
    "ordinal",
    "op(text)",
    "ignore",
    "CX.Identifier",
    "X.Y",
    "CX.Identifier(type=t)",
    "DTM.date",
];
const STRUCTURE: &[&str] = &[
    "",
    "PID",
    "PID/OBX",
    "PID/OBX/OBX-5",
    "Patient",
    "Observation",
    "a.name",
    "b.component",
    "use",
    "a",
    "b",
    "X.Y",
    "CX.Identifier",
    "S",
    "PID-3 | a + ordinal",
    "PID-3 valued",
];

proptest::proptest! {
    #[test]
    fn no_rows_panic(
        rows in proptest::collection::vec(cells(ELEMENT, 4..5), 0..12),
        structure in proptest::collection::vec(cells(STRUCTURE, 6..7), 0..8),
    ) {
        let element = format!("from,when,to,how\n{}\n", rows.join("\n"));
        let structure = format!("at,make,as,when,fill,key\n{}\n", structure.join("\n"));
        let table = "code,to-code\nM,male\n*,\n";
        let sources = [
            ("X.Y.csv", element.as_str()),
            ("CX.Identifier.csv", &element),
            ("S.csv", &structure),
            ("types.csv", &structure),
            ("tables/t.csv", table),
        ];
        let loaded = Library::load(&sources.map(|(name, text)| Source { name, text }));
        let facts = Facts { ops: &OPS };
        check(&loaded.library, &facts);
        crate::reverse_text(&loaded.library, &facts);
        crate::page(&loaded.library, "S");
        proptest::prop_assert!(crate::explain(&loaded.library, "PID-3.4").is_ok());
    }
}
