//! HTTP, seen from a sender: HL7v2 messages posted to a path are the same messages as over MLLP and get the same answers,
//! and whatever a peer does to the connection, it hears a clear answer or none, and others do not feel it.

use std::time::Duration;

use causeway_core::Store;
use causeway_core::store::Event;
use causeway_server::config::Config;
use causeway_server::transport::http::Options;
use causeway_tests::{
    Doing, EXAMPLE, Gateway, Http, Peer, Process, Response, Service, fields, framed, oru, segment, until,
};

const HL7: &str = "Content-Type: application/hl7-v2\r\n";

async fn gateway(change: impl FnOnce(&mut Options)) -> (Gateway, Http) {
    let gateway = Gateway::start(Vec::new(), |config: &mut Config| {
        let http = config.listeners.iter_mut().find(|listener| listener.name == "http");
        change(&mut http.expect("an HTTP listener").http);
    })
    .await;
    let peer = Http::connect(address(&gateway)).await;
    (gateway, peer)
}

fn address(gateway: &Gateway) -> std::net::SocketAddr {
    gateway.gateway.address("http").expect("an HTTP listener")
}

fn msa(response: &Response) -> (String, String) {
    let text = response.text();
    let msa = fields(segment(&text, "MSA")[0]);
    (msa[1].to_owned(), msa.get(2).copied().unwrap_or_default().to_owned())
}

/// The bundles of the log, in order of their frames.
fn bundles(gateway: &Gateway) -> Vec<Vec<u8>> {
    let records = gateway.log.read_from(0, 1_000).expect("a page");
    let ended = records.into_iter().filter_map(|record| match record.event {
        Event::Answered { ended, .. } => Some((record.number, ended)),
        _ => None,
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort_by_key(|(number, _)| *number);
    let parts = ended.into_iter().flat_map(|(_, ended)| ended.decided);
    parts
        .map(|part| causeway_store::decompress(&part.bundle, 1 << 26).expect("a bundle"))
        .map(|bundle| bundle.to_vec())
        .collect()
}

/// A reply without what differs from one to the next by its nature: MSH-7 and MSH-10, the reply's own time and number.
fn without_stamp(reply: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<_> = reply.split(|byte| *byte == b'|').map(<[u8]>::to_vec).collect();
    fields[6].clear();
    fields[9].clear();
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_get_the_same_answer_over_mllp_and_over_http() {
    let (gateway, mut http) = gateway(|_| {}).await;
    let gb18030 = EXAMPLE.replace("UNICODE UTF-8", "GB 18030-2000");
    let (gb18030, _, _) = encoding_rs::GB18030.encode(&gb18030);
    let messages: Vec<Vec<u8>> = vec![
        EXAMPLE.into(),
        oru("NORMAL", "4.1").into(),
        gb18030.into_owned(),
        oru("NOTYPE", "4.1").replace("ORU^R01^ORU_R01", "QRY^A19").into(),
        b"hello".to_vec(),
    ];
    let mut mllp = Peer::connect(gateway.address()).await;
    for message in &messages {
        assert!(mllp.send(&framed(message)).await);
        let over_mllp = mllp.reply_bytes().await.expect("a reply");
        let over_http = http.ask("POST", "/hl7v2", HL7, message).await;
        assert_eq!(
            without_stamp(&over_http.body),
            without_stamp(&over_mllp),
            "{}",
            String::from_utf8_lossy(message)
        );
    }
    let bundles = bundles(&gateway);
    assert_eq!(bundles.len(), 2 * messages.len());
    for pair in bundles.chunks(2) {
        assert!(pair[0] == pair[1], "the same FHIR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_200_whatever_it_says_and_what_cannot_be_read_is_not() {
    let (_gateway, mut http) = gateway(|_| {}).await;
    let good = http.ask("POST", "/hl7v2", HL7, oru("GOOD", "4.1").as_bytes()).await;
    assert_eq!(
        (good.status, good.header("content-type"), msa(&good).0.as_str()),
        (200, "application/hl7-v2", "AA")
    );
    let wrong = oru("WRONG", "4.1").replace("ORU^R01^ORU_R01", "QRY^A19");
    let refused = http.ask("POST", "/hl7v2", HL7, wrong.as_bytes()).await;
    assert_eq!((refused.status, msa(&refused).0.as_str()), (200, "AR"));
    let unread = http.ask("POST", "/hl7v2", HL7, b"hello").await;
    assert_eq!((unread.status, msa(&unread).0.as_str()), (422, "AR"));
    // Nobody asks for an acknowledgement.
    let silent = oru("SILENT", "4.1").replace("|P|2.5.1||||||", "|P|2.5.1|||NE|NE||");
    let kept = http.ask("POST", "/hl7v2", HL7, silent.as_bytes()).await;
    assert_eq!((kept.status, kept.body.len()), (202, 0));
    // Only a commit is asked for.
    let commit = oru("COMMIT", "4.1").replace("|P|2.5.1||||||", "|P|2.5.1|||AL|NE||");
    let kept = http.ask("POST", "/hl7v2", HL7, commit.as_bytes()).await;
    assert_eq!((kept.status, msa(&kept).0.as_str()), (200, "CA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_of_the_route_is_said() {
    let (gateway, mut http) = gateway(|_| {}).await;
    let message = oru("TYPED", "4.1");
    for media in ["x-application/hl7-v2+er7", "text/plain; charset=utf-8"] {
        let field = format!("Content-Type: {media}\r\n");
        let answer = http.ask("POST", "/hl7v2", &field, message.as_bytes()).await;
        let (bare, _) = media.split_once(';').unwrap_or((media, ""));
        assert_eq!((answer.status, answer.header("content-type")), (200, bare));
    }
    let kept = gateway.log.health().accepted;
    let json = "Content-Type: application/json\r\n";
    assert_eq!(http.ask("POST", "/hl7v2", json, b"{}").await.status, 415);
    let zipped = format!("{HL7}Content-Encoding: gzip\r\n");
    assert_eq!(http.ask("POST", "/hl7v2", &zipped, b"\x1f\x8b").await.status, 415);
    let read = http.ask("GET", "/hl7v2", "", b"").await;
    assert_eq!((read.status, read.header("allow")), (405, "POST"));
    assert_eq!(http.ask("POST", "/hl7v2/x", HL7, b"").await.status, 404);
    assert_eq!(http.ask("POST", "/", HL7, b"").await.status, 404);
    let foreign = format!("{HL7}Origin: http://example.org\r\n");
    assert_eq!(
        http.ask("POST", "/hl7v2", &foreign, message.as_bytes()).await.status,
        403
    );
    assert!(http.send(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").await);
    assert_eq!(http.response().await.expect("a response").status, 421);
    assert!(http.send(b"no HTTP at all\r\n\r\n").await);
    assert_eq!(http.response().await.expect("a response").status, 400);
    assert!(http.response().await.is_none(), "and nothing more");
    assert_eq!(gateway.log.health().accepted, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_gets_the_kept_answer_and_a_character_set_of_the_body_counts() {
    let (gateway, mut http) = gateway(|_| {}).await;
    let first = http.ask("POST", "/hl7v2", HL7, EXAMPLE.as_bytes()).await;
    let again = http.ask("POST", "/hl7v2", HL7, EXAMPLE.as_bytes()).await;
    assert_eq!(first.body, again.body);
    let health = gateway.log.health();
    assert_eq!((health.accepted, health.answered), (1, 1));
    // MSH-18 says nothing; the bytes are GBK and could be Latin-1.
    let silent = oru("GBK", "4.1").replace("||||||UNICODE UTF-8", "");
    let (bytes, _, _) = encoding_rs::GBK.encode(&silent);
    let field = "Content-Type: application/hl7-v2; charset=GBK\r\n";
    assert_eq!(http.ask("POST", "/hl7v2", field, &bytes).await.status, 200);
    let bundle = String::from_utf8(bundles(&gateway).pop().expect("a bundle")).expect("UTF-8");
    assert!(bundle.contains("瑞金二路197号"), "{bundle}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    let (gateway, mut http) = gateway(|options| options.max_body = 64 << 10).await;
    let large = oru("LARGE", "4.1") + &format!("NTE|1|L|{}\r", "x".repeat(1 << 20));
    // It says how large it is, and asks before it sends: it hears no word of going on.
    let asks = format!("{HL7}Expect: 100-continue\r\n");
    let request = http.request("POST", "/hl7v2", &asks, large.as_bytes());
    let head = request.len() - large.len();
    assert!(http.send(&request[..head]).await);
    assert_eq!(http.response().await.expect("a response").status, 413);
    // It does not say, and is told all the same, with its own name in the refusal.
    let mut http = Http::connect(address(&gateway)).await;
    let head = format!(
        "POST /hl7v2 HTTP/1.1\r\nHost: localhost:{}\r\n",
        address(&gateway).port()
    );
    let chunk = format!("{HL7}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", large.len());
    assert!(http.send((head + &chunk + &large).as_bytes()).await);
    let refused = http.response().await.expect("a response");
    assert_eq!((refused.status, msa(&refused)), (413, ("AR".into(), "LARGE".into())));
    assert!(refused.text().contains("too-large"));
    assert!(http.response().await.is_none(), "the rest is not read");
    assert_eq!(gateway.log.health().accepted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_it_sends_is_told_to_go_on() {
    let (_gateway, mut http) = gateway(|_| {}).await;
    let message = oru("ASKS", "4.1");
    let asks = format!("{HL7}Expect: 100-continue\r\n");
    let request = http.request("POST", "/hl7v2", &asks, message.as_bytes());
    let (head, body) = request.split_at(request.len() - message.len());
    assert!(http.send(head).await);
    assert_eq!(http.response().await.expect("a word").status, 100);
    assert!(http.send(body).await);
    assert_eq!(msa(&http.response().await.expect("a response")).0, "AA");
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order_and_a_half_closed_peer_too() {
    let (_gateway, mut http) = gateway(|_| {}).await;
    let ids: Vec<String> = (0..20).map(|number| format!("PIPE{number}")).collect();
    let request = |id: &String| http.request("POST", "/hl7v2", HL7, oru(id, "4.0").as_bytes());
    let all: Vec<u8> = ids.iter().flat_map(request).collect();
    let (most, rest) = all.split_at(all.len() - 100);
    // The beginning of the last does not hold back the answers to those before it.
    assert!(http.send(most).await);
    for id in &ids[..19] {
        let response = http.response().await.expect("a response");
        assert_eq!(msa(&response), ("AA".to_owned(), id.clone()));
    }
    assert!(http.send(rest).await);
    http.finish().await;
    assert_eq!(msa(&http.response().await.expect("a response")).1, "PIPE19");
    assert!(http.response().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_peers_are_let_go_each_by_its_own_deadline() {
    let short = Duration::from_millis(200);
    let (gateway, mut http) = gateway(|options| {
        (options.header, options.body) = (short, short);
    })
    .await;
    // A header without an end, after a request that was answered: the deadline is the header's and not the silence's.
    assert_eq!(http.ask("GET", "/hl7v2", "", b"").await.status, 405);
    assert!(http.send(b"POST /hl7v2 HTTP/1.1\r\nHost: loc").await);
    assert_eq!(http.response().await.expect("a word").status, 408);
    assert!(http.response().await.is_none());
    // A body that stops half way: told why, since its first half says who it is.
    let mut http = Http::connect(address(&gateway)).await;
    let request = http.request("POST", "/hl7v2", HL7, oru("STUCK", "4.0").as_bytes());
    assert!(http.send(&request[..request.len() - 300]).await);
    let refused = http.response().await.expect("a response");
    assert_eq!((refused.status, msa(&refused)), (408, ("AE".into(), "STUCK".into())));
    assert!(http.response().await.is_none());
    let counts = gateway.gateway.transports.iter().find(|(name, _)| name == "http");
    let counts = counts.expect("counters").1.counts();
    assert_eq!((counts.frame_timeouts, counts.idle_timeouts, counts.frames), (2, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_a_connection_and_so_does_a_peer_that_does_not_read() {
    let short = Duration::from_millis(200);
    let (gateway, mut http) = gateway(|options| (options.idle, options.write) = (short, short)).await;
    assert_eq!(http.ask("GET", "/hl7v2", "", b"").await.status, 405);
    assert!(http.response().await.is_none(), "closed without a word");
    let mut deaf = Http::narrow(address(&gateway)).await;
    let request = deaf.request("GET", "/hl7v2", "", b"");
    let many: Vec<u8> = request.iter().copied().cycle().take(request.len() * 200).collect();
    let counts = &gateway.gateway.transports.iter().find(|(name, _)| name == "http");
    let counters = &counts.expect("counters").1;
    until("it is let go", async || {
        // Once it is let go, sending fails and there is nothing more to do.
        let _sent = tokio::time::timeout(short, deaf.send(&many)).await;
        counters.write_timeouts.get() > 0
    })
    .await;
    let mut http = Http::connect(address(&gateway)).await;
    assert_eq!(http.ask("GET", "/hl7v2", "", b"").await.status, 405, "others go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_hears_why_and_a_token_opens() {
    let (gateway, _first) = gateway(|options| options.connections_per_peer = 1).await;
    until("it is open", async || gateway.gateway.transports[1].1.open.get() == 1).await;
    let mut second = Http::connect(address(&gateway)).await;
    let told = second.response().await.expect("a word");
    assert_eq!((told.status, told.header("retry-after")), (429, "5"));
    let (gateway, _first) = self::gateway(|options| options.connections = 1).await;
    until("it is open", async || gateway.gateway.transports[1].1.open.get() == 1).await;
    let mut second = Http::connect(address(&gateway)).await;
    assert_eq!(second.response().await.expect("a word").status, 503);

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "open-sesame\n").expect("a file");
    let (_gateway, mut http) = self::gateway(|options| options.token_file = Some(file)).await;
    let shut = http
        .ask("GET", "/hl7v2", "Authorization: Bearer open-barley\r\n", b"")
        .await;
    assert_eq!((shut.status, shut.header("www-authenticate")), (401, "Bearer"));
    let open = http
        .ask("GET", "/hl7v2", "Authorization: Bearer open-sesame\r\n", b"")
        .await;
    assert_eq!(open.status, 405);
}

const STANZA: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/hl7v2', format = 'hl7v2'}]\n[listener.http]\nconnections-per-peer = 4096\n";

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_connections_are_cheap_and_do_not_slow_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::configured(folder.path(), STANZA, &[]);
    let address = process.http.expect("an HTTP listener");
    let mut http = Http::connect(address).await;
    let answer = http.ask("POST", "/hl7v2", HL7, oru("BEFORE", "4.0").as_bytes()).await;
    assert_eq!(answer.status, 200);
    let before = process.resident();
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        idle.push(Http::connect(address).await);
    }
    // Each has asked something once, as a pooled client has.
    for http in &mut idle {
        assert_eq!(http.ask("GET", "/hl7v2", "", b"").await.status, 405);
    }
    let answer = http.ask("POST", "/hl7v2", HL7, oru("AMONG", "4.0").as_bytes()).await;
    assert_eq!(msa(&answer), ("AA".into(), "AMONG".into()));
    let each = (process.resident() - before) / 2_000;
    assert!(each <= 24, "{each} KiB for each of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_request_end_and_closes_the_silent() {
    let wait = Duration::from_secs(1);
    let service = Service::start(move |_| Doing::AnswersAfter(wait, r#"{"cards":[]}"#.to_owned())).await;
    let folder = tempfile::tempdir().expect("a folder");
    let stanzas = format!(
        "{STANZA}[chain]\nhook-budget-ms = 600000\n[[hook]]\nname = 'slow'\nurl = '{}'\ntimeout-ms = 600000\n",
        service.url()
    );
    let process = Process::configured(folder.path(), &stanzas, &[]);
    let address = process.http.expect("an HTTP listener");
    let (mut silent, mut busy) = (Http::connect(address).await, Http::connect(address).await);
    assert_eq!(silent.ask("GET", "/hl7v2", "", b"").await.status, 405);
    let request = busy.request("POST", "/hl7v2", HL7, oru("LASTONE", "4.0").as_bytes());
    assert!(busy.send(&request).await);
    until("the service is asked", async || service.calls() == 1).await;
    assert!(process.tell_to_stop());
    assert!(silent.response().await.is_none());
    let answer = busy.response().await.expect("an answer all the same");
    assert_eq!(msa(&answer), ("AA".into(), "LASTONE".into()));
    assert_eq!(answer.header("connection"), "close");
    assert!(busy.response().await.is_none());
    assert!(process.terminate(), "it ends well");
}
