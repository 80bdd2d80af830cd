//! One association from connection to its end (PS3.8 9.2): the request, negotiation, messages one after the other, release
//! or abort. It runs on any stream. A peer that goes away in the middle of an object leaves nothing behind but a line in
//! the log.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use dicom_ul::pdu::{AbortRQServiceProviderReason, AssociationRQ, Pdu};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, info};

use super::messages::Messages;
use super::negotiate::{self, Agreed};
use super::pdu::{self, Broken, Incoming, Wire};
use super::server::Listener;

/// How long an association keeps a large buffer when nothing comes.
const RESTS_AFTER: Duration = Duration::from_secs(1);

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
    peer: &Arc<str>,
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
            let messages = Messages::new(listener, Arc::clone(peer), agreed);
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

async fn within<T>(time: Duration, work: impl Future<Output = Result<T, Broken>>) -> Result<T, Broken> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the peer does not read");
        Err(Broken::Io(late))
    })
}

/// The request and what becomes of it.
async fn begin<S>(listener: &Listener, wire: &mut Wire<S>, peer: &str, has_place: bool) -> Result<Agreed, End>
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

/// The next PDU; while none comes for long the buffer is small.
async fn next<S>(wire: &mut Wire<S>, patience: Duration) -> Result<Result<Incoming<'_>, Broken>, Elapsed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let deadline = Instant::now() + patience;
    let soon = deadline.min(Instant::now() + RESTS_AFTER);
    if timeout_at(soon, wire.begun()).await.is_err() {
        wire.rest();
    }
    timeout_at(deadline, wire.next()).await
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
            next = next(wire, patience) => next,
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
