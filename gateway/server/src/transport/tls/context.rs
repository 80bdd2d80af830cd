//! Reads certificates and keys into an OpenSSL context. Ciphers and curves are left to the system's policy
//! (openssl.cnf), where a hospital sets its own; only the versions are ours. Nobody is ever asked for a pass phrase.

use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    AlpnError, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVerifyMode,
    select_next_proto,
};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::{X509, X509Name};

use super::Expiry;
use super::options::Options;

/// Why certificates or keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct TlsError {
    /// The file that is to blame.
    pub file: PathBuf,
    /// Why.
    pub reason: String,
}

impl TlsError {
    pub(super) fn new(file: &Path, reason: impl std::fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// What a listener says that it speaks where a client lists what it would speak (ALPN, RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpn {
    /// Nothing: what is spoken has no name there, and lists are passed over.
    Unnamed,
    /// HTTP/1.1, and no connection with a client that lists others only.
    Http11,
}

/// A listener's context with what it was made of.
#[derive(Debug)]
pub(super) struct Loaded {
    /// What connections are accepted with.
    pub(super) context: SslContext,
    /// When its certificates end.
    pub(super) expiries: Vec<Expiry>,
}

/// Reads a listener's files.
pub(super) fn load(listener: &str, options: &Options, alpn: Alpn) -> Result<Loaded, TlsError> {
    let whole = |error: ErrorStack| TlsError::new(&options.certificate, reason(&error));
    let mut builder = SslContext::builder(SslMethod::tls_server()).map_err(whole)?;
    settle(&mut builder, options).map_err(whole)?;
    if alpn == Alpn::Http11 {
        builder.set_alpn_select_callback(|_, offered| {
            // RFC 7301 3.2: no protocol in common is a fatal alert.
            select_next_proto(b"\x08http/1.1", offered).ok_or(AlpnError::ALERT_FATAL)
        });
    }
    let mut expiries = vec![identity(&mut builder, listener, &options.certificate, &options.key)?];
    if let Some(ca) = &options.client_ca {
        let authorities = certificates(ca)?;
        expiries.extend(Expiry::first(listener, ca, &authorities));
        ask(&mut builder, &authorities, options.require_client_certificate)
            .map_err(|e| TlsError::new(ca, reason(&e)))?;
    }
    Ok(Loaded {
        context: builder.build(),
        expiries,
    })
}

fn settle(builder: &mut SslContextBuilder, options: &Options) -> Result<(), ErrorStack> {
    builder.set_min_proto_version(Some(options.minimum.version()))?;
    // Frames, associations and HTTP bodies say themselves where they end, so a peer that hangs up without a
    // close_notify, as many engines do, cuts nothing off unnoticed.
    builder.set_options(
        SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::CIPHER_SERVER_PREFERENCE
            | SslOptions::NO_TICKET
            | SslOptions::IGNORE_UNEXPECTED_EOF,
    );
    builder.set_mode(
        SslMode::AUTO_RETRY
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::RELEASE_BUFFERS,
    );
    // Every connection proves itself anew: a resumed session would outlive its certificate and a reload.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_num_tickets(0)
}

/// Asks clients for a certificate of these authorities.
fn ask(builder: &mut SslContextBuilder, authorities: &[X509], required: bool) -> Result<(), ErrorStack> {
    builder.set_cert_store(store(authorities)?);
    let mut names: Stack<X509Name> = Stack::new()?;
    for authority in authorities {
        names.push(authority.subject_name().to_owned()?)?;
    }
    builder.set_client_ca_list(names);
    let mode = if required {
        SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT
    } else {
        SslVerifyMode::PEER
    };
    builder.set_verify(mode);
    Ok(())
}

/// A store that trusts these and nobody else.
pub(super) fn store(authorities: &[X509]) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for authority in authorities {
        store.add_cert(authority.clone())?;
    }
    Ok(store.build())
}

/// Puts certificate, intermediates and key in; when the first of the certificates ends.
pub(super) fn identity(
    builder: &mut SslContextBuilder,
    owner: &str,
    certificate: &Path,
    key: &Path,
) -> Result<Expiry, TlsError> {
    let chain = certificates(certificate)?;
    let wrong = |error: ErrorStack| TlsError::new(certificate, reason(&error));
    let mut own = chain.iter();
    if let Some(leaf) = own.next() {
        builder.set_certificate(leaf).map_err(wrong)?;
    }
    for between in own {
        builder.add_extra_chain_cert(between.clone()).map_err(wrong)?;
    }
    let private = private_key(key)?;
    let mismatch = |_| TlsError::new(key, "is not the key of the certificate");
    builder.set_private_key(&private).map_err(mismatch)?;
    builder.check_private_key().map_err(mismatch)?;
    Expiry::first(owner, certificate, &chain).ok_or_else(|| TlsError::new(certificate, "has no end that can be read"))
}

/// The certificates of a PEM file; at least one.
pub(super) fn certificates(file: &Path) -> Result<Vec<X509>, TlsError> {
    let pem = std::fs::read(file).map_err(|error| TlsError::new(file, error))?;
    let found = X509::stack_from_pem(&pem).map_err(|error| TlsError::new(file, reason(&error)))?;
    if found.is_empty() {
        return Err(TlsError::new(file, "holds no certificate in PEM"));
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PKey<Private>, TlsError> {
    let pem = std::fs::read(file).map_err(|error| TlsError::new(file, error))?;
    let mut asked = false;
    // Without a callback of ours OpenSSL would ask on the terminal.
    let key = PKey::private_key_from_pem_callback(&pem, |_| {
        asked = true;
        Ok(0)
    });
    key.map_err(|error| {
        let reason = if asked {
            "is behind a pass phrase; give it without one and mode 0600".to_owned()
        } else {
            format!("holds no private key in PEM ({})", reason(&error))
        };
        TlsError::new(file, reason)
    })
}

/// OpenSSL's first word on what went wrong.
pub(super) fn reason(error: &ErrorStack) -> String {
    let first = error.errors().first().and_then(openssl::error::Error::reason);
    first.map_or_else(|| error.to_string(), str::to_owned)
}
