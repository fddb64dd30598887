//! JSON from both sides: bodies, events, frames, answers.

use std::fmt::Debug;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::Timestamp;
use tidings_wire::event::{decode_data, encode_data};
use tidings_wire::frame::{
    ConvAck, ConvAcked, ConvSend, ErrorBody, EventBody, Frame, SessionReady, SessionResume,
    SessionStart, Typing,
};
use tidings_wire::import::{Record, Reference, References, SourceId};
use tidings_wire::{
    Entry, Event, List, Problem, Time, account, channel, community, discovery, import, message,
    sync,
};

use crate::{first_line, text};

/// What was read is written and read again as the same.
fn same_again<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(data) else { return };
    let written = serde_json::to_vec(&read).unwrap_or_default();
    let again = serde_json::from_slice::<T>(&written);
    assert!(again.as_ref().is_ok_and(|again| *again == read), "{read:?} became {again:?}");
}

/// As [`same_again`], for types that hold JSON as it came: what is written can be read. It is not
/// compared as a [`Value`], which refuses half a surrogate where such types keep it.
fn written_again<'a, T: Serialize + Deserialize<'a>>(data: &'a [u8]) {
    let Ok(read) = serde_json::from_slice::<T>(data) else { return };
    let written = serde_json::to_string(&read);
    assert!(written.is_ok(), "what was read cannot be written");
    assert!(written.is_ok_and(|written| serde_json::from_str::<IgnoredAny>(&written).is_ok()));
}

/// The bodies of requests.
pub(crate) fn request_bodies(data: &[u8]) {
    same_again::<account::CreateChallenge>(data);
    written_again::<account::Register>(data);
    same_again::<account::CreateSession>(data);
    same_again::<account::UpdateMe>(data);
    written_again::<account::AppendChain>(data);
    same_again::<community::CreateCommunity>(data);
    same_again::<community::UpdateCommunity>(data);
    same_again::<community::UpdateMember>(data);
    same_again::<community::CreateInvite>(data);
    same_again::<channel::CreateChannel>(data);
    same_again::<channel::UpdateChannel>(data);
    same_again::<channel::CreateDm>(data);
    same_again::<channel::AddMember>(data);
    same_again::<channel::SetRead>(data);
    same_again::<channel::SetTyping>(data);
    same_again::<message::CreateMessage>(data);
    same_again::<message::EditMessage>(data);
}

/// The answers of a server, which are remote bytes to a client.
pub(crate) fn answers(data: &[u8]) {
    same_again::<account::Challenge>(data);
    same_again::<account::LoggedIn>(data);
    same_again::<account::Session>(data);
    same_again::<account::Me>(data);
    same_again::<account::Profile>(data);
    same_again::<account::Device>(data);
    written_again::<account::ChainPage>(data);
    same_again::<account::ChainConflict>(data);
    same_again::<account::ResetCode>(data);
    same_again::<community::Community>(data);
    same_again::<community::Invite>(data);
    same_again::<community::InvitePreview>(data);
    same_again::<List<community::Member>>(data);
    same_again::<channel::Channel>(data);
    same_again::<channel::ReadState>(data);
    same_again::<discovery::Discovery>(data);
    same_again::<List<message::Message>>(data);
    same_again::<message::MessageVersion>(data);
    same_again::<List<message::SearchHit>>(data);
    same_again::<import::ImportResult>(data);
    same_again::<Problem>(data);
    written_again::<List<Entry>>(data);
    written_again::<Event>(data);
    written_again::<sync::Sync>(data);
    if let Ok(message) = serde_json::from_slice::<message::Message>(data) {
        // A word that is not known is no reason to fall over.
        let _ = message.into_domain();
    }
    if let Ok(channel) = serde_json::from_slice::<channel::ChannelData>(data) {
        let _ = channel.into_domain();
    }
}

/// Frames of WebSockets and their bodies, in both directions.
pub(crate) fn frames(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else { return };
    let body = frame.body.get().as_bytes();
    written_again::<SessionStart>(body);
    written_again::<SessionResume>(body);
    written_again::<SessionReady>(body);
    written_again::<ConvSend>(body);
    written_again::<ConvAcked>(body);
    written_again::<ConvAck>(body);
    written_again::<Typing>(body);
    written_again::<ErrorBody>(body);
    if let Ok(event) = serde_json::from_slice::<EventBody<'_>>(body) {
        written_again::<Event>(event.event.get().as_bytes());
    }
    let written = serde_json::to_string(&frame).unwrap_or_default();
    let again = serde_json::from_str::<Frame<'_>>(&written);
    let same = again.is_ok_and(|again| {
        (again.v, &again.t, &again.id, again.ts, again.body.get())
            == (frame.v, &frame.t, &frame.id, frame.ts, frame.body.get())
    });
    assert!(same, "{text:?} became {written:?}");
}

/// The data of events: the first line is the type.
pub(crate) fn event_data(data: &[u8]) {
    let Some((kind, data)) = text(data).map(first_line) else { return };
    let Ok(fact) = decode_data(kind, data.as_bytes()) else { return };
    assert_eq!(fact.kind(), kind);
    let written = encode_data(&fact);
    assert!(written.is_ok(), "{fact:?} cannot be written");
    let written = written.unwrap_or_default();
    assert_eq!(decode_data(kind, &written).ok().as_ref(), Some(&fact));
    // The log hashes these bytes, so they are canonical (RFC 8785).
    let value: Value = serde_json::from_slice(&written).unwrap_or_default();
    let canonical = serde_json_canonicalizer::to_vec(&value).unwrap_or_default();
    assert!(canonical == written, "{} is not canonical", String::from_utf8_lossy(&written));
}

pub(crate) fn times(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(time) = text.parse::<Time>() {
        assert_eq!(time.to_string().parse::<Time>().ok(), Some(time), "{text:?}");
    }
    if let Ok(millis) = text.parse() {
        // Times beyond the calendar are shown as its end.
        let shown = Time(Timestamp(millis)).to_string();
        assert!(shown.parse::<Time>().is_ok(), "{shown}");
    }
}

/// Records of imports, one JSON object per line, and the references in their bodies.
pub(crate) fn import_records(data: &[u8]) {
    for (number, line) in (1..).zip(data.split(|byte| *byte == b'\n')) {
        let Some(line) = tidings_server::app::imports::Line::read(number, line) else { continue };
        let Ok(record) = line.record else { continue };
        let written = serde_json::to_vec(&record).unwrap_or_default();
        assert_eq!(serde_json::from_slice::<Record>(&written).ok().as_ref(), Some(&record));
        if let Record::Message(message) = &record {
            import_references(&message.body);
        }
    }
    if let Some(text) = text(data) {
        import_references(text);
    }
}

fn import_references(text: &str) {
    let mut before = 0;
    for (range, reference) in References::new(text) {
        assert!(range.start >= before && range.start < range.end);
        before = range.end;
        let id = |id: &str| SourceId(id.to_owned());
        let written = match reference {
            Reference::User(user) => import::user_reference(&id(user)),
            Reference::Channel(channel) => import::channel_reference(&id(channel)),
            Reference::Here => import::HERE.to_owned(),
            Reference::Everyone => import::EVERYONE.to_owned(),
        };
        assert_eq!(text.get(range), Some(&*written));
    }
}
