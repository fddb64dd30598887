//! Bodies of imports: references of the source become ours, and nothing else is a reference.

use std::collections::HashMap;

use tidings_domain::{ChannelId, Mention, UserId};
use tidings_wire::import::{Reference, References};

use crate::render::{self, Resolve};

/// How today's names of what an import refers to are drawn.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) users: HashMap<UserId, String>,
    pub(super) channels: HashMap<ChannelId, String>,
}

impl Resolve for Named {
    fn user_by_name(&self, _: &str) -> Option<(UserId, String)> {
        None
    }
    fn user(&self, id: UserId) -> Option<String> {
        self.users.get(&id).cloned()
    }
    fn channel_by_name(&self, _: &str) -> Option<(ChannelId, String)> {
        None
    }
    fn channel(&self, id: ChannelId) -> Option<String> {
        self.channels.get(&id).cloned()
    }
}

/// Writes our references in place of the source's, outside of code. What `resolve` does not know
/// stays as it is.
pub(super) fn translate(
    body: &str,
    mut resolve: impl FnMut(Reference<'_>) -> Option<Mention>,
) -> String {
    if !body.contains(['@', '#']) {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len() + 64);
    let mut from = 0;
    for range in render::prose(body) {
        let (start, text) = (range.start, body.get(range).unwrap_or_default());
        for (at, reference) in References::new(text) {
            if let Some(mention) = resolve(reference) {
                out.push_str(body.get(from..start + at.start).unwrap_or_default());
                out.push_str(&mention.to_string());
                from = start + at.end;
            }
        }
    }
    out.push_str(body.get(from..).unwrap_or_default());
    out
}

/// `base`, then `base-2`, `base-3`, …, each of at most `max` characters and ending with a letter
/// or digit.
pub(super) fn candidates(base: &str, max: usize) -> impl Iterator<Item = String> {
    (1_u32..).map(move |n| {
        if n == 1 {
            return base.to_owned();
        }
        let suffix = format!("-{n}");
        let room = max.saturating_sub(suffix.len());
        let head: String = base.chars().take(room).collect();
        format!("{}{suffix}", head.trim_end_matches(['.', '_', '-']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_ours_outside_of_code_only() {
        let ana = UserId(uuid::Uuid::from_u128(1));
        let body = "hi @{user:s:U_1}, `@{user:s:U_1}` and @{user:s:U2} @{here} @ana\n\n    @{here}";
        let out = translate(body, |reference| match reference {
            Reference::User("s:U_1") => Some(Mention::User(ana)),
            Reference::Here => Some(Mention::Here),
            _ => None,
        });
        assert_eq!(
            out,
            format!(
                "hi @<user:{ana}>, `@{{user:s:U_1}}` and @{{user:s:U2}} @<here> @ana\n\n    @{{here}}"
            )
        );
    }

    #[test]
    fn taken_names_get_the_next_number_and_stay_short() {
        let names: Vec<String> = candidates("ana", 32).take(3).collect();
        assert_eq!(names, ["ana", "ana-2", "ana-3"]);
        let names: Vec<String> = candidates("abc-def", 6).take(2).collect();
        assert_eq!(names, ["abc-def", "abc-2"]);
    }
}
