//! One destination's keys: where it is, which answers it gets in which form, and how hard it is tried.

use std::path::PathBuf;
use std::time::Duration;

use causeway_core::{Answer, Severity, Verdict};
use serde::{Deserialize, Serialize};

use crate::transport::tls::ClientOptions;
use crate::transport::units;

/// A destination.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Destination {
    /// Its name in the log, listings and metrics. What waits for a name waits until it is configured again.
    pub name: String,
    /// Where it is: `mllp://HOST:PORT`, `mllps://`, `http(s)://HOST/fhir`, `dicom(s)://CALLED-AE@HOST:PORT`, or a
    /// folder.
    pub to: String,
    /// In which form it gets them; without one, what the kind of peer is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Form>,
    /// Message types that it gets, such as `ORU^R01`; empty: all.
    #[serde(default)]
    pub on: Vec<String>,
    /// Listeners, by the name that frames carry (`lab`, `http/hl7v2`), whose messages it gets; empty: all.
    #[serde(default)]
    pub listeners: Vec<String>,
    /// Verdicts it gets: `accepted`, `remarked`, `refused`, `held`.
    #[serde(default = "verdicts")]
    pub verdicts: Vec<Wanted>,
    /// The least severity that the gravest finding must have; without it, findings do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether it gets a message once more when a service's findings came after the answer.
    #[serde(default)]
    pub late: bool,
    /// Deliveries under way at once, each of another patient.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// Deliveries that are looked at ahead; the others wait on disk.
    #[serde(default = "window")]
    pub window: usize,
    /// For a connection, with its handshake.
    #[serde(default = "connect", with = "units::duration")]
    pub connect_timeout: Duration,
    /// From the first byte sent to the peer's word.
    #[serde(default = "timeout", with = "units::duration")]
    pub timeout: Duration,
    /// How it is tried again.
    #[serde(default)]
    pub retry: Retry,
    /// The title that a DICOM peer is called with.
    #[serde(default = "calling_ae")]
    pub calling_ae: String,
    /// Whether a FHIR server lets clients say under which id a resource stands (an update that creates); else it finds ours
    /// by the tag `urn:causeway:id|ID`.
    #[serde(default = "client_ids")]
    pub client_ids: bool,
    /// A file with the token for an HTTP peer, sent as `Authorization: Bearer TOKEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Whether the token may go to another machine without TLS, where anybody on the way can read it.
    #[serde(default)]
    pub token_in_clear: bool,
    /// Whom to trust and what to show where the connection is under TLS.
    #[serde(default)]
    pub tls: ClientOptions,
}

/// `[destination.retry]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retry {
    /// Attempts of one delivery that the peer could not process; then it is dead. A peer that cannot be reached, is busy or
    /// silent is tried for ever.
    pub attempts: u32,
    /// Deliveries in a row that the peer rejects for the same reason, with none taken between, after which it is the peer that
    /// is not well: nothing more is dead, and it is tried with one delivery after each pause until it takes one.
    pub refusals: u32,
    /// The most of the first pause; each pause is drawn between nothing and twice the most of the one before.
    #[serde(with = "units::duration")]
    pub first: Duration,
    /// The most of any pause.
    #[serde(with = "units::duration")]
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 10,
            refusals: 20,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(15),
        }
    }
}

impl Retry {
    /// Whether it cannot be followed.
    fn problem(&self) -> bool {
        self.attempts == 0 || self.refusals == 0 || self.first.is_zero() || self.longest < self.first
    }
}

/// A verdict that can be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Taken, with nothing to say.
    Accepted,
    /// Taken, with remarks.
    Remarked,
    /// Not taken.
    Refused,
    /// Kept for a person to decide.
    Held,
}

impl Wanted {
    /// Whether an answer has this verdict; one that failed is never delivered.
    fn is(self, verdict: Verdict) -> bool {
        matches!(
            (self, verdict),
            (Self::Accepted, Verdict::Accepted)
                | (Self::Remarked, Verdict::Remarked)
                | (Self::Refused, Verdict::Refused)
                | (Self::Held, Verdict::Held)
        )
    }
}

/// In which form a destination gets what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The frame as it came, byte for byte; once, where it has several parts.
    Source,
    /// HL7 version 2: the kept source with the findings in it.
    Hl7v2,
    /// A FHIR transaction.
    Fhir,
    /// A DICOM object as it was stored.
    Dicom,
}

impl Form {
    /// Its media type; what came as it came has its own.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Source => "application/octet-stream",
            Self::Hl7v2 => "x-application/hl7-v2+er7",
            Self::Fhir => "application/fhir+json",
            Self::Dicom => "application/dicom",
        }
    }
}

/// What a destination's `to` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A listener of the Minimal Lower Layer Protocol.
    Mllp {
        /// Whether it is under TLS.
        tls: bool,
        /// `host:port`.
        address: String,
    },
    /// The base of a FHIR server, `http://host:8080/fhir`.
    Http(String),
    /// A DICOM application entity.
    Dicom {
        /// Whether it is under TLS.
        tls: bool,
        /// Its title.
        called_ae: String,
        /// `host:port`.
        address: String,
    },
}

fn verdicts() -> Vec<Wanted> {
    vec![Wanted::Accepted, Wanted::Remarked]
}

fn concurrency() -> usize {
    8
}

fn window() -> usize {
    1_000
}

fn connect() -> Duration {
    Duration::from_secs(5)
}

fn timeout() -> Duration {
    Duration::from_secs(30)
}

fn client_ids() -> bool {
    true
}

fn calling_ae() -> String {
    "CAUSEWAY".to_owned()
}

impl Destination {
    /// A destination with every default.
    pub fn new(name: &str, to: &str) -> Self {
        Self {
            name: name.to_owned(),
            to: to.to_owned(),
            format: None,
            on: Vec::new(),
            listeners: Vec::new(),
            verdicts: verdicts(),
            severity: None,
            late: false,
            concurrency: concurrency(),
            window: window(),
            connect_timeout: connect(),
            timeout: timeout(),
            retry: Retry::default(),
            calling_ae: calling_ae(),
            client_ids: client_ids(),
            token_file: None,
            token_in_clear: false,
            tls: ClientOptions::default(),
        }
    }

    /// What `to` names.
    ///
    /// # Errors
    /// It names nothing that is known.
    pub fn target(&self) -> Result<Target, String> {
        let wrong = || {
            format!(
                "destination {:?}: `to` is mllp://HOST:PORT, mllps://HOST:PORT, http(s)://HOST[:PORT]/PATH, \
                 dicom(s)://CALLED-AE@HOST:PORT or a folder, not {:?}",
                self.name, self.to
            )
        };
        let Some((scheme, rest)) = self.to.split_once("://") else {
            let folder = PathBuf::from(&self.to);
            return if self.to.is_empty() {
                Err(wrong())
            } else {
                Ok(Target::Folder(folder))
            };
        };
        let address = |text: &str| is_address(text).then(|| text.to_owned()).ok_or_else(wrong);
        match scheme {
            "mllp" | "mllps" => Ok(Target::Mllp {
                tls: scheme == "mllps",
                address: address(rest)?,
            }),
            "http" | "https" if !rest.is_empty() => Ok(Target::Http(self.to.trim_end_matches('/').to_owned())),
            "dicom" | "dicoms" => {
                let tls = scheme == "dicoms";
                let (called, at) = rest.split_once('@').ok_or_else(wrong)?;
                let titled = !called.is_empty() && called.len() <= 16;
                let called_ae = titled.then(|| called.to_owned()).ok_or_else(wrong)?;
                let address = address(at)?;
                Ok(Target::Dicom {
                    tls,
                    called_ae,
                    address,
                })
            }
            _ => Err(wrong()),
        }
    }

    /// The form that it gets.
    pub fn form(&self) -> Form {
        self.format.unwrap_or(match self.target() {
            Ok(Target::Http(_)) => Form::Fhir,
            Ok(Target::Dicom { .. }) => Form::Dicom,
            _ => Form::Source,
        })
    }

    /// What of its keys cannot be used, or not together.
    pub fn problem(&self) -> Option<String> {
        let target = match self.target() {
            Ok(target) => target,
            Err(problem) => return Some(problem),
        };
        let fits = match &target {
            Target::Folder(_) => true,
            Target::Mllp { .. } => matches!(self.form(), Form::Source | Form::Hl7v2),
            Target::Http(_) => self.form() == Form::Fhir,
            Target::Dicom { .. } => self.form() == Form::Dicom,
        };
        let problem = match () {
            () if !fits => "its `format` does not go to such a peer",
            () if self.concurrency == 0 || self.window < self.concurrency => {
                "`concurrency` is at least 1 and `window` at least that"
            }
            () if self.retry.problem() => {
                "`retry.attempts` and `retry.refusals` are at least 1, `retry.first` longer than nothing and at most \
                 `retry.longest`"
            }
            () if self.late && !matches!(self.form(), Form::Hl7v2 | Form::Fhir) => {
                "`late` is for a `format` that has findings in it, hl7v2 or fhir"
            }
            () if !self.client_ids && self.form() != Form::Fhir => "`client-ids` is for a FHIR server",
            () if self.token_file.is_some() && !matches!(target, Target::Http(_)) => "`token-file` is for an HTTP peer",
            () if self.shows_token() => {
                "`token-file` goes to another machine in the clear by http:; write https:, or mean it with \
                 `token-in-clear = true`"
            }
            () if self.timeout.is_zero() || self.connect_timeout.is_zero() => "its timeouts are longer than nothing",
            () if self.calling_ae.is_empty() || self.calling_ae.len() > 16 => "`calling-ae` has 1 to 16 characters",
            () => return None,
        };
        Some(format!("destination {:?}: {problem}", self.name))
    }

    /// Whether anybody on the way could read its token.
    fn shows_token(&self) -> bool {
        self.token_file.is_some() && !self.token_in_clear && self.to.starts_with("http:") && !is_own_machine(&self.to)
    }

    /// Whether it gets this answer to a message that a listener took.
    pub fn wants(&self, listener: &str, answer: &Answer) -> bool {
        self.takes(listener, &answer.context.message_type)
            && self.verdicts.iter().any(|wanted| wanted.is(answer.verdict))
            && self.is_grave_enough(&answer.findings)
            // A frame goes out whole, and so once.
            && (self.form() != Form::Source || answer.part == 0)
    }

    /// Whether it gets messages of a type from a listener at all.
    pub fn takes(&self, listener: &str, message_type: &str) -> bool {
        let among = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
        // Nobody sent what the gateway says itself of a resource as a whole: there is FHIR of it and no source.
        if listener == crate::resources::quiet::LISTENER && self.form() != Form::Fhir {
            return false;
        }
        among(&self.on, message_type) && among(&self.listeners, listener)
    }

    /// Whether findings are grave enough.
    pub fn is_grave_enough(&self, findings: &[causeway_core::Finding]) -> bool {
        self.severity
            .is_none_or(|least| causeway_core::finding::gravest(findings).is_some_and(|gravest| gravest >= least))
    }
}

/// Whether a URL names this machine.
fn is_own_machine(url: &str) -> bool {
    let url: Option<hyper::Uri> = url.parse().ok();
    let host = url.as_ref().and_then(hyper::Uri::host).unwrap_or_default();
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || plain
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `host:port`.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    !host.is_empty() && !host.contains(['/', '@', ' ']) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests;
