//! Progress bars, on a terminal; elsewhere nothing is drawn.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts `unit`s. `{msg}` stands before it.
pub(crate) fn bar(message: &'static str, unit: &str) -> ProgressBar {
    let template = format!(
        "{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit}, {{per_sec}}, {{eta}} left"
    );
    styled(message, &template)
}

/// A bar over bytes that are read.
pub(crate) fn bytes(message: &'static str) -> ProgressBar {
    styled(message, "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left")
}

fn styled(message: &'static str, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(message);
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
        for template in [
            "{msg} {wide_bar} {human_pos}/{human_len} entries, {per_sec}, {eta} left",
            "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
