use serde_json::json;

use crate::export::{Export, person, said};

#[test]
fn users_come_with_valid_unique_and_stable_names() {
    let users = json!([
        person("U5", "Ana"),
        person("U4", "ana"),
        person("U3", "_x_"),
        {"id": "U2", "name": "gone", "deleted": true, "is_bot": false, "profile": null},
        {"id": "U1", "name": "ci", "is_bot": true, "real_name": "CI", "profile": {"bot_id": "B1"}},
    ]);
    let outcome = Export::new()
        .file("users.json", &users)
        .day(&json!([said("1517449891.000001", "built", json!({"user": null, "bot_id": "B1"}))]))
        .read();
    let seen: Vec<_> = outcome
        .users()
        .iter()
        .map(|it| (it.source_id.as_str(), it.username.as_str(), it.display_name.as_str(), it.bot))
        .collect();
    assert_eq!(
        seen,
        [
            ("slack:U1", "ci", "CI", true),
            ("slack:U2", "gone", "gone", false),
            ("slack:U4", "ana", "ana shown", false),
            ("slack:U3", "x", "_x_ shown", false),
            ("slack:U5", "ana-2", "Ana shown", false),
        ]
        .map(|(id, name, shown, bot)| (id.replace("slack", "slack:T1"), name, shown, bot))
        .each_ref()
        .map(|(id, name, shown, bot)| (id.as_str(), *name, *shown, *bot))
    );
    assert!(outcome.users()[1].disabled);
    // The bot is in the list of users, so its messages are by that account.
    assert_eq!(outcome.messages()[0].author.as_str(), "slack:T1:U1");
    assert_eq!((outcome.report.users, outcome.report.ghosts, outcome.report.bots), (5, 0, 1));
}

#[test]
fn strangers_become_ghosts_before_anything_names_them() {
    let outcome = Export::new()
        .day(&json!([
            said("1517449891.000001", "<@U9> and <@U8>", json!({})),
            said("1517449891.000002", "a", json!({"user": "U9", "user_profile": {"name": "zoe", "display_name": "Zoë"}})),
            said("1517449891.000003", "b", json!({"subtype": "bot_message", "user": null, "bot_id": "B7", "username": "Git Hub"})),
            said("1517449891.000004", "c", json!({"subtype": "bot_message", "user": null, "bot_id": "B7", "username": "Other_"})),
            said("1517449891.000005", "d", json!({"user": null})),
            said("1517449891.000006", "e", json!({"user": "USLACKBOT"})),
            said("1517449891.000007", "<@U6> commented on <@U1>’s file: f", json!({"user": null, "subtype": "file_comment"})),
        ]))
        .read();
    let ghosts: Vec<_> = outcome
        .users()
        .iter()
        .skip(2)
        .map(|it| {
            (it.source_id.to_string(), it.username.as_str(), it.display_name.as_str(), it.bot)
        })
        .collect();
    let id = |id: &str| format!("slack:T1:{id}");
    assert_eq!(
        ghosts,
        [
            (id("B7"), "git-hub", "Git Hub", true),
            (id("U6"), "user-u6", "U6", false),
            (id("U9"), "zoe", "Zoë", false),
            (id("USLACKBOT"), "slackbot", "Slackbot", true),
            (id("unknown"), "user-unknown", "Unknown", false),
        ]
    );
    assert_eq!((outcome.report.ghosts, outcome.report.bots), (5, 2));
    let authors: Vec<_> = outcome.messages().iter().map(|it| it.author.to_string()).collect();
    assert_eq!(authors, ["U1", "U9", "B7", "B7", "unknown", "USLACKBOT", "U6"].map(id));
    let bodies = outcome.bodies();
    // Nobody knows U8, and a bot that speaks for another says so.
    assert_eq!(bodies[0], "@{user:slack:T1:U9} and @U8");
    assert_eq!(bodies[2..4], ["b", "**Other\\_**: c"]);
}

#[test]
fn people_of_other_workspaces_do_not_name_this_one() {
    let mut guest = person("U0", "guest");
    guest["team_id"] = json!("T0");
    let outcome = Export::new()
        .file("users.json", &json!([guest, person("U1", "ana"), person("U2", "bo")]))
        .read();
    assert_eq!(outcome.users()[0].source_id.as_str(), "slack:T1:U0");
}
