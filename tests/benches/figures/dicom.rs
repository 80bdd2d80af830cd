//! DICOM objects stored by our own client, one and four associations, beside the disk's own rate of the same work (write,
//! fsync, rename, fsync of the folder); by dcmtk's `storescu`, beside its `storescp`, which syncs nothing; and what one
//! object of 300 MB costs in memory. The clients run on the same machine, and ours costs it half of what dcmtk's does.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use causeway_tests::write_ct;

use super::house::House;
use super::table::{Row, number};
use super::{Rows, disk, seconds};

/// A CT slice of 512 by 512 pixels with its header.
const PIXELS: usize = 512 * 512 * 2;
const LARGE: usize = 300 << 20;

fn free() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

async fn gateway() -> anyhow::Result<(House, u16)> {
    let port = free()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let stanza =
        format!("[[listener]]\nname = 'dicom'\naddress = '{address}'\ntransport = 'dimse'\nformat = 'dicom'\n");
    Ok((House::open(&stanza).await?, port))
}

/// Sends folders by our own client, an association each, and returns how long the objects took.
fn send_own(folders: &[PathBuf], port: u16) -> anyhow::Result<Duration> {
    let mut command = Command::new(causeway_tests::binary());
    command
        .args(["send", &format!("dicom://CAUSEWAY@127.0.0.1:{port}"), "--json"])
        .args(["--connections", &folders.len().to_string()]);
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            command.arg(entry?.path());
        }
    }
    let output = command.output()?;
    anyhow::ensure!(output.status.success(), "causeway send failed");
    let record: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let seconds = record["seconds"].as_f64().context("no time")?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Sends folders, each by an association of its own, and returns how long all took.
fn send(folders: &[PathBuf], port: u16, no_delay: bool) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let mut running = Vec::new();
    for folder in folders {
        let mut command = Command::new("storescu");
        command
            .args(["-aec", "CAUSEWAY", "+sd", "127.0.0.1", &port.to_string()])
            .arg(folder);
        command.env("TCP_NODELAY", if no_delay { "1" } else { "0" });
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        running.push(child.context("storescu, which `scripts/setup.sh test` installs")?);
    }
    for mut child in running {
        anyhow::ensure!(child.wait()?.success(), "storescu failed");
    }
    Ok(begun.elapsed())
}

/// What the disk does with the same files, so many threads at once: objects a second. The folder is left to the caller:
/// ext4 is slow at making files for some seconds after many went.
fn raw(folder: &tempfile::TempDir, threads: usize, each: usize) -> f64 {
    let body = vec![7u8; PIXELS + 1_000];
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (folder, body) = (folder.path(), &body);
            scope.spawn(move || {
                for number in 0..each {
                    let (temporary, name) = (
                        folder.join(format!("t{thread}")),
                        folder.join(format!("{thread}-{number}")),
                    );
                    let mut file = File::create(&temporary).expect("a file");
                    file.write_all(body).expect("room");
                    file.sync_all().expect("a disk");
                    std::fs::rename(&temporary, &name).expect("a name");
                    File::open(folder).and_then(|folder| folder.sync_all()).expect("a disk");
                }
            });
        }
    });
    (threads * each) as f64 / begun.elapsed().as_secs_f64()
}

/// dcmtk's receiver; killed when dropped.
struct Storescp(Child);

impl Drop for Storescp {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

async fn storescp(folder: &Path) -> anyhow::Result<(Storescp, u16)> {
    let port = free()?;
    let mut command = Command::new("storescp");
    command
        .arg("-od")
        .arg(folder)
        .arg(port.to_string())
        .env("TCP_NODELAY", "0");
    let child = Storescp(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok((child, port))
}

pub(crate) async fn stored() -> Rows {
    let each = usize::try_from(seconds(50, 400))?;
    let files = disk::folder();
    let folders: Vec<PathBuf> = (0..6).map(|number| files.path().join(number.to_string())).collect();
    for (number, folder) in folders.iter().enumerate() {
        std::fs::create_dir(folder)?;
        for instance in 0..each {
            write_ct(
                &folder.join(instance.to_string()),
                100 + number * each + instance,
                PIXELS,
            )?;
        }
    }
    let mut rows = Vec::new();
    let alone = [disk::folder(), disk::folder()];
    let (_house, port) = gateway().await?;
    // A folder is sent once: what comes again is only noted.
    for ((count, part), alone) in [(1, 4..5), (4, 0..4)].into_iter().zip(&alone) {
        let own = raw(alone, count, each);
        let took = send_own(folders.get(part).unwrap_or_default(), port)?;
        let rate = (count * each) as f64 / took.as_secs_f64();
        let what = format!("{count} associations: C-STORE over the disk");
        let text = format!(
            "{}% ({} to {}/s)",
            number(rate / own * 100.0),
            number(rate),
            number(own)
        );
        rows.push(Row::holds(&what, ">= 60%", text, rate >= own * 0.6));
    }
    let out = disk::folder();
    let (_peer, theirs) = storescp(out.path()).await?;
    let first = folders.get(5..).unwrap_or_default();
    let (ours, peers) = (send(first, port, false)?, send(first, theirs, false)?);
    let text = format!("{} s to {} s", number(ours.as_secs_f64()), number(peers.as_secs_f64()));
    rows.push(Row::holds(
        "default sockets: storescp's time",
        "faster",
        text,
        ours < peers,
    ));
    Ok(rows)
}

pub(crate) async fn large() -> Rows {
    let files = disk::folder();
    write_ct(&files.path().join("small"), 1, PIXELS)?;
    let (house, port) = gateway().await?;
    let one = [files.path().to_owned()];
    send(&one, port, true)?;
    std::fs::remove_file(files.path().join("small"))?;
    write_ct(&files.path().join("large"), 2, LARGE)?;
    let before = house.process.memory();
    let took = send(&one, port, true)?;
    let grew = house.process.memory().saturating_sub(before) as f64 / 1_024.0;
    let rate = (LARGE >> 20) as f64 / took.as_secs_f64();
    Ok(vec![
        Row::at_most("memory for an object of 300 MB", 32.0, grew, "MB"),
        Row::known("its rate", format!("{} MB/s", number(rate))),
    ])
}
