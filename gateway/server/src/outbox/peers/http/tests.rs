use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// What a server does with a request: says these bytes, and keeps the connection or ends it.
#[derive(Clone)]
struct Act(String, bool);

/// A server that does as it is told, one request after another over however many connections; what it was sent.
async fn server(acts: Vec<Act>) -> (SocketAddr, mpsc::Receiver<String>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (told, heard) = mpsc::channel(100);
    tokio::spawn(async move {
        let mut acts = acts.into_iter();
        let mut connections = 0;
        while let Ok((mut stream, _)) = socket.accept().await {
            connections += 1;
            loop {
                let Some(request) = request(&mut stream).await else {
                    break;
                };
                told.send(format!("{connections} {request}")).await.unwrap();
                let Some(Act(bytes, stays)) = acts.next() else { return };
                stream.write_all(bytes.as_bytes()).await.unwrap();
                if !stays {
                    break;
                }
            }
        }
    });
    (address, heard)
}

async fn request(stream: &mut tokio::net::TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap_or("0").parse::<usize>().unwrap() {
                return Some(text);
            }
        }
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

fn answer(status: u16, fields: &str, body: &str) -> Act {
    let length = body.len();
    Act(
        format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{fields}\r\n{body}"),
        true,
    )
}

fn taken(statuses: &[&str]) -> String {
    let entries = statuses
        .iter()
        .map(|status| format!(r#"{{"response":{{"status":"{status}"}}}}"#));
    let entries = entries.collect::<Vec<_>>().join(",");
    format!(r#"{{"resourceType":"Bundle","type":"transaction-response","entry":[{entries}]}}"#)
}

fn outgoing() -> Outgoing {
    Outgoing::of("CW7", FHIR, br#"{"resourceType":"Bundle"}"#)
}

fn destination(address: SocketAddr) -> Destination {
    let mut destination = Destination::new("ward", &format!("http://{address}/fhir"));
    destination.timeout = Duration::from_secs(5);
    destination
}

fn peer(destination: &Destination) -> Http {
    Http::new(destination, &destination.to, Connector::plain()).unwrap()
}

/// What comes of one answer.
async fn of(act: Act) -> Result<Delivered, Failure> {
    let (address, _heard) = server(vec![act]).await;
    peer(&destination(address)).deliver(outgoing()).await
}

async fn failed(act: Act) -> (Class, String) {
    let failure = of(act).await.unwrap_err();
    (failure.class, failure.cause)
}

#[tokio::test]
async fn a_transaction_is_posted_to_the_base_over_one_connection() {
    let acts = vec![answer(200, "", &taken(&["201 Created", "200", "204 No Content"])); 2];
    let (address, mut heard) = server(acts).await;
    let peer = peer(&destination(address));
    for _ in 0..2 {
        assert_eq!(peer.deliver(outgoing()).await.unwrap(), Delivered::said("200"));
        let request = heard.recv().await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with("1 post /fhir http/1.1\r\n"), "{request}");
        for field in [
            "content-type: application/fhir+json",
            "accept: application/fhir+json",
            "x-request-id: cw7",
            "prefer: return=minimal",
            "content-length: 25",
        ] {
            assert!(request.contains(&format!("\r\n{field}\r\n")), "no {field} in {request}");
        }
        assert!(!request.contains("authorization"));
    }
}

#[tokio::test]
async fn what_failed_is_told_by_what_follows_from_it() {
    let outcome = r#"{"resourceType":"OperationOutcome"}"#;
    for (status, class) in [
        (400, Class::Rejected),
        (404, Class::Rejected),
        (405, Class::Rejected),
        (408, Class::Failed),
        (409, Class::Failed),
        (410, Class::Rejected),
        (412, Class::Failed),
        (413, Class::Rejected),
        (422, Class::Rejected),
        (423, Class::Failed),
        (429, Class::Busy),
        (500, Class::Failed),
        (502, Class::Failed),
        (503, Class::Busy),
    ] {
        let told = failed(answer(status, "", outcome)).await;
        assert_eq!(told, (class, format!("HTTP {status}")));
    }
    for status in [301, 307, 401, 403, 407] {
        assert_eq!(
            failed(answer(status, "Location: /other\r\n", outcome)).await.0,
            Class::Busy,
            "{status}"
        );
    }
    // Somebody else's server: nothing that is sent can be right there.
    for status in [404, 405] {
        assert_eq!(failed(answer(status, "", "<html>")).await.0, Class::Busy, "{status}");
    }
}

#[tokio::test]
async fn only_what_was_taken_whole_is_delivered() {
    assert!(of(answer(200, "", &taken(&[]))).await.is_ok());
    for (statuses, class, cause) in [
        (
            &["201", "422 Unprocessable Entity"][..],
            Class::Rejected,
            "HTTP 200, an entry 422",
        ),
        (&["201", "500", "201"], Class::Failed, "HTTP 200, an entry 500"),
        (&["409", "400"], Class::Rejected, "HTTP 200, an entry 400"),
        (&["", "201"], Class::Failed, "HTTP 200, an entry 0"),
    ] {
        let told = failed(answer(200, "", &taken(statuses))).await;
        assert_eq!(told, (class, cause.to_owned()), "{statuses:?}");
    }
    for body in ["", "<html>", r#"{"resourceType":"Bundle","type":"searchset"}"#] {
        let told = failed(answer(200, "", body)).await;
        assert_eq!(
            told,
            (Class::Failed, "HTTP 200 without a transaction-response".to_owned())
        );
    }
    let long = format!("{}{}", taken(&[]), " ".repeat(ANSWER));
    assert_eq!(failed(answer(200, "", &long)).await.1, "the answer is too large");
}

#[tokio::test]
async fn a_server_says_when_it_wants_to_be_asked_again() {
    let busy = of(answer(503, "Retry-After: 120\r\n", "")).await.unwrap_err();
    assert_eq!(busy.retry_after, Some(Duration::from_mins(2)));
    let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
    let wait = |said: &str| {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("retry-after", said.parse().unwrap());
        answer::wait(&headers, now)
    };
    // The date is the example of RFC 9110 5.6.7.
    assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(30)));
    assert_eq!(wait("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
    assert_eq!(wait("99999999999"), Some(Duration::from_hours(24)));
    assert_eq!(wait("soon"), None);
}

#[tokio::test]
async fn nobody_there_a_broken_answer_and_silence_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = peer(&destination(free)).deliver(outgoing()).await.unwrap_err();
    assert_eq!(
        (failure.class, failure.cause.as_str()),
        (Class::Unreachable, "connection refused")
    );

    let begun = Act("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned(), false);
    assert_eq!(failed(begun).await, (Class::Timeout, "the answer broke off".to_owned()));
    let nothing = Act(String::new(), false);
    let (address, mut heard) = server(vec![nothing; 2]).await;
    let failure = peer(&destination(address)).deliver(outgoing()).await.unwrap_err();
    assert_eq!(failure.class, Class::Timeout);
    // It was tried once more, by another connection.
    heard.recv().await.unwrap();
    assert!(heard.recv().await.unwrap().starts_with("2 "));

    let (address, _heard) = server(vec![Act(String::new(), true)]).await;
    let mut silent = destination(address);
    (silent.connect_timeout, silent.timeout) = (Duration::from_millis(50), Duration::from_millis(50));
    let failure = peer(&silent).deliver(outgoing()).await.unwrap_err();
    assert_eq!(
        (failure.class, failure.cause.as_str()),
        (Class::Timeout, "no answer in time")
    );
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_says_nothing_of_what_is_sent() {
    let fine = answer(200, "", &taken(&["201"]));
    let closing = Act(fine.0.clone(), false);
    let (address, mut heard) = server(vec![closing, fine]).await;
    let peer = peer(&destination(address));
    for connection in 1..=2 {
        assert!(peer.deliver(outgoing()).await.is_ok());
        assert!(heard.recv().await.unwrap().starts_with(&format!("{connection} ")));
    }
}

#[tokio::test]
async fn a_token_is_shown_and_a_new_one_needs_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "one\n").unwrap();
    let acts = vec![answer(401, "", ""), answer(200, "", &taken(&[]))];
    let (address, mut heard) = server(acts).await;
    let mut destination = destination(address);
    destination.token_file = Some(file.clone());
    let peer = peer(&destination);
    std::fs::write(&file, "two\n").unwrap();
    let failure = peer.deliver(outgoing()).await.unwrap_err();
    assert_eq!(
        (failure.class, failure.cause.as_str()),
        (Class::Busy, "HTTP 401: the peer wants another token")
    );
    assert!(
        heard
            .recv()
            .await
            .unwrap()
            .contains("\r\nauthorization: Bearer one\r\n")
    );
    assert!(peer.deliver(outgoing()).await.is_ok());
    assert!(
        heard
            .recv()
            .await
            .unwrap()
            .contains("\r\nauthorization: Bearer two\r\n")
    );
    assert!(!format!("{peer:?}").contains("two"), "a token is not shown");
    destination.token_file = Some(folder.path().join("none"));
    assert!(Http::new(&destination, &destination.to, Connector::plain()).is_err());
}

#[test]
fn a_base_is_a_url_without_more() {
    for wrong in [
        "http://",
        "http://user:secret@host/fhir",
        "http://host/fhir?x=1",
        "http://ho st/",
    ] {
        let destination = Destination::new("ward", wrong);
        assert!(Http::new(&destination, wrong, Connector::plain()).is_err(), "{wrong}");
    }
}
