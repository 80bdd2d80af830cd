//! What an operator decides about deliveries: dead ones go back into their queue, some are dropped, a destination rests or
//! goes on. Counting and listing need no running gateway and stand in the command line.

use std::sync::Arc;

use causeway_core::store::Query;
use causeway_core::{Fault, Store};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Reply, reply, said};

/// Largest request.
const REQUEST: usize = 64 << 10;

/// Deliveries of a gateway, with the destinations that it is configured with.
#[derive(Clone)]
pub struct Deliveries {
    store: Arc<dyn Store>,
    configured: Vec<String>,
}

/// Which destination.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    destination: String,
}

impl std::fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deliveries")
            .field("configured", &self.configured)
            .finish_non_exhaustive()
    }
}

impl Deliveries {
    /// Those of a log.
    pub fn new(store: Arc<dyn Store>, configured: Vec<String>) -> Self {
        Self { store, configured }
    }

    /// Answers a request under `/deliveries` or `/destinations`.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Reply {
        if request.method() != Method::POST {
            return said(StatusCode::METHOD_NOT_ALLOWED, "only POST");
        }
        match request.uri().path() {
            "/deliveries/replay" => {
                self.turn(request, |store, query| store.deliveries().replay(query))
                    .await
            }
            "/deliveries/drop" => {
                self.turn(request, |store, query| store.deliveries().discard(query))
                    .await
            }
            "/destinations/pause" => self.pause(request, true).await,
            "/destinations/resume" => self.pause(request, false).await,
            _ => said(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    /// Turns the deliveries that a request means, away from the runtime's workers: there may be many.
    async fn turn(
        &self,
        request: Request<Incoming>,
        how: impl FnOnce(&dyn Store, &Query) -> Result<u64, Fault> + Send + 'static,
    ) -> Reply {
        let query: Query = match asked(request).await {
            Ok(query) => query,
            Err(refused) => return refused,
        };
        // Everything that ever was is nobody's wish.
        if query.id.is_none() && query.state.is_none() {
            return said(StatusCode::BAD_REQUEST, "an id or a state is needed");
        }
        let store = Arc::clone(&self.store);
        match tokio::task::spawn_blocking(move || how(store.as_ref(), &query)).await {
            Ok(Ok(count)) => reply(StatusCode::OK, &json!({ "count": count })),
            Ok(Err(fault)) => said(StatusCode::SERVICE_UNAVAILABLE, &fault.outside),
            Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, "the request broke"),
        }
    }

    async fn pause(&self, request: Request<Incoming>, paused: bool) -> Reply {
        let Which { destination } = match asked(request).await {
            Ok(which) => which,
            Err(refused) => return refused,
        };
        let known = self.store.deliveries().accounts();
        let known = known.iter().map(|(name, _)| name).chain(&self.configured);
        if !known.into_iter().any(|name| *name == destination) {
            return said(StatusCode::NOT_FOUND, "there is no such destination");
        }
        let (store, name) = (Arc::clone(&self.store), destination.clone());
        match tokio::task::spawn_blocking(move || store.deliveries().pause(&name, paused)).await {
            Ok(Ok(())) => reply(StatusCode::OK, &json!({ "destination": destination, "paused": paused })),
            Ok(Err(fault)) => said(StatusCode::SERVICE_UNAVAILABLE, &fault.outside),
            Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, "the request broke"),
        }
    }
}

/// What a request asks for in its body.
async fn asked<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Reply> {
    let body = Limited::new(request.into_body(), REQUEST).collect().await;
    let body = body.map_err(|error| said(StatusCode::BAD_REQUEST, &error.to_string()))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| said(StatusCode::BAD_REQUEST, &error.to_string()))
}
