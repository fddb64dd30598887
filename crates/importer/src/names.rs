//! Valid, unique names out of whatever another chat allowed.

use std::collections::HashSet;

use tidings_domain::name;

/// Names that are already given, so that no two things get the same one.
#[derive(Debug, Default)]
pub(crate) struct Taken(HashSet<String>);

impl Taken {
    /// With these names kept free.
    pub(crate) fn reserving(names: &[&str]) -> Self {
        Self(names.iter().map(|&name| name.to_owned()).collect())
    }

    /// Gives `name`, or the first free of `name-2`, `name-3`, …, cut so that it stays within `max`
    /// characters.
    pub(crate) fn take(&mut self, name: &str, max: usize) -> String {
        let mut candidate = name.to_owned();
        let mut number = 1_u64;
        while !self.0.insert(candidate.clone()) {
            number += 1;
            let suffix = format!("-{number}");
            let stem: String = name.chars().take(max.saturating_sub(suffix.len())).collect();
            candidate = format!("{}{suffix}", stem.trim_end_matches(['-', '_', '.']));
        }
        candidate
    }
}

/// The nearest username to `wish`; `fallback`, made valid in the same way, when nothing of it is
/// left.
pub(crate) fn username(wish: &str, fallback: &str) -> String {
    let shape = |text: &str| {
        let mut out = String::new();
        for c in text.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
                out.push(c);
            } else if !out.ends_with('-') {
                out.push('-');
            }
        }
        let ends = |c: char| !c.is_ascii_alphanumeric();
        let cut: String = out.trim_start_matches(ends).chars().take(name::USERNAME_MAX).collect();
        cut.trim_end_matches(ends).to_owned()
    };
    let first = shape(wish);
    let name = if first.is_empty() { shape(fallback) } else { first };
    if name::username(&name).is_ok() { name } else { "user".to_owned() }
}

/// The nearest channel name to `wish`.
pub(crate) fn channel(wish: &str, fallback: &str) -> String {
    let shape = |text: &str| {
        let mut out = String::new();
        // Some capitals have no lower case; they become dashes like every other foreign character.
        for c in text.trim().to_lowercase().chars() {
            if (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_' | '.') {
                out.push(c);
            } else if !out.ends_with('-') {
                out.push('-');
            }
        }
        out.chars().take(name::CHANNEL_NAME_MAX).collect::<String>()
    };
    [wish, fallback]
        .into_iter()
        .map(shape)
        .find(|name| name::channel(name).is_ok() && name.chars().any(char::is_alphanumeric))
        .unwrap_or_else(|| "channel".to_owned())
}

/// The first of the wishes that has something to show, without hidden characters, cut to `max`.
pub(crate) fn display<'a>(wishes: impl IntoIterator<Item = &'a str>, max: usize) -> Option<String> {
    wishes.into_iter().find_map(|wish| {
        let seen: String = wish
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            // The rule is asked about each character: it knows which ones cannot be seen.
            .filter(|c| *c == ' ' || name::display(c.encode_utf8(&mut [0; 4]), 1).is_ok())
            .collect();
        let cut: String = seen.trim().chars().take(max).collect();
        name::display(&cut, max).ok().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usernames_stay_near_to_what_people_were_called() {
        for (wish, given) in [
            ("ana", "ana"),
            ("Ana B.", "ana-b"),
            ("_dev_", "dev"),
            ("josé", "jos"),
            ("日本", "u1"),
            ("a  b", "a-b"),
            ("-", "u1"),
            (&"x".repeat(40), &"x".repeat(32)),
        ] {
            assert_eq!(username(wish, "U1"), given);
        }
    }

    #[test]
    fn taken_names_get_a_number() {
        let mut taken = Taken::reserving(&["general"]);
        assert_eq!(taken.take("general", 80), "general-2");
        assert_eq!(taken.take("general", 80), "general-3");
        let long = "x".repeat(32);
        assert_eq!(taken.take(&long, 32), long);
        assert_eq!(taken.take(&long, 32), format!("{}-2", "x".repeat(30)));
    }

    #[test]
    fn channel_and_display_names_are_made_valid() {
        assert_eq!(channel("Off Topic!", "C1"), "off-topic-");
        assert_eq!(channel("日本語", "C1"), "日本語");
        assert_eq!(channel("!!", "C1"), "c1");
        assert_eq!(display(["", "\u{202e}", " Ana\tB\u{200b}. "], 64).as_deref(), Some("Ana B."));
        assert_eq!(display(["\u{0}"], 64), None);
    }

    proptest! {
        #[test]
        fn every_wish_gives_a_valid_name(wish in any::<String>()) {
            prop_assert!(name::username(&username(&wish, "U0")).is_ok());
            prop_assert!(name::channel(&channel(&wish, "C0")).is_ok());
            if let Some(display) = display([wish.as_str()], 64) {
                prop_assert!(name::display(&display, 64).is_ok());
            }
        }
    }
}
