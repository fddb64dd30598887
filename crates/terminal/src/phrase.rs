//! The recovery phrase between the program and a person: drawn, shown once, checked, read back.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use tidings_identity::Phrase;
use zeroize::Zeroizing;

use crate::ctx::Ctx;
use crate::failure::Failure;
use crate::profile;

/// How many words the person is asked for.
const ASKED: usize = 3;

/// Most bytes of a file that may be a phrase: 24 words of 8 letters are 216 bytes.
const FILE_MAX: u64 = 4096;

/// 32 random bytes from the operating system.
pub(crate) fn draw_seed() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    OsRng.try_fill_bytes(&mut *seed).map_err(|error| {
        Failure::new(format!("the operating system gives no random bytes: {error}"))
    })?;
    Ok(seed)
}

/// Shows the words: this is the only time.
pub(crate) fn show(ctx: &Ctx, phrase: &Phrase) -> Result<(), Failure> {
    ctx.out.note("This is your recovery phrase. Write it down; nobody can give it to you again.");
    ctx.out.note("Whoever has it is you. Without it a lost device is a lost account.");
    if !ctx.out.for_people {
        return ctx.out.line(&phrase.to_text());
    }
    let words: Vec<&str> = phrase.words().collect();
    for (row, chunk) in words.chunks(6).enumerate() {
        let mut line = Zeroizing::new(String::with_capacity(96));
        for (column, word) in chunk.iter().enumerate() {
            let number = row * 6 + column + 1;
            // Writing to a string cannot fail.
            let _ = write!(line, "{number:>4} {word:<9}");
        }
        ctx.out.line(line.trim_end())?;
    }
    Ok(())
}

/// Writes the words into a new file (0600); one that holds these very words already will do.
pub(crate) fn write(path: &Path, phrase: &Phrase) -> Result<(), Failure> {
    let mut text = phrase.to_text();
    text.push('\n');
    match profile::write_new(path, text.as_bytes()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if read_file(path).is_ok_and(|there| there == *phrase) {
                return Ok(());
            }
            Err(Failure::usage(format!(
                "{} is there already; it is not overwritten",
                path.display()
            ))
            .next("choose another file for --phrase-out"))
        }
        Err(error) => {
            Err(Failure::new(format!("cannot write the phrase to {}: {error}", path.display()))
                .next("choose another file for --phrase-out"))
        }
    }
}

/// Asks for three of the words until they are right. Gives whether they were; an empty answer
/// puts the check off where that is allowed.
pub(crate) fn check(ctx: &Ctx, phrase: &Phrase, may_postpone: bool) -> Result<bool, Failure> {
    let numbers = draw_numbers(phrase.words().count())?;
    let later = if may_postpone { ", or press Enter to do this later" } else { "" };
    ctx.out.note(&format!("To be sure that it is written down, type three of the words{later}."));
    for number in numbers {
        loop {
            ctx.out.ask(&format!("word {number}: "));
            let Some(answer) = ctx.read_line()?.map(Zeroizing::new) else { return Ok(false) };
            if may_postpone && answer.trim().is_empty() {
                return Ok(false);
            }
            if phrase.has_word(number, &answer) {
                break;
            }
            ctx.out.note(&format!("that is not word {number}; look at what you wrote down"));
        }
    }
    Ok(true)
}

/// Three different places of `count`, from 1, ascending.
fn draw_numbers(count: usize) -> Result<Vec<usize>, Failure> {
    let seed = draw_seed()?;
    let mut places: Vec<usize> = (1..=count).collect();
    let mut drawn = Vec::new();
    for byte in seed.iter().take(ASKED) {
        if !places.is_empty() {
            drawn.push(places.remove(usize::from(*byte) % places.len()));
        }
    }
    drawn.sort_unstable();
    Ok(drawn)
}

/// Reminds a person of a check that was put off, until it is done.
pub(crate) fn remind(ctx: &Ctx) {
    let unchecked = |account: profile::Account| account.phrase_unchecked;
    if ctx.out.notes_for_people && ctx.profile.account().ok().flatten().is_some_and(unchecked) {
        ctx.out
            .note("reminder: your recovery phrase is not checked yet; `tidings login` does that");
    }
}

/// Reads a phrase from a file, or from whoever or whatever is at standard input for `-` or nothing.
pub(crate) fn read(ctx: &Ctx, file: Option<&Path>) -> Result<Phrase, Failure> {
    match file {
        Some(path) if path != Path::new("-") => read_file(path),
        _ => ask(ctx),
    }
}

/// Reads a phrase from a file.
fn read_file(path: &Path) -> Result<Phrase, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(512));
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_MAX).read_to_string(&mut text))
        .map_err(|error| {
            Failure::usage(format!("cannot read the phrase from {}: {error}", path.display()))
                .next("check the name given with --phrase-file")
        })?;
    parse(&text)
}

/// Reads a phrase from whoever or whatever is at standard input.
fn ask(ctx: &Ctx) -> Result<Phrase, Failure> {
    if !ctx.typed {
        return parse(&Zeroizing::new(ctx.read_input()?));
    }
    ctx.out.note("Type your recovery phrase; it is not shown.");
    let text = rpassword::prompt_password("phrase: ")
        .map_err(|error| Failure::new(format!("cannot read the phrase: {error}")))?;
    parse(&Zeroizing::new(text))
}

fn parse(text: &str) -> Result<Phrase, Failure> {
    Phrase::parse(text).map_err(|error| {
        Failure::new(format!("this is no recovery phrase: {error}"))
            .next("compare it word by word with what you wrote down")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn phrase() -> Phrase {
        Phrase::from_seed(&[0; 32])
    }

    #[test]
    fn the_asked_words_are_three_different_ones() {
        for _ in 0..200 {
            let numbers = draw_numbers(24).unwrap();
            assert_eq!(numbers.len(), 3);
            assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
            assert!(numbers.iter().all(|number| (1..=24).contains(number)));
        }
    }

    #[test]
    fn a_phrase_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("phrase");
        write(&path, &phrase()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_file(&path).unwrap(), phrase());
        write(&path, &phrase()).unwrap();
        let other = write(&path, &Phrase::from_seed(&[1; 32])).unwrap_err();
        assert!(other.line.contains("not overwritten"), "{}", other.line);
        assert_eq!(read_file(&path).unwrap(), phrase());
    }

    #[test]
    fn a_wrong_word_is_named() {
        let text = format!("{}abut", "abandon ".repeat(23));
        assert_eq!(
            parse(&text).unwrap_err().line,
            "this is no recovery phrase: word 24 is not in the word list; did you mean \"about\"?"
        );
    }
}
