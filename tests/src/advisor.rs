//! A decision-support service in this process that a test has in its hand: it counts its calls and answers as it is told,
//! without any wire between. What a wire can do wrong is `Service`'s business.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use causeway_core::rule::Fail;
use causeway_core::{Bundle, Exchange, Fault, Finding, Hook, Kept, Meta};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

/// What a service says, sooner or later.
pub type Advice = Result<Vec<Finding>, Fault>;

/// A service.
pub struct Advisor {
    meta: Meta,
    calls: AtomicUsize,
    advise: Box<dyn Fn() -> BoxFuture<'static, Advice> + Send + Sync>,
}

impl std::fmt::Debug for Advisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Advisor")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl Advisor {
    /// One that answers each call with a future of its own.
    pub fn new<F>(advise: impl Fn() -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Advice> + Send + 'static,
    {
        let meta = Meta {
            id: "advisor".to_owned(),
            version: "1".to_owned(),
            fail: Fail::Remark,
        };
        Arc::new(Self {
            meta,
            calls: AtomicUsize::new(0),
            advise: Box::new(move || advise().boxed()),
        })
    }

    /// One that answers each call when there is a permit for it.
    ///
    /// # Panics
    /// Never: nobody closes the gate.
    pub fn gated(advise: impl Fn() -> Advice + Clone + Send + Sync + 'static) -> (Arc<Self>, Arc<Semaphore>) {
        let gate = Arc::new(Semaphore::new(0));
        let inner = Arc::clone(&gate);
        let advisor = Self::new(move || {
            let (gate, advise) = (Arc::clone(&inner), advise.clone());
            async move {
                gate.acquire().await.expect("never closed").forget();
                advise()
            }
        });
        (advisor, gate)
    }

    /// One that finds nothing.
    pub fn silent() -> Arc<Self> {
        Self::new(|| async { Ok(Vec::new()) })
    }

    /// How often it was asked.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// It alone, as a gateway's services.
    pub fn alone(self: &Arc<Self>) -> Vec<Arc<dyn Hook>> {
        vec![Arc::clone(self) as Arc<dyn Hook>]
    }
}

impl Hook for Advisor {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn wants(&self, _: &Exchange) -> bool {
        true
    }

    fn advise(&self, _: Arc<Bundle>, _: Kept) -> BoxFuture<'static, Advice> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.advise)()
    }
}
