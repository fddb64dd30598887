//! The send queue as the person sees it.

use tidings_client::outbox::{Drained, Outcome};

use crate::ctx::{Ctx, Session};
use crate::failure::Why as _;
use crate::output::sanitize;

/// Sends what waits, and tells about it on standard error. That it does not work yet is told only
/// by the command that was asked for: it meets the same trouble.
pub(crate) async fn drain(ctx: &Ctx, session: &Session) {
    match session.outbox.drain(&session.client).await {
        Ok(Drained { outcomes, .. }) => report(ctx, &outcomes),
        Err(error) => {
            let failure = error.why("send what waits in the queue");
            ctx.out.note(&format!("warning: {}", failure.line));
        }
    }
}

/// Tells what became of messages that had been waiting.
pub(crate) fn report(ctx: &Ctx, outcomes: &[Outcome]) {
    for outcome in outcomes {
        match outcome {
            Outcome::Sent { queued, .. } => ctx.out.note(&format!(
                "sent to {}, written {}: {}",
                queued.target,
                ctx.show_time(queued.queued_at),
                excerpt(&queued.body)
            )),
            Outcome::Refused { queued, error, kept_at } => {
                ctx.out.note(&format!(
                    "a message to {}, written {}, was refused: {error}",
                    queued.target,
                    ctx.show_time(queued.queued_at),
                ));
                ctx.out.note(&format!("  next: its text is kept in {}", kept_at.display()));
            }
            _ => {}
        }
    }
}

/// The beginning of a message, enough to know which one it is.
fn excerpt(body: &str) -> String {
    const LENGTH: usize = 40;
    let line = sanitize::line(body.lines().next().unwrap_or_default()).into_owned();
    if line.chars().count() <= LENGTH && body.lines().count() <= 1 {
        return line;
    }
    let cut: String = line.chars().take(LENGTH).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(excerpt("hello"), "hello");
        assert_eq!(excerpt("first\nsecond"), "first…");
        assert_eq!(excerpt(&"é".repeat(50)), format!("{}…", "é".repeat(40)));
        assert_eq!(excerpt(""), "");
    }
}
