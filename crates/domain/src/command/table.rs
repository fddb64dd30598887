//! Every command that the server itself knows.

use super::{Arg, ArgKind, Spec};
use crate::community::Role;

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg { name, kind, required: true }
}

const fn maybe(name: &'static str, kind: ArgKind) -> Arg {
    Arg { name, kind, required: false }
}

const fn spec(name: &'static str, role: Role, args: &'static [Arg], summary: &'static str) -> Spec {
    Spec { name, summary, args, role, direct: false }
}

const fn anywhere(name: &'static str, args: &'static [Arg], summary: &'static str) -> Spec {
    Spec { direct: true, ..spec(name, Role::Member, args, summary) }
}

/// Every command, by name.
pub const COMMANDS: &[Spec] = &[
    spec("archive", Role::Admin, &[], "Make this channel read-only"),
    spec(
        "ban",
        Role::Admin,
        &[
            arg("user", ArgKind::User),
            maybe("time", ArgKind::Duration),
            maybe("reason", ArgKind::Text),
        ],
        "Shut somebody out of the community",
    ),
    anywhere("help", &[maybe("command", ArgKind::Command)], "Show what you can do here"),
    spec("invite", Role::Member, &[arg("user", ArgKind::User)], "Add somebody to this channel"),
    spec("join", Role::Member, &[arg("channel", ArgKind::Channel)], "Join a channel"),
    spec("kick", Role::Admin, &[arg("user", ArgKind::User)], "Take somebody out of the community"),
    spec("leave", Role::Member, &[], "Leave this channel"),
    anywhere("me", &[arg("text", ArgKind::Text)], "Say what you do"),
    anywhere(
        "msg",
        &[arg("user", ArgKind::User), arg("text", ArgKind::Text)],
        "Send somebody a direct message",
    ),
    spec(
        "mute",
        Role::Admin,
        &[
            arg("user", ArgKind::User),
            maybe("time", ArgKind::Duration),
            maybe("reason", ArgKind::Text),
        ],
        "Keep somebody from writing in the community",
    ),
    spec(
        "nick",
        Role::Member,
        &[maybe("name", ArgKind::Text)],
        "Change what you are called here; without a name, back to normal",
    ),
    anywhere(
        "poll",
        &[arg("question", ArgKind::Text), arg("options", ArgKind::Texts)],
        "Ask a question with answers to choose from, each in quotes",
    ),
    spec(
        "purge",
        Role::Admin,
        &[maybe("user", ArgKind::User), maybe("number", ArgKind::Number)],
        "Delete the newest messages here, of everybody or of one person",
    ),
    anywhere(
        "remind",
        &[arg("time", ArgKind::Duration), arg("text", ArgKind::Text)],
        "Remind yourself of something later",
    ),
    anywhere(
        "remind cancel",
        &[arg("number", ArgKind::Number)],
        "Forget a reminder, by its number in the list",
    ),
    anywhere("remind list", &[], "Show what you will be reminded of"),
    spec("rename", Role::Admin, &[arg("name", ArgKind::Text)], "Give this channel another name"),
    spec(
        "role",
        Role::Owner,
        &[arg("user", ArgKind::User), arg("role", ArgKind::Role)],
        "Make somebody owner, admin or member",
    ),
    anywhere("shrug", &[maybe("text", ArgKind::Text)], "Say that nothing can be done about it"),
    anywhere(
        "status",
        &[maybe("text", ArgKind::Text)],
        "Set your status; without a text, clear it",
    ),
    anywhere(
        "token create",
        &[
            arg("name", ArgKind::Word),
            arg("scopes", ArgKind::Text),
            maybe("time", ArgKind::Duration),
        ],
        "Make a token with which a program acts as you",
    ),
    anywhere("token list", &[], "Show your tokens"),
    anywhere("token revoke", &[arg("id", ArgKind::Word)], "End a token"),
    spec(
        "topic",
        Role::Admin,
        &[maybe("text", ArgKind::Text)],
        "Say what this channel is about; without a text, nothing",
    ),
    spec("unban", Role::Admin, &[arg("user", ArgKind::User)], "Let somebody come back"),
    spec("unmute", Role::Admin, &[arg("user", ArgKind::User)], "Let somebody write again"),
    spec(
        "webhook create",
        Role::Admin,
        &[maybe("channel", ArgKind::Channel), arg("name", ArgKind::Text)],
        "Make an address at which a program posts into this channel or another",
    ),
    spec(
        "webhook list",
        Role::Admin,
        &[maybe("channel", ArgKind::Channel)],
        "Show the webhooks of this channel or another",
    ),
    spec("webhook revoke", Role::Admin, &[arg("id", ArgKind::Word)], "End a webhook"),
];
