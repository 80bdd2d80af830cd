//! Replies as responses. A reply that says its own status is sent as it is; one that does not is framed here: a message
//! was answered, whatever the answer says, so the status is 200, and it is another one only where the message could not be
//! taken. The one place where a fault becomes a status.

use bytes::Bytes;
use causeway_core::{FaultKind, Leave, Reply, ReplyHead, ReplyKind};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};

use super::route::Passing;
use crate::replies::Outgoing;
use crate::telemetry::TraceId;

/// What is sent.
pub(super) type Answer = Response<Full<Bytes>>;

/// A sentence in plain text.
pub(super) fn said(status: StatusCode, text: &str) -> Answer {
    typed(status, "text/plain; charset=utf-8", Bytes::from(format!("{text}\n")))
}

/// Bytes of a media type.
fn typed(status: StatusCode, media: &str, bytes: Bytes) -> Answer {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    if let Ok(media) = HeaderValue::from_str(media) {
        response.headers_mut().insert(CONTENT_TYPE, media);
    }
    completed(response)
}

/// What a status asks for that the transport alone knows: how to prove who one is (RFC 9110 15.5.2), and when to come again
/// where nobody said it.
fn completed(mut response: Answer) -> Answer {
    let again = HeaderValue::from_static("5");
    match response.status() {
        StatusCode::UNAUTHORIZED => {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            response.headers_mut().entry(RETRY_AFTER).or_insert(again);
        }
        _ => {}
    }
    response
}

/// A response with its own status and fields.
fn formed<N: AsRef<str>>(status: u16, headers: &[(N, String)], bytes: Bytes) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_ref()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    completed(response)
}

/// The answer to a request that changes nothing.
pub(super) fn passing(answer: Passing) -> Answer {
    formed(answer.status, &answer.headers, answer.bytes)
}

/// The replies of a frame. Several become one body in order: HTTP has one response a request.
pub(super) fn replies(all: &[Outgoing], media: &str) -> Answer {
    let Some(first) = all.first() else {
        // Nobody asked for an answer (MSH-15 and MSH-16 both NE): the message is kept.
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::ACCEPTED;
        return response;
    };
    if let ReplyHead::Http { status, headers } = &first.reply.head {
        return formed(*status, headers, first.reply.bytes.clone());
    }
    let bytes = match all {
        [only] => only.reply.bytes.clone(),
        several => several
            .iter()
            .flat_map(|outgoing| outgoing.reply.bytes.iter().copied())
            .collect(),
    };
    typed(status(&first.leave, &first.reply), media, bytes)
}

/// The response with the trace that `causeway messages show`, the log's lines and a collector know the message by.
pub(super) fn traced(mut response: Answer, trace: Option<TraceId>) -> Answer {
    if let Some(trace) = trace
        && let Ok(value) = HeaderValue::try_from(trace.to_string())
    {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-trace-id"), value);
    }
    response
}

fn status(leave: &Leave, reply: &Reply) -> StatusCode {
    match leave {
        Leave::NotKept(fault) => of_fault(fault.kind),
        // Kept, and nothing could be made of it.
        Leave::Kept(_) | Leave::Passing if reply.kind == ReplyKind::Refusal => StatusCode::UNPROCESSABLE_ENTITY,
        Leave::Kept(_) | Leave::Passing => StatusCode::OK,
    }
}

/// The status of a fault.
pub(super) fn of_fault(kind: FaultKind) -> StatusCode {
    match kind {
        FaultKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        FaultKind::Forbidden => StatusCode::FORBIDDEN,
        FaultKind::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        FaultKind::Nowhere => StatusCode::NOT_FOUND,
        FaultKind::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        FaultKind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        FaultKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        FaultKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FaultKind::Timeout => StatusCode::REQUEST_TIMEOUT,
        FaultKind::Unreadable => StatusCode::BAD_REQUEST,
        FaultKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        FaultKind::Upstream => StatusCode::BAD_GATEWAY,
        FaultKind::Storage | FaultKind::Overload | FaultKind::Draining | FaultKind::Held => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
