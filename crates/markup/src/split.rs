//! Bodies that are longer than a message may be.

use tidings_domain::message::BODY_MAX;

/// Room for the fence that closes a cut code block, and the one that opens it again.
const FENCE_ROOM: usize = 200;

/// Cuts a body into pieces of at most [`BODY_MAX`] characters, at ends of lines where that is
/// possible; a code block that is cut is closed and opened again.
pub fn split(body: &str) -> Vec<String> {
    split_at(body, BODY_MAX)
}

fn split_at(body: &str, max: usize) -> Vec<String> {
    if body.len() <= max || body.chars().count() <= max {
        return vec![body.to_owned()];
    }
    let room = max.saturating_sub(FENCE_ROOM).max(1);
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut length = 0;
    let mut fence: Option<String> = None;
    for line in body.split_inclusive('\n') {
        let mut rest = line;
        while !rest.is_empty() {
            let count = rest.chars().count();
            if length + count <= room {
                part.push_str(rest);
                length += count;
                break;
            }
            if length > 0 && count <= room {
                length = turn(&mut parts, &mut part, fence.as_deref());
                // The fence that opens the block again is within the room that was left for it.
                length = length.min(room.saturating_sub(count));
                continue;
            }
            // A line that is longer than a message is cut where the room ends.
            let cut = rest
                .char_indices()
                .nth(room.saturating_sub(length).max(1))
                .map_or(rest.len(), |(at, _)| at);
            let (head, tail) = rest.split_at_checked(cut).unwrap_or((rest, ""));
            part.push_str(head);
            rest = tail;
            length = turn(&mut parts, &mut part, fence.as_deref()).min(room.saturating_sub(1));
        }
        let mark = line.trim_end_matches('\n').trim_start_matches("> ");
        if mark.starts_with("```") {
            fence = match fence {
                Some(open)
                    if mark.trim_start_matches('`').is_empty() && mark.len() >= open.len() =>
                {
                    None
                }
                None if mark.trim_start_matches('`').is_empty() && mark.len() <= 60 => {
                    Some(mark.to_owned())
                }
                other => other,
            };
        }
    }
    if !part.trim().is_empty() {
        parts.push(part);
    }
    parts
}

/// Ends a part and begins the next; gives the length of what the next begins with.
fn turn(parts: &mut Vec<String>, part: &mut String, fence: Option<&str>) -> usize {
    let mut done = std::mem::take(part);
    done.truncate(done.trim_end_matches('\n').len());
    if let Some(fence) = fence {
        done.push('\n');
        done.push_str(fence);
        part.push_str(fence);
        part.push('\n');
    }
    if !done.trim().is_empty() {
        parts.push(done);
    }
    part.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_bodies_are_left_alone() {
        assert_eq!(split_at("a\nb", 300), ["a\nb"]);
    }

    #[test]
    fn long_bodies_are_cut_at_lines_and_code_is_opened_again() {
        let line = "x".repeat(149);
        let body = format!("{line}\n```\n{line}\n{line}\n```\nend");
        let parts = split_at(&body, 400);
        assert_eq!(
            parts,
            [
                format!("{line}\n```\n```"),
                format!("```\n{line}\n```"),
                format!("```\n{line}\n```\nend")
            ]
        );
    }

    proptest! {
        #[test]
        fn no_part_is_too_long_and_nothing_is_lost(
            body in r"([aé\n ]|```\n|\n```\n){0,500}", max in 300_usize..500
        ) {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
            let parts = split_at(&body, max);
            prop_assert!(parts.iter().all(|part| part.chars().count() <= max));
            prop_assert_eq!(parts.iter().map(|part| letters(part)).sum::<usize>(), letters(&body));
        }
    }
}
