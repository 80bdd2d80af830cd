//! TLS by the system's OpenSSL, so that a hospital's own providers and policy apply: what a listener accepts with, what a
//! client connects with, and the certificates in force, which are read again without a restart. Transports see a
//! [`Stream`] and call [`Acceptor::accept`]; what they carry is not known here.

mod acceptor;
mod certificates;
mod clients;
mod connector;
mod context;
mod expiry;
mod https;
mod names;
mod options;
mod stream;

pub use acceptor::{Acceptor, Handshakes, Refused};
pub use certificates::Certificates;
pub use clients::Clients;
pub use connector::Connector;
pub use context::{Alpn, TlsError};
pub use expiry::Expiry;
pub use https::HttpsConnector;
pub use options::{ClientOptions, Minimum, Options};
pub use stream::Stream;
