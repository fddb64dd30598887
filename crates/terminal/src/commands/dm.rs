//! `tidings dm`.

use clap::Args;
use tidings_client::outbox::Outgoing;
use tidings_client::{ChannelRef, PersonRef};
use tidings_domain::ChannelId;

use super::send::send;
use crate::ctx::Ctx;
use crate::failure::{Explain, Failure};
use crate::text;

/// Open the direct messages with one or more people, and say something if you like.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidings dm @ana 'lunch?'
  tidings dm @ana @bob 'lunch, all three of us?'
  tidings dm @ana @bob              prints the conversation's id
  tidings dm @ana - < notes.md")]
pub(crate) struct Dm {
    /// The people, each with @ or as an id, then the text; - reads it from standard input.
    #[arg(required = true, value_name = "@PERSON… [TEXT]")]
    words: Vec<String>,
}

impl Dm {
    pub(crate) async fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (people, words) = split(&self.words)?;
        let session = ctx.session_as_it_is()?;
        if let ([person], Some(words)) = (&*people, &words) {
            let target = ChannelRef::Person(person.clone());
            let body = text::from_args(ctx, Some(words.clone()))?;
            return send(ctx, &session, &Outgoing { target, body, parent_id: None }).await;
        }
        let mut users = Vec::new();
        for person in &people {
            users
                .push(session.client.resolve_person(person).await.cannot("open the conversation")?);
        }
        let channel = session.client.open_dm(&users).await.cannot("open the conversation")?;
        let Some(words) = words else {
            crate::queue::drain(ctx, &session).await;
            if ctx.json {
                return ctx.out.json(&channel);
            }
            return ctx.out.line(&channel.id.to_string());
        };
        let target = ChannelRef::Id(ChannelId(channel.id));
        let body = text::from_args(ctx, Some(words))?;
        send(ctx, &session, &Outgoing { target, body, parent_id: None }).await
    }
}

/// The people at the beginning, and the one text that may follow.
fn split(words: &[String]) -> Result<(Vec<PersonRef>, Option<String>), Failure> {
    let names = words.iter().take_while(|word| word.parse::<PersonRef>().is_ok()).count();
    let (people, rest) = words.split_at_checked(names).unwrap_or((words, &[]));
    let people: Vec<PersonRef> = people.iter().filter_map(|word| word.parse().ok()).collect();
    match rest {
        _ if people.is_empty() => Err(Failure::usage("with whom? The first word names nobody")
            .next("write people with @, for example: tidings dm @ana 'hello'")),
        [] => Ok((people, None)),
        [text] => Ok((people, Some(text.clone()))),
        _ => Err(Failure::usage("the text must be one word for the shell")
            .next("put it in quotes: tidings dm @ana 'hello there'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(words: &[&str]) -> Option<(usize, Option<String>)> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        split(&words).ok().map(|(people, text)| (people.len(), text))
    }

    #[test]
    fn people_come_first_and_one_text_may_follow() {
        assert_eq!(parts(&["@ana"]), Some((1, None)));
        assert_eq!(parts(&["@ana", "hi"]), Some((1, Some("hi".to_owned()))));
        assert_eq!(
            parts(&["@ana", "@bob", "@Carl is late"]),
            Some((2, Some("@Carl is late".to_owned())))
        );
        assert_eq!(parts(&["@ana", "-"]), Some((1, Some("-".to_owned()))));
        assert_eq!(parts(&["hi"]), None);
        assert_eq!(parts(&["@ana", "two", "words"]), None);
    }
}
