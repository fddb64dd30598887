//! A room with very many messages, for the benches that read.

use std::time::Duration;

use anyhow::Context as _;

use super::Setting;
use super::rig::Rig;
use crate::engine::Engine;
use crate::load::{Dialect, Outcome, Plan, Sender, drive};

/// People who write the messages.
const AUTHORS: usize = 4;

/// Messages of one author that may be unacknowledged while the room is filled.
const WINDOW: usize = 128;

/// A server with one long room.
pub(super) struct Filled {
    pub(super) rig: Rig,
    /// The room's id.
    pub(super) channel: String,
    /// The token of someone who is in it.
    pub(super) token: String,
    /// The cursor before the first message.
    pub(super) before: String,
    /// Where the room's log stood before the first message.
    pub(super) base: u64,
    /// How the messages went in.
    pub(super) outcome: Outcome,
}

impl Filled {
    /// Sends `messages` messages to a room through the public API.
    pub(super) fn new(setting: &Setting, messages: usize) -> anyhow::Result<Self> {
        let rig = Rig::start(setting)?;
        let channel = rig.api.create_channel(&rig.community, "history")?;
        let people = rig.api.people(&rig.community, "author", AUTHORS)?;
        rig.api.join_all(&channel, &people)?;
        let token = people.first().context("nobody")?.token.clone();
        let before = crate::api::cursor(&mut rig.api.connect(), &token)?;
        let base = crate::api::head_seq(&mut rig.api.connect(), &token, &channel)?;

        let mut engine = Engine::new()?;
        let connections = rig.connect(&mut engine, &people)?;
        let senders = connections.iter().map(|c| Sender { connection: *c, room: 0 }).collect();
        let plan = Plan {
            senders,
            members: AUTHORS,
            window: WINDOW,
            rate: None,
            length: Duration::from_hours(1),
            limit: Some(messages),
        };
        let dialect = Dialect::Tidings { channels: vec![channel.clone()], run: "fill".into() };
        let outcome = drive(&mut engine, &dialect, &plan, rig.subject.process(), 0)?;
        Ok(Self { rig, channel, token, before, base, outcome })
    }
}
