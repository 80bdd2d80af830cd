//! The one place where a fault becomes a reply. `Refuse` stands outermost on a listener's service, keeps head and first
//! bytes, and asks the adapter to say no in the sender's own format; what it wraps may fail, what it is may not.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use causeway_core::{
    Actor, ActorKind, Adapter, Class, Fault, FaultKind, Finding, Frame, Head, Leave, Reply, Severity, Stamp, Text,
};
use tower::Service;

use crate::guard::guard;
use crate::replies::{Outgoing, Replies};
use crate::stamps::Stamps;

/// How much of a body an adapter gets to see for a refusal.
const FIRST: usize = 64 << 10;

/// Makes [`Refuse`] services.
pub struct RefuseLayer<A> {
    adapter: Arc<A>,
    stamps: Arc<Stamps>,
}

impl<A> std::fmt::Debug for RefuseLayer<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefuseLayer").finish_non_exhaustive()
    }
}

impl<A> Clone for RefuseLayer<A> {
    fn clone(&self) -> Self {
        Self {
            adapter: Arc::clone(&self.adapter),
            stamps: Arc::clone(&self.stamps),
        }
    }
}

impl<A: Adapter> RefuseLayer<A> {
    /// A layer that refuses in the words of an adapter.
    pub fn new(adapter: Arc<A>, stamps: Arc<Stamps>) -> Self {
        Self { adapter, stamps }
    }

    /// The refusal of a fault: what a transport asks for that could not even make a frame.
    pub fn refuse(&self, head: &Head, first: &[u8], fault: &Fault) -> Reply {
        render(self.adapter.as_ref(), &self.stamps, head, first, &[finding(fault)])
    }
}

impl<A, S> tower::Layer<S> for RefuseLayer<A> {
    type Service = Refuse<A, S>;

    fn layer(&self, inner: S) -> Refuse<A, S> {
        Refuse {
            layer: self.clone(),
            inner,
        }
    }
}

/// A frame service that always replies.
pub struct Refuse<A, S> {
    layer: RefuseLayer<A>,
    inner: S,
}

impl<A, S: std::fmt::Debug> std::fmt::Debug for Refuse<A, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refuse")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<A, S: Clone> Clone for Refuse<A, S> {
    fn clone(&self) -> Self {
        Self {
            layer: self.layer.clone(),
            inner: self.inner.clone(),
        }
    }
}

impl<A, S> Service<Frame> for Refuse<A, S>
where
    A: Adapter,
    S: Service<Frame, Response = Replies, Error = Fault, Future: Send> + Clone + Send + 'static,
{
    type Response = Replies;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Replies, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, frame: Frame) -> Self::Future {
        let (layer, inner) = (self.layer.clone(), self.inner.clone());
        let (head, first) = (frame.head.clone(), frame.body.slice(..frame.body.len().min(FIRST)));
        Box::pin(async move {
            Ok(tower::ServiceExt::oneshot(inner, frame).await.unwrap_or_else(|fault| {
                let reply = layer.refuse(&head, &first, &fault);
                Replies::ready(Outgoing {
                    leave: Leave::NotKept(fault),
                    reply,
                })
            }))
        })
    }
}

/// Renders a refusal; when even that breaks, a reply without bytes, so that a transport at least goes on.
pub(super) fn render<A: Adapter>(
    adapter: &A,
    stamps: &Stamps,
    head: &Head,
    body: &[u8],
    findings: &[Finding],
) -> Reply {
    let first = body.get(..FIRST).unwrap_or(body);
    let stamp: Stamp = stamps.next();
    guard("refuse", || adapter.refuse(head, first, findings, &stamp)).unwrap_or_else(|_| Reply {
        head: causeway_core::ReplyHead::None,
        kind: causeway_core::ReplyKind::Refusal,
        bytes: bytes::Bytes::new(),
        positive: false,
    })
}

/// A fault in the words of a finding.
pub(super) fn finding(fault: &Fault) -> Finding {
    let (code, class, zh) = match fault.kind {
        FaultKind::Storage => ("not-kept", Class::Busy, "消息未能保存，请稍后重发"),
        FaultKind::Overload => ("overloaded", Class::Busy, "网关繁忙，请稍后重发"),
        FaultKind::TooLarge => ("too-large", Class::TooLong, "消息超过监听器允许的长度"),
        FaultKind::Timeout => ("timed-out", Class::Busy, "未能在时限内处理，请稍后重发"),
        FaultKind::Unreadable => ("unreadable", Class::Structure, "无法识别为本格式的消息"),
        FaultKind::Draining => ("draining", Class::Busy, "网关正在停止，请稍后重发"),
        FaultKind::Held => ("held", Class::Busy, "此消息已被搁置，等待人工处理"),
        FaultKind::Internal => ("gateway-defect", Class::Internal, "网关内部缺陷"),
        FaultKind::Upstream => ("upstream", Class::Busy, "下游系统不可用"),
        FaultKind::Unauthenticated => ("unauthenticated", Class::Business, "需要有效的身份凭据"),
        FaultKind::Forbidden => ("forbidden", Class::Business, "不允许此请求"),
        FaultKind::Misdirected => ("misdirected", Class::Business, "此请求不是发给本监听器的"),
        FaultKind::Nowhere => ("unknown-path", Class::UnknownKey, "此路径下没有内容"),
        FaultKind::NotAllowed => ("method-not-allowed", Class::UnsupportedType, "此路径不支持该方法"),
        FaultKind::Unsupported => ("unsupported", Class::UnsupportedType, "不接受此类型或编码的内容"),
        FaultKind::TooMany => ("too-many", Class::Busy, "同一来源的请求过多，请稍后重试"),
    };
    let by = Actor::new(ActorKind::Gateway, "refuse");
    Finding::new(code, Severity::Error, class, by, Text::new(zh, fault.outside.clone()))
}
