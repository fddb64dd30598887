//! One client's task: a connection that comes back, wishes that come in, a machine that remembers.
//!
//! Started by the workload; its inbox is the wishes, and it ends when their sender has gone. Only
//! it touches its [`Client`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::client::Client;
use super::record::ChannelNumber;
use super::socket::Socket;
use super::workload::Progress;
use crate::clock;
use crate::http::Http;

/// Longest time for connecting and upgrading.
const CONNECT: Duration = Duration::from_secs(5);

/// Pauses between attempts to come back, before jitter: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// How often postponed messages are sent again and a return is tried.
const TICK: Duration = Duration::from_millis(200);

/// How long a departed client stays away.
const AWAY: Duration = Duration::from_millis(500);

/// What a client is to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    /// Send a message.
    Invoke(ChannelNumber),
    /// Leave, and come back some time later.
    Leave(ChannelNumber),
    /// Be everywhere where it belongs, and leave no more.
    Return,
    /// Send the last message of a channel.
    Finish(ChannelNumber),
}

/// A client and what it needs to live.
pub(super) struct Person {
    pub(super) client: Client,
    /// Where its WebSocket goes.
    pub(super) server: SocketAddr,
    /// Where its REST requests go.
    pub(super) rest: SocketAddr,
    pub(super) token: String,
    pub(super) channels: Vec<String>,
    pub(super) inbox: mpsc::Receiver<Wish>,
    pub(super) progress: Arc<Progress>,
    pub(super) random: ChaCha8Rng,
    /// The channel that it leaves once all its messages are acknowledged.
    pub(super) departing: Option<ChannelNumber>,
    /// Whether [`Wish::Return`] has come, and with it everything that was wished before.
    pub(super) returned: bool,
}

/// A channel that the client has left, or is leaving.
struct Absence {
    channel: ChannelNumber,
    until: Instant,
}

impl Person {
    /// Lives until nobody can wish anything any more, and hands back the client with its log.
    pub(super) async fn live(mut self) -> Client {
        let mut absence = None;
        let mut pause = FIRST_PAUSE;
        while !self.inbox.is_closed() || !self.inbox.is_empty() {
            if let Ok(Ok(socket)) = timeout(CONNECT, Socket::connect(self.server)).await {
                pause = FIRST_PAUSE;
                // Every end of a connection is alike: come back and go on from the cursor.
                let _ = self.converse(socket, &mut absence).await;
                self.client.dropped(clock::nanos());
                self.report(absence.as_ref());
            }
            let jitter = self.random.random_range(0.5..1.5);
            self.idle(pause.mul_f64(jitter), &mut absence).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
        self.client
    }

    /// Without a connection, wishes are noted and their frames go out later.
    async fn idle(&mut self, pause: Duration, absence: &mut Option<Absence>) {
        let until = Instant::now() + pause;
        while let Ok(Some(wish)) = tokio::time::timeout_at(until, self.inbox.recv()).await {
            self.fulfill(wish, absence).await;
            self.report(absence.as_ref());
        }
    }

    /// Speaks over one connection until it fails or nobody wishes anything any more.
    async fn converse(
        &mut self,
        mut socket: Socket,
        absence: &mut Option<Absence>,
    ) -> anyhow::Result<()> {
        socket.send(&[self.client.connected()]).await?;
        let mut ticks = tokio::time::interval(TICK);
        loop {
            let out = tokio::select! {
                text = socket.receive() => self.client.frame(clock::nanos(), &text?),
                wish = self.inbox.recv() => {
                    let Some(wish) = wish else { return Ok(()) };
                    self.fulfill(wish, absence).await.into_iter().collect()
                }
                _ = ticks.tick() => {
                    self.depart(absence).await;
                    self.come_back(absence).await;
                    self.client.retry()
                }
            };
            self.report(absence.as_ref());
            if !out.is_empty() {
                socket.send(&out).await?;
            }
        }
    }

    fn report(&self, absence: Option<&Absence>) {
        let busy = self.client.unacknowledged() + usize::from(absence.is_some());
        self.progress.busy.store(busy, Ordering::Relaxed);
        self.progress.whole.store(self.client.is_whole(), Ordering::Relaxed);
        self.progress.ready.store(self.client.is_ready(), Ordering::Relaxed);
        // Behind the others: whoever sees it sees what the wishes before it have left to do.
        self.progress.returned.store(self.returned, Ordering::Release);
    }

    async fn fulfill(&mut self, wish: Wish, absence: &mut Option<Absence>) -> Option<String> {
        let away = absence.as_ref().map(|absence| absence.channel);
        match wish {
            // Posting would join again; and who is about to leave says nothing more before.
            Wish::Invoke(channel) if away == Some(channel) || self.departing.is_some() => None,
            Wish::Invoke(channel) => self.client.invoke(clock::nanos(), channel),
            Wish::Finish(channel) => self.client.finish(clock::nanos(), channel),
            Wish::Leave(channel) => {
                if away.is_none() && self.departing.is_none() {
                    self.departing = Some(channel);
                    self.depart(absence).await;
                }
                None
            }
            Wish::Return => {
                self.departing = None;
                self.returned = true;
                if let Some(absence) = absence {
                    absence.until = Instant::now();
                }
                None
            }
        }
    }

    /// Leaves where it is about to leave, once nothing of its own is under way: that would join
    /// again.
    async fn depart(&mut self, absence: &mut Option<Absence>) {
        if self.client.unacknowledged() == 0
            && let Some(channel) = self.departing.take()
        {
            self.client.leaving(clock::nanos(), channel);
            *absence = Some(Absence { channel, until: Instant::now() + AWAY });
            self.post(channel, "leave").await;
        }
    }

    /// Joins again once it has seen its own departure and has been away for long enough.
    async fn come_back(&mut self, absence: &mut Option<Absence>) {
        let Some(Absence { channel, until }) = *absence else { return };
        if self.client.channels().any(|inside| inside == channel) {
            // The departure has not come: the request may have been lost with the server.
            if Instant::now() > until {
                self.post(channel, "leave").await;
            }
        } else if Instant::now() >= until {
            self.client.joining(clock::nanos(), channel);
            while !self.post(channel, "join").await {
                tokio::time::sleep(TICK).await;
            }
            self.client.joined(clock::nanos(), channel, None);
            *absence = None;
        }
    }

    /// Whether the server took the request (an answer that it is not needed counts as well).
    async fn post(&self, channel: ChannelNumber, verb: &str) -> bool {
        let Some(id) = self.channels.get(channel as usize) else { return true };
        let path = format!("/v1/channels/{id}/{verb}");
        let (server, token) = (self.rest, self.token.clone());
        let request = move || Http::new(server).request("POST", &path, Some(&token), None);
        let answer = tokio::task::spawn_blocking(request).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status < 500))
    }
}
