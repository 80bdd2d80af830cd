//! One association from connection to its end (PS3.8 9.2): the request, negotiation, messages one after the other, release
//! or abort. It runs on any stream. A peer that goes away in the middle of an object leaves nothing behind but a line in
//! the log.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use causeway_core::{Frame, Head, ReplyHead};
use dicom_ul::pdu::{AbortRQServiceProviderReason, AssociationRQ, Pdu};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tower::{Service, ServiceExt};
use tracing::{debug, info};

use super::command::{self, Command};
use super::negotiate::{self, Agreed, Context};
use super::objects::Stored;
use super::part10;
use super::pdu::{self, Broken, Incoming, Wire};
use super::server::Listener;
use super::store::{Bounds, Object};
use super::uids;
use crate::replies::Replies;

/// How an association ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The peer released it.
    Released,
    /// The peer aborted it, or closed the connection.
    Gone,
    /// It was rejected.
    Rejected,
    /// Nothing was said for too long.
    Timeout,
    /// The peer broke the protocol and was told so by an abort.
    Invalid(&'static str),
    /// The gateway is draining.
    Draining,
}

/// Runs an association; `has_place` says whether there is room for one more.
pub(super) async fn run<S>(
    listener: &Listener,
    stream: S,
    peer: SocketAddr,
    has_place: bool,
    shutdown: watch::Receiver<bool>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut wire = Wire::new(stream, listener.options.max_pdu);
    let end = match begin(listener, &mut wire, peer, has_place).await {
        Ok(agreed) => {
            listener.counters.associations.add(1);
            let messages = Messages::new(listener, peer, agreed);
            converse(listener, &mut wire, messages, shutdown).await
        }
        Err(end) => end,
    };
    if matches!(end, End::Timeout | End::Draining) {
        drop(within(listener.options.stalled, wire.control(&pdu::abort(None))).await);
    }
    // After the last word the ARTIM timer runs until the peer closes (PS3.8 9.2.1, states 2 and 13).
    drop(tokio::time::timeout(listener.options.artim, wire.close()).await);
    end
}

async fn within<T>(time: std::time::Duration, work: impl Future<Output = Result<T, Broken>>) -> Result<T, Broken> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the peer does not read");
        Err(Broken::Io(late))
    })
}

/// The request and what becomes of it.
async fn begin<S>(listener: &Listener, wire: &mut Wire<S>, peer: SocketAddr, has_place: bool) -> Result<Agreed, End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let deadline = Instant::now() + listener.options.artim;
    let request = request(wire, deadline).await?;
    if !has_place {
        listener.counters.congested.add(1);
        info!(listener = %listener.name, %peer, "too many associations; the peer is asked to come again");
        drop(within(listener.options.stalled, wire.control(&negotiate::congested().into())).await);
        return Err(End::Rejected);
    }
    match negotiate::negotiate(&request, &listener.options) {
        Ok((agreed, answer)) => {
            let told = within(listener.options.stalled, wire.control(&answer.into())).await;
            told.map(|()| agreed).map_err(|_| End::Gone)
        }
        Err(rejection) => {
            listener.counters.rejected.add(1);
            let (calling, called) = (&request.calling_ae_title, &request.called_ae_title);
            info!(listener = %listener.name, %peer, calling, called, reason = %rejection.source, "association rejected");
            drop(within(listener.options.stalled, wire.control(&rejection.into())).await);
            Err(End::Rejected)
        }
    }
}

async fn request<S>(wire: &mut Wire<S>, deadline: Instant) -> Result<AssociationRQ, End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let first = match timeout_at(deadline, wire.next()).await {
        Err(_) => return Err(End::Timeout),
        Ok(Ok(Incoming::Control(Pdu::AssociationRQ(request)))) => return Ok(request),
        Ok(Ok(Incoming::Control(Pdu::AbortRQ { .. }))) => return Err(End::Gone),
        Ok(Ok(_)) => Broken::Invalid(
            AbortRQServiceProviderReason::UnexpectedPdu,
            "no association was asked for",
        ),
        Ok(Err(broken)) => broken,
    };
    Err(give_up(wire, first).await)
}

/// Tells the peer what it did wrong.
async fn give_up<S>(wire: &mut Wire<S>, broken: Broken) -> End
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    match broken {
        Broken::Closed => End::Gone,
        Broken::Io(error) => {
            debug!(%error, "a connection broke");
            End::Gone
        }
        Broken::Invalid(reason, why) => {
            drop(wire.control(&pdu::abort(Some(reason))).await);
            End::Invalid(why)
        }
    }
}

/// The messages of an association.
async fn converse<S>(
    listener: &Listener,
    wire: &mut Wire<S>,
    mut messages: Messages<'_>,
    mut shutdown: watch::Receiver<bool>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    loop {
        let busy = messages.is_busy() || wire.is_in_pdu();
        let patience = if busy {
            listener.options.stalled
        } else {
            listener.options.idle
        };
        let next = tokio::select! {
            biased;
            _ = shutdown.wait_for(|stop| *stop), if !busy => return End::Draining,
            next = timeout_at(Instant::now() + patience, wire.next()) => next,
        };
        let taken = match next {
            Err(_) => return End::Timeout,
            Ok(Err(broken)) => Err(broken),
            Ok(Ok(Incoming::Data(items))) => messages.take(items).await,
            Ok(Ok(Incoming::Control(Pdu::ReleaseRQ))) => {
                drop(within(listener.options.stalled, wire.control(&Pdu::ReleaseRP)).await);
                return End::Released;
            }
            Ok(Ok(Incoming::Control(Pdu::AbortRQ { .. }))) => return End::Gone,
            Ok(Ok(Incoming::Control(_))) => {
                let reason = AbortRQServiceProviderReason::UnexpectedPdu;
                Err(Broken::Invalid(reason, "a PDU out of its turn"))
            }
        };
        let responses = match taken {
            Ok(responses) => responses,
            Err(broken) => return give_up(wire, broken).await,
        };
        for (context, set) in responses {
            let sent = within(
                listener.options.stalled,
                wire.command(context, &set, messages.agreed.peer_max),
            )
            .await;
            if let Err(broken) = sent {
                return give_up(wire, broken).await;
            }
        }
    }
}

/// What is done with the data set that is coming.
enum Coming {
    Store(Box<Object>),
    /// It is let pass, and answered with a failure.
    Pass(u16, &'static str),
}

/// The messages of one association, put together from fragments.
struct Messages<'a> {
    listener: &'a Listener,
    peer: Arc<str>,
    agreed: Agreed,
    set: Vec<u8>,
    coming: Option<(u8, Command, Coming)>,
}

/// A command set to send, with its presentation context.
type Response = (u8, Vec<u8>);

impl<'a> Messages<'a> {
    fn new(listener: &'a Listener, peer: SocketAddr, agreed: Agreed) -> Self {
        Self {
            listener,
            peer: peer.to_string().into(),
            agreed,
            set: Vec::new(),
            coming: None,
        }
    }

    /// Whether a message has begun and not ended.
    fn is_busy(&self) -> bool {
        self.coming.is_some() || !self.set.is_empty()
    }

    async fn take(&mut self, mut items: &[u8]) -> Result<Vec<Response>, Broken> {
        let mut responses = Vec::new();
        while !items.is_empty() {
            let (fragment, rest) = pdu::fragment(items).ok_or_else(|| invalid("a fragment is cut"))?;
            items = rest;
            if fragment.is_command {
                responses.extend(self.command(fragment)?);
            } else {
                responses.extend(self.data(fragment).await?);
            }
        }
        Ok(responses)
    }

    fn command(&mut self, fragment: pdu::Fragment<'_>) -> Result<Option<Response>, Broken> {
        if self.coming.is_some() {
            return Err(invalid("a command within a data set"));
        }
        if self.set.len() + fragment.bytes.len() > command::LONGEST {
            return Err(invalid("a command is too long"));
        }
        self.set.extend_from_slice(fragment.bytes);
        if !fragment.is_last {
            return Ok(None);
        }
        let set = std::mem::take(&mut self.set);
        let command = Command::read(&set).ok_or_else(|| invalid("a command that cannot be read"))?;
        let context = self.agreed.contexts.get(&fragment.context);
        let context = context.ok_or_else(|| invalid("a presentation context that was not agreed"))?;
        if command.field == command::CANCEL || !command.is_request() {
            return Ok(None);
        }
        let verdict = judge(&command, context);
        if command.has_data {
            let coming = match verdict {
                Ok(()) => Coming::Store(Box::new(self.object(&command, context))),
                Err((status, why)) => Coming::Pass(status, why),
            };
            self.coming = Some((fragment.context, command, coming));
            return Ok(None);
        }
        let (status, why) = match verdict {
            Ok(()) if command.field == command::STORE => (command::NOT_UNDERSTOOD, "there is no data set"),
            Ok(()) => (command::SUCCESS, ""),
            Err(failure) => failure,
        };
        self.note(&command, status);
        Ok(Some((fragment.context, command.response(status, why))))
    }

    fn object(&self, command: &Command, context: &Context) -> Object {
        let options = &self.listener.options;
        let meta = part10::Meta {
            sop_class: &command.sop_class,
            sop_instance: &command.sop_instance,
            transfer_syntax: &context.transfer_syntax,
            calling_ae: &self.agreed.calling_ae,
            called_ae: &self.agreed.called_ae,
        };
        let bounds = Bounds {
            object: options.max_object as u64,
            metadata: options.max_metadata,
        };
        Object::new(
            &self.listener.objects,
            Arc::clone(&self.listener.metadata),
            meta,
            bounds,
        )
    }

    async fn data(&mut self, fragment: pdu::Fragment<'_>) -> Result<Option<Response>, Broken> {
        let Some((context, _, coming)) = &mut self.coming else {
            return Err(invalid("a data set without a command"));
        };
        if *context != fragment.context {
            return Err(invalid("a data set in another presentation context than its command"));
        }
        self.listener.counters.bytes_in.add(fragment.bytes.len() as u64);
        if let Coming::Store(object) = coming {
            object.push(fragment.bytes).await;
        }
        if !fragment.is_last {
            return Ok(None);
        }
        let Some((context, command, coming)) = self.coming.take() else {
            return Ok(None);
        };
        let (status, comment) = match coming {
            Coming::Pass(status, why) => (status, why.to_owned()),
            Coming::Store(object) => match object.finish().await {
                Err((status, why)) => (status, why.to_owned()),
                Ok(stored) => self.hand_on(&command, context, stored).await,
            },
        };
        self.note(&command, status);
        Ok(Some((context, command.response(status, &comment))))
    }

    /// Hands the metadata on and waits until it may be said that it is kept.
    async fn hand_on(&self, command: &Command, context: u8, stored: Stored) -> (u16, String) {
        let agreed = self.agreed.contexts.get(&context);
        let frame = Frame {
            listener: self.listener.name.clone(),
            peer: Arc::clone(&self.peer),
            received: Timestamp::now(),
            head: Head::Dimse {
                calling_ae: self.agreed.calling_ae.clone(),
                called_ae: self.agreed.called_ae.clone(),
                sop_class: command.sop_class.clone(),
                sop_instance: command.sop_instance.clone(),
                transfer_syntax: agreed
                    .map(|context| context.transfer_syntax.clone())
                    .unwrap_or_default(),
                object: stored.name,
                size: stored.size,
            },
            body: stored.body,
        };
        let mut service = self.listener.service.clone();
        let Ok(ready) = service.ready().await;
        let Ok(replies) = ready.call(frame).await;
        status(replies).await
    }

    fn note(&self, command: &Command, status: u16) {
        let counters = &self.listener.counters;
        match (command.field, status) {
            (command::ECHO, _) => counters.echoes.add(1),
            (_, command::SUCCESS) => counters.stored.add(1),
            _ => {
                counters.failed.add(1);
                info!(listener = %self.listener.name, peer = %self.peer, status = format!("{status:04X}"), "not stored");
            }
        }
    }
}

/// Whether a request is one that is done here, in its presentation context.
fn judge(command: &Command, context: &Context) -> Result<(), (u16, &'static str)> {
    match command.field {
        command::ECHO if context.sop_class == uids::VERIFICATION && !command.has_data => Ok(()),
        command::STORE if context.sop_class != command.sop_class => Err((
            command::CLASS_NOT_SUPPORTED,
            "not the SOP class of the presentation context",
        )),
        command::STORE if context.sop_class == uids::VERIFICATION => {
            Err((command::CLASS_NOT_SUPPORTED, "not a storage SOP class"))
        }
        command::STORE if !command::is_uid(&command.sop_instance) => {
            Err((command::NOT_UNDERSTOOD, "the SOP instance UID is not valid"))
        }
        command::STORE => Ok(()),
        _ => Err((command::UNRECOGNISED, "this operation is not offered")),
    }
}

impl Drop for Messages<'_> {
    fn drop(&mut self) {
        if let Some((_, _, Coming::Store(object))) = &self.coming {
            self.listener.counters.broken_off.add(1);
            info!(listener = %self.listener.name, peer = %self.peer, ?object, "an object broke off; nothing of it is kept");
        }
    }
}

fn invalid(why: &'static str) -> Broken {
    Broken::Invalid(AbortRQServiceProviderReason::InvalidPduParameter, why)
}

/// The status of the first reply: a commit where there is one.
async fn status(replies: Replies) -> (u16, String) {
    let first = match replies.commit {
        Some(commit) => commit.await.ok(),
        None => replies
            .answers
            .await
            .ok()
            .and_then(|answers| answers.into_iter().next()),
    };
    match first.map(|outgoing| outgoing.reply.head) {
        Some(ReplyHead::Dimse { status, comment }) => (status, comment),
        _ => (command::OUT_OF_RESOURCES, "the gateway could not answer".to_owned()),
    }
}
