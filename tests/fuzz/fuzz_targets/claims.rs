//! Any bytes through the whole X12 adapter: parse, lift, commit, reply, refuse. No panic, a file that is read is decided,
//! and every answer is X12 again and is itself not answered.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use causeway_core::{Adapter, Head, MemorySource, Reply, Stamp};
use causeway_x12::X12;
use causeway_x12::lift::Options;
use causeway_x12::reply::Sum;
use causeway_x12::validate::Oddity;
use libfuzzer_sys::fuzz_target;

static ADAPTER: LazyLock<X12> = LazyLock::new(|| X12::new(&Options::default()).expect("the embedded data"));

fuzz_target!(|bytes: &[u8]| {
    let adapter = &*ADAPTER;
    let head = Head::file("claims.837");
    let stamp = Stamp { time: "2026-11-24T00:00:00Z".parse().expect("a time"), control_id: "CW1".to_owned() };
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let parsed = adapter.parse(&head, &mut source);
    let refusal = adapter.refuse(&head, bytes, &parsed.findings, &stamp);
    assert!(!refusal.positive);
    is_x12(&refusal);
    let Some(mut reading) = parsed.value else { return };
    let commit = adapter.commit(&reading, &stamp);
    let mut parts = 0;
    while let Some(_draft) = adapter.next(&mut reading, &mut source, &[7; 32]) {
        parts += 1;
        assert!(parts <= bytes.len(), "more parts than bytes");
    }
    assert!(parts > 0, "a file that is never decided");
    let replies = adapter.reply(&reading, Sum::default(), &stamp);
    commit.iter().chain(&replies).for_each(is_x12);
});

/// Our own reader takes an answer without a fault, and has nothing to answer to it.
fn is_x12(reply: &Reply) {
    let read = causeway_x12::validate::read(&mut MemorySource(reply.bytes.clone())).expect("in memory");
    let records = read.records;
    // A delimiter may be any byte, so the answer need not be text where the file was not.
    let odd = read.oddities.iter().any(|odd| !matches!(odd, Oddity::NotText { .. }));
    assert!(!odd && !records.interchanges.is_empty(), "{:?}", reply.bytes);
    assert!(records.interchanges.iter().all(|one| !one.is_rejected()), "{:?}", reply.bytes);
    assert!(records.sets.iter().all(|set| !set.rejected), "{:?}", reply.bytes);
}
