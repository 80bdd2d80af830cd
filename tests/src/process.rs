//! The gateway as a process of its own, for what only a process can do: be killed, be told to drain, run out of disk.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The built binary. Tests of another crate do not get it built by themselves.
///
/// # Panics
/// When it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "causeway-server", "--bin", "causeway"]);
        if !cfg!(debug_assertions) {
            build.arg("--release"); // the profile that this test was built in
        }
        let status = build.status().expect("cargo");
        assert!(status.success(), "the gateway does not build");
        let here = std::env::current_exe().expect("this test's own path");
        let folder = here.parent().and_then(Path::parent).expect("the profile's folder");
        folder.join("causeway")
    })
}

/// What `causeway messages` prints as JSON over a data folder, a value a line; nothing while there is nothing to show.
///
/// # Panics
/// When the binary does not run.
pub fn messages(data: &Path, arguments: &[&str]) -> Vec<serde_json::Value> {
    let run = Command::new(binary())
        .arg("messages")
        .args(arguments)
        .arg("--json")
        .arg("--data")
        .arg(data)
        .output()
        .expect("the command line");
    json_lines(&run.stdout)
}

/// Values of JSON, one a line.
///
/// # Panics
/// When a line is none.
pub fn json_lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines();
    lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// One message as `causeway messages show` prints it.
///
/// # Panics
/// As [`messages`].
pub fn shown(data: &Path, seq: u64) -> serde_json::Value {
    let mut all = messages(data, &["show", &seq.to_string()]);
    all.pop().unwrap_or_default()
}

/// The listener that most have.
const MLLP: &str = "[[listener]]\nname = 'mllp'\naddress = '127.0.0.1:0'\n";

/// A running gateway process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where MLLP listens; port 0 where it does not.
    pub mllp: SocketAddr,
    /// Where HTTP listens, if it does.
    pub http: Option<SocketAddr>,
    /// Where the admin port listens.
    pub admin: SocketAddr,
    /// All that was bound, by name.
    bound: Vec<(String, SocketAddr)>,
}

impl Process {
    /// Starts a gateway on free ports over a data folder, with more environment.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::configured(data, "", environment)
    }

    /// The same, with more stanzas in its configuration.
    ///
    /// # Panics
    /// When it does not start.
    pub fn configured(data: &Path, stanzas: &str, environment: &[(&str, &str)]) -> Self {
        Self::spawn(data, &format!("{MLLP}{stanzas}"), environment, Stdio::null())
    }

    /// One that listens only where its stanzas say.
    ///
    /// # Panics
    /// When it does not start.
    pub fn only(data: &Path, stanzas: &str) -> Self {
        Self::spawn(data, stanzas, &[], Stdio::null())
    }

    /// The same, with its log lines in a file.
    ///
    /// # Panics
    /// When it does not start, or the file cannot be made.
    pub fn logged(data: &Path, stanzas: &str, environment: &[(&str, &str)], lines: &Path) -> Self {
        let file = std::fs::File::create(lines).expect("a file");
        Self::spawn(data, &format!("{MLLP}{stanzas}"), environment, file.into())
    }

    fn spawn(data: &Path, stanzas: &str, environment: &[(&str, &str)], lines: Stdio) -> Self {
        let config = data.join("test.toml");
        if !config.exists() {
            let admin = "[admin]\naddress = '127.0.0.1:0'\n";
            std::fs::write(&config, format!("{admin}{stanzas}")).expect("a configuration");
        }
        let mut child = Command::new(binary())
            .args(["run", "--config"])
            .arg(&config)
            .arg("--data")
            .arg(data)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(lines)
            .spawn()
            .expect("the gateway");
        let bound = bound(&mut child);
        let at = |name: &str| bound.iter().find(|(known, _)| known == name).map(|(_, at)| *at);
        Self {
            child,
            mllp: at("mllp").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            http: at("http"),
            admin: at("admin").expect("the admin port"),
            bound,
        }
    }

    /// Where a listener is bound.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn address(&self, name: &str) -> SocketAddr {
        let found = self.bound.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no listener {name}")).1
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Exit status of a command that asks it through its admin port, and all that the command prints.
    ///
    /// # Panics
    /// When the binary does not run.
    pub fn command(&self, data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        let run = Command::new(binary())
            .args(arguments)
            .arg("--data")
            .arg(data)
            .env("CAUSEWAY__ADMIN__ADDRESS", self.admin.to_string())
            .output()
            .expect("the command line");
        let text = [run.stdout, run.stderr].concat();
        (run.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// The entry of its first destination in the status.
    ///
    /// # Panics
    /// When the admin port does not answer.
    pub async fn standing(&self, data: &Path) -> serde_json::Value {
        let token = std::fs::read_to_string(data.join("admin-token")).expect("a token");
        let (_, status) = crate::get(self.admin, "/status", token.trim()).await;
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        status["destinations"][0].clone()
    }

    /// Kills it as the machine would: SIGKILL.
    pub fn kill(mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Asks it to drain.
    ///
    /// # Panics
    /// When `kill` is not there.
    pub fn tell_to_stop(&self) -> bool {
        self.signal("-TERM")
    }

    /// Asks it to reload.
    ///
    /// # Panics
    /// When `kill` is not there.
    pub fn hang_up(&self) -> bool {
        self.signal("-HUP")
    }

    fn signal(&self, name: &str) -> bool {
        let told = Command::new("kill").args([name, &self.pid().to_string()]).status();
        told.expect("kill").success()
    }

    /// Waits until it ended, as it was told to.
    ///
    /// # Panics
    /// When it ends badly.
    pub fn wait(&mut self) {
        let ended = self.child.wait();
        assert!(ended.is_ok_and(|status| status.success()), "it ends well");
    }

    /// Asks it to drain and waits; whether it ended well.
    pub fn terminate(mut self) -> bool {
        self.tell_to_stop() && self.child.wait().is_ok_and(|status| status.success())
    }

    /// The most memory that was resident, in KiB, as Linux counts it.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    pub fn memory(&self) -> u64 {
        self.counted("VmHWM:")
    }

    /// The memory that is resident now, in KiB.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    pub fn resident(&self) -> u64 {
        self.counted("VmRSS:")
    }

    /// The processor time that it has had.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    pub fn processor(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("/proc");
        // proc(5): fields 14 and 15, in hundredths of a second; the name before may hold spaces.
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }

    fn counted(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let count = line.expect(name).trim().trim_end_matches(" kB").parse();
        count.expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Reads the lines that say what was bound; the admin port's is the last.
fn bound(child: &mut Child) -> Vec<(String, SocketAddr)> {
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut all: Vec<(String, SocketAddr)> = Vec::new();
    while all.last().is_none_or(|(name, _)| name != "admin") {
        let line = lines.next().expect("the gateway ended").expect("text");
        let (name, address) = line.split_once(" listens on ").expect("what was bound");
        all.push((name.to_owned(), address.parse().expect("an address")));
    }
    all
}
