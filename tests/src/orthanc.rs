//! Orthanc, a DICOM archive that is none of ours, started on free ports over a folder of its own and asked over its REST
//! interface what it has.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Where Debian puts it.
const BINARY: &str = "/usr/sbin/Orthanc";

/// A running Orthanc; killed when dropped.
#[derive(Debug)]
pub struct Orthanc {
    child: Child,
    /// Where it takes associations, as `ORTHANC`.
    pub dicom: u16,
    http: SocketAddr,
}

/// A port that is free now.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    free.local_addr().expect("an address").port()
}

impl Orthanc {
    /// Whether it is installed; says so where it is not.
    pub fn is_here() -> bool {
        let here = Path::new(BINARY).exists();
        if !here {
            println!("SKIPPED: {BINARY} is not installed; scripts/setup.sh test does it");
        }
        here
    }

    /// Starts one over a folder on a port for associations, and waits until it answers.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(folder: &Path, dicom: u16) -> Self {
        let http = free_port();
        let config: PathBuf = folder.join("orthanc.json");
        let settings = json!({
            "StorageDirectory": folder, "IndexDirectory": folder, "HttpPort": http, "DicomPort": dicom,
            "DicomAet": "ORTHANC", "DicomCheckCalledAet": true, "DicomAlwaysAllowStore": true,
            "DicomAlwaysAllowEcho": true, "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "Plugins": [],
        });
        std::fs::write(&config, settings.to_string()).expect("a configuration");
        let mut command = Command::new(BINARY);
        command.arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let orthanc = Self {
            child: command.spawn().expect("Orthanc"),
            dicom,
            http: SocketAddr::from(([127, 0, 0, 1], http)),
        };
        let up = |port| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        crate::until("Orthanc is up", async || up(http) && up(dicom)).await;
        orthanc
    }

    /// What its REST interface says.
    ///
    /// # Panics
    /// When it says nothing.
    pub async fn ask(&self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path).await).expect("JSON")
    }

    /// Bytes from its REST interface.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(self.http).await.expect("Orthanc");
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("Orthanc");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.expect("a response");
        let at = response.windows(4).position(|window| window == b"\r\n\r\n");
        response.split_off(at.expect("a response with a body") + 4)
    }

    /// How many instances it has.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn instances(&self) -> u64 {
        self.ask("/statistics").await["CountInstances"]
            .as_u64()
            .expect("a number")
    }
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
