//! Commands about channels.

use tidings_wire::channel::{Purge, UpdateChannel};
use tidings_wire::command::CommandResult;

use super::{Command, Commands, Scene, you};
use crate::error::ApiError;

impl Commands<'_> {
    pub(super) async fn change_channel(
        &self,
        scene: &Scene<'_>,
        command: Command,
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        let (caller, reader) = (scene.caller, &scene.reader);
        let channel = reader.channel();
        let community = scene.member()?.community();
        let manager = async || app.access().manager(caller, channel.id).await;
        let text = match command {
            Command::Join(name) => {
                let id = self.place(scene, &name).await?;
                let right = app.access().reader(caller, id).await?;
                app.channels().join(&right).await?;
                format!("You are in #{name}.")
            }
            Command::Leave => {
                app.channels().leave(reader).await?;
                "You left this channel.".to_owned()
            }
            Command::Topic(topic) => {
                let update = UpdateChannel { topic: Some(topic), ..UpdateChannel::default() };
                app.channels().update(&manager().await?, &update).await?;
                "The topic is set.".to_owned()
            }
            Command::Rename(name) => {
                let update = UpdateChannel { name: Some(name), ..UpdateChannel::default() };
                app.channels().update(&manager().await?, &update).await?;
                "The channel has a new name.".to_owned()
            }
            Command::Invite(user) => {
                let user = self.person(community, &user).await?;
                let (_, new) = app.channels().add(reader, user.id).await?;
                let told = if new { "is in this channel now" } else { "was in this channel" };
                format!("@{} {told}.", user.username)
            }
            Command::Purge(user, last) => {
                let user = match user {
                    Some(name) => Some(self.person(community, &name).await?.id.0),
                    None => None,
                };
                let request = Purge { user_id: user, last, since: None };
                let purged = app.purges().run(&manager().await?, &request).await?;
                let more = if purged.more { " There are more." } else { "" };
                match purged.deleted {
                    1 => format!("1 message is gone.{more}"),
                    many => format!("{many} messages are gone.{more}"),
                }
            }
            _ => {
                app.channels().archive(&manager().await?).await?;
                "The channel is archived: read-only.".to_owned()
            }
        };
        Ok(you(text))
    }
}
