//! The figures of the house, measured from end to end: the release binary in a process of its own, its own load client
//! (`causeway send`) in another, real sockets between them and the disk's own rate beside every figure. One line a figure:
//! goal, measured, met or missed. What is measured stands in one module a part; nothing here is a test, and a missed goal
//! does not fail the run.
//!
//! ```sh
//! make bench                       # everything, shortly: about six minutes once it is built
//! make bench ARGS="commits start"  # some parts
//! BENCH=full make bench            # the durations that the goals speak of: about 45 minutes
//! ```
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints, and its counts are far below 2^53"
)]

mod at_rest;
mod claims;
mod commits;
mod convert;
mod dicom;
mod disk;
mod house;
mod http;
mod load;
mod outbox;
mod python;
mod resources;
mod table;
mod throughput;

use std::pin::Pin;

use table::Row;

/// What a part found.
type Rows = anyhow::Result<Vec<Row>>;

/// Seconds of a part: as few as say something, or as many as its goal speaks of.
pub(crate) fn seconds(few: u64, goal: u64) -> u64 {
    if is_full() { goal } else { few }
}

/// Whether the goals' own durations were asked for.
pub(crate) fn is_full() -> bool {
    std::env::vars().any(|(name, value)| name == "BENCH" && value == "full")
}

/// A part that does nothing before it is awaited.
type Part = Pin<Box<dyn Future<Output = Rows>>>;

/// The parts, in order.
fn parts() -> Vec<(&'static str, Part)> {
    vec![
        ("convert", Box::pin(async { convert::rate() })),
        ("start", Box::pin(at_rest::start_and_idle())),
        ("one", Box::pin(throughput::one_connection())),
        ("pipelined", Box::pin(throughput::pipelined())),
        ("crowd", Box::pin(throughput::crowd())),
        ("hook", Box::pin(throughput::crowd_with_a_hook())),
        ("paced", Box::pin(throughput::paced())),
        ("commits", Box::pin(commits::rate_and_drain())),
        ("http", Box::pin(http::reads_and_creates())),
        ("resources", Box::pin(resources::steady())),
        ("burst", Box::pin(resources::burst())),
        ("outbox", Box::pin(outbox::to_mllp())),
        ("forward", Box::pin(outbox::to_fhir())),
        ("killed", Box::pin(commits::killed_with_a_backlog())),
        ("dicom", Box::pin(dicom::stored())),
        ("large", Box::pin(dicom::large())),
        ("claims", Box::pin(claims::file())),
        ("peer", Box::pin(python::ratio())),
        ("million", Box::pin(throughput::a_million())),
    ]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Cargo itself adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let _built = causeway_tests::binary();
    table::head();
    for (name, part) in parts() {
        let by_default = name != "million" || is_full();
        if wanted.iter().any(|one| one == name) || wanted.is_empty() && by_default {
            let before = disk::rate();
            let rows = part.await;
            table::part(name, rows, before, disk::rate());
        }
    }
}
