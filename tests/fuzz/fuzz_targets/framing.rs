//! Any bytes in any chunking through the MLLP state machine: no panic, and the chunking changes nothing.
#![no_main]

use causeway_server::transport::mllp::codec::decode_all;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (chunk, limit, bytes) = input;
    let at_once = decode_all(bytes, bytes.len(), usize::from(limit));
    let in_pieces = decode_all(bytes, usize::from(chunk), usize::from(limit));
    assert_eq!(at_once, in_pieces);
});
