//! How fast a file of claims is cut into segments, checked and acknowledged, and taken apart into claims. One core.
#![allow(missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use bytes::Bytes;
use causeway_core::{Adapter, Head, MemorySource, Stamp};
use causeway_x12::reply::Sum;
use causeway_x12::tokenise::Tokens;
use causeway_x12::{X12, validate};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Claims of the file; each has two lines, some 20 segments and 570 bytes.
const CLAIMS: usize = 20_000;

fn file() -> Bytes {
    let sets: Vec<String> = (0..CLAIMS / 2_000)
        .map(|number| support::set(&format!("{number:04}"), &support::claims(2_000)))
        .collect();
    Bytes::from(support::file(&sets))
}

fn stamp() -> Stamp {
    Stamp {
        time: jiff::Timestamp::UNIX_EPOCH,
        control_id: "CW69A5D3A000000001".to_owned(),
    }
}

#[divan::bench(sample_count = 20)]
fn tokenise(bencher: Bencher) {
    let file = file();
    bencher.counter(BytesCount::new(file.len())).bench_local(|| {
        let mut source = MemorySource(file.clone());
        let mut tokens = Tokens::new(&mut source);
        let mut count = 0_u64;
        while let Ok(Some(token)) = tokens.next() {
            count += black_box(token.text).len() as u64;
        }
        count
    });
}

#[divan::bench(sample_count = 10)]
fn validate_and_999(bencher: Bencher) {
    let adapter = X12::new(&causeway_x12::lift::Options::default()).ok();
    let file = file();
    let head = Head::file("claims.837");
    bencher.counter(BytesCount::new(file.len())).bench_local(|| {
        let mut source = MemorySource(file.clone());
        let adapter = adapter.as_ref()?;
        let reading = adapter.parse(&head, &mut source).value?;
        let commit = adapter.commit(&reading, &stamp());
        Some((commit, adapter.reply(&reading, Sum::default(), &stamp())))
    });
}

#[divan::bench(sample_count = 10)]
fn cut_into_claims(bencher: Bencher) {
    let file = file();
    let adapter = X12::new(&causeway_x12::lift::Options::default()).ok();
    let head = Head::file("claims.837");
    let inputs = || {
        let mut source = MemorySource(file.clone());
        let reading = adapter
            .as_ref()
            .and_then(|adapter| adapter.parse(&head, &mut source).value);
        (reading, source)
    };
    bencher
        .counter(ItemsCount::new(CLAIMS))
        .with_inputs(inputs)
        .bench_local_values(|(reading, mut source)| {
            let (mut reading, adapter) = (reading?, adapter.as_ref()?);
            let mut count = 0;
            while let Some(draft) = adapter.next(&mut reading, &mut source, &[0; 32]) {
                black_box(draft);
                count += 1;
            }
            Some(count)
        });
}

/// What is left of a file that was read: no text, whatever its size.
#[divan::bench(sample_count = 10)]
fn read_alone(bencher: Bencher) {
    let file = file();
    bencher
        .counter(BytesCount::new(file.len()))
        .bench_local(|| validate::read(&mut MemorySource(file.clone())).ok());
}
