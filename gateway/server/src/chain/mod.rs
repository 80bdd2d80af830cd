//! The chain: what happens to an exchange between lifting and answer. Each stage is one file with one async function;
//! the plumbing is written here once, and the order in one function. No stage knows a format or a transport.

mod apply;
mod context;
mod decide;
mod deliver;
mod hooks;
mod profile;
mod rescue;
mod rules;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use causeway_core::{Answer, Exchange};
use causeway_rules::Ran;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt, layer::layer_fn};

use crate::outbox::Post;
use crate::resources::Sequencer;
use crate::service::ChainService;
use crate::telemetry;

pub use hooks::{Budget, HookSet, LateSink};

/// What a chain is made of.
#[derive(Clone)]
pub struct Parts {
    /// Rules that see the message as it came.
    pub rules: RuleSource,
    /// Rules that also see what the hooks said.
    pub rules_after: RuleSource,
    /// Decision-support services.
    pub hooks: HookSet,
    /// Whether the structure is checked against the R4 element facts.
    pub profile: bool,
    /// What puts writes in order.
    pub sequencer: Arc<Sequencer>,
    /// Who else gets what was decided.
    pub post: Option<Post>,
}

/// Runs the rules in force over an exchange; a reload swaps what runs.
pub type RuleSource = Arc<dyn Fn(&Exchange) -> Ran + Send + Sync>;

/// No rules.
pub fn no_rules() -> RuleSource {
    Arc::new(|_| Ran::default())
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// The order of the house.
pub fn chain(parts: Parts) -> ChainService {
    let service = ServiceBuilder::new()
        .layer(stage(rescue::Rescue)) // outermost: whatever breaks below becomes an answer
        .option_layer(parts.post.map(|post| stage(deliver::Deliver { post }))) // around all that decides
        .layer(stage(context::Opened)) // before all that log
        .layer(stage(profile::Profile { on: parts.profile })) // rules may rely on the structure
        .layer(stage(rules::Rules { source: parts.rules })) // before hooks: a rule may hold what must not leave
        .layer(stage(hooks::Hooks { set: parts.hooks }))
        .layer(stage(rules::Rules { source: parts.rules_after }))
        .layer(stage(apply::Apply { sequencer: parts.sequencer })) // last: nothing that is refused is written
        .service(decide::Decide);
    BoxCloneSyncService::new(service)
}

/// The rest of the chain, as a stage sees it.
pub(crate) trait Link:
    Service<Exchange, Response = Answer, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Link for S where
    S: Service<Exchange, Response = Answer, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

/// The rest of the chain, to be run at most once.
pub(crate) struct Next<N>(N);

impl<N: Link> Next<N> {
    /// Runs the rest.
    pub(crate) async fn run(self, exchange: Exchange) -> Answer {
        match self.0.oneshot(exchange).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}

/// One step of the chain.
pub(crate) trait Stage: Clone + Send + Sync + 'static {
    /// What traces call it; those that take no time have no name.
    const NAME: Option<&'static str> = None;

    /// Does its part and runs the rest, or answers by itself.
    fn run<N: Link>(self, exchange: Exchange, next: Next<N>) -> impl Future<Output = Answer> + Send;
}

#[derive(Clone)]
pub(crate) struct Staged<S, N> {
    stage: S,
    next: N,
}

fn stage<S: Stage, N: Link>(stage: S) -> impl tower::Layer<N, Service = Staged<S, N>> + Clone {
    layer_fn(move |next| Staged {
        stage: stage.clone(),
        next,
    })
}

impl<S: Stage, N: Link> Service<Exchange> for Staged<S, N> {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(())) // each stage calls the rest through `oneshot`, which waits for it
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let Self { stage, next } = self.clone();
        Box::pin(async move {
            S::NAME.into_iter().for_each(telemetry::stage);
            Ok(stage.run(exchange, Next(next)).await)
        })
    }
}
