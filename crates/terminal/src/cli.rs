//! The arguments that all commands share, and the list of commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    api::Api, channel::ChannelCommand, community::CommunityCommand, completions::Completions,
    delete::Delete, dm::Dm, edit::Edit, invite::InviteCommand, login::Login, logout::Logout,
    react::React, read::Read, register::Register, search::Search, send::Send, tail::Tail,
    whoami::Whoami,
};
use crate::ctx::Ctx;
use crate::failure::Failure;

const EXAMPLES: &str = "\
First steps:
  tidings register --server http://127.0.0.1:8420 --username ana --setup-code CODE
  tidings community create Acme
  tidings send '#general' 'hello'
  tidings tail

Names:
  '#general'        a channel (in quotes: # begins a comment in most shells)
  'acme/#general'   the same, in the community acme
  '@ana'            the direct messages with ana
  ids               work everywhere

Exit codes: 0 done, 1 failed, 2 used wrongly, 4 not logged in (tidings login)";

/// Tidings from the terminal: private team chat that pipes.
#[derive(Debug, Parser)]
#[command(name = "tidings", version, after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print one stable JSON value per line instead of text.
    #[arg(long, global = true)]
    pub json: bool,

    /// Act as the account of this profile (also `TIDINGS_PROFILE`) [default: default].
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Register(Register),
    Login(Login),
    Logout(Logout),
    Whoami(Whoami),
    /// Make and list communities.
    #[command(subcommand)]
    Community(CommunityCommand),
    /// Make, list, join and leave channels.
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Make and accept invites.
    #[command(subcommand)]
    Invite(InviteCommand),
    Send(Send),
    Edit(Edit),
    Delete(Delete),
    React(React),
    Read(Read),
    Tail(Tail),
    Dm(Dm),
    Search(Search),
    Api(Api),
    Completions(Completions),
}

impl Command {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Register(command) => command.run(ctx).await,
            Self::Login(command) => command.run(ctx).await,
            Self::Logout(command) => command.run(ctx).await,
            Self::Whoami(command) => command.run(ctx).await,
            Self::Community(command) => command.run(ctx).await,
            Self::Channel(command) => command.run(ctx).await,
            Self::Invite(command) => command.run(ctx).await,
            Self::Send(command) => command.run(ctx).await,
            Self::Edit(command) => command.run(ctx).await,
            Self::Delete(command) => command.run(ctx).await,
            Self::React(command) => command.run(ctx).await,
            Self::Read(command) => command.run(ctx).await,
            Self::Tail(command) => command.run(ctx).await,
            Self::Dm(command) => command.run(ctx).await,
            Self::Search(command) => command.run(ctx).await,
            Self::Api(command) => command.run(ctx).await,
            Self::Completions(command) => command.run(ctx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_says_what_it_said() {
        let mut pages = String::new();
        let mut root = Cli::command();
        root.build();
        let mut waiting = vec![root];
        while let Some(mut command) = waiting.pop() {
            if command.get_name() == "help" {
                continue;
            }
            let name = command.get_bin_name().unwrap_or("tidings").to_owned();
            pages.extend(["==== ", &name, "\n", &command.render_long_help().to_string(), "\n"]);
            waiting
                .extend(command.get_subcommands().cloned().collect::<Vec<_>>().into_iter().rev());
        }
        insta::assert_snapshot!(pages);
    }

    #[test]
    fn every_command_explains_itself_with_an_example() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            let leaves: Vec<_> = if command.has_subcommands() {
                command.get_subcommands().collect()
            } else {
                vec![command]
            };
            for leaf in leaves {
                let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("tidings "), "{} {}", command.get_name(), leaf.get_name());
            }
        }
    }
}
