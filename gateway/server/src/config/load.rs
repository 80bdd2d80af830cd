//! Reads the file and says what is wrong in it: line, column, the key, and for an unknown key the nearest known one.

use std::path::Path;

use super::{Config, Format, Listener, Transport};
use crate::outbox::{Destination, Form};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// The text is not a configuration.
    #[error("{0}")]
    Wrong(String),
}

/// The configuration of a file, or the defaults without one, with overrides from the environment.
///
/// # Errors
/// The file cannot be read, or something in it is not a configuration.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let text = match file {
        None => String::new(),
        Some(file) => std::fs::read_to_string(file).map_err(|error| ConfigError::Read {
            file: file.display().to_string(),
            error,
        })?,
    };
    let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    parse(&text, variables)
}

/// The configuration of a text, with overrides.
///
/// # Errors
/// Something in it is not a configuration.
pub fn parse(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    // Read once as it stands, for errors with line and column; once more with the overrides.
    toml::from_str::<Config>(text).map_err(|error| ConfigError::Wrong(explain(&error)))?;
    let mut table: toml::Table = text.parse().map_err(|error| ConfigError::Wrong(explain(&error)))?;
    super::environment::apply(&mut table, variables);
    let config: Config = table.try_into().map_err(|error| ConfigError::Wrong(explain(&error)))?;
    check(config)
}

fn check(config: Config) -> Result<Config, ConfigError> {
    let known = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    if let Some(url) = config.telemetry.otlp.as_ref().filter(|url| !known(url)) {
        return Err(ConfigError::Wrong(format!(
            "telemetry.otlp must be http(s)://HOST:PORT, not {url:?}"
        )));
    }
    let mut names = std::collections::BTreeSet::new();
    for listener in &config.listeners {
        if !names.insert(&listener.name) {
            return Err(ConfigError::Wrong(format!(
                "two listeners are named {:?}",
                listener.name
            )));
        }
        if (listener.transport == Transport::Dimse) != (listener.format == Format::Dicom) {
            return Err(ConfigError::Wrong(format!(
                "listener {:?}: DICOM objects come by associations and nothing else does; \
                 transport = \"dimse\" and format = \"dicom\" belong together",
                listener.name
            )));
        }
        if let Some(problem) = listener.problem() {
            return Err(ConfigError::Wrong(problem));
        }
        if !listener.address.ip().is_loopback() && !listener.is_guarded() && !config.insecure {
            return Err(ConfigError::Wrong(format!(
                "listener {:?} is open to other machines ({}) without client certificates, a peer rule or a token; \
                 name the networks that may connect in `peers`, set `tls.client-ca`, or set `insecure = true`",
                listener.name, listener.address
            )));
        }
    }
    destinations(&config)?;
    Ok(config)
}

fn destinations(config: &Config) -> Result<(), ConfigError> {
    let mut names = std::collections::BTreeSet::new();
    for destination in &config.destinations {
        if destination.name.is_empty() || !names.insert(&destination.name) {
            let text = format!("destinations need names of their own, not {:?}", destination.name);
            return Err(ConfigError::Wrong(text));
        }
        let known = |name: &String| config.listeners.iter().any(|listener| listener.took(name));
        if let Some(unknown) = destination.listeners.iter().find(|name| !known(name)) {
            let text = format!("destination {:?}: there is no listener {unknown:?}", destination.name);
            return Err(ConfigError::Wrong(text));
        }
        if let Some(problem) = destination.problem() {
            return Err(ConfigError::Wrong(problem));
        }
        if let Some(name) = sourceless(&config.listeners, destination) {
            let text = format!(
                "destination {:?}: format = \"hl7v2\" is the kept source of HL7v2 messages with their findings, and \
                 listener {name:?} takes none",
                destination.name
            );
            return Err(ConfigError::Wrong(text));
        }
    }
    Ok(())
}

/// A listener that a destination is to get HL7v2 from and that takes none.
fn sourceless<'a>(listeners: &[Listener], destination: &'a Destination) -> Option<&'a String> {
    let takes = |name: &&String| {
        let mut ways = listeners.iter().flat_map(Listener::ways);
        ways.any(|(way, format)| way == **name && format == Format::Hl7v2)
    };
    let wants = destination.form() == Form::Hl7v2;
    destination.listeners.iter().find(|name| wants && !takes(name))
}

/// The error with the nearest known name for an unknown one. serde lists what it expected in back quotes.
fn explain(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    if !error.message().starts_with("unknown field") {
        return text;
    }
    let Some(wrong) = quoted.next() else { return text };
    match causeway_profiles::nearest(wrong, quoted) {
        Some(known) => format!("{text}did you mean `{known}`?"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text, std::iter::empty()).unwrap_err().to_string()
    }

    #[test]
    fn nothing_is_a_configuration() {
        let config = parse("", std::iter::empty()).unwrap();
        assert_eq!(config.listeners.first().unwrap().address.to_string(), "127.0.0.1:2575");
        assert_eq!(config.admin.address.to_string(), "127.0.0.1:9090");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let text = wrong("[[listener]]\nname = 'lab'\nadress = '127.0.0.1:1'");
        assert!(
            text.contains("line 3") && text.ends_with("did you mean `address`?"),
            "{text}"
        );
    }

    #[test]
    fn a_collector_has_a_url() {
        assert!(wrong("[telemetry]\notlp = 'collector:4318'").contains("telemetry.otlp must be http(s)://"));
    }

    #[test]
    fn a_destination_has_a_name_a_peer_and_listeners_that_are_there() {
        let one = |keys: &str| format!("[[destination]]\nname = 'ward'\nto = 'mllp://h:1'\n{keys}\n");
        assert!(parse(&one(""), std::iter::empty()).is_ok());
        assert!(wrong(&(one("") + &one(""))).contains("names of their own"));
        assert!(wrong(&one("listeners = ['lab']")).contains("there is no listener \"lab\""));
        assert!(wrong(&one("format = 'fhir'")).contains("does not go to such a peer"));
        let by_http = "format = 'hl7v2'\nlisteners = ['http/fhir']";
        assert!(wrong(&one(by_http)).contains("\"http/fhir\" takes none"));
        assert!(parse(&one(&by_http.replace("fhir", "hl7v2")), std::iter::empty()).is_ok());
        assert!(wrong(&one("concurency = 1")).ends_with("did you mean `concurrency`?"));
    }

    #[test]
    fn routes_belong_to_http_and_are_paths() {
        assert!(wrong("[[listener]]\ntransport = 'http'").contains("needs a `route`"));
        let routes =
            |transport: &str, routes: &str| format!("[[listener]]\ntransport = '{transport}'\nroute = [{routes}]");
        let route = "{path = '/hl7v2', format = 'hl7v2'}";
        assert!(wrong(&routes("mllp", route)).contains("no use for a `route`"));
        assert!(wrong(&routes("http", &format!("{route}, {route}"))).contains("stands twice"));
        assert!(wrong(&routes("http", "{path = 'hl7v2', format = 'hl7v2'}")).contains("is no path"));
        assert!(parse(&routes("http", route), std::iter::empty()).is_ok());
    }

    #[test]
    fn an_open_listener_must_be_meant() {
        assert!(wrong("[[listener]]\naddress = '0.0.0.0:2575'").contains("insecure = true"));
        assert!(
            parse(
                "insecure = true\n[[listener]]\naddress = '0.0.0.0:2575'",
                std::iter::empty()
            )
            .is_ok()
        );
        assert!(
            parse(
                "[[listener]]\naddress = '0.0.0.0:2575'\npeers = ['10.0.0.0/8']",
                std::iter::empty()
            )
            .is_ok()
        );
        let tls = "[[listener]]\naddress = '0.0.0.0:2575'\n[listener.tls]\ncertificate = 'c'\nkey = 'k'\n";
        let certified = format!("{tls}client-ca = 'a'\n");
        assert!(parse(&certified, std::iter::empty()).is_ok());
        assert!(wrong(tls).contains("insecure = true"), "TLS alone lets anybody in");
        assert!(wrong(&format!("{certified}require-client-certificate = false")).contains("insecure = true"));
        assert!(wrong(&format!("{tls}senders = ['CN=lis']")).contains("needs tls.client-ca"));
        let http =
            "[[listener]]\naddress = '0.0.0.0:8080'\ntransport = 'http'\nroute = [{path = '/hl7v2', format = 'hl7v2'}]";
        assert!(wrong(http).contains("insecure = true"));
        let token = format!("{http}\nhttp.token-file = 'token'");
        assert!(parse(&token, std::iter::empty()).is_ok());
        let text = wrong("[[listener]]\npeers = ['10.0.0.0/40']");
        assert!(text.contains("line 2") && text.contains("10.0.0.0/40"), "{text}");
    }
}
