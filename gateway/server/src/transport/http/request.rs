//! One request: whether it is let in, where it leads, its body, and what comes back. The work on a frame belongs to the
//! service: a peer that hangs up only loses the response.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::frame::media_type;
use causeway_core::{Fault, FaultKind, Frame, Head, HttpHead, Leave};
use hyper::body::{Body, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap,
    HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;
use tokio::time::timeout;
use tower::ServiceExt;
use tracing::info;

use super::body::{self, Broken};
use super::door::text;
use super::response::{self, Answer, said};
use super::route::{self, Asking, Kind, Route};
use super::said;
use super::server::Listener;
use crate::replies::{Outgoing, Replies};
use crate::telemetry::Caller;
use crate::transport::mllp::Charge;

/// Answers a request, within its caller's trace where it has one.
pub(super) async fn answer(listener: &Listener, peer: &Arc<str>, request: Request<Incoming>) -> Answer {
    let Some(caller) = caller(request.headers()) else {
        return answered(listener, peer, request, None).await;
    };
    let answer = caller.trace.scope(answered(listener, peer, request, Some(caller)));
    response::traced(answer.await, Some(caller.trace))
}

fn caller(headers: &HeaderMap) -> Option<Caller> {
    let mut all = headers.get_all("traceparent").iter();
    // Several are none (W3C Trace Context, 3.2).
    let (only, None) = (all.next()?, all.next()) else {
        return None;
    };
    Caller::read(only.to_str().ok()?)
}

async fn answered(listener: &Listener, peer: &Arc<str>, request: Request<Incoming>, caller: Option<Caller>) -> Answer {
    let (asked, body) = request.into_parts();
    let found = route::find(&listener.routes, asked.uri.path());
    let speaker = found
        .map(|(route, _)| route)
        .or_else(|| said::speaker(&listener.routes));
    let path = speaker.map_or("", |route| route.path.as_str());
    let mut head = head(listener, path, found.map_or("", |(_, below)| below), &asked);
    head.traceparent = caller.map(|caller| caller.to_string()).unwrap_or_default();
    if let Some(fault) = listener.door.turns_away(&asked.headers) {
        return said::no(speaker, head, fault);
    }
    let Some((route, _)) = found else {
        return said::no(
            speaker,
            head,
            Fault::new(FaultKind::Nowhere, "nothing is served at that path"),
        );
    };
    let reads = matches!(asked.method, Method::GET | Method::HEAD);
    match &route.kind {
        Kind::Rest { read, .. } if reads => {
            let (body, peer) = (Bytes::new(), Arc::clone(peer));
            return response::passing(read(Asking { head, body, peer }).await);
        }
        Kind::Rest { .. } => {}
        Kind::Messages(media) => {
            if let Some(answer) = unfit(&asked.method, &head, media) {
                return answer;
            }
        }
    }
    let coding = text(&asked.headers, CONTENT_ENCODING);
    if !matches!(coding, "" | "identity") {
        let fault = Fault::new(FaultKind::Unsupported, "bodies with a Content-Encoding are not taken");
        return with(said::no(Some(route), head, fault), ACCEPT_ENCODING, "identity");
    }
    take(listener, route, peer, head, body).await
}

/// What is said to a request that is no message of the route.
fn unfit(method: &Method, head: &HttpHead, media: &[&str]) -> Option<Answer> {
    if method != Method::POST {
        let answer = said(StatusCode::METHOD_NOT_ALLOWED, "messages are sent with POST");
        return Some(with(answer, ALLOW, "POST"));
    }
    let given = head.media_type();
    if given.is_empty() || media.contains(&given.as_str()) {
        return None;
    }
    let taken = media.join(", ");
    let text = format!("a message here is one of these media types: {taken}");
    Some(with(said(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text), ACCEPT, &taken))
}

/// An answer with one more header field.
fn with(mut answer: Answer, name: HeaderName, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::try_from(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

fn head(listener: &Listener, path: &str, below: &str, request: &Parts) -> HttpHead {
    let headers: &HeaderMap = &request.headers;
    let field = |name: HeaderName| text(headers, name).to_owned();
    HttpHead {
        method: request.method.as_str().to_owned(),
        path: below.to_owned(),
        query: request.uri.query().unwrap_or_default().to_owned(),
        content_type: field(CONTENT_TYPE),
        accept: field(ACCEPT),
        accept_language: field(ACCEPT_LANGUAGE),
        if_match: field(IF_MATCH),
        if_none_match: field(IF_NONE_MATCH),
        if_none_exist: field(HeaderName::from_static("if-none-exist")),
        prefer: field(HeaderName::from_static("prefer")),
        base: format!("{}://{}{}", listener.scheme(), text(headers, HOST), path),
        traceparent: String::new(),
        request: String::new(),
    }
}

/// The media type of replies: the request's own where it is one of the route's.
fn media(route: &Route, head: &HttpHead) -> String {
    match &route.kind {
        Kind::Messages(all) => match media_type(&head.content_type) {
            given if given.is_empty() => (*all.first().unwrap_or(&"application/octet-stream")).to_owned(),
            given => given,
        },
        Kind::Rest { .. } => "application/octet-stream".to_owned(),
    }
}

/// Reads the body and hands the frame on.
async fn take(listener: &Listener, route: &Route, peer: &Arc<str>, mut head: HttpHead, body: Incoming) -> Answer {
    let options = &listener.options;
    if matches!(route.kind, Kind::Rest { .. }) {
        head.request = uuid::Uuid::new_v4().to_string();
    }
    let media = media(route, &head);
    let passes = match &route.kind {
        Kind::Rest { passes, read } if passes(&head) => Some((read, head.clone())),
        _ => None,
    };
    let head = Head::Http(Box::new(head));
    let mut charge = Charge::new(listener.budget.clone());
    // One that says that it is too large need not be waited for, and is not told to go on (RFC 9110 10.1.1).
    let declared = body.size_hint().lower();
    let read = if declared > options.max_body as u64 {
        let text = format!(
            "the message is larger than the {} bytes that are taken",
            options.max_body
        );
        let fault = Fault::new(FaultKind::TooLarge, text);
        Err(Broken {
            fault,
            first: Bytes::new(),
        })
    } else {
        body::read(body, options.max_body, options.body, &mut charge).await
    };
    let body = match read {
        Ok(body) => body,
        Err(broken) => return refuse(listener, route, &head, broken, &media),
    };
    if let Some((read, head)) = passes {
        let peer = Arc::clone(peer);
        return response::passing(read(Asking { head, body, peer }).await);
    }
    let frame = Frame {
        listener: Arc::clone(&route.name),
        peer: Arc::clone(peer),
        received: Timestamp::now(),
        head: head.clone(),
        body: body.clone(),
    };
    // Until the receipt only room is waited for, so that what is given up here was never kept.
    let Ok(Ok(replies)) = timeout(options.room, route.service.clone().oneshot(frame)).await else {
        listener.counters.overload.add(1);
        let fault = Fault::new(FaultKind::Overload, "the gateway is busy; try again");
        return refuse(listener, route, &head, Broken { fault, first: body }, &media);
    };
    listener.counters.frames.add(1);
    drop(charge); // the inbox's budget has it now
    let trace = replies.trace;
    let Ok(all) = timeout(options.answer, collect(replies)).await else {
        listener.counters.unanswered.add(1);
        let fault = Fault::new(FaultKind::Overload, "the answer takes long; send it again to hear it");
        return refuse(listener, route, &head, Broken { fault, first: body }, &media);
    };
    listener.counters.replies.add(1);
    response::traced(response::replies(&all, &media), trace)
}

/// What the response says: what was decided where the sender asked for that, else that the message is kept.
async fn collect(replies: Replies) -> Vec<Outgoing> {
    let answers = replies.answers.await.unwrap_or_default();
    match replies.commit {
        Some(commit) if answers.is_empty() => commit.await.into_iter().collect(),
        _ => answers,
    }
}

/// Says no in the sender's own format.
fn refuse(listener: &Listener, route: &Route, head: &Head, broken: Broken, media: &str) -> Answer {
    let Broken { fault, first } = broken;
    let counters = &listener.counters;
    match fault.kind {
        FaultKind::TooLarge => counters.oversize.add(1),
        FaultKind::Unreadable => counters.truncated.add(1),
        FaultKind::Timeout => counters.frame_timeouts.add(1),
        _ => {}
    }
    info!(listener = %route.name, bytes = first.len(), kind = ?fault.kind, "request refused");
    let reply = (route.refuse)(head, &first, fault.clone());
    let kept_reading = matches!(fault.kind, FaultKind::Overload);
    let leave = Leave::NotKept(fault);
    let mut answer = response::replies(&[Outgoing { leave, reply }], media);
    if !kept_reading {
        // The rest of the body may be on its way, and nobody will read it.
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
