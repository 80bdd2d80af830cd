//! Any bytes through the whole adapter: parse, lift, trace, commit, reply, refuse. No panic, and a refusal always
//! renders.
#![no_main]

use std::sync::LazyLock;

use causeway_core::{Adapter, Head, MemorySource, Stamp};
use causeway_hl7v2::{Config, Hl7v2};
use libfuzzer_sys::fuzz_target;

static ADAPTER: LazyLock<Hl7v2> = LazyLock::new(|| Hl7v2::new(Config::default()).expect("the embedded maps"));

fuzz_target!(|bytes: &[u8]| {
    let adapter = &*ADAPTER;
    let mut source = MemorySource(bytes.to_vec().into());
    let stamp = Stamp { time: "2026-11-24T00:00:00Z".parse().expect("a time"), control_id: "CW1".to_owned() };
    let parsed = adapter.parse(&Head::Mllp, &mut source);
    let refusal = adapter.refuse(&Head::Mllp, bytes, &parsed.findings, &stamp);
    assert!(!refusal.positive && !refusal.bytes.is_empty());
    let Some(mut message) = parsed.value else { return };
    let _commit = adapter.commit(&message, &stamp);
    let hash = [7; 32];
    let mut parts = 0;
    while let Some(draft) = adapter.next(&mut message, &mut source, &hash) {
        for finding in &draft.findings {
            assert!(!finding.code.is_empty());
        }
        parts += 1;
        assert!(parts <= bytes.len());
    }
    let _replies = adapter.reply(&message, Default::default(), &stamp);
    let _trace = adapter.trace(&Head::Mllp, &mut source, &hash);
});
