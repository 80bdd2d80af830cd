//! The messages of one association, put together from fragments: commands are judged, data sets go to their object, and
//! each request gets its response. Nothing is read from or written to a socket here.

use std::sync::Arc;

use causeway_core::{Frame, Head, ReplyHead};
use dicom_ul::pdu::AbortRQServiceProviderReason;
use jiff::Timestamp;
use tower::{Service, ServiceExt};
use tracing::info;

use super::command::{self, Command};
use super::negotiate::{Agreed, Context};
use super::objects::Stored;
use super::part10;
use super::pdu::{self, Broken};
use super::server::Listener;
use super::store::{Bounds, Object};
use super::uids;
use crate::replies::Replies;

/// What is done with the data set that is coming.
enum Coming {
    Store(Box<Object>),
    /// It is let pass, and answered with a failure.
    Pass(u16, &'static str),
}

/// The messages of one association, put together from fragments.
pub(super) struct Messages<'a> {
    listener: &'a Listener,
    peer: Arc<str>,
    pub(super) agreed: Agreed,
    set: Vec<u8>,
    coming: Option<(u8, Command, Coming)>,
}

/// A command set to send, with its presentation context.
pub(super) type Response = (u8, Vec<u8>);

impl<'a> Messages<'a> {
    pub(super) fn new(listener: &'a Listener, peer: Arc<str>, agreed: Agreed) -> Self {
        Self {
            listener,
            peer,
            agreed,
            set: Vec::new(),
            coming: None,
        }
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_busy(&self) -> bool {
        self.coming.is_some() || !self.set.is_empty()
    }

    pub(super) async fn take(&mut self, mut items: &[u8]) -> Result<Vec<Response>, Broken> {
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
                object: stored.name.clone(),
                size: stored.size,
            },
            body: stored.body.clone(),
        };
        // The file's name and the frame go to disk side by side; a success waits for both.
        let mut service = self.listener.service.clone();
        let Ok(ready) = service.ready().await;
        let Ok(replies) = ready.call(frame).await;
        let (told, named) = tokio::join!(status(replies), stored.named);
        match named {
            Ok(Ok(())) => told,
            failed => {
                tracing::warn!(?failed, "an object's name could not be put on disk");
                (command::OUT_OF_RESOURCES, "the object could not be written".to_owned())
            }
        }
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
