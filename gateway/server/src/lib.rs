//! The gateway: listeners and transports, the joint between formats and the chain, hooks, the read model, the admin port
//! and the command line. This is the only crate that waits for anything, reads a clock or touches a socket or file;
//! formats are adapters' business and meanings are rules' business.

pub mod admin;
pub mod audit;
pub mod chain;
pub mod cli;
pub mod config;
mod database;
pub mod fhir_api;
pub mod guard;
pub mod hooks;
pub mod lanes;
pub mod outbox;
pub mod projection;
pub mod replay;
pub mod replies;
pub mod resources;
pub mod retention;
pub mod rulebook;
pub mod service;
pub mod spool;
pub mod stamps;
pub mod status;
pub mod telemetry;
pub mod translate;
pub mod transport;
pub mod wire;
