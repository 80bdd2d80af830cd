//! Asks the decision-support services, all at once, within one budget a frame. A service that is late, down, broken or
//! lying becomes the remark "not evaluated", and the message goes on; nothing leaves the house before the frame is kept,
//! and nothing of a message that is refused already. What arrives after the budget goes to the late sink and never alters
//! a reply.

use std::sync::Arc;
use std::time::Duration;

use causeway_core::finding::gravest;
use causeway_core::store::Late;
use causeway_core::{
    Actor, ActorKind, Answer, Arrival, Class, Context, Exchange, Fault, FaultKind, Finding, Frame, Hook, Kept,
    Severity, Text, Verdict,
};
use tokio::time::Instant;

use super::{Link, Next, Stage};
use crate::telemetry::TraceId;

/// What becomes of an advice that came after the budget.
pub type LateSink = Arc<dyn Fn(Late, &Frame, &Context) + Send + Sync>;

/// How long the services of one frame may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub Duration);

impl Default for Budget {
    fn default() -> Self {
        Self(Duration::from_millis(300)) // DESIGN decision 10
    }
}

/// The configured services.
#[derive(Clone, Default)]
pub struct HookSet {
    /// The services.
    pub hooks: Arc<[Arc<dyn Hook>]>,
    /// The budget of a frame.
    pub budget: Budget,
    /// Where late advice goes.
    pub late: Option<LateSink>,
}

impl std::fmt::Debug for HookSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookSet")
            .field("hooks", &self.hooks.len())
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Hooks {
    pub(super) set: HookSet,
}

impl Stage for Hooks {
    const NAME: Option<&'static str> = Some("hooks");

    async fn run<N: Link>(self, mut exchange: Exchange, next: Next<N>) -> Answer {
        let wanted = self.set.wanted(&exchange);
        if wanted.is_empty() {
            return next.run(exchange).await;
        }
        let kept = match exchange.receipt.kept().await {
            Ok(Arrival::New(kept)) => kept,
            // A resend gets the earlier answer and calls no service again.
            Ok(Arrival::Again(_)) => return exchange.answer(Verdict::Accepted),
            Err(_) => return exchange.answer(Verdict::Failed { retry: true }),
        };
        let deadline = Instant::now() + self.set.budget.0;
        let calls: Vec<_> = wanted
            .into_iter()
            .map(|hook| self.set.call(hook, &exchange, &kept))
            .collect();
        for call in calls {
            for finding in call.finish(deadline).await {
                exchange.remark(finding);
            }
        }
        next.run(exchange).await
    }
}

/// A call under way.
struct Call {
    hook: Arc<dyn Hook>,
    answer: tokio::sync::oneshot::Receiver<Result<Vec<Finding>, Fault>>,
}

impl HookSet {
    /// Whom to ask. What is refused already leaves the house for nobody.
    fn wanted(&self, exchange: &Exchange) -> Vec<Arc<dyn Hook>> {
        if gravest(&exchange.findings) == Some(Severity::Error) {
            return Vec::new();
        }
        let wants = |hook: &&Arc<dyn Hook>| hook.wants(exchange);
        self.hooks.iter().filter(wants).cloned().collect()
    }

    /// Starts a call in a task of its own, since it may outlive the exchange.
    fn call(&self, hook: Arc<dyn Hook>, exchange: &Exchange, kept: &Kept) -> Call {
        let (sender, answer) = tokio::sync::oneshot::channel();
        let advice = hook.advise(Arc::clone(&exchange.bundle), kept.clone());
        let (sink, number, part) = (self.late.clone(), kept.number(), exchange.part);
        let (service, bundle) = (hook.meta().id.clone(), Arc::clone(&exchange.bundle));
        let (frame, context) = (Arc::clone(exchange.receipt.frame()), Arc::clone(&exchange.context));
        let trace = TraceId::of(number, &frame);
        tokio::spawn(trace.scope(async move {
            let Err(unheard) = sender.send(advice.await) else {
                return;
            };
            tracing::info!(number, part, service, ok = unheard.is_ok(), "late advice");
            // A late failure says no more than the remark that there was no evaluation.
            if let (Ok(mut findings), Some(sink)) = (unheard, sink) {
                for finding in &mut findings {
                    bundle.locate(finding);
                }
                let late = Late {
                    number,
                    part,
                    time: jiff::Timestamp::now(),
                    service,
                    findings,
                    deliveries: Vec::new(),
                };
                sink(late, &frame, &context);
            }
        }));
        Call { hook, answer }
    }
}

impl Call {
    /// The findings, or the remark that there was no evaluation.
    async fn finish(self, deadline: Instant) -> Vec<Finding> {
        match tokio::time::timeout_at(deadline, self.answer).await {
            Ok(Ok(Ok(findings))) => findings,
            Ok(Ok(Err(fault))) => vec![not_evaluated(self.hook.as_ref(), &fault)],
            Ok(Err(_)) => vec![not_evaluated(
                self.hook.as_ref(),
                &Fault::new(FaultKind::Internal, "it broke"),
            )],
            Err(_) => vec![not_evaluated(
                self.hook.as_ref(),
                &Fault::new(FaultKind::Timeout, "it did not answer in time"),
            )],
        }
    }
}

fn not_evaluated(hook: &dyn Hook, fault: &Fault) -> Finding {
    let meta = hook.meta();
    let text = Text::new(
        format!(
            "辅助决策服务 {} 未评估：{}；不等于未发现问题",
            meta.id,
            reason_zh(fault)
        ),
        format!(
            "service {} did not evaluate this: {}; that is not the same as nothing found",
            meta.id, fault.outside
        ),
    );
    let mut by = Actor::new(ActorKind::Hook, meta.id.clone());
    by.version = Some(meta.version.clone().into());
    Finding::new("not-evaluated", Severity::Information, Class::Incomplete, by, text)
}

fn reason_zh(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::Timeout => "未在时限内答复",
        FaultKind::Overload => "服务被暂时隔离或过载",
        FaultKind::TooLarge => "答复过大",
        FaultKind::Unreadable => "答复不符合规范",
        FaultKind::Upstream => "服务不可用",
        _ => "服务出错",
    }
}
