//! One association that the gateway asked for: the request and its answer, then requests and responses one after the
//! other, then release. After anything that went wrong the association is of no use any more, and dropping it closes the
//! connection.

use std::io;
use std::time::Duration;

use dicom_ul::pdu::{
    AssociationAC, AssociationRJResult, AssociationRQ, Pdu, PresentationContextProposed,
    PresentationContextResultReason as Agreed, UserVariableItem,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::super::command::{self, Response};
use super::super::pdu::{self, Broken, Incoming, Wire};
use super::super::{part10, uids};
use super::file::{Kind, ObjectFile};
use super::said::Said;
use super::source::Units;
use super::{CallError, Caller};

/// Presentation contexts are numbered by odd numbers up to 255 (PS3.8 9.3.2.2).
const MOST_CONTEXTS: usize = 128;
/// The longest unit that is taken: responses are short.
const LONGEST: usize = 16 << 10;
/// The longest unit that is sent, whatever the peer would take.
const LONGEST_SENT: usize = 128 << 10;

/// An object that is being read from its file, for one association.
pub struct Ready {
    context: u8,
    sop_class: String,
    sop_instance: String,
    units: Units,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// An association in which this side asks.
#[derive(Debug)]
pub struct Association<S> {
    wire: Wire<S>,
    contexts: Vec<(u8, Kind, Agreed)>,
    /// Bytes of a data set in one unit.
    room: usize,
    message: u16,
    timeout: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Association<S> {
    /// Asks for an association on a stream. More kinds than an association has room for are left out.
    ///
    /// # Errors
    /// The peer rejects it, is silent or breaks the protocol.
    pub async fn request(stream: S, caller: &Caller, kinds: &[Kind]) -> Result<Self, CallError> {
        let mut wire = Wire::new(stream, LONGEST);
        let proposed: Vec<(u8, Kind)> = (1..=255)
            .step_by(2)
            .zip(
                std::iter::once(verification())
                    .chain(kinds.iter().cloned())
                    .take(MOST_CONTEXTS),
            )
            .collect();
        let request = rq(caller, &proposed);
        let answer = timeout(caller.connect, async {
            wire.control(&request.into()).await?;
            wire.next().await
        });
        let accepted = match answer.await.map_err(|_| CallError::Timeout)?? {
            Incoming::Control(Pdu::AssociationAC(accepted)) => accepted,
            Incoming::Control(Pdu::AssociationRJ(rejection)) => {
                return Err(CallError::Rejected {
                    transient: rejection.result == AssociationRJResult::Transient,
                    why: rejection.source.to_string(),
                });
            }
            Incoming::Control(Pdu::AbortRQ { .. }) => return Err(CallError::Aborted),
            _ => return Err(CallError::Invalid("no answer to the request of an association")),
        };
        Ok(Self {
            wire,
            room: room(&accepted),
            contexts: agreed(proposed, &accepted),
            message: 0,
            timeout: caller.timeout,
        })
    }

    /// Whether the peer takes objects of a kind.
    pub fn takes(&self, kind: &Kind) -> bool {
        self.context(kind).is_some()
    }

    fn context(&self, kind: &Kind) -> Option<u8> {
        let accepted = self
            .contexts
            .iter()
            .filter(|(_, _, agreed)| *agreed == Agreed::Acceptance);
        let mut found = accepted.filter(|(_, accepted, _)| accepted == kind);
        found.next().map(|(context, ..)| *context)
    }

    /// Why there is no context for a kind.
    fn refused(&self, kind: Kind) -> CallError {
        let found = self.contexts.iter().find(|(_, proposed, _)| *proposed == kind);
        let why = match found.map(|(_, _, agreed)| agreed) {
            Some(Agreed::AbstractSyntaxNotSupported) => "the peer does not take such objects",
            Some(Agreed::TransferSyntaxesNotSupported) => {
                "the peer does not take such objects in their transfer syntax"
            }
            Some(_) => "the peer refused the presentation context",
            None => "the association was made for other objects",
        };
        CallError::NotTaken { kind, why }
    }

    /// C-ECHO (PS3.7 9.1.5).
    ///
    /// # Errors
    /// The peer does not answer it.
    pub async fn echo(&mut self) -> Result<Said, CallError> {
        let Some(context) = self.context(&verification()) else {
            return Err(self.refused(verification()));
        };
        let set = command::request(command::ECHO, self.next_message(), uids::VERIFICATION, None);
        self.command(context, &set).await?;
        self.response(command::ECHO).await
    }

    /// Begins to read an object's data set from its file, so that it is at hand when it is its turn.
    ///
    /// # Errors
    /// The peer takes no such objects.
    pub fn ready(&self, object: ObjectFile) -> Result<Ready, CallError> {
        let Some(context) = self.context(&object.kind) else {
            return Err(self.refused(object.kind));
        };
        Ok(Ready {
            context,
            sop_class: object.kind.sop_class.clone(),
            sop_instance: object.sop_instance.clone(),
            units: Units::of(object, context, self.room),
        })
    }

    /// C-STORE (PS3.7 9.1.1): sends the object's data set as it lies in its file, and waits for the peer's word.
    ///
    /// # Errors
    /// The peer takes no such objects, the file cannot be read, or nothing was said. But for the first, the association is
    /// over.
    pub async fn store(&mut self, object: ObjectFile) -> Result<Said, CallError> {
        let ready = self.ready(object)?;
        self.send(ready).await
    }

    /// The same for one that is read already.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub async fn send(&mut self, mut ready: Ready) -> Result<Said, CallError> {
        let (class, instance) = (&ready.sop_class, Some(ready.sop_instance.as_str()));
        let set = command::request(command::STORE, self.next_message(), class, instance);
        self.command(ready.context, &set).await?;
        while let Some(unit) = ready.units.next().await? {
            within(self.timeout, self.wire.write(&unit)).await?;
            ready.units.used(unit);
        }
        self.response(command::STORE).await
    }

    fn next_message(&mut self) -> u16 {
        self.message = self.message.wrapping_add(1);
        self.message
    }

    async fn command(&mut self, context: u8, set: &[u8]) -> Result<(), CallError> {
        within(self.timeout, self.wire.command(context, set, self.room)).await
    }

    /// The response to the last request.
    async fn response(&mut self, field: u16) -> Result<Said, CallError> {
        let message = self.message;
        let gathered = timeout(self.timeout, gather(&mut self.wire)).await;
        let set = gathered.map_err(|_| CallError::Timeout)??;
        let response = Response::read(&set).ok_or(CallError::Invalid("a response that cannot be read"))?;
        if !response.answers(field, message) {
            return Err(CallError::Invalid("a response to something else"));
        }
        Ok(Said {
            status: response.status,
            comment: response.comment,
        })
    }

    /// Ends the association in order (PS3.8 7.2).
    ///
    /// # Errors
    /// The peer does not answer.
    pub async fn release(mut self) -> Result<(), CallError> {
        within(self.timeout, self.wire.control(&Pdu::ReleaseRQ)).await?;
        let answer = timeout(self.timeout, self.wire.next()).await;
        match answer.map_err(|_| CallError::Timeout)?? {
            Incoming::Control(Pdu::ReleaseRP) => Ok(()),
            Incoming::Control(Pdu::AbortRQ { .. }) => Err(CallError::Aborted),
            _ => Err(CallError::Invalid("no answer to a release")),
        }
    }
}

async fn within(time: Duration, work: impl Future<Output = Result<(), Broken>>) -> Result<(), CallError> {
    Ok(timeout(time, work).await.map_err(|_| CallError::Timeout)??)
}

/// Puts a command set together.
async fn gather<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) -> Result<Vec<u8>, CallError> {
    let mut set = Vec::new();
    loop {
        let mut items = match wire.next().await? {
            Incoming::Data(items) => items,
            Incoming::Control(Pdu::AbortRQ { .. }) => return Err(CallError::Aborted),
            Incoming::Control(_) => return Err(CallError::Invalid("a PDU out of its turn")),
        };
        while !items.is_empty() {
            let (fragment, rest) = pdu::fragment(items).ok_or(CallError::Invalid("a fragment is cut"))?;
            items = rest;
            if !fragment.is_command || set.len() + fragment.bytes.len() > command::LONGEST {
                return Err(CallError::Invalid("something else than a response"));
            }
            set.extend_from_slice(fragment.bytes);
            if fragment.is_last {
                return Ok(set);
            }
        }
    }
}

fn rq(caller: &Caller, proposed: &[(u8, Kind)]) -> AssociationRQ {
    let contexts = proposed.iter().map(|(id, kind)| PresentationContextProposed {
        id: *id,
        abstract_syntax: kind.sop_class.clone(),
        transfer_syntaxes: vec![kind.transfer_syntax.clone()],
    });
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title: caller.calling_ae.clone(),
        called_ae_title: caller.called_ae.clone(),
        application_context_name: uids::APPLICATION.to_owned(),
        presentation_contexts: contexts.collect(),
        user_variables: vec![
            UserVariableItem::MaxLength(u32::try_from(LONGEST).unwrap_or(0)),
            UserVariableItem::ImplementationClassUID(part10::IMPLEMENTATION.to_owned()),
            UserVariableItem::ImplementationVersionName(part10::VERSION.to_owned()),
        ],
    }
}

/// What C-ECHO is asked by.
fn verification() -> Kind {
    Kind {
        sop_class: uids::VERIFICATION.to_owned(),
        transfer_syntax: uids::IMPLICIT.to_owned(),
    }
}

/// What the peer said to each context; of one that it left out, nothing is known.
fn agreed(proposed: Vec<(u8, Kind)>, answer: &AssociationAC) -> Vec<(u8, Kind, Agreed)> {
    let said = |id: u8| {
        let result = answer.presentation_contexts.iter().find(|result| result.id == id);
        result.map_or(Agreed::NoReason, |result| result.reason.clone())
    };
    let all = proposed.into_iter();
    all.map(|(id, kind)| (id, kind, said(id))).collect()
}

/// How much of a data set goes into a unit: what the peer takes (0: any length, PS3.8 D.1) without the item's own six
/// bytes, and an even number.
fn room(answer: &AssociationAC) -> usize {
    let said = answer.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length as usize),
        _ => None,
    });
    let most = match said {
        Some(0) => LONGEST_SENT,
        Some(length) => length.clamp(128, LONGEST_SENT),
        None => LONGEST,
    };
    (most - 6) & !1
}

impl From<Broken> for CallError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Closed => Self::Broke(io::ErrorKind::UnexpectedEof.into()),
            Broken::Io(error) => Self::Broke(error),
            Broken::Invalid(_, why) => Self::Invalid(why),
        }
    }
}
