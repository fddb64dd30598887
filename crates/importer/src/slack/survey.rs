//! The first pass over the day files: who speaks without being in the list of users, and who was
//! in which channel before the export begins. Both must be known before the first message.

use std::collections::{BTreeMap, HashMap};

use super::directory::{Directory, NOBODY, SLACKBOT, Stranger};
use super::lists::is_plain_id;
use super::raw::{self, Glance, Kind, Ts};

/// What the first pass found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) strangers: BTreeMap<String, Stranger>,
    pub(super) channels: HashMap<String, Seen>,
    /// Elements of all day files.
    pub(super) entries: u64,
}

/// What the first pass found in one channel.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The oldest entry.
    pub(super) first: Option<Ts>,
    /// The oldest coming or going of each person: whether it was a coming, and when.
    pub(super) moves: BTreeMap<String, (Ts, bool)>,
}

impl Survey {
    /// Looks through one day of one channel. What cannot be read is left for the second pass to
    /// report.
    pub(super) fn look(&mut self, channel: &str, bytes: &[u8], directory: &Directory) {
        let Ok(elements) = raw::elements(bytes) else { return };
        for element in elements {
            self.entries += 1;
            if let Ok(glance) = serde_json::from_str::<Glance>(element.get()) {
                self.glance(channel, &glance, directory);
            }
        }
    }

    fn glance(&mut self, channel: &str, glance: &Glance, directory: &Directory) {
        let Some(ts) = glance.ts.as_deref().and_then(Ts::parse) else { return };
        let kind = Kind::of(glance.subtype.as_deref());
        if kind == Kind::Event {
            return;
        }
        let seen = self.channels.entry(channel.to_owned()).or_default();
        seen.first = Some(seen.first.map_or(ts, |first| first.min(ts)));
        let moves = matches!(kind, Kind::Join | Kind::Leave);
        if moves && let Some(user) = &glance.user {
            let first = seen.moves.entry(user.clone()).or_insert((ts, kind == Kind::Join));
            if ts < first.0 {
                *first = (ts, kind == Kind::Join);
            }
        }
        let author = author(
            glance.user.as_deref(),
            glance.bot_id.as_deref(),
            glance.comment.as_ref().and_then(|it| it.user.as_deref()),
            glance.subtype.as_deref(),
            glance.text.as_deref(),
            directory,
        );
        if directory.user_source(author).is_none() {
            self.meet(author, glance);
        }
        for reaction in reactions(&glance.reactions) {
            for user in reaction.users.into_iter().flatten() {
                if directory.user_source(&user).is_none() && is_person(&user, directory) {
                    self.strangers.entry(user).or_default();
                }
            }
        }
    }

    fn meet(&mut self, id: &str, glance: &Glance) {
        let stranger = self.strangers.entry(id.to_owned()).or_default();
        let is_bot = glance.bot_id.as_deref() == Some(id);
        stranger.bot |= is_bot || id == SLACKBOT;
        if id == SLACKBOT {
            stranger.name = Some("slackbot".to_owned());
            stranger.display_name = Some("Slackbot".to_owned());
        }
        let profile = if is_bot { &glance.bot_profile } else { &glance.user_profile };
        let filled = |text: &Option<String>| text.clone().filter(|it| !it.trim().is_empty());
        let said = if is_bot { filled(&glance.username) } else { None };
        let (name, display_name) = profile.as_ref().map_or((None, None), |it| {
            (filled(&it.name), filled(&it.display_name).or_else(|| filled(&it.real_name)))
        });
        stranger.name = stranger.name.take().or(name).or_else(|| said.clone());
        stranger.display_name = stranger.display_name.take().or(display_name).or(said);
    }
}

/// The id of whoever an entry is by: the user where the list knows them, else the bot, else the
/// user all the same, else whom the text of a file comment names.
pub(super) fn author<'a>(
    user: Option<&'a str>,
    bot_id: Option<&'a str>,
    commenter: Option<&'a str>,
    subtype: Option<&str>,
    text: Option<&'a str>,
    directory: &Directory,
) -> &'a str {
    let filled = |id: Option<&'a str>| id.filter(|id| is_person(id, directory));
    if let Some(user) = filled(user)
        && (directory.user_source(user).is_some() || filled(bot_id).is_none())
    {
        return user;
    }
    let named = || {
        if subtype != Some("file_comment") {
            return None;
        }
        let (id, _) = text?.strip_prefix("<@")?.split_once('>')?;
        id.split('|').next()
    };
    filled(bot_id).or_else(|| filled(commenter)).or_else(|| filled(named())).unwrap_or(NOBODY)
}

/// Whether an id can be somebody's. What is no id names nobody, for it would not fit into a source
/// id; nor does the id of a channel, for two records would have one name.
fn is_person(id: &str, directory: &Directory) -> bool {
    is_plain_id(id) && directory.channel_source(id).is_none()
}

/// The reactions that can be read.
pub(super) fn reactions(value: &serde_json::Value) -> Vec<raw::Reaction> {
    use serde::Deserialize;

    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| raw::Reaction::deserialize(item).ok()).collect()
}
