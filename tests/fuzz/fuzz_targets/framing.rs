//! Any bytes in any chunking through the MLLP state machine: no panic, and the chunking changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| causeway_server::transport::mllp::codec::fuzz(bytes));
