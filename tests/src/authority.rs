//! Certificates for tests, made while they run: an authority and what it vouches for, good or past its end.

use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// An authority in a folder of its own.
#[derive(Debug)]
pub struct Authority {
    folder: tempfile::TempDir,
    key: PKey<Private>,
    certificate: X509,
}

/// The files of a certificate and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When OpenSSL does not work.
    pub fn new(name: &str) -> Self {
        let key = key();
        let subject = subject(name);
        let mut builder = begun(&subject, &subject, &key, 3_650);
        let authority = BasicConstraints::new().critical().ca().build().expect("an extension");
        builder.append_extension(authority).expect("an extension");
        let usage = KeyUsage::new()
            .critical()
            .key_cert_sign()
            .build()
            .expect("an extension");
        builder.append_extension(usage).expect("an extension");
        builder.sign(&key, MessageDigest::sha256()).expect("a signature");
        let this = Self {
            folder: tempfile::tempdir().expect("a folder"),
            key,
            certificate: builder.build(),
        };
        let pem = this.certificate.to_pem().expect("PEM");
        std::fs::write(this.file(), pem).expect("a file");
        this
    }

    /// Its own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Its folder, which tests may put more into.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for 127.0.0.1 that ends in so many days, in files of the same stem.
    ///
    /// # Panics
    /// When OpenSSL does not work.
    pub fn issue(&self, name: &str, days: i64) -> Identity {
        let key = key();
        let mut builder = begun(&subject(name), self.certificate.subject_name(), &key, days);
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&context);
        builder.append_extension(names.expect("names")).expect("an extension");
        builder.sign(&self.key, MessageDigest::sha256()).expect("a signature");
        let identity = Identity {
            certificate: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
        };
        let pem = builder.build().to_pem().expect("PEM");
        std::fs::write(&identity.certificate, pem).expect("a file");
        std::fs::write(&identity.key, key.private_key_to_pem_pkcs8().expect("PEM")).expect("a file");
        identity
    }
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

/// `CN=name,O=Hospital`.
fn subject(name: &str) -> X509Name {
    let mut subject = X509NameBuilder::new().expect("a name");
    subject
        .append_entry_by_nid(Nid::ORGANIZATIONNAME, "Hospital")
        .expect("a name");
    subject.append_entry_by_nid(Nid::COMMONNAME, name).expect("a name");
    subject.build()
}

/// A certificate from 100 days ago until so many days from now.
fn begun(subject: &X509Name, issuer: &openssl::x509::X509NameRef, key: &PKey<Private>, days: i64) -> X509Builder {
    let now = jiff::Timestamp::now().as_second();
    let at = |days: i64| Asn1Time::from_unix(now + days * DAY).expect("a time");
    let mut serial = BigNum::new().expect("a number");
    serial.rand(63, openssl::bn::MsbOption::ONE, false).expect("a number");
    let serial = serial.to_asn1_integer().expect("a number");
    let mut builder = X509::builder().expect("a builder");
    builder.set_version(2).expect("version 3");
    builder.set_serial_number(&serial).expect("a serial number");
    builder.set_subject_name(subject).expect("a subject");
    builder.set_issuer_name(issuer).expect("an issuer");
    builder.set_not_before(&at(-100)).expect("a time");
    builder.set_not_after(&at(days)).expect("a time");
    builder.set_pubkey(key).expect("a key");
    builder
}
