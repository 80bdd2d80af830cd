//! A listener on a real socket, a stub for the service, and peers that behave well or badly.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_core::{Fault, Frame, Head, Leave, Reply, ReplyHead, ReplyKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

use super::{Counters, Listener, Options, ReadBudget, RefuseFn};
use crate::replies::{Outgoing, Replies};
use crate::service::FrameService;

mod client;
mod crowd;
mod deadlines;
mod endings;
mod order;
mod wire;

/// Nothing here takes so long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running listener.
struct House {
    address: std::net::SocketAddr,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl House {
    async fn open(service: FrameService, options: Options) -> Self {
        Self::serve(listener(service, options, plenty())).await
    }

    async fn serve(listener: Listener) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let counters = listener.counters.clone();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listener.serve(socket, stopped));
        Self {
            address,
            counters,
            stop,
            serving,
        }
    }

    async fn peer(&self) -> Peer {
        Peer(TcpStream::connect(self.address).await.unwrap())
    }

    /// Waits until the condition holds.
    async fn until(&self, holds: impl Fn(&Counters) -> bool) {
        let wait = async {
            while !holds(&self.counters) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("{:?}", self.counters));
    }
}

/// A raw peer: every byte is written as the test says.
struct Peer(TcpStream);

impl Peer {
    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next reply, without its framing.
    async fn reply(&mut self) -> String {
        let read = async {
            let mut got = Vec::new();
            while !got.ends_with(b"\x1c\r") {
                got.push(self.0.read_u8().await.unwrap());
            }
            assert_eq!(got[0], 0x0B);
            String::from_utf8(got[1..got.len() - 2].to_vec()).unwrap()
        };
        timeout(PATIENCE, read).await.unwrap()
    }

    /// Everything up to the end of the connection.
    async fn rest(&mut self) -> Vec<u8> {
        let mut got = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut got)).await.unwrap().unwrap();
        got
    }
}

fn listener(service: FrameService, options: Options, budget: ReadBudget) -> Listener {
    Listener {
        tls: crate::transport::tls::Acceptor::default(),
        name: "test".into(),
        service,
        refuse: refuse(),
        options,
        peers: Vec::new(),
        counters: Arc::default(),
        budget,
        drain: PATIENCE,
    }
}

/// Memory for all that a test reads.
fn plenty() -> ReadBudget {
    ReadBudget::new(256 << 20)
}

fn refuse() -> RefuseFn {
    Arc::new(|_: &Head, first: &[u8], fault: Fault| Reply {
        head: ReplyHead::None,
        kind: ReplyKind::Refusal,
        bytes: Bytes::from(format!("{:?} {}", fault.kind, first.len())),
        positive: false,
    })
}

/// A reply that may leave: what the stub says is about nothing that is kept.
fn passing(text: impl Into<Bytes>) -> Outgoing {
    Outgoing {
        leave: Leave::Passing,
        reply: Reply {
            head: ReplyHead::None,
            kind: ReplyKind::Application,
            bytes: text.into(),
            positive: true,
        },
    }
}

/// Answers each frame at once with `got <body>`.
fn echo() -> FrameService {
    BoxCloneSyncService::new(service_fn(|frame: Frame| async move {
        let text = [b"got ", frame.body.as_ref()].concat();
        Ok::<_, Infallible>(Replies::ready(passing(text)))
    }))
}

/// A frame that the stub has taken; the test says when it is answered.
struct Held {
    body: Bytes,
    commit: oneshot::Sender<Outgoing>,
    answers: oneshot::Sender<Vec<Outgoing>>,
}

impl Held {
    fn answer(self, text: &'static str) {
        assert!(
            self.answers.send(vec![passing(text)]).is_ok(),
            "nobody waits for {text}"
        );
    }
}

/// Takes each frame and leaves its replies to the test. With `commits`, each has a commit too.
fn held(commits: bool) -> (FrameService, mpsc::UnboundedReceiver<Held>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let service = service_fn(move |frame: Frame| {
        let (commit, said) = oneshot::channel();
        let (answers, replies) = oneshot::channel();
        let sent = sender.send(Held {
            body: frame.body,
            commit,
            answers,
        });
        async move {
            assert!(sent.is_ok(), "the test is over");
            Ok::<_, Infallible>(Replies {
                commit: commits.then_some(said),
                answers: replies,
                trace: None,
            })
        }
    });
    (BoxCloneSyncService::new(service), receiver)
}

async fn taken(receiver: &mut mpsc::UnboundedReceiver<Held>) -> Held {
    timeout(PATIENCE, receiver.recv()).await.unwrap().unwrap()
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    super::codec::encode(payload, &mut out);
    out
}

#[tokio::test]
async fn a_frame_goes_in_and_its_reply_comes_out() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"MSH|1")).await;
    assert_eq!(peer.reply().await, "got MSH|1");
    drop(peer);
    house.until(|counters| counters.open.get() == 0).await;
    assert_eq!(house.counters.frames.get(), 1);
    assert_eq!(house.counters.bytes_in.get(), 8);
    assert_eq!(house.counters.bytes_out.get(), 12);
}
