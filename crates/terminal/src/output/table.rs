//! Rows: aligned under headings for people, with tabs between fields for programs.

use unicode_width::UnicodeWidthStr;

use super::{Out, sanitize};
use crate::failure::Failure;

/// Rows with one heading for each column.
pub(crate) struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) const fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// Adds a row; its text may come from anywhere.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// Prints it, headings only for people. `empty` is what people read when there are no rows.
    pub(crate) fn print(&self, out: &Out, empty: &str) -> Result<(), Failure> {
        if !out.for_people {
            return self.rows.iter().try_for_each(|row| {
                let fields: Vec<String> = row.iter().map(|cell| sanitize::field(cell)).collect();
                out.line(&fields.join("\t"))
            });
        }
        if self.rows.is_empty() {
            return out.line(empty);
        }
        let (headings, rows) = self.aligned();
        if !headings.is_empty() {
            out.line(&out.dim(&headings))?;
        }
        rows.iter().try_for_each(|row| out.line(row))
    }

    fn aligned(&self) -> (String, Vec<String>) {
        let clean: Vec<[String; N]> = self
            .rows
            .iter()
            .map(|row| row.each_ref().map(|cell| sanitize::line(cell).into_owned()))
            .collect();
        let mut widths = self.headings.map(UnicodeWidthStr::width);
        for row in &clean {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let join = |cells: &[&str]| {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            line.trim_end().to_owned()
        };
        let rows = clean.iter().map(|row| join(&row.each_ref().map(String::as_str))).collect();
        (join(&self.headings), rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_the_eye_sees() {
        let mut table = Table::new(["NAME", "N"]);
        table.row(["日本".to_owned(), "1".to_owned()]);
        table.row(["general".to_owned(), "22".to_owned()]);
        let (headings, rows) = table.aligned();
        assert_eq!(headings, "NAME     N");
        assert_eq!(rows, ["日本     1", "general  22"]);
    }
}
