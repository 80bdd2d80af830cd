//! A gateway that has nothing to do: how soon it is ready, and what it needs.

use std::time::{Duration, Instant};

use super::Rows;
use super::house::House;
use super::table::Row;

/// Memory is at rest when it was the same for so long.
const STILL: Duration = Duration::from_secs(2);

/// Start to readiness over an empty folder, the quickest of five, and memory at rest.
pub(crate) async fn start_and_idle() -> Rows {
    let mut quickest = Duration::MAX;
    let mut memory: f64 = 0.0;
    for _ in 0..5 {
        let begun = Instant::now();
        let house = House::open("").await?;
        quickest = quickest.min(begun.elapsed());
        memory = memory.max(at_rest(&house).await);
    }
    Ok(vec![
        Row::at_most("start to ready, best of 5", 1.0, quickest.as_secs_f64(), "s"),
        Row::at_most("idle memory, worst of 5", 60.0, memory, "MB"),
    ])
}

/// Resident memory in MB once it stays the same.
async fn at_rest(house: &House) -> f64 {
    let (mut memory, mut since) = (house.process.resident(), Instant::now());
    while since.elapsed() < STILL {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = house.process.resident();
        if now != memory {
            (memory, since) = (now, Instant::now());
        }
    }
    memory as f64 / 1_024.0
}
