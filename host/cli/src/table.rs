//! Tables in readable form.

use std::io;

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::{harmless, stderr, stdout};

/// What a column holds.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Number(&'static str),
    Text(&'static str),
}

/// Where a table is printed, which determines its width.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Stderr,
    Stdout,
}

/// A table that fits the terminal, indented by two.
pub(crate) fn table(target: Target, columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let bold = match target {
        Target::Stderr => {
            table.use_stderr();
            stderr::has_colour(&io::stderr())
        }
        Target::Stdout => stderr::has_colour(stdout::ours()),
    };
    table.set_header(columns.iter().map(|(Column::Number(name) | Column::Text(name))| {
        let cell = Cell::new(name);
        if bold { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>()));
    for (index, column) in columns.iter().enumerate() {
        if let Some(drawn) = table.column_mut(index) {
            drawn.set_padding((if index == 0 { 2 } else { 0 }, 2));
            if matches!(column, Column::Number(_)) {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.trim_fmt()
}

/// A text as a cell, in which a tab would take more room than the table knows.
fn cell(text: String) -> String {
    harmless::part(text).replace('\t', "\\t")
}
