//! A peer in the same run: an MLLP server in Python that parses the message with the package `hl7`, keeps it in SQLite,
//! synced before it answers, and acknowledges it. It makes no FHIR, checks nothing and has no read model.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use super::house::House;
use super::load::{ORU, path, send};
use super::table::{Row, number};
use super::{Rows, disk};

/// The running peer; killed when dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The gateway's rate over the peer's, one after the other.
pub(crate) async fn ratio() -> Rows {
    let mut rows = Vec::new();
    for (connections, what) in [(1, "one connection"), (64, "64 connections")] {
        let arguments = format!("--connections {connections} --seconds 5");
        let theirs = {
            let folder = disk::folder();
            let (_peer, address) = start(folder.path())?;
            send(address, ORU, "AA", &arguments).await?.per_second
        };
        let house = House::open("").await?;
        let ours = send(house.process.mllp, ORU, "AA", &arguments).await?.per_second;
        let text = format!(
            "{} times ({} to {})",
            number(ours / theirs),
            number(ours),
            number(theirs)
        );
        rows.push(Row::known(&format!("{what}: ours to python's hl7"), text));
    }
    Ok(rows)
}

fn start(folder: &std::path::Path) -> anyhow::Result<(Peer, SocketAddr)> {
    let mut child = Command::new(path("../target/peers/bin/python"))
        .arg(path("peers/mllp_server.py"))
        .arg(folder.join("messages.sqlite"))
        .stdout(Stdio::piped())
        .spawn()
        .context("target/peers/bin/python, which `scripts/setup.sh test` sets up")?;
    let mut line = String::new();
    let stdout = child.stdout.take().context("stdout")?;
    let peer = Peer(child);
    BufReader::new(stdout).read_line(&mut line)?;
    Ok((peer, line.trim().parse().context("its address")?))
}
