//! Whom a certificate names: its subject as RFC 4514 writes it, each common name, and its alternative names (RFC 5280
//! 4.2.1.6). Whether a name is trusted was decided before, by the authorities.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use openssl::nid::Nid;
use openssl::x509::{GeneralNameRef, X509NameEntryRef, X509Ref};

/// The longest name that is told in a frame's peer and in logs, in bytes.
const SHOWN: usize = 200;

/// Whom a certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The subject, the most particular part first: `CN=lis,O=Hospital`.
    pub(super) subject: Arc<str>,
    all: Vec<String>,
}

impl Names {
    /// The names of a certificate.
    pub(super) fn of(certificate: &X509Ref) -> Self {
        let entries = certificate.subject_name().entries();
        let mut parts: Vec<(bool, String)> = entries.map(part).collect();
        parts.reverse(); // RFC 4514 2.1: the last comes first
        let subject = parts
            .iter()
            .map(|(_, text)| text.as_str())
            .collect::<Vec<_>>()
            .join(",");
        let common = parts.into_iter().filter(|(common, _)| *common).map(|(_, text)| text);
        let mut all: Vec<String> = common.collect();
        if let Some(alternatives) = certificate.subject_alt_names() {
            all.extend(alternatives.iter().filter_map(alternative));
        }
        all.push(subject.clone());
        Self {
            subject: subject.into(),
            all,
        }
    }

    /// Whether one of the names is among the allowed ones; no list allows all.
    pub(super) fn is_among(&self, allowed: &[String]) -> bool {
        allowed.is_empty()
            || allowed
                .iter()
                .any(|wanted| self.all.iter().any(|name| same(name, wanted)))
    }

    /// One name for people: the subject, or the first alternative name where the subject is empty.
    pub(super) fn shown(&self) -> Arc<str> {
        let name = if self.subject.is_empty() {
            self.all.first().map_or("", String::as_str)
        } else {
            &self.subject
        };
        let clean = name.chars().map(|c| if c.is_control() { '?' } else { c });
        let mut shown = String::new();
        for c in clean {
            if shown.len() + c.len_utf8() > SHOWN {
                break;
            }
            shown.push(c);
        }
        shown.into()
    }
}

/// Host names and mail addresses are the same in any case (RFC 5280 7.2, 7.5); others are not.
fn same(name: &str, wanted: &str) -> bool {
    let any_case = ["DNS:", "email:"].iter().any(|kind| name.starts_with(kind));
    name == wanted || (any_case && name.eq_ignore_ascii_case(wanted))
}

/// One part of the subject, and whether it is a common name.
fn part(entry: &X509NameEntryRef) -> (bool, String) {
    let nid = entry.object().nid();
    let key = match nid.short_name() {
        Ok(known) if nid != Nid::UNDEF => known.to_owned(),
        _ => entry.object().to_string(),
    };
    (nid == Nid::COMMONNAME, format!("{key}={}", value(entry)))
}

/// A value with RFC 4514's escapes; one that is no text is written in hexadecimal.
fn value(entry: &X509NameEntryRef) -> String {
    let in_hex = |_| {
        let bytes = entry.data().as_slice().iter();
        bytes.fold("#".to_owned(), |all, byte| format!("{all}{byte:02x}"))
    };
    entry.data().to_string().map_or_else(in_hex, |text| escaped(&text))
}

/// RFC 4514 2.4: what would end the value, and blanks and `#` where they would be lost.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        let edge = (c == ' ' && (at == 0 || at == last)) || (c == '#' && at == 0);
        if special || edge {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn alternative(name: &GeneralNameRef) -> Option<String> {
    let named = |kind: &str, text: &str| format!("{kind}:{text}");
    let dns = name.dnsname().map(|text| named("DNS", text));
    let uri = || name.uri().map(|text| named("URI", text));
    let email = || name.email().map(|text| named("email", text));
    let address = || Some(named("IP", &ip(name.ipaddress()?)?.to_string()));
    dns.or_else(uri).or_else(email).or_else(address)
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into());
    let v6 = || Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into());
    v4().or_else(v6)
}

#[cfg(test)]
mod tests {
    use openssl::x509::extension::SubjectAlternativeName;
    use openssl::x509::{X509, X509NameBuilder};

    use super::*;

    fn certificate(parts: &[(&str, &str)], alternative: Option<&SubjectAlternativeName>) -> X509 {
        let mut name = X509NameBuilder::new().unwrap();
        for (key, value) in parts {
            name.append_entry_by_text(key, value).unwrap();
        }
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name.build()).unwrap();
        if let Some(alternative) = alternative {
            let extension = alternative.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(extension).unwrap();
        }
        builder.build()
    }

    fn among(names: &Names, allowed: &str) -> bool {
        names.is_among(&[allowed.to_owned()])
    }

    #[test]
    fn a_subject_is_written_as_rfc_4514_writes_it() {
        let parts = [("C", "CN"), ("O", "Third, Hospital"), ("CN", " 检验科")];
        let names = Names::of(&certificate(&parts, None));
        assert_eq!(&*names.subject, "CN=\\ 检验科,O=Third\\, Hospital,C=CN");
        assert!(among(&names, "CN=\\ 检验科,O=Third\\, Hospital,C=CN"));
        assert!(among(&names, "CN=\\ 检验科"));
        assert!(!among(&names, "O=Third\\, Hospital"), "half a name is none");
        assert!(names.is_among(&[]));
    }

    #[test]
    fn alternative_names_are_names() {
        let mut alternative = SubjectAlternativeName::new();
        alternative
            .dns("lis.example.org")
            .uri("urn:oid:1.2.3")
            .ip("10.0.0.7")
            .email("lis@example.org");
        let names = Names::of(&certificate(&[], Some(&alternative)));
        for name in [
            "DNS:LIS.example.org",
            "URI:urn:oid:1.2.3",
            "IP:10.0.0.7",
            "email:lis@EXAMPLE.org",
        ] {
            assert!(among(&names, name), "{name}");
        }
        assert!(!among(&names, "URI:URN:oid:1.2.3") && !among(&names, "CN=lis"));
        assert_eq!(&*names.shown(), "DNS:lis.example.org");
    }

    #[test]
    fn what_is_shown_is_short_and_printable() {
        let names = Names {
            subject: format!("CN=a\nb{}", "检".repeat(100)).into(),
            all: Vec::new(),
        };
        let shown = names.shown();
        assert!(shown.starts_with("CN=a?b检") && shown.len() <= SHOWN, "{shown}");
    }
}
