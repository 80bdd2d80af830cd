//! From bytes to FHIR JSON on one core: no socket, no log, no rules. `adapters/hl7v2/benches/convert.rs` shows the steps.

use anyhow::Context;
use causeway_core::fhir::write_compact;
use causeway_core::{Adapter, Head, MemorySource, NodeId};
use causeway_hl7v2::{Config, Hl7v2};
use std::hint::black_box;

use super::table::Row;
use super::{Rows, load};

/// The best of five rounds.
pub(crate) fn rate() -> Rows {
    let adapter = Hl7v2::new(Config::default()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut source = MemorySource(load::text(load::ORU)?.into_bytes().into());
    let mut best: f64 = 0.0;
    for _ in 0..5 {
        best = best.max(round(&adapter, &mut source)?);
    }
    Ok(vec![Row::at_least(
        "parse, map, serialise an ORU of 12 OBX",
        20_000.0,
        best,
        "/s",
    )])
}

/// Conversions of a round.
const ROUND: u32 = 5_000;

/// Conversions a second of processor time, which other processes do not take away.
fn round(adapter: &Hl7v2, source: &mut MemorySource) -> anyhow::Result<f64> {
    let (begun, mut out) = (on_core()?, Vec::new());
    for _ in 0..ROUND {
        out.clear();
        let mut message = adapter
            .parse(&Head::Mllp, black_box(source))
            .value
            .context("a message")?;
        let draft = adapter.next(&mut message, source, &[7; 32]).context("a part")?;
        write_compact(&draft.bundle.tree, NodeId::ROOT, &mut out);
        black_box(&out);
    }
    Ok(f64::from(ROUND) * 1e9 / (on_core()? - begun))
}

/// Nanoseconds that this thread has had of its core (Linux, `/proc/PID/schedstat`).
fn on_core() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().context("schedstat")?.parse()?)
}
