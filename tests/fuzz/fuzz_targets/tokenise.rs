//! Any bytes through character set and tokeniser: no panic, every span in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| causeway_hl7v2::intake::fuzz_parse(bytes));
