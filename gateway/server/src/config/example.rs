//! The example configuration in `deploy` names every key and says its default. It is only read by tests.

use causeway_core::Severity;
use toml::{Table, Value};

use super::{Config, parse};
use crate::hooks::HookConfig;
use crate::outbox::{Destination, Form};
use crate::transport::tls::{ClientOptions, Options};

const EXAMPLE: &str = include_str!("../../../../deploy/causeway.example.toml");

fn read(text: &str) -> Config {
    parse(text, std::iter::empty()).unwrap()
}

/// The example with the lines that are switched off.
fn everything() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(|line| on(line) + "\n").collect()
}

/// Every key with the keys above it: `listener.mllp.window`.
fn keys(table: &Table, above: &str, into: &mut Vec<String>) {
    for (key, value) in table {
        let name = format!("{above}{key}");
        match value {
            Value::Table(inner) => keys(inner, &format!("{name}."), into),
            Value::Array(all) if all.iter().any(Value::is_table) => all
                .iter()
                .filter_map(Value::as_table)
                .for_each(|inner| keys(inner, &format!("{name}."), into)),
            _ => into.push(name),
        }
    }
}

#[test]
fn the_example_is_the_default() {
    let written = |config: &Config| toml::to_string(config).unwrap();
    assert_eq!(written(&read(EXAMPLE)), written(&Config::default()));
}

#[test]
fn the_example_names_every_key() {
    let mut config = Config::default();
    config.hooks.push(HookConfig::new(
        "potassium",
        "http://127.0.0.1:8090/cds-services/potassium",
    ));
    config.hooks[0].tls = ClientOptions {
        ca: Some("hospital-ca.pem".into()),
        certificate: Some("causeway-client.pem".into()),
        key: Some("causeway-client.key".into()),
        ..ClientOptions::default()
    };
    config.destinations.push(Destination {
        severity: Some(Severity::Warning),
        format: Some(Form::Fhir),
        token_file: Some("fhir-token".into()),
        tls: config.hooks[0].tls.clone(),
        ..Destination::new("records", "https://127.0.0.1:8443/fhir")
    });
    config.telemetry.tls = config.hooks[0].tls.clone();
    config.telemetry.otlp = Some("http://127.0.0.1:4318".to_owned());
    config.listeners[0].tls = Some(Options {
        client_ca: Some("hospital-ca.pem".into()),
        ..Options::new("causeway.pem", "causeway.key")
    });
    let (mut wanted, mut named) = (Vec::new(), Vec::new());
    keys(&Table::try_from(&config).unwrap(), "", &mut wanted);
    // Keys without a default are not written, so they are listed here.
    let optional = [
        "hl7v2.charset",
        "hl7v2.zone",
        "hl7v2.site",
        "hl7v2.maps",
        "x12.zone",
        "x12.site",
        "x12.maps",
        "http.token-file",
        "dicom.charset",
        "dicom.zone",
    ];
    wanted.extend(optional.map(|key| format!("listener.{key}")));
    let text = everything();
    keys(&text.parse().unwrap(), "", &mut named);
    // Several listeners have the same keys, and those of one are named once.
    let once = |keys: Vec<String>| keys.into_iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(once(named), once(wanted));
    let all = read(&text);
    assert_eq!(
        toml::to_string(&all.hooks[0]).unwrap(),
        toml::to_string(&config.hooks[0]).unwrap()
    );
    assert_eq!(
        toml::to_string(&all.destinations[0]).unwrap(),
        toml::to_string(&config.destinations[0]).unwrap()
    );
    assert_eq!(all.listeners[0].tls, config.listeners[0].tls);
}
