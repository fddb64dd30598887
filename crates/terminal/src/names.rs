//! Today's names of people and channels, for what only carries their ids.

use std::collections::HashMap;

use tidings_client::resolve::full_name;
use tidings_client::{Client, ClientError};
use tidings_domain::message::Mention;
use tidings_domain::reference::{Written, scan};
use tidings_domain::{ChannelId, UserId};
use tidings_wire::channel::Channel;
use tidings_wire::community::Community;
use tidings_wire::message::{Author, MentionKind, Message};
use uuid::Uuid;

use crate::output::sanitize;

/// Most people who are looked up one by one: past it a reference is shown with its id.
const LOOKUPS_MAX: usize = 200;

/// Names as far as they are known.
#[derive(Debug, Default)]
pub(crate) struct Names {
    me: Uuid,
    communities: Vec<Community>,
    channels: HashMap<Uuid, String>,
    people: HashMap<Uuid, String>,
    lookups: usize,
}

impl Names {
    pub(crate) fn new(me: Uuid) -> Self {
        Self { me, ..Self::default() }
    }

    /// Learns the names of one's communities and channels.
    pub(crate) async fn load(&mut self, client: &Client) -> Result<(), ClientError> {
        let communities = client.communities().await?;
        self.learn(communities, &client.channels().await?);
        Ok(())
    }

    /// Learns names that are at hand.
    pub(crate) fn learn(&mut self, communities: Vec<Community>, channels: &[Channel]) {
        self.communities = communities;
        for channel in channels {
            self.add_channel(channel);
        }
    }

    fn add_channel(&mut self, channel: &Channel) {
        for user in &channel.users {
            self.add_person(user);
        }
        let name = self.name_of(channel);
        self.channels.insert(channel.id, name);
    }

    pub(crate) fn add_person(&mut self, author: &Author) {
        self.people.insert(author.id, author.username.clone());
    }

    /// `#name`, with its community where there are several; for a DM the others in it.
    pub(crate) fn name_of(&self, channel: &Channel) -> String {
        match &channel.name {
            Some(name) if self.communities.len() > 1 => {
                full_name(channel, &self.communities).unwrap_or_else(|| format!("#{name}"))
            }
            Some(name) => format!("#{name}"),
            None => {
                let others: Vec<String> = channel
                    .users
                    .iter()
                    .filter(|user| user.id != self.me)
                    .map(|user| format!("@{}", user.username))
                    .collect();
                if others.is_empty() { "@you".to_owned() } else { others.join(",") }
            }
        }
    }

    /// The name of a channel, asked of the server when it is new. Its id when there is no answer.
    pub(crate) async fn channel(&mut self, client: &Client, id: Uuid) -> String {
        if !self.channels.contains_key(&id)
            && let Ok(channel) = client.channel(ChannelId(id)).await
        {
            self.add_channel(&channel);
        }
        self.channels.get(&id).map_or_else(|| id.to_string(), |name| sanitize::line(name).into())
    }

    /// The name of a person, asked of the server when they are new. Their id when there is no
    /// answer.
    pub(crate) async fn person(&mut self, client: &Client, id: Uuid) -> String {
        if !self.people.contains_key(&id) && self.lookups < LOOKUPS_MAX {
            self.lookups += 1;
            if let Ok(profile) = client.user(UserId(id)).await {
                self.people.insert(id, profile.username);
            }
        }
        self.people.get(&id).map_or_else(|| id.to_string(), |name| sanitize::line(name).into())
    }

    /// Looks up everyone and everything that messages name.
    pub(crate) async fn look_up(&mut self, client: &Client, messages: &[Message]) {
        for message in messages {
            self.add_person(&message.author);
        }
        for mention in messages.iter().flat_map(|message| &message.mentions) {
            match (mention.kind, mention.id) {
                (MentionKind::User, Some(id)) => drop(self.person(client, id).await),
                (MentionKind::Channel, Some(id)) => drop(self.channel(client, id).await),
                _ => {}
            }
        }
    }

    /// A body with names where it has references, fit for a terminal.
    pub(crate) fn draw(&self, body: &str) -> String {
        let mut drawn = String::with_capacity(body.len());
        let mut from = 0;
        for (range, written) in scan(body) {
            let Written::Stored(mention) = written else { continue };
            let name = match mention {
                Mention::User(id) => self.people.get(&id.0).map(|name| format!("@{name}")),
                Mention::Channel(id) => self.channels.get(&id.0).cloned(),
                Mention::Here => Some("@here".to_owned()),
                Mention::Everyone => Some("@channel".to_owned()),
            };
            if let Some(name) = name {
                drawn.push_str(body.get(from..range.start).unwrap_or_default());
                drawn.push_str(&name);
                from = range.end;
            }
        }
        drawn.push_str(body.get(from..).unwrap_or_default());
        sanitize::text(&drawn).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_drawn_with_names_and_unknown_ones_stay() {
        let mut names = Names::default();
        let (ana, ops) = (Uuid::from_u128(1), Uuid::from_u128(2));
        names.people.insert(ana, "ana".to_owned());
        names.channels.insert(ops, "#ops".to_owned());
        let body =
            format!("@<user:{ana}> and @<here>, see #<channel:{ops}>; @<user:{ops}> \u{1b}[m");
        assert_eq!(names.draw(&body), format!("@ana and @here, see #ops; @<user:{ops}> ␛[m"));
        assert_eq!(names.draw("no @references #here"), "no @references #here");
    }
}
