//! A message's trace at a collector: a span for it, one for each step below it, and all of it part of its caller's trace where
//! a request over HTTP names one. And what a folder's listener counts.

use causeway_tests::{Collector, Fhir, Http, React, Receiver, Watched, base64, exchange, oru, shown, until};
use serde_json::Value;

const STANZA: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/hl7v2', format = 'hl7v2'}, {path = '/fhir', format = 'fhir'}]\n";
const MEDIA: &str = "Content-Type: application/hl7-v2\r\n";

fn telemetry(collector: &Collector, more: &str) -> String {
    format!(
        "{STANZA}[telemetry]\notlp = 'http://127.0.0.1:{}'\n{more}\n",
        collector.port
    )
}

/// Sixteen or eight bytes of hexadecimal digits as protobuf's JSON has them.
fn bytes(hex: &str) -> String {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    base64(&digits.map(byte).collect::<Vec<_>>())
}

/// Every span that came; nothing without the package that reads them.
fn spans(collector: &Collector) -> Vec<Value> {
    let mut all = Vec::new();
    for line in collector.read("traces").lines() {
        let request: Value = serde_json::from_str(line).expect("JSON");
        for resource in request["resourceSpans"].as_array().expect("resources") {
            for scope in resource["scopeSpans"].as_array().expect("scopes") {
                all.extend(scope["spans"].as_array().expect("spans").iter().cloned());
            }
        }
    }
    all
}

fn nanoseconds(span: &Value, name: &str) -> u64 {
    span[name].as_str().expect("a time").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_belongs_to_its_callers_trace_with_a_span_for_each_step() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let collector = Collector::start();
    // Of messages without a caller one in four thousand million is traced.
    let running = Watched::start(&telemetry(&collector, "trace-one-in = 4000000000"), "info");
    exchange(running.process.mllp, &oru("UNTRACED", "4.0")).await;
    let mut http = Http::connect(running.process.http.expect("an HTTP listener")).await;
    let asks = |flags: &str| format!("{MEDIA}traceparent: 00-{TRACE}-00f067aa0ba902b7-{flags}\r\n");
    for (id, flags) in [("SECOND", "00"), ("THIRD", "01")] {
        let message = oru(id, "4.0");
        let answer = http.ask("POST", "/hl7v2", &asks(flags), message.as_bytes()).await;
        assert_eq!((answer.status, answer.header("x-trace-id")), (200, TRACE));
    }
    for number in [2, 3] {
        assert_eq!(shown(running.data.path(), number)["trace"], TRACE);
    }
    assert_ne!(shown(running.data.path(), 1)["trace"], TRACE);
    // What is read and what is refused is part of it, too.
    for path in ["/fhir/metadata", "/nowhere"] {
        assert_eq!(
            http.ask("GET", path, &asks("00"), b"").await.header("x-trace-id"),
            TRACE
        );
    }
    for wrong in [
        "00-4bf9-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ] {
        let field = format!("traceparent: {wrong}\r\n");
        assert_eq!(
            http.ask("GET", "/fhir/metadata", &field, b"")
                .await
                .header("x-trace-id"),
            ""
        );
    }
    until("the spans came", async || collector.has(&["commit"])).await;
    assert!(running.process.terminate());
    let spans = spans(&collector);
    if spans.is_empty() {
        println!("SKIPPED: no opentelemetry-proto in target/peers; scripts/setup.sh test sets it up");
        return;
    }
    let names: Vec<&str> = spans
        .iter()
        .map(|span| span["name"].as_str().expect("a name"))
        .collect();
    let steps = [
        "receive",
        "translate",
        "validate",
        "rules",
        "hooks",
        "rules",
        "apply",
        "translate",
        "answer",
        "commit",
    ];
    assert_eq!(names[..steps.len()], steps);
    assert_eq!(
        names[steps.len()..],
        ["message"],
        "and nothing of those that are not traced"
    );
    let message = spans.last().expect("the message");
    assert_eq!(message["parentSpanId"], bytes("00f067aa0ba902b7"));
    let mut at = nanoseconds(message, "startTimeUnixNano");
    for span in &spans {
        assert_eq!(span["traceId"], bytes(TRACE));
        if span["name"] != "message" {
            assert_eq!(span["parentSpanId"], message["spanId"]);
            assert_eq!(
                nanoseconds(span, "startTimeUnixNano"),
                at,
                "a step begins where the one before ends"
            );
            at = nanoseconds(span, "endTimeUnixNano");
        }
    }
    assert_eq!(nanoseconds(message, "endTimeUnixNano"), at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folders_files_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("lab");
    let stanza = format!(
        "[[listener]]\nname = 'lab-files'\ntransport = 'files'\n\
         files = {{folder = '{}', look = '10ms', settle = '0s', largest = '1MiB'}}\n",
        root.display()
    );
    let running = Watched::start(&stanza, "info");
    let good = oru("FILE", "4.1");
    let files = [
        ("good.hl7", good.clone()),
        ("none.hl7", "no message".to_owned()),
        ("large.hl7", "x".repeat(2 << 20)),
    ];
    for (name, text) in &files {
        let part = root.join(format!("inbound/{name}.part"));
        std::fs::write(&part, text).expect("a file");
        std::fs::rename(part, root.join(format!("inbound/{name}"))).expect("a file");
    }
    let bytes = good.len() + "no message".len();
    for (kind, expected) in [
        ("frames", 2),
        ("processed", 1),
        ("failed", 2),
        ("oversize", 1),
        ("put_off", 0),
        ("replies", 3),
        ("bytes_in", bytes),
    ] {
        let sample = format!("causeway_transport_total{{listener=\"lab-files\",kind=\"{kind}\"}} {expected}");
        until(&sample, async || running.page("/metrics").await.contains(&sample)).await;
    }
    let status: Value = serde_json::from_str(&running.page("/status").await).expect("JSON");
    assert_eq!(status["listeners"]["lab-files"]["processed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_a_span_of_its_messages_trace_and_the_receiver_goes_on_with_it() {
    let collector = Collector::start();
    let next = Fhir::start().await;
    let ward = Receiver::start(|_| React::Says("AR")).await;
    let destinations = format!(
        "[[destination]]\nname = 'next'\nto = 'http://{}/fhir'\n[[destination]]\nname = 'ward'\nto = 'mllp://{}'\n",
        next.process.http.expect("an HTTP listener"),
        ward.address
    );
    let running = Watched::start(&format!("{}{destinations}", telemetry(&collector, "")), "info");
    exchange(running.process.mllp, &oru("OUT", "4.0")).await;
    until("both attempts are told", async || {
        collector.has(&["causeway.outcome", "rejected", "delivered"])
    })
    .await;
    let trace = shown(running.data.path(), 1)["trace"]
        .as_str()
        .expect("a trace")
        .to_owned();
    // Those before were the test's own questions whether it is there.
    let there = (1..100).map(|number| shown(next.folder.path(), number));
    let mut traces = there
        .take_while(|shown| !shown.is_null())
        .map(|shown| shown["trace"].clone());
    assert!(
        traces.any(|one| one == trace.as_str()),
        "one trace through both gateways"
    );
    assert!(running.process.terminate());
    let spans = spans(&collector);
    if spans.is_empty() {
        println!("SKIPPED: no opentelemetry-proto in target/peers; scripts/setup.sh test sets it up");
        return;
    }
    let delivers: Vec<&Value> = spans.iter().filter(|span| span["name"] == "deliver").collect();
    let of = |span: &Value, name: &str| {
        let all = span["attributes"].as_array().expect("attributes").clone();
        let found = all.into_iter().find(|one| one["key"] == name).expect("the attribute");
        found["value"]["stringValue"].as_str().unwrap_or_default().to_owned()
    };
    let mut told: Vec<_> = delivers
        .iter()
        .map(|span| (of(span, "causeway.destination"), of(span, "causeway.outcome")))
        .collect();
    told.sort();
    let expected = [("next", "delivered"), ("ward", "rejected")];
    assert_eq!(told, expected.map(|(to, outcome)| (to.to_owned(), outcome.to_owned())));
    for span in delivers {
        assert_eq!(
            (&span["traceId"], &span["kind"]),
            (&Value::from(bytes(&trace)), &Value::from("SPAN_KIND_CLIENT"))
        );
    }
}
