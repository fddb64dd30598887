//! Progress bars, on a terminal; elsewhere nothing is drawn.

use indicatif::{ProgressBar, ProgressStyle};

use crate::ctx::Ctx;
use crate::output::sanitize;

const TEMPLATE: &str = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
const UNBOUNDED: &str = "{msg} {bytes}, {bytes_per_sec}";

/// A bar over the bytes of a file, on standard error when a person looks at it.
pub(crate) fn bytes(ctx: &Ctx, name: &str, size: Option<u64>) -> ProgressBar {
    if !ctx.out.notes_for_people {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(size) => (ProgressBar::new(size), TEMPLATE),
        None => (ProgressBar::no_length(), UNBOUNDED),
    };
    let bar = bar.with_message(sanitize::line(name).into_owned());
    // The templates are ours; were one wrong, the bar would merely look like indicatif's own.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_can_be_read() {
        for template in [TEMPLATE, UNBOUNDED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
