//! A resource of which nothing more came for a while goes through the chain once, whole, as a frame of the gateway's own
//! (DESIGN decision 11): so rules, services and destinations see a study and not its instances alone, and what the chain
//! does stays a function of what was received. Here such frames are made and read; what is united stands in `unite`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_core::adapter::Trace;
use causeway_core::fhir::{Limits, NodeId, Tree, compact, parse};
use causeway_core::{
    Actor, ActorKind, Adapter, Answer, Bundle, Class, Context, Draft, Finding, Frame, Head, Intent, Key, Parcel,
    Parsed, Reply, ReplyHead, ReplyKind, Severity, Source, Stamp, Text,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;
use tower::ServiceExt;

use super::query::Reader;
use super::unite::{Stirring, Unites};
use crate::service::FrameService;

/// The listener's name that these frames carry.
pub const LISTENER: &str = "causeway/quiet";
/// The adapter's name, which no sender can take.
pub(super) const FORMAT: &str = "quiet";
/// Resources that are made ready in one look.
const AT_ONCE: usize = 16;
/// Between two looks while one is on its way, or after a look that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Reads the frames of resources that are quiet: a Bundle whose first entry is the resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

/// Such a frame, read.
#[derive(Debug)]
pub struct Reading {
    tree: Option<Tree>,
    context: Context,
}

impl Adapter for Quiet {
    type Message = Reading;
    type Sum = ();

    fn name(&self) -> &'static str {
        FORMAT
    }

    fn snapshot(&self) -> String {
        "quiet-1".to_owned() // there are no maps
    }

    fn parse(&self, _head: &Head, source: &mut dyn Source) -> Parsed<Reading> {
        let bytes = source.slice(0..source.len());
        let tree = bytes.ok().and_then(|bytes| parse(&bytes, Limits::default()).ok());
        match tree {
            Some(tree) => Parsed::clean(Reading {
                context: context(&tree),
                tree: Some(tree),
            }),
            None => Parsed::failed(unreadable()),
        }
    }

    fn key(&self, _reading: &Reading) -> Option<Key> {
        None
    }

    fn patient(&self, reading: &Reading) -> Option<String> {
        reading.context.patient.clone()
    }

    fn envelope(&self, reading: &Reading) -> Context {
        reading.context.clone()
    }

    fn commit(&self, _reading: &Reading, _stamp: &Stamp) -> Option<Reply> {
        None
    }

    fn next(&self, reading: &mut Reading, _source: &mut dyn Source, _hash: &[u8; 32]) -> Option<Draft> {
        Some(Draft {
            bundle: Bundle {
                tree: reading.tree.take()?,
                ..Bundle::default()
            },
            intent: Intent::Notice,
            context: reading.context.clone(),
            ..Draft::default()
        })
    }

    fn add(&self, _sum: &mut (), _part: u32, _answer: &Answer) {}

    fn reply(&self, _reading: &Reading, _sum: (), _stamp: &Stamp) -> Vec<Reply> {
        Vec::new()
    }

    fn refuse(&self, _head: &Head, _first: &[u8], _findings: &[Finding], _stamp: &Stamp) -> Reply {
        Reply {
            head: ReplyHead::None,
            kind: ReplyKind::Refusal,
            bytes: Bytes::new(),
            positive: false,
        }
    }

    fn from_fhir(&self, parcel: &Parcel<'_>, _stamp: &Stamp) -> Parsed<Vec<u8>> {
        causeway_fhir::transaction(parcel, true)
    }

    fn trace(&self, _head: &Head, _source: &mut dyn Source, _hash: &[u8; 32]) -> Parsed<Trace> {
        Parsed::clean(Trace::default())
    }
}

fn context(tree: &Tree) -> Context {
    let text = |node, name| tree.get_str(node, name).unwrap_or_default();
    let resource = tree.select(NodeId::ROOT, &["entry", "resource"]).into_iter().next();
    let (kind, id) = resource.map_or(("", ""), |node| (text(node, "resourceType"), text(node, "id")));
    let subject = resource.and_then(|node| tree.get(node, "subject"));
    let patient = subject.and_then(|subject| text(subject, "reference").strip_prefix("Patient/"));
    Context {
        format: FORMAT.to_owned(),
        message_type: format!("quiet {kind}"),
        control_id: id.to_owned(),
        sender: "causeway".to_owned(),
        stated: tree
            .get_str(NodeId::ROOT, "timestamp")
            .and_then(|time| time.parse().ok()),
        patient: patient.map(str::to_owned),
        ..Context::default()
    }
}

fn unreadable() -> Finding {
    let text = Text::new("网关自身的消息无法读取", "a frame of the gateway's own cannot be read");
    let by = Actor::new(ActorKind::Gateway, FORMAT);
    Finding::new("not-json", Severity::Error, Class::Structure, by, text)
}

/// Watches for resources that are quiet.
pub struct Watch {
    /// The data folder.
    pub folder: PathBuf,
    /// How pieces become one.
    pub unites: Unites,
    /// How long nothing must have come.
    pub quiet: Duration,
    /// Where the frames go.
    pub service: FrameService,
    /// Tells that something was said of such a resource.
    pub stirred: Arc<Notify>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("quiet", &self.quiet)
            .finish_non_exhaustive()
    }
}

/// What a look found: frames of resources that are quiet, and when the next will be.
#[derive(Default)]
struct Look {
    ready: Vec<(Stirring, Frame)>,
    /// Those whose frame is on its way.
    sent: HashMap<String, i64>,
    next: Option<Duration>,
}

impl Watch {
    /// Until it is dropped. Each resource goes once for each time that it is quiet; after a restart perhaps once more, which
    /// is a resend and changes nothing.
    pub async fn run(self) {
        let mut sent: HashMap<String, i64> = HashMap::new();
        loop {
            let (folder, unites, quiet, known) = (self.folder.clone(), self.unites, self.quiet, sent.clone());
            let look = tokio::task::spawn_blocking(move || look(&folder, unites, quiet, &known)).await;
            let look = match look {
                Ok(Ok(look)) => look,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "studies that are quiet cannot be looked for");
                    Look {
                        sent: sent.clone(),
                        next: Some(AGAIN),
                        ..Look::default()
                    }
                }
                Err(_) => return, // the gateway ends
            };
            sent = look.sent;
            for (of, frame) in look.ready {
                let Ok(replies) = self.service.clone().oneshot(frame).await;
                if replies.collect().await.iter().all(|outgoing| outgoing.reply.positive) {
                    sent.insert(format!("{}/{}", of.kind, of.id), of.last);
                }
            }
            let told = self.stirred.notified();
            match look.next {
                // What stirs meanwhile is quiet later than what stirred before.
                Some(wait) => tokio::time::sleep(wait).await,
                None => told.await,
            }
        }
    }
}

fn look(folder: &Path, unites: Unites, quiet: Duration, sent: &HashMap<String, i64>) -> anyhow::Result<Look> {
    let reader = Reader::open(folder)?;
    let now = Timestamp::now().as_microsecond();
    let quiet = i64::try_from(quiet.as_micros()).unwrap_or(i64::MAX);
    let mut look = Look::default();
    // Those that were sent and are not applied yet stand before the others, and there are never many.
    for of in reader.stirring(AT_ONCE + sent.len())? {
        let left = of.last.saturating_add(quiet).saturating_sub(now);
        let wait = Duration::from_micros(u64::try_from(left).unwrap_or(0)).max(Duration::from_millis(10));
        if left > 0 {
            look.next = Some(look.next.map_or(wait, |next| next.min(wait)));
            break;
        }
        look.next = Some(AGAIN);
        let name = format!("{}/{}", of.kind, of.id);
        if sent.get(&name) == Some(&of.last) {
            look.sent.insert(name, of.last);
        } else if let Some(body) = body(&reader, unites, &of)? {
            look.ready.push((of, frame(body)));
        }
    }
    Ok(look)
}

/// The resource with all that was said of it, and whom it is about. The time of the last piece makes it another frame than
/// the one before.
fn body(reader: &Reader, unites: Unites, of: &Stirring) -> anyhow::Result<Option<Bytes>> {
    let Some(whole) = reader.whole(&of.kind, &of.id, unites)? else {
        return Ok(None);
    };
    let tree = parse(whole.as_bytes(), Limits::default())?;
    let subject = tree.get(NodeId::ROOT, "subject");
    let subject = subject.and_then(|subject| tree.get_str(subject, "reference")?.split_once('/'));
    let subject = subject.map(|(kind, id)| reader.read(kind, id)).transpose()?.flatten();
    let head = json!({
        "resourceType": "Bundle", "type": "collection", "timestamp": Timestamp::from_microsecond(of.last)?.to_string(),
    });
    let address = |id: &str| json!(format!("urn:uuid:{id}"));
    let mut entries = format!(
        "{{\"fullUrl\":{},\"resource\":{}}}",
        address(&of.id),
        compact(&tree, NodeId::ROOT)
    );
    if let Some(subject) = subject.filter(|subject| !subject.deleted) {
        let text = String::from_utf8(subject.body)?;
        let subject = format!(",{{\"fullUrl\":{},\"resource\":{text}}}", address(&subject.id));
        entries.push_str(&subject);
    }
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or(&head);
    Ok(Some(format!("{open},\"entry\":[{entries}]}}").into()))
}

fn frame(body: Bytes) -> Frame {
    Frame {
        listener: LISTENER.into(),
        peer: "causeway".into(),
        received: Timestamp::now(),
        head: Head::file(FORMAT),
        body,
    }
}
