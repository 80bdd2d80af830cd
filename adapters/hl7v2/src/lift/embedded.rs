//! The maps and tables that the binary holds, with those of configured folders over them by name.

use causeway_mapping::{Library, Problem};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The library of the embedded files; `over` replaces files of the same name and adds others. Its names are those of the
/// embedded ones: `PID.Patient.csv`, `tables/0001.csv`, `site.toml`.
pub(crate) fn library(over: &[(String, String)]) -> (Library, Vec<Problem>) {
    Library::embedded(FILES, over)
}
