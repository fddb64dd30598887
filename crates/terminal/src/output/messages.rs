//! Messages as people and programs read them.

use tidings_wire::message::Message;

use super::{Out, sanitize};
use crate::ctx::Ctx;
use crate::failure::Failure;
use crate::names::Names;

/// Prints a message: for people as a heading and its text, for programs as
/// `TIME AUTHOR SEQ ID BODY` with tabs between. `place` stands before the author (where the
/// message was found) and is its own field for programs.
pub(crate) fn print(
    ctx: &Ctx,
    names: &Names,
    message: &Message,
    place: Option<&str>,
) -> Result<(), Failure> {
    if !ctx.out.for_people {
        let time = message.created_at.to_string();
        let seq = message.seq.to_string();
        let id = message.id.to_string();
        let body = names.draw(&message.body);
        let mut fields = vec![time.as_str()];
        fields.extend(place);
        fields.extend([message.author.username.as_str(), &seq, &id, &body]);
        let fields: Vec<String> = fields.into_iter().map(sanitize::field).collect();
        return ctx.out.line(&fields.join("\t"));
    }
    ctx.out.line(&heading(ctx, message, place))?;
    for line in text(&ctx.out, names, message).lines() {
        ctx.out.line(&format!("  {line}"))?;
    }
    match traits(message) {
        Some(traits) => ctx.out.line(&ctx.out.dim(&format!("  {traits}"))),
        None => Ok(()),
    }
}

fn heading(ctx: &Ctx, message: &Message, place: Option<&str>) -> String {
    let author = sanitize::line(&message.author.username).into_owned();
    let bot = if message.author.bot { " (bot)" } else { "" };
    let place = place.map(|place| format!("{} ", sanitize::line(place))).unwrap_or_default();
    let reply = if message.parent_id.is_some() { "↳ " } else { "" };
    let about = format!("{} · {} · {}", ctx.show_time(message.created_at), message.seq, message.id);
    format!("{place}{reply}{}{bot}  {}", ctx.out.bold(&author), ctx.out.dim(&about))
}

/// The text as it is shown: what was said, or that it is gone.
pub(crate) fn text(out: &Out, names: &Names, message: &Message) -> String {
    if message.deleted {
        return out.dim("(deleted)");
    }
    let body = names.draw(&message.body);
    if message.format == "me" {
        return format!("* {} {body}", sanitize::line(&message.author.username));
    }
    body
}

/// What else there is to a message: replies, reactions, that it was edited.
fn traits(message: &Message) -> Option<String> {
    let mut traits = Vec::new();
    match message.reply_count {
        0 => {}
        1 => traits.push("1 reply".to_owned()),
        count => traits.push(format!("{count} replies")),
    }
    for reaction in &message.reactions {
        let mine = if reaction.me == Some(true) { "*" } else { "" };
        traits.push(format!("{} {}{mine}", sanitize::line(&reaction.emoji), reaction.count));
    }
    if message.edited_at.is_some() && !message.deleted {
        traits.push("edited".to_owned());
    }
    if message.pinned {
        traits.push("pinned".to_owned());
    }
    if !message.attachments.is_empty() {
        let names: Vec<_> =
            message.attachments.iter().map(|file| sanitize::line(&file.filename)).collect();
        traits.push(format!("files: {}", names.join(", ")));
    }
    traits.extend(message.previews.iter().map(|preview| {
        format!("{}: {}", sanitize::line(&preview.site), sanitize::line(&preview.title))
    }));
    (!traits.is_empty()).then(|| traits.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        serde_json::from_value(serde_json::json!({
            "author": {"bot": false, "display_name": "Ana", "id": "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a01", "username": "ana"},
            "body": "hello", "body_html": "<p>hello</p>",
            "channel_id": "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a02",
            "created_at": "2026-11-20T09:28:53.123Z", "deleted": false, "format": "text",
            "id": "0193a0c2-7b5e-7c3a-9f10-8e2d4c6b8a03", "mentions": [], "pinned": false,
            "reactions": [{"count": 2, "emoji": "👍", "me": true}], "reply_count": 3, "seq": 12,
            "edited_at": "2026-11-20T09:29:00.000Z"
        }))
        .unwrap()
    }

    #[test]
    fn threads_reactions_and_edits_are_indicated() {
        assert_eq!(traits(&message()).unwrap(), "3 replies · 👍 2* · edited");
        let plain = Message { reply_count: 0, reactions: Vec::new(), edited_at: None, ..message() };
        assert_eq!(traits(&plain), None);
    }

    #[test]
    fn deleted_messages_say_so() {
        let out = Out::new(Box::new(std::io::sink()), Box::new(std::io::sink()));
        let gone = Message { deleted: true, body: String::new(), ..message() };
        assert_eq!(text(&out, &Names::default(), &gone), "(deleted)");
        let me = Message { format: "me".to_owned(), ..message() };
        assert_eq!(text(&out, &Names::default(), &me), "* ana hello");
    }
}
