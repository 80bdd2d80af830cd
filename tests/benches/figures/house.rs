//! A gateway that is measured: a process over a folder of its own, asked for its status and its memory while others load
//! it. It sends nothing itself.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use causeway_tests::{Process, get};
use serde_json::Value;
use tempfile::TempDir;

use super::disk;

/// Between two looks at the gateway; seldom enough not to be a load.
const LOOK: Duration = Duration::from_millis(250);

/// A running gateway.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) process: Process,
    folder: TempDir,
}

/// What was seen of a gateway during a load.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The most that the read model was behind, in seconds.
    pub(crate) behind: f64,
    /// The most that FHIR resources were behind, in seconds.
    pub(crate) resources: f64,
    /// Resident memory in MB, look by look.
    pub(crate) memory: Vec<f64>,
    /// Processor time that the gateway had, in seconds.
    pub(crate) processor: f64,
}

impl Seen {
    /// The most memory within a part of the time, both ends as shares of it.
    pub(crate) fn memory_between(&self, from: f64, to: f64) -> f64 {
        let all = self.memory.len() as f64;
        let within = |index: usize| (from..=to).contains(&((index as f64 + 0.5) / all));
        let looks = self.memory.iter().enumerate().filter(|(index, _)| within(*index));
        looks.map(|(_, memory)| *memory).fold(0.0, f64::max)
    }
}

impl House {
    /// Starts one over an empty folder with more stanzas in its configuration, and waits until it is ready.
    pub(crate) async fn open(stanzas: &str) -> anyhow::Result<Self> {
        Self::started(|folder| Process::configured(folder, stanzas, &[])).await
    }

    /// The same with no listener but those of the stanzas.
    pub(crate) async fn only(stanzas: &str) -> anyhow::Result<Self> {
        Self::started(|folder| Process::only(folder, stanzas)).await
    }

    async fn started(start: impl FnOnce(&Path) -> Process) -> anyhow::Result<Self> {
        let folder = disk::folder();
        let process = start(folder.path());
        let house = Self { process, folder };
        house.ready().await?;
        Ok(house)
    }

    /// Waits until `/readyz` says yes.
    async fn ready(&self) -> anyhow::Result<()> {
        self.until(Duration::from_secs(10), "ready", async || {
            Ok(get(self.process.admin, "/readyz", "").await.0 == 200)
        })
        .await
        .map(drop)
    }

    /// Kills it and starts another over the same folder, with the default configuration.
    pub(crate) async fn killed_and_started(self) -> anyhow::Result<Self> {
        let Self { process, folder } = self;
        process.kill();
        std::fs::remove_file(folder.path().join("test.toml"))?;
        let process = Process::start(folder.path(), &[]);
        let house = Self { process, folder };
        house.ready().await?;
        Ok(house)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// What the admin port says.
    pub(crate) async fn status(&self) -> anyhow::Result<Value> {
        let token = std::fs::read_to_string(self.data().join("admin-token")).context("the admin token")?;
        let (_, text) = get(self.process.admin, "/status", token.trim()).await;
        serde_json::from_str(&text).context("the status")
    }

    /// A number of the status by its JSON pointer.
    pub(crate) async fn count(&self, pointer: &str) -> anyhow::Result<u64> {
        let status = self.status().await?;
        let number = status.pointer(pointer).and_then(Value::as_u64);
        number.with_context(|| format!("no {pointer} in {status}"))
    }

    /// Does some work and looks at the gateway meanwhile.
    pub(crate) async fn watched<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<(T, Seen)> {
        let (mut seen, begun) = (Seen::default(), self.process.processor());
        let mut work = std::pin::pin!(work);
        let mut clock = tokio::time::interval(LOOK);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                done = &mut work => {
                    seen.processor = self.process.processor().saturating_sub(begun).as_secs_f64();
                    return Ok((done, seen));
                }
                _ = clock.tick() => self.look(&mut seen).await?,
            }
        }
    }

    async fn look(&self, seen: &mut Seen) -> anyhow::Result<()> {
        let status = self.status().await?;
        // A gateway that serves no FHIR keeps no resources.
        let behind = |name| status.pointer(name).and_then(Value::as_u64).unwrap_or(0) as f64 / 1_000.0;
        seen.behind = seen.behind.max(behind("/projection/behind_ms"));
        seen.resources = seen.resources.max(behind("/resources/behind_ms"));
        seen.memory.push(self.process.resident() as f64 / 1_024.0);
        Ok(())
    }

    /// Waits until all that was accepted is answered; how long it took.
    pub(crate) async fn drained(&self, patience: Duration) -> anyhow::Result<Duration> {
        let none = async || Ok(self.count("/log/pending").await? == 0);
        self.until(patience, "all messages answered", none).await
    }

    /// Waits until the read model has all of the log; how long it took.
    pub(crate) async fn caught_up(&self, patience: Duration) -> anyhow::Result<Duration> {
        let level = async || {
            let status = self.status().await?;
            Ok(status.pointer("/projection/position") == status.pointer("/log/tail"))
        };
        self.until(patience, "the read model caught up", level).await
    }

    /// Waits until FHIR resources have all of the log; how long it took.
    pub(crate) async fn resources_caught_up(&self, patience: Duration) -> anyhow::Result<Duration> {
        let level = async || {
            let status = self.status().await?;
            Ok(status.pointer("/resources/position") == status.pointer("/log/tail"))
        };
        self.until(patience, "the resources caught up", level).await
    }

    /// Waits until something holds; how long it took.
    pub(crate) async fn until(
        &self,
        patience: Duration,
        what: &str,
        holds: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        while !holds().await? {
            anyhow::ensure!(
                begun.elapsed() < patience,
                "not within {} s: {what}",
                patience.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(begun.elapsed())
    }
}
