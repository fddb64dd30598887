//! Commands about people.

use std::sync::Arc;

use tidings_domain::command::{CommandError, Sentence};
use tidings_domain::{CommunityId, RestrictionKind, User};
use tidings_wire::account::UpdateMe;
use tidings_wire::command::CommandResult;
use tidings_wire::community::UpdateMember;
use tidings_wire::moderation::Restrict;

use super::{Command, Commands, Scene, misunderstood, you};
use crate::error::ApiError;

impl Commands<'_> {
    pub(super) async fn change_members(
        &self,
        scene: &Scene<'_>,
        command: Command,
    ) -> Result<CommandResult, ApiError> {
        let app = self.0;
        if let Command::Status(status) = command {
            let update = UpdateMe { status: Some(status), ..UpdateMe::default() };
            let me = app.accounts().update_me(scene.caller, update).await?;
            return Ok(you(match me.status.as_str() {
                "" => "You have no status now.".to_owned(),
                status => format!("Your status is: {status}"),
            }));
        }
        let member = scene.member()?;
        let id = member.community();
        let admin = async || app.access().admin(scene.caller, id).await;
        let text = match command {
            Command::Nick(nickname) => {
                let update = UpdateMember { nickname: Some(nickname), role: None };
                let named = app.members().update(member, member.user(), &update).await?;
                match named.nickname {
                    Some(nickname) => format!("You are called {nickname} here."),
                    None => "You are called here what you are called everywhere.".to_owned(),
                }
            }
            Command::Role(user, role) => {
                let user = self.person(id, &user).await?;
                let role = role.as_str().to_owned();
                let update = UpdateMember { role: Some(role.clone()), nickname: None };
                app.members().update(member, user.id, &update).await?;
                format!("@{} is {role} now.", user.username)
            }
            Command::Kick(user) => {
                let user = self.person(id, &user).await?;
                app.members().remove(member, user.id).await?;
                format!("@{} is out of the community.", user.username)
            }
            Command::Ban(sentence) => {
                let (user, terms) = self.sentence(id, sentence).await?;
                app.moderation().ban(&admin().await?, user.id, &terms).await?;
                format!("@{} is banned.", user.username)
            }
            Command::Mute(sentence) => {
                let (user, terms) = self.sentence(id, sentence).await?;
                app.moderation().mute(&admin().await?, user.id, &terms).await?;
                format!("@{} is muted.", user.username)
            }
            Command::Unban(user) => {
                let user = self.person(id, &user).await?;
                app.moderation().lift(&admin().await?, RestrictionKind::Ban, user.id).await?;
                format!("@{} may come back.", user.username)
            }
            Command::Unmute(user) => {
                let user = self.person(id, &user).await?;
                app.moderation().lift(&admin().await?, RestrictionKind::Mute, user.id).await?;
                format!("@{} may write again.", user.username)
            }
            _ => return Err(misunderstood(&CommandError::NotACommand)),
        };
        Ok(you(text))
    }

    async fn sentence(
        &self,
        id: CommunityId,
        sentence: Sentence,
    ) -> Result<(Arc<User>, Restrict), ApiError> {
        let Sentence { user, seconds, reason } = sentence;
        let user = self.person(id, &user).await?;
        let seconds = seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        let until = seconds.map(|seconds| self.0.now().plus_seconds(seconds).into());
        Ok((user, Restrict { reason: Some(reason), until }))
    }
}
