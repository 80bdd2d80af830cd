//! The load client of the house, `causeway send`, in a process of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use causeway_tests::binary;
use serde::Deserialize;

use super::disk;

/// A result of 12 OBX, nothing critical, with Chinese names, in UTF-8.
pub(crate) const ORU: &str = "benches/figures/oru-12.hl7";
/// An admission of 1 kB whose sender wants a commit and nothing more (MSH-15 AL, MSH-16 NE).
pub(crate) const ADT: &str = "benches/figures/adt-1k.hl7";

/// What the client found; the members of its JSON record that are used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) answered: u64,
    failed: u64,
    pub(crate) per_second: f64,
    pub(crate) latency_ms: Latency,
    codes: BTreeMap<String, u64>,
}

/// Milliseconds.
#[derive(Debug, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Sends a file again and again, every message with a patient, visit and order of its own. Every reply must have the
/// code.
pub(crate) async fn send(to: SocketAddr, file: &str, code: &str, arguments: &str) -> anyhow::Result<Report> {
    let folder = disk::folder();
    let message = folder.path().join("message.hl7");
    std::fs::write(&message, text(file)?)?;
    let mut command = Command::new(binary());
    command.args(["send", "--vary", "--json", &format!("mllp://{to}")]);
    command.arg(message).args(arguments.split_whitespace());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let report: Report =
        serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let as_wanted = report.codes.get(code).is_some_and(|count| *count == report.answered);
    anyhow::ensure!(report.failed == 0 && as_wanted, "replies other than {code}: {report:?}");
    Ok(report)
}

/// A message as it is sent: a segment ends with CR.
pub(crate) fn text(file: &str) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(path(file))?.replace('\n', "\r"))
}

/// Where a file of this crate is.
pub(crate) fn path(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}
