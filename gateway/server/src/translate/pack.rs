//! A bundle made ready for the log: compact JSON, compressed, and what it is found by. A message that is alone in the house
//! has a processor to spare, so this is done beside its chain; else it is done after, by the message's own worker.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::fhir::write_compact;
use causeway_core::store::{Decided, Facts, Index};
use causeway_core::{Answer, Bundle, NodeId};
use tokio::task::JoinHandle;

/// A bundle on its way to being ready.
pub(super) struct Packing {
    of: Arc<Bundle>,
    aside: Option<JoinHandle<Packed>>,
}

/// A bundle as the log keeps it.
struct Packed {
    bundle: Bytes,
    index: Index,
}

impl Packing {
    /// Begins at once on another thread if there is one to spare.
    pub(super) fn begin(of: &Arc<Bundle>, spare: bool) -> Self {
        let aside = spare.then(|| {
            let bundle = Arc::clone(of);
            tokio::task::spawn_blocking(move || pack(&bundle))
        });
        Self {
            of: Arc::clone(of),
            aside,
        }
    }

    /// An answer ready for the log. What the chain put in the bundle's place counts.
    pub(super) async fn end(self, answer: &Answer) -> Decided {
        let early = match self.aside {
            Some(aside) if Arc::ptr_eq(&self.of, &answer.bundle) => aside.await.ok(),
            _ => None,
        };
        let Packed { bundle, index } = early.unwrap_or_else(|| pack(&answer.bundle));
        let facts = serde_json::to_vec(&Facts::of(answer, index)).unwrap_or_default();
        Decided {
            part: answer.part,
            verdict: answer.verdict,
            bundle,
            facts: Bytes::from(facts),
            deliveries: answer.deliveries.clone(),
        }
    }
}

fn pack(bundle: &Bundle) -> Packed {
    let mut json = Vec::with_capacity(bundle.tree.text_len() * 2);
    write_compact(&bundle.tree, NodeId::ROOT, &mut json);
    Packed {
        bundle: causeway_store::compress(&json),
        index: crate::projection::index(bundle),
    }
}
