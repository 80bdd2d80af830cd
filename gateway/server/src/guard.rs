//! Catches panics of adapters, rules and hooks and makes them faults: a defect of ours is answered, counted and logged,
//! and never takes the gateway or another message down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use causeway_core::{Fault, FaultKind};

/// Panics caught since the start.
pub static DEFECTS: AtomicU64 = AtomicU64::new(0);

/// Runs something that should not panic.
///
/// # Errors
/// It did: an internal fault. The log says where; the peer is told only that it was our defect.
pub fn guard<T>(what: &'static str, run: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| defect(what, panic.as_ref()))
}

/// Counts defects of rule packs, which the packs' own guard caught. What a panic said may hold patient data and is not
/// logged, at no level.
pub fn count(defects: usize) {
    DEFECTS.fetch_add(defects as u64, Ordering::Relaxed);
    tracing::error!(defects, "a rule pack broke");
}

/// The fault of a caught panic. The panic's own text may hold patient data, so only its place is logged, by the hook
/// that [`install`] sets.
pub fn defect(what: &'static str, _panic: &(dyn std::any::Any + Send)) -> Fault {
    DEFECTS.fetch_add(1, Ordering::Relaxed);
    tracing::error!(what, "a defect was caught");
    Fault::new(FaultKind::Internal, "a defect of the gateway").inside(format!("a panic in {what}"))
}

/// Makes panics log their place and not their text.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
