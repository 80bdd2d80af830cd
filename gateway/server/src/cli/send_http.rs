//! `causeway send http(s)://HOST:PORT[/PATH]`: posts HL7v2, X12 and FHIR as what they are to a gateway's endpoints, or to
//! another's, and prints the answers. Where no path is said it is that of the format; a FHIR resource goes to its type
//! below the base, and is put there under its own id where it has one. Nothing is kept here.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use causeway_core::fhir::{Limits, NodeId, Tree, parse};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use super::send::{Args, connector};
use super::{Status, block_on, format, input, output};
use crate::config::Format;
use crate::transport::tls::HttpsConnector;

/// The largest answer that is printed, in bytes.
const ANSWER: usize = 64 << 20;
/// What FHIR is sent as.
const FHIR: &str = "application/fhir+json";

/// Whether a target is this module's.
pub(super) fn is_target(target: &str) -> bool {
    target.starts_with("http://") || target.starts_with("https://")
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Status> {
    let measures = args.connections.is_some() || args.count.is_some() || args.seconds.is_some();
    if measures || args.rate.is_some() || args.vary || args.pipeline != 1 {
        anyhow::bail!("--connections, --count, --seconds, --rate, --pipeline and --vary are for MLLP");
    }
    let wrong = || format!("a target is http(s)://HOST[:PORT][/PATH], not {:?}", args.target);
    let target: Uri = args.target.parse().with_context(wrong)?;
    let host = target.host().is_some_and(|host| !host.is_empty());
    anyhow::ensure!(host && target.query().is_none(), wrong());
    let Some(inputs) = input::read(&args.files) else {
        return Ok(Status::Unreadable);
    };
    let time = Duration::from_secs(args.timeout);
    let connector = HttpsConnector::new(connector(args, target.scheme_str() == Some("https"))?).within(time);
    let sender = Sender {
        target: args.target.trim_end_matches('/').to_owned(),
        pathless: target.path() == "/",
        token: args.token_file.as_ref().map(token).transpose()?,
        time,
        connector,
        json,
    };
    block_on(sender.send(&inputs))
}

fn token(file: &PathBuf) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("--token-file {}", file.display()))?;
    Ok(format!("Bearer {}", text.trim()))
}

/// What all files are sent by.
struct Sender {
    target: String,
    /// Whether the target says no path.
    pathless: bool,
    token: Option<String>,
    time: Duration,
    connector: HttpsConnector,
    json: bool,
}

impl Sender {
    async fn send(self, inputs: &[input::Input]) -> Status {
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        let mut status = Status::Fine;
        for input in inputs {
            let format = format::of(&input.bytes);
            let answered = match self.request(format, &input.bytes) {
                Ok(request) => tokio::time::timeout(self.time, answer(&client, request)).await,
                Err(error) => Ok(Err(error)),
            };
            match answered {
                Ok(Ok((code, bytes))) => {
                    self.print(&input.name, format, code, &bytes);
                    if !code.is_success() || is_negative(format, &bytes) {
                        status = Status::Findings;
                    }
                }
                Ok(Err(error)) => return self.unreachable(&format!("{error:#}")),
                Err(_) => return self.unreachable("no answer in time"),
            }
        }
        status
    }

    fn unreachable(&self, why: &str) -> Status {
        output::note(&format!("cannot reach {}: {why}", self.target));
        Status::Unreachable
    }

    fn request(&self, format: Format, bytes: &Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
        let (path, media) = match format {
            Format::Hl7v2 => ("/hl7v2", "application/hl7-v2"),
            Format::X12 => ("/x12", "application/edi-x12"),
            Format::Fhir => ("/fhir", FHIR),
            Format::Dicom => anyhow::bail!("objects go to DICOM peers: dicom://CALLED-AE@HOST:PORT"),
        };
        let path = if self.pathless { path } else { "" };
        let place = if format == Format::Fhir { place(bytes) } else { None };
        let (method, place) = place.unwrap_or((Method::POST, String::new()));
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}{place}", self.target))
            .header(CONTENT_TYPE, media);
        if format == Format::Fhir {
            request = request.header(ACCEPT, FHIR);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        Ok(request.body(Full::new(bytes.clone()))?)
    }

    fn print(&self, name: &str, format: Format, code: StatusCode, bytes: &Bytes) {
        let text = output::text(bytes);
        if self.json {
            let line = json!({"file": name, "status": code.as_u16(), "replies": [text]});
            return output::line(&line.to_string());
        }
        if !code.is_success() {
            output::note(&format!("{name}: HTTP {}", code.as_u16()));
        }
        match format {
            Format::Hl7v2 => output::line(&output::segments(bytes)),
            _ => output::line(text.trim_end()),
        }
    }
}

/// Where a resource goes below the base; a Bundle to be worked on goes to the base itself.
fn place(bytes: &[u8]) -> Option<(Method, String)> {
    let tree = parse(bytes, Limits::default()).ok()?;
    let said = |name| tree.get_str(NodeId::ROOT, name);
    let kind = said("resourceType").filter(|kind| causeway_fhir::is_type_name(kind))?;
    if kind == "Bundle" && matches!(said("type"), Some("batch" | "transaction" | "message")) {
        return None;
    }
    Some(match said("id").filter(|id| causeway_fhir::is_id(id)) {
        Some(id) => (Method::PUT, format!("/{kind}/{id}")),
        None => (Method::POST, format!("/{kind}")),
    })
}

async fn answer(
    client: &Client<HttpsConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let response = client.request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer: {error}"))?;
    Ok((status, body.to_bytes()))
}

/// Whether an answer that HTTP calls good says that not all was taken.
fn is_negative(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Hl7v2 => super::send::is_negative(bytes),
        Format::X12 => rejects(bytes),
        Format::Fhir => parse(bytes, Limits::default()).is_ok_and(|tree| refuses(&tree)),
        Format::Dicom => false,
    }
}

/// Whether an interchange of acknowledgements rejects something: TA104, IK501 or AK901 (999 005010X231A1).
fn rejects(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (Some(element), Some(end)) = (text.chars().nth(3), text.chars().nth(105)) else {
        return false;
    };
    text.split(end).map(str::trim_start).any(|segment| {
        let mut elements = segment.split(element);
        let code = match elements.next() {
            Some("TA1") => elements.nth(3),
            Some("IK5" | "AK9") => elements.next(),
            _ => None,
        };
        matches!(code, Some("R" | "M" | "W" | "X" | "P"))
    })
}

/// Whether an entry of a response was not taken.
fn refuses(tree: &Tree) -> bool {
    let statuses = tree.select(NodeId::ROOT, &["entry", "response", "status"]);
    let mut statuses = statuses.into_iter().filter_map(|status| tree.str(status));
    statuses.any(|status| !status.starts_with('2'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_goes_to_its_type_and_a_bundle_to_the_base() {
        let of = |text: &str| place(text.as_bytes());
        let patient = r#"{"resourceType":"Patient"}"#;
        assert_eq!(of(patient), Some((Method::POST, "/Patient".to_owned())));
        let known = r#"{"resourceType":"Patient","id":"p1"}"#;
        assert_eq!(of(known), Some((Method::PUT, "/Patient/p1".to_owned())));
        let kept = r#"{"resourceType":"Bundle","type":"collection"}"#;
        assert_eq!(of(kept), Some((Method::POST, "/Bundle".to_owned())));
        for at_base in [r#"{"resourceType":"Bundle","type":"transaction"}"#, "{", "{}"] {
            assert_eq!(of(at_base), None, "{at_base}");
        }
    }

    #[test]
    fn an_answer_may_say_no_under_a_good_status() {
        let isa = "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *260301*1230*^*00501*000000001*0*T*:~";
        assert_eq!(isa.len(), 106);
        for (segment, no) in [
            ("\nAK9*A*1*1*1~", false),
            ("AK9*R*1*1*0~", true),
            ("IK5*E~", false),
            ("IK5*R*5~", true),
            ("TA1*000000077*260301*1200*A*000~", false),
            ("TA1*000000077*260301*1200*R*006~", true),
        ] {
            let text = format!("{isa}{segment}");
            assert_eq!(is_negative(Format::X12, text.as_bytes()), no, "{segment}");
        }
        let answer =
            |status: &str| format!(r#"{{"resourceType":"Bundle","entry":[{{"response":{{"status":"{status}"}}}}]}}"#);
        assert!(!is_negative(Format::Fhir, answer("201 Created").as_bytes()));
        assert!(is_negative(Format::Fhir, answer("422").as_bytes()));
        assert!(!is_negative(Format::Fhir, br#"{"resourceType":"Patient"}"#));
        assert!(is_negative(Format::Hl7v2, b"MSH|^~\\&|\rMSA|AE|1\r"));
    }
}
