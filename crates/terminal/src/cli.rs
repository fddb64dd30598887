//! The arguments that all commands share, and the list of commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    admin::AdminCommand, api::Api, attention::AttentionCommand, audit::Audit, block::BlockCommand,
    bot::BotCommand, channel::ChannelCommand, cmd::Cmd, community::CommunityCommand,
    completions::Completions, delete::Delete, devices::DevicesCommand, dm::Dm, draft::DraftCommand,
    edit::Edit, export::ExportCommand, get::Get, invite::InviteCommand, links::LinksCommand,
    login::Login, logout::Logout, man::Man, members::MembersCommand, notifications::Notifications,
    pin::PinCommand, pin::SavedCommand, presence::PresenceOf, previews::Previews, react::React,
    read::Read, register::Register, report::ReportCommand, search::Search, send::Send,
    sessions::SessionsCommand, status::StatusCommand, tail::Tail, token::TokenCommand,
    webhook::WebhookCommand, whoami::Whoami,
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
#[command(name = "tidings", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print one stable JSON value per line instead of text.
    #[arg(long, global = true)]
    pub json: bool,

    /// Act as the account of this profile (also `TIDINGS_PROFILE`)
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
    /// List and revoke your devices.
    #[command(subcommand, alias = "device")]
    Devices(DevicesCommand),
    /// Log in with accounts of others: link them, list and remove the links.
    #[command(subcommand, alias = "link")]
    Links(LinksCommand),
    /// List where you are logged in, end sessions, log other machines in.
    #[command(subcommand, alias = "session")]
    Sessions(SessionsCommand),
    /// Make, list and leave communities.
    #[command(subcommand, alias = "communities")]
    Community(CommunityCommand),
    /// List the members of a community, change roles, take people out.
    #[command(subcommand, alias = "member")]
    Members(MembersCommand),
    /// Make, list, join, leave, change and archive channels.
    #[command(subcommand, alias = "channels")]
    Channel(ChannelCommand),
    /// Make and accept invites.
    #[command(subcommand, alias = "invites")]
    Invite(InviteCommand),
    /// Make, list and delete bots.
    #[command(subcommand, alias = "bots")]
    Bot(BotCommand),
    /// Make, list and revoke the tokens of programs.
    #[command(subcommand, alias = "tokens")]
    Token(TokenCommand),
    /// Block and unblock people.
    #[command(subcommand, alias = "blocks")]
    Block(BlockCommand),
    Presence(PresenceOf),
    /// Say what others read beside your name.
    #[command(subcommand)]
    Status(StatusCommand),
    /// Let other programs post, and tell them what happens.
    #[command(subcommand, alias = "webhooks")]
    Webhook(WebhookCommand),
    Previews(Previews),
    Send(Send),
    Edit(Edit),
    Delete(Delete),
    React(React),
    Read(Read),
    Tail(Tail),
    Dm(Dm),
    Notifications(Notifications),
    /// Choose what calls you, and when you are not disturbed.
    #[command(subcommand)]
    Attention(AttentionCommand),
    /// Keep messages in the sight of a whole channel.
    #[command(subcommand, alias = "pins")]
    Pin(PinCommand),
    /// Keep messages for later, for yourself.
    #[command(subcommand, alias = "save")]
    Saved(SavedCommand),
    /// Keep what you have begun to write.
    #[command(subcommand, alias = "drafts")]
    Draft(DraftCommand),
    /// Report messages to those who keep order, and deal with reports.
    #[command(subcommand, alias = "reports")]
    Report(ReportCommand),
    Search(Search),
    Get(Get),
    Cmd(Cmd),
    Audit(Audit),
    Api(Api),
    /// Prove that exports are whole.
    #[command(subcommand)]
    Export(ExportCommand),
    /// What only the server's owner may do.
    #[command(subcommand)]
    Admin(AdminCommand),
    Completions(Completions),
    Man(Man),
}

impl Command {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::Register(command) => command.run(ctx).await,
            Self::Login(command) => command.run(ctx).await,
            Self::Logout(command) => command.run(ctx).await,
            Self::Whoami(command) => command.run(ctx).await,
            Self::Devices(command) => command.run(ctx).await,
            Self::Links(command) => command.run(ctx).await,
            Self::Sessions(command) => command.run(ctx).await,
            Self::Community(command) => command.run(ctx).await,
            Self::Members(command) => command.run(ctx).await,
            Self::Channel(command) => command.run(ctx).await,
            Self::Invite(command) => command.run(ctx).await,
            Self::Bot(command) => command.run(ctx).await,
            Self::Token(command) => command.run(ctx).await,
            Self::Block(command) => command.run(ctx).await,
            Self::Presence(command) => command.run(ctx).await,
            Self::Status(command) => command.run(ctx).await,
            Self::Webhook(command) => command.run(ctx).await,
            Self::Previews(command) => command.run(ctx).await,
            Self::Send(command) => command.run(ctx).await,
            Self::Edit(command) => command.run(ctx).await,
            Self::Delete(command) => command.run(ctx).await,
            Self::React(command) => command.run(ctx).await,
            Self::Read(command) => command.run(ctx).await,
            Self::Tail(command) => command.run(ctx).await,
            Self::Dm(command) => command.run(ctx).await,
            Self::Notifications(command) => command.run(ctx).await,
            Self::Attention(command) => command.run(ctx).await,
            Self::Pin(command) => command.run(ctx).await,
            Self::Saved(command) => command.run(ctx).await,
            Self::Draft(command) => command.run(ctx).await,
            Self::Report(command) => command.run(ctx).await,
            Self::Search(command) => command.run(ctx).await,
            Self::Get(command) => command.run(ctx).await,
            Self::Cmd(command) => command.run(ctx).await,
            Self::Audit(command) => command.run(ctx).await,
            Self::Api(command) => command.run(ctx).await,
            Self::Export(command) => command.run(ctx),
            Self::Admin(command) => command.run(ctx).await,
            Self::Completions(command) => command.run(ctx),
            Self::Man(command) => command.run(ctx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_says_what_it_said() {
        let mut pages = String::new();
        let mut root = Cli::command().term_width(100);
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

    /// The words of a command line as a shell would split it, up to its end or the next command.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in line.chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (None, '|' | '>' | '<') => break,
                (None, '#') if word.is_none() => break,
                (None, ' ') => words.extend(word.take()),
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    #[test]
    fn what_guides_and_examples_say_is_understood() {
        let guides = [
            include_str!("../../../README.md"),
            include_str!("../../../docs/guide/start.md"),
            include_str!("../../../docs/guide/terminal.md"),
            include_str!("../../../docs/guide/import.md"),
            include_str!("../../../docs/guide/bots.md"),
            include_str!("../../../docs/guide/operate.md"),
            include_str!("../../../docs/guide/data.md"),
            include_str!("../../../docs/guide/signin.md"),
        ];
        let mut lines: Vec<String> =
            guides.iter().flat_map(|guide| guide.lines()).map(str::to_owned).collect();
        let mut waiting = vec![Cli::command()];
        while let Some(command) = waiting.pop() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            // What stands far to the right of an example explains it.
            let examples = help.lines().filter_map(|line| line.strip_prefix("  "));
            lines.extend(examples.map(|line| line.split("   ").next().unwrap_or(line).to_owned()));
            waiting.extend(command.get_subcommands().cloned());
        }
        let mut understood = 0;
        for line in &lines {
            let line = line.trim_start_matches("$ ");
            let commands = line.split(" | ").map(str::trim_start);
            // What a shell computes, and what only a person can fill in, is not for us to read.
            let open = ["${", "CHANNEL", "CURSOR", "COMMAND"];
            let whole = |part: &&str| {
                part.starts_with("tidings ") && !open.iter().any(|word| part.contains(word))
            };
            for command in commands.filter(whole) {
                let read = Cli::try_parse_from(words(command));
                let told = read.err().map(|error| (error.kind(), error.to_string()));
                let fine = matches!(told, None | Some((ErrorKind::DisplayHelp, _)));
                assert!(fine, "{line}: {told:?}");
                understood += 1;
            }
        }
        assert!(understood > 80, "only {understood} commands were found");
    }

    #[test]
    fn every_command_explains_itself_with_an_example() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            let (mut leaves, mut waiting) = (Vec::new(), vec![command]);
            while let Some(next) = waiting.pop() {
                if !next.has_subcommands() {
                    leaves.push(next);
                }
                waiting.extend(next.get_subcommands());
            }
            for leaf in leaves {
                let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("tidings "), "{} {}", command.get_name(), leaf.get_name());
            }
        }
    }
}
