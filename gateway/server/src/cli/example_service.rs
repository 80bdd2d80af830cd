//! Starts the example AI service for the demo, from the text that the binary carries, and stops it again. Without Python
//! the demo goes on and shows what a gateway does when a service is down.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

const SERVICE: &str = include_str!("../../../../examples/ai-service/service.py");

/// The running service; stopped when dropped.
#[derive(Debug)]
pub(super) struct ExampleService {
    child: Child,
    /// Where it is.
    pub(super) url: String,
}

impl ExampleService {
    /// Starts it on a free port of this machine.
    pub(super) fn start() -> std::io::Result<Self> {
        let mut child = Command::new("python3")
            .args(["-", "--port", "0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(SERVICE.as_bytes())?;
        }
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        if url.is_empty() {
            let _ended = child.kill();
            return Err(std::io::Error::other("it did not say where it is"));
        }
        Ok(Self { child, url })
    }
}

impl Drop for ExampleService {
    fn drop(&mut self) {
        // It may have ended by itself: Ctrl-C reaches it too.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
