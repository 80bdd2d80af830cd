//! Any bytes: no panic, and what is read is written so that it reads the same again.
#![no_main]

use causeway_core::NodeId;
use causeway_core::fhir::{Limits, compact, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(tree) = parse(bytes, Limits::default()) {
        let text = compact(&tree, NodeId::ROOT);
        let again = parse(text.as_bytes(), Limits::default()).expect("what we write we read");
        assert_eq!(compact(&again, NodeId::ROOT), text);
    }
});
