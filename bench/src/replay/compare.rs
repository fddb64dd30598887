//! Is it the same? Three followers, the REST API and the export, each against the next.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use tidings_wire::message::Message;
use tidings_wire::page::List;

use super::actor::Stage;
use super::follower::View;
use super::script::Script;
use super::slack::Export;
use crate::http::Http;

/// Differences that are told in full; the rest is only counted.
const TOLD: usize = 20;

/// Differences that were found.
#[derive(Debug, Default)]
pub(super) struct Differences {
    count: usize,
    told: Vec<String>,
}

impl Differences {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn told(&self) -> &[String] {
        &self.told
    }

    fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(text());
        }
    }
}

/// Messages of each channel by `seq`, replies included.
pub(super) type Rooms = BTreeMap<String, BTreeMap<u64, Message>>;

/// Everything that the REST API shows of `channels`.
pub(super) fn read_rest(
    http: &mut Http,
    token: &str,
    channels: impl Iterator<Item = String>,
) -> anyhow::Result<Rooms> {
    let mut rooms = Rooms::new();
    for channel in channels {
        let path = format!("/v1/channels/{channel}/messages");
        let top = read_list(http, token, &path, "")?;
        let mut room = BTreeMap::new();
        for message in top {
            if message.reply_count > 0 {
                let thread = format!("&thread={}", message.id);
                for reply in read_list(http, token, &path, &thread)? {
                    room.insert(reply.seq, reply);
                }
            }
            room.insert(message.seq, message);
        }
        rooms.insert(channel, room);
    }
    Ok(rooms)
}

fn read_list(http: &mut Http, token: &str, path: &str, more: &str) -> anyhow::Result<Vec<Message>> {
    let mut all = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let path = format!("{path}?limit=200&after={after}{more}");
        let page: List<Message> = http.call("GET", &path, Some(token), None)?;
        all.extend(page.items);
        match page.next {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

/// Compares a follower's view with what REST shows, message by message.
pub(super) fn view_with_rest(name: &str, view: &View, rest: &Rooms, out: &mut Differences) {
    let erased: usize = view.erased.values().map(BTreeSet::len).sum();
    if erased != view.unknown_deletions {
        let deletions = view.unknown_deletions;
        out.add(|| {
            format!("{name} got {erased} erased messages and {deletions} deletions of them")
        });
    }
    for (channel, room) in rest {
        let mut own: HashMap<u64, &Message> = view
            .channels
            .get(channel)
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|message| (message.seq, message))
            .collect();
        for (seq, message) in room {
            match own.remove(seq) {
                None if message.deleted && view.has_erased(channel, *seq) => {}
                None => out.add(|| format!("{name} has no seq {seq} of channel {channel}")),
                Some(own) => {
                    let (left, right) = (essence(own), essence(message));
                    if left != right {
                        out.add(|| {
                            format!("channel {channel} seq {seq}: {name} {left}, REST {right}")
                        });
                    }
                }
            }
        }
        // A deleted reply, or one whose root was deleted, need not be listed any more.
        for (seq, message) in own {
            if !message.deleted {
                out.add(|| {
                    format!("REST has no seq {seq} of channel {channel}: {}", essence(message))
                });
            }
        }
    }
}

/// What must agree: all that does not change by what others do later. Of a deleted message that is
/// where it stood and by whom.
fn essence(message: &Message) -> Value {
    if message.deleted {
        return serde_json::json!({
            "id": message.id, "author": message.author.id, "body": message.body,
            "body_html": message.body_html, "parent": message.parent_id, "deleted": true,
            "created_at": message.created_at,
        });
    }
    serde_json::json!({
        "id": message.id, "author": message.author.id, "body": message.body,
        "body_html": message.body_html, "parent": message.parent_id, "deleted": message.deleted,
        "created_at": message.created_at, "edited": message.edited_at, "mentions": message.mentions,
        "client_id": message.client_id, "broadcast": message.broadcast,
    })
}

/// Compares what REST shows with the export: authors, words, threads and order.
pub(super) fn rest_with_export(
    rest: &Rooms,
    export: &Export,
    script: &Script,
    stage: &Stage,
    out: &mut Differences,
) {
    let names = References::new(stage, export);
    for (slack, channel) in &stage.channels {
        let Some(room) = rest.get(channel) else { continue };
        let by_id: HashMap<String, &Message> =
            room.values().map(|message| (message.id.to_string(), message)).collect();
        let mut last = "";
        let mut found: BTreeMap<&str, &Message> = BTreeMap::new();
        for message in room.values().filter(|message| !message.deleted) {
            let Some(ts) = message.client_id.as_deref() else { continue };
            found.insert(ts, message);
            let late = script.late.contains(&(slack.clone(), ts.to_owned()));
            if !late {
                // Both have the same number of digits.
                if ts < last {
                    out.add(|| format!("{slack}: {ts} stands after {last}"));
                }
                last = ts;
            }
        }
        let from = (slack.clone(), String::new());
        let expected =
            export.messages.range(from..).take_while(|((channel, _), _)| channel == slack).filter(
                |(_, message)| !message.is_membership_or_topic() && !message.is_tombstone(),
            );
        for ((_, ts), message) in expected {
            let Some(own) = found.remove(ts.as_str()) else {
                out.add(|| format!("{slack} {ts} of the export is missing"));
                continue;
            };
            let body = names.unresolve(&own.body);
            if body != message.body() {
                out.add(|| format!("{slack} {ts} says {body:?}, the export {:?}", message.body()));
            }
            if own.author.username != message.author() {
                let (own, other) = (&own.author.username, message.author());
                out.add(|| format!("{slack} {ts} is by {own}, in the export by {other}"));
            }
            let parent = own.parent_id.and_then(|id| by_id.get(&id.to_string()));
            let rootless = script.rootless.contains(&(slack.clone(), ts.clone()));
            let wanted = message.root().filter(|_| !rootless);
            // A deleted root has lost its name; that it is deleted must do.
            let nameless = parent.is_some_and(|parent| parent.deleted)
                && wanted.is_some_and(|root| export.is_tombstone(slack, root));
            let parent = parent.and_then(|parent| parent.client_id.as_deref());
            if parent != wanted && !nameless {
                out.add(|| {
                    format!("{slack} {ts} replies to {parent:?}, in the export to {wanted:?}")
                });
            }
        }
        for (ts, message) in found {
            out.add(|| format!("{slack} {ts} is not in the export: {:?}", message.body));
        }
    }
}

/// Names of references, to undo what the server resolved.
struct References(HashMap<String, String>);

impl References {
    fn new(stage: &Stage, export: &Export) -> Self {
        let users = stage.accounts.iter().map(|(username, account)| {
            (format!("@<user:{}>", account.user_id), format!("@{username}"))
        });
        let channels = stage.channels.iter().filter_map(|(slack, id)| {
            Some((format!("#<channel:{id}>"), format!("#{}", export.names.get(slack)?)))
        });
        let others =
            [("@<here>", "@here"), ("@<channel>", "@channel")].map(|(a, b)| (a.into(), b.into()));
        Self(users.chain(channels).chain(others).collect())
    }

    /// The body as its author typed it.
    fn unresolve(&self, body: &str) -> String {
        let mut out = String::with_capacity(body.len());
        let mut rest = body;
        while let Some(at) = rest.find(['@', '#']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let reference = from.find('>').and_then(|end| from.get(..=end));
            let name = reference.and_then(|reference| self.0.get(reference));
            let (typed, length) = match (reference, name) {
                (Some(reference), Some(name)) => (name.as_str(), reference.len()),
                _ => (from.get(..1).unwrap_or_default(), 1),
            };
            out.push_str(typed);
            rest = from.get(length..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_turned_back_into_what_was_typed() {
        let known = [("@<user:1>", "@ana"), ("#<channel:2>", "#ops"), ("@<here>", "@here")];
        let references =
            References(known.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect());
        assert_eq!(references.unresolve("@<user:1> see #<channel:2>"), "@ana see #ops");
        assert_eq!(
            references.unresolve("a@b.example #1 @<user:9> @<here>!"),
            "a@b.example #1 @<user:9> @here!"
        );
    }
}
