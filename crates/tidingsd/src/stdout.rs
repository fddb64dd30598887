//! What the program says to who started it, as opposed to its log.

use std::fmt;
use std::io::{self, Write as _};

/// Prints a line.
pub(crate) fn say(line: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Prints one JSON value on a line.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    io::stdout().lock().write_all(&line)?;
    Ok(())
}

/// Rows under a head, in columns that are as wide as their widest cell. The last column is not
/// padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut cells = cells.zip(&widths).peekable();
        while let Some((cell, width)) = cells.next() {
            text.push_str(cell);
            if cells.peek().is_some() {
                let missing = width.saturating_sub(cell.chars().count());
                text.extend(std::iter::repeat_n(' ', missing + 2));
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    };
    if head.iter().any(|cell| !cell.is_empty()) {
        line(&mut head.iter().copied());
    }
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["ana".to_owned(), "Ana".to_owned()], vec!["é".to_owned(), "É".to_owned()]];
        assert_eq!(table(&["NAME", "SHOWN"], &rows), "NAME  SHOWN\nana   Ana\né     É\n");
        assert_eq!(table(&["", ""], &rows), "ana  Ana\né    É\n");
    }
}
