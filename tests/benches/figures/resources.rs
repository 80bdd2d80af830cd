//! What FHIR resources with versions and search cost the line: results at a pace, a new patient, visit, order and results in
//! every message, with a FHIR route in the configuration.

use std::time::{Duration, Instant};

use super::house::House;
use super::http::STANZA;
use super::load::{ORU, Report, send};
use super::table::Row;
use super::throughput::processor;
use super::{Rows, seconds};

/// 1,500 messages a second, for ten minutes where the goal's own time was asked for: nothing falls more than 5 s behind.
pub(crate) async fn steady() -> Rows {
    paced(1_500, seconds(20, 600), Some(5.0), 5.0).await
}

/// 3,000 messages a second for a minute: everything is level within a minute more.
pub(crate) async fn burst() -> Rows {
    paced(3_000, seconds(10, 60), None, 60.0).await
}

async fn paced(rate: u64, long: u64, behind: Option<f64>, level: f64) -> Rows {
    let house = House::open(STANZA).await?;
    let arguments = format!("--connections 64 --rate {rate} --seconds {long}");
    let (report, seen) = house.watched(send(house.process.mllp, ORU, "AA", &arguments)).await?;
    let report: Report = report?;
    let begun = Instant::now();
    let patience = Duration::from_mins(10);
    house.caught_up(patience).await?;
    house.resources_caught_up(patience).await?;
    let caught_up = begun.elapsed().as_secs_f64();
    let worst = |figure: &str, seconds: f64| match behind {
        Some(goal) => Row::at_most(figure, goal, seconds, "s"),
        None => Row::known(figure, format!("{seconds:.1} s")),
    };
    Ok(vec![
        Row::at_least(
            &format!("ORU with FHIR resources, asked {rate}/s for {long} s"),
            rate as f64 * 0.99,
            report.per_second,
            "/s",
        ),
        Row::known("p99 of a reply", format!("{:.1} ms", report.latency_ms.p99)),
        worst("resources behind at most", seen.resources),
        worst("read model behind at most", seen.behind),
        Row::at_most("both caught up after", level, caught_up, "s"),
        Row::known("memory at most", format!("{:.0} MB", seen.memory_between(0.0, 1.0))),
        processor(&report, &seen),
    ])
}
