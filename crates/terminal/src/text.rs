//! The text of a message as it is given on the command line.

use crate::ctx::Ctx;
use crate::failure::Failure;

/// `given`, or standard input for `-` and, unless a person would have to type it, for nothing.
/// The line feed at the end of what was piped in belongs to the pipe, not to the message.
pub(crate) fn from_args(ctx: &Ctx, given: Option<String>) -> Result<String, Failure> {
    match given {
        Some(text) if text != "-" => Ok(text),
        None if ctx.typed => Err(Failure::usage("there is no text")
            .next("write it in quotes, or - to read it from standard input")),
        _ => {
            let mut text = ctx.read_input()?;
            if text.ends_with('\n') {
                text.pop();
                if text.ends_with('\r') {
                    text.pop();
                }
            }
            Ok(text)
        }
    }
}
