//! How long a claim takes from its part to FHIR JSON, in whole and in its steps. The goal is 10,000 a second on one core.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the reader of tests"
)]

use causeway_core::NodeId;
use causeway_core::fhir::write_compact;
use causeway_x12::lift::{Lift, Options};
use causeway_x12::{Delimiters, Envelope, LoopId, LoopInstance, Part, PartSegment, SegmentId};
use divan::{Bencher, black_box, counter::ItemsCount};

#[path = "../src/lift/tests/text.rs"]
mod text;
#[path = "../src/lift/tests/walk.rs"]
mod walk;

fn main() {
    divan::main();
}

/// A claim of three lines with four providers, and what stands around it: 43 segments.
fn part() -> Part {
    walk::parts(text::CLAIMS).remove(0)
}

#[divan::bench]
fn part_to_json(bencher: Bencher) {
    let lift = Lift::new(&Options::default()).unwrap();
    let part = part();
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        out.clear();
        let made = lift.lift(black_box(part.clone()), &[7; 32]);
        if let Some(made) = made {
            write_compact(&made.bundle.tree, NodeId::ROOT, &mut out);
        }
        out.len()
    });
}

#[divan::bench]
fn part_to_bundle(bencher: Bencher) {
    let lift = Lift::new(&Options::default()).unwrap();
    let part = part();
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| lift.lift(black_box(part.clone()), &[7; 32]));
}

#[divan::bench]
fn compile(bencher: Bencher) {
    bencher.bench_local(|| Lift::new(&Options::default()).is_ok());
}
