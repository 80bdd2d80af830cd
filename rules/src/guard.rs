//! A rule that breaks is never skipped in silence (DESIGN decision 10): its panic becomes a finding "not evaluated" and
//! the word of its pack on what happens to the message. What the panic said is for the log only, since it may hold what
//! a patient's record says.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use causeway_core::rule::Fail;
use causeway_core::{Actor, ActorKind, Class, Exchange, Finding, Meta, Rule, Severity, Text};

/// What rules said of an exchange.
#[derive(Debug, Default)]
pub struct Ran {
    /// Their remarks, those on broken rules among them.
    pub findings: Vec<Finding>,
    /// The strictest wish of rules that broke: remark, hold or refuse. `None` when none broke.
    pub broken: Option<Fail>,
    /// What broke, for the log: rule and panic.
    pub defects: Vec<String>,
    /// Name of the snapshot that ran; `None` for a rule alone.
    pub snapshot: Option<Arc<str>>,
}

impl Ran {
    /// Adds what another rule said.
    pub fn join(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.defects.extend(other.defects);
        self.broken = match (self.broken, other.broken) {
            (Some(a), Some(b)) => Some(if strictness(a) < strictness(b) { b } else { a }),
            (a, b) => a.or(b),
        };
    }
}

fn strictness(fail: Fail) -> u8 {
    match fail {
        Fail::Remark => 0,
        Fail::Hold => 1,
        Fail::Refuse => 2,
    }
}

/// Runs a rule; a panic becomes a finding and the pack's word.
pub fn run(rule: &dyn Rule, exchange: &Exchange) -> Ran {
    match catch_unwind(AssertUnwindSafe(|| rule.check(exchange))) {
        Ok(findings) => Ran {
            findings,
            ..Ran::default()
        },
        Err(panic) => broken(rule.meta(), panic.as_ref()),
    }
}

fn broken(meta: &Meta, panic: &(dyn Any + Send)) -> Ran {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic");
    let mut by = Actor::new(ActorKind::Rule, meta.id.clone());
    by.version = Some(meta.version.clone().into());
    let severity = if meta.fail == Fail::Refuse {
        Severity::Error
    } else {
        Severity::Warning
    };
    let text = Text::new(
        format!("规则包 {} 出错，未做判断", meta.id),
        format!("the rule pack {} broke and evaluated nothing", meta.id),
    );
    Ran {
        findings: vec![Finding::new("rule-broken", severity, Class::Incomplete, by, text)],
        broken: Some(meta.fail),
        defects: vec![format!("{} {}: {said}", meta.id, meta.version)],
        snapshot: None,
    }
}
