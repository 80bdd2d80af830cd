//! Puts the gateway together: store, inbox, chain, and one joint and transport for each configured listener. The only
//! place where a format meets a transport; an adapter is one arm of `wired_among`.

mod dicom;
mod http;
mod listen;
mod outward;
mod recover;

pub use dicom::adapter as dicom_adapter;
pub use outward::keeps_resources;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use causeway_core::inbox::Budget;
use causeway_core::{
    Adapter, Context as Envelope, FaultKind, Frame, Head, Inbox, MemorySource, Reply, ReplyHead, ReplyKind, Store,
};
use causeway_fhir::Fhir;
use causeway_hl7v2::Hl7v2;
use causeway_x12::X12;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

use crate::audit::Audit;
use crate::chain::{self, HookSet, Parts};
use crate::config::{Config, Format, Listener, Transport};
use crate::guard::guard;
use crate::lanes::Lanes;
use crate::outbox::{Outbox, peers};
use crate::projection::Describe;
use crate::replay::{Door, RenderBack, Replay, Resume};
use crate::resources::quiet::{self, Quiet};
use crate::resources::{Sequencer, Unites};
use crate::rulebook::Rulebook;
use crate::service::FrameService;
use crate::spool::Spool;
use crate::stamps::Stamps;
use crate::translate::{Backlog, Counts, House, RefuseLayer, Translate};
use crate::transport::tls::{Alpn, Certificates, Clients};
use crate::transport::{files, mllp};

/// The resources that messages state piece by piece, and how the pieces become one.
pub const UNITES: Unites = Unites::new(&[("ImagingStudy", causeway_dicom::study::unite)]);

/// A gateway that is listening.
#[derive(Debug)]
pub struct Gateway {
    /// What was bound: listener name and address.
    pub bound: Vec<(String, SocketAddr)>,
    /// Where the gateway's own frames of resources that are quiet go.
    pub quiet: FrameService,
    /// What all joints share.
    pub house: House,
    /// Transport counters by listener.
    pub transports: Vec<(String, Arc<mllp::Counters>)>,
    /// Runs messages again for an operator.
    pub replay: Replay,
    /// Counters of listeners on folders.
    pub files: Vec<(String, Arc<files::Counters>)>,
    /// What DICOM listeners share.
    pub stored: dicom::Stored,
    /// What listeners show to their peers.
    pub certificates: Certificates,
    doors: Vec<Door>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// What all MLLP listeners may hold together of messages that are still being read.
    reading: mllp::ReadBudget,
    drain: Duration,
}

/// One format's services for one listener.
pub struct Wired {
    /// What the transport calls.
    pub service: FrameService,
    /// What the transport asks when it could not make a frame.
    pub refuse: mllp::RefuseFn,
    resume: Resume,
    describe: Describe,
    render: RenderBack,
}

/// A way into a joint: the name its frames carry, what takes them, and what refuses them.
struct Way {
    name: Arc<str>,
    service: FrameService,
    refuse: mllp::RefuseFn,
}

impl std::fmt::Debug for Wired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wired").finish_non_exhaustive()
    }
}

/// The house of a configuration around a store.
pub fn house(config: &Config, store: Arc<dyn Store>, mut hooks: HookSet) -> anyhow::Result<House> {
    let outbox = Arc::new(Outbox::new(Arc::clone(&store), &config.destinations));
    let post = outbox.post();
    hooks.late = Some(outward::late(Arc::clone(&store), post.clone()));
    let budget = Budget {
        messages: config.limits.messages,
        bytes: config.limits.bytes,
    };
    let rulebook = Arc::new(Rulebook::load(config)?);
    let sequencer = Arc::new(Sequencer::new(config.fhir.over_feeds));
    let parts = Parts {
        rules: rulebook.source(),
        rules_after: chain::no_rules(),
        hooks,
        profile: config.chain.profile,
        sequencer: Arc::clone(&sequencer),
        post,
    };
    Ok(House {
        inbox: Arc::new(Inbox::new(store, budget)),
        chain: chain::chain(parts),
        rulebook,
        lanes: Lanes::default(),
        stamps: Arc::new(Stamps::new(jiff::Timestamp::now())),
        backlog: Arc::new(Backlog::default()),
        counts: Arc::new(Counts::default()),
        spool: Arc::new(Spool::of(&config.data)),
        telemetry: Arc::default(),
        audit: Audit::of(&config.data, config.store.audit_days),
        sequencer,
        brake: Arc::default(),
        outbox,
    })
}

/// Adapters made so far, by their options: listeners that are set alike share their compiled maps, the largest thing in
/// memory of an idle gateway.
#[derive(Debug, Default)]
pub struct Made {
    hl7v2: Vec<(String, Arc<Hl7v2>)>,
    x12: Vec<(String, Arc<X12>)>,
}

impl Made {
    fn hl7v2(&mut self, listener: &Listener, config: &Config) -> anyhow::Result<Arc<Hl7v2>> {
        let options = toml::to_string(&listener.hl7v2)?;
        shared(&mut self.hl7v2, options, || {
            Ok(Hl7v2::new(listener.hl7v2.read(config.lang)?)?)
        })
    }

    fn x12(&mut self, listener: &Listener) -> anyhow::Result<Arc<X12>> {
        let options = toml::to_string(&listener.x12)?;
        shared(&mut self.x12, options, || Ok(X12::new(&listener.x12.read()?)?))
    }
}

/// What was made of the same options, or one made now.
fn shared<A>(
    all: &mut Vec<(String, Arc<A>)>,
    options: String,
    make: impl FnOnce() -> anyhow::Result<A>,
) -> anyhow::Result<Arc<A>> {
    if let Some((_, known)) = all.iter().find(|(known, _)| *known == options) {
        return Ok(Arc::clone(known));
    }
    let new = Arc::new(make()?);
    all.push((options, Arc::clone(&new)));
    Ok(new)
}

/// The services of one listener alone, for its own format.
pub fn wired(listener: &Listener, config: &Config, house: &House) -> anyhow::Result<Wired> {
    wired_among(listener, listener.format, config, house, &mut Made::default())
}

/// The services for one format of one of several listeners.
pub fn wired_among(
    listener: &Listener,
    format: Format,
    config: &Config,
    house: &House,
    made: &mut Made,
) -> anyhow::Result<Wired> {
    match format {
        Format::Hl7v2 => Ok(joined(made.hl7v2(listener, config)?, house)),
        Format::Dicom => Ok(joined(Arc::new(dicom::adapter(listener)?), house)),
        Format::X12 => Ok(joined(made.x12(listener)?, house)),
        Format::Fhir => Ok(joined(Arc::new(Fhir::new(config.lang)), house)),
    }
}

fn joined<A: Adapter>(adapter: Arc<A>, house: &House) -> Wired {
    let (reader, describer) = (Arc::clone(&adapter), Arc::clone(&adapter));
    let renderer = Arc::clone(&adapter);
    let layer = RefuseLayer::new(Arc::clone(&adapter), Arc::clone(&house.stamps));
    let translate = Translate::new(adapter, house.clone());
    let resumed = translate.clone();
    let service = ServiceBuilder::new().layer(layer.clone()).service(translate);
    Wired {
        service: BoxCloneSyncService::new(service),
        refuse: Arc::new(move |head, first, fault| {
            // A frame that broke off is answered only when it says whom the answer is for, or is a request of its own.
            let request = matches!(head, Head::Http(_));
            if fault.kind == FaultKind::Unreadable && !request && !names_itself(reader.as_ref(), head, first) {
                return Reply {
                    head: ReplyHead::None,
                    kind: ReplyKind::Refusal,
                    bytes: Bytes::new(),
                    positive: false,
                };
            }
            layer.refuse(head, first, &fault)
        }),
        resume: Arc::new(move |pending| {
            let translate = resumed.clone();
            Box::pin(async move { translate.resume(pending).await })
        }),
        describe: Arc::new(move |frame| described(describer.as_ref(), frame)),
        render: Arc::new(move |parcel, stamp| renderer.from_fhir(parcel, stamp)),
    }
}

fn described<A: Adapter>(adapter: &A, frame: &Frame) -> Envelope {
    let mut source = MemorySource(frame.body.clone());
    let envelope = guard("envelope", || {
        let message = adapter.parse(&frame.head, &mut source).value;
        message.map(|message| adapter.envelope(&message))
    });
    envelope.ok().flatten().unwrap_or_default()
}

fn names_itself<A: Adapter>(adapter: &A, head: &Head, first: &[u8]) -> bool {
    let mut source = MemorySource(Bytes::copy_from_slice(first));
    let key = guard("parse", || {
        adapter
            .parse(head, &mut source)
            .value
            .and_then(|message| adapter.key(&message))
    });
    matches!(key, Ok(Some(_)))
}

/// The certificates of a configuration's listeners.
pub fn certificates(config: &Config) -> anyhow::Result<Certificates> {
    let alpn = |listener: &Listener| match listener.transport {
        Transport::Http => Alpn::Http11,
        Transport::Mllp | Transport::Dimse | Transport::Files => Alpn::Unnamed,
    };
    let listeners = config.listeners.iter();
    let listeners = listeners.filter_map(|one| Some((one.name.as_str(), one.tls.as_ref()?, alpn(one))));
    Certificates::open(listeners).context("TLS")
}

/// Binds every listener and starts serving.
pub async fn start(
    config: &Config,
    store: Arc<dyn Store>,
    hooks: HookSet,
    clients: &Clients,
) -> anyhow::Result<Gateway> {
    let house = house(config, store, hooks)?;
    let peers = peers::all(&config.destinations, clients)?;
    let certificates = certificates(config)?;
    let (stop, stopped) = watch::channel(false);
    let (mut doors, mut made, mut listeners) = (Vec::new(), Made::default(), Vec::new());
    for listener in &config.listeners {
        let mut ways = Vec::new();
        for (name, format) in listener.ways() {
            let wired = wired_among(listener, format, config, &house, &mut made)?;
            doors.push(Door {
                listener: name.clone(),
                service: wired.service.clone(),
                resume: wired.resume,
                describe: wired.describe,
                format,
                render: wired.render,
            });
            let (service, refuse) = (wired.service, wired.refuse);
            ways.push(Way {
                name: name.into(),
                service,
                refuse,
            });
        }
        listeners.push((listener, ways));
    }
    let own = joined(Arc::new(Quiet), &house);
    doors.push(Door {
        listener: quiet::LISTENER.to_owned(),
        service: own.service.clone(),
        resume: own.resume,
        describe: own.describe,
        format: Format::Fhir,
        render: own.render,
    });
    let mut gateway = Gateway {
        quiet: own.service,
        bound: Vec::new(),
        replay: Replay::new(Arc::clone(&house.inbox), doors.clone()),
        doors: doors.clone(),
        house,
        certificates: certificates.clone(),
        transports: Vec::new(),
        files: Vec::new(),
        stored: dicom::Stored::new(&config.data),
        stop,
        tasks: JoinSet::new(),
        reading: mllp::ReadBudget::new(config.limits.read_bytes),
        drain: Duration::from_secs(config.limits.drain_seconds),
    };
    for (listener, ways) in listeners {
        gateway.listen(listener, config, ways, stopped.clone()).await?;
    }
    gateway.deliver(config, peers, &stopped);
    gateway.tasks.spawn(certificates.watch(stopped.clone()));
    let inbox = Arc::clone(&gateway.house.inbox);
    let telemetry = Arc::clone(&gateway.house.telemetry);
    gateway
        .tasks
        .spawn(telemetry.watch(Arc::clone(inbox.store()), stopped.clone()));
    let backlog = Arc::clone(&gateway.house.backlog);
    backlog.open();
    gateway.tasks.spawn(recover::recover(inbox, backlog, doors, stopped));
    Ok(gateway)
}

impl Gateway {
    /// What frames say of themselves, for the read model.
    pub fn describe(&self) -> Describe {
        let doors = self.doors.clone();
        Arc::new(move |frame| {
            let door = doors.iter().find(|door| *door.listener == *frame.listener);
            door.map(|door| (door.describe)(frame)).unwrap_or_default()
        })
    }

    /// Where a listener is bound.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        self.bound
            .iter()
            .find(|(bound, _)| bound == name)
            .map(|(_, address)| *address)
    }

    /// Stops taking, lets work under way end and replies go out until the drain deadline, and closes the log.
    pub async fn drain(mut self) {
        let deadline = tokio::time::Instant::now() + self.drain;
        let _nobody = self.stop.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout_at(deadline, all).await.is_err() {
            tracing::warn!("the drain deadline passed with connections open");
        }
        let idle = async {
            while self.house.inbox.in_work() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout_at(deadline, idle).await.is_err() {
            tracing::warn!("the drain deadline passed with messages in work; they are run at the next start");
        }
        let (store, audit) = (Arc::clone(self.house.inbox.store()), self.house.audit.clone());
        // Closing waits for the last commits.
        let closed = move || {
            store.close();
            audit.close();
        };
        let _closed = tokio::task::spawn_blocking(closed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_that_are_set_alike_share_their_maps() {
        let config = Config::default();
        let like = Listener::default();
        let mut other = Listener::default();
        other.hl7v2.zone = Some("Asia/Shanghai".to_owned());
        let mut made = Made::default();
        let first = made.hl7v2(&like, &config).unwrap();
        assert!(Arc::ptr_eq(&first, &made.hl7v2(&like, &config).unwrap()));
        assert!(!Arc::ptr_eq(&first, &made.hl7v2(&other, &config).unwrap()));
    }
}
