//! A few rows of a table as text within a width, or as a small HTML table.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchReader};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::screen::screen;

const HEAD: &str = "<th style=\"text-align:right;padding:2px 10px;white-space:nowrap;\
                    border-bottom:1px solid rgba(128,128,128,.6)\">";
const CELL: &str = "<td style=\"text-align:right;padding:2px 10px;white-space:nowrap;\
                    font-variant-numeric:tabular-nums\">";

const GAP: &str = "<td style=\"text-align:left;padding:2px 10px;opacity:.7\" colspan=";

/// Cells of the rows to show, with the number of rows left out in the middle.
pub struct Grid {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Rows shown before the gap, and how many the gap leaves out.
    gap: Option<(usize, usize)>,
}

impl Grid {
    /// The first and last rows of the batches, `shown` in all.
    pub fn of_batches(
        schema: &SchemaRef,
        batches: Box<dyn RecordBatchReader + Send>,
        n_rows: usize,
        shown: usize,
    ) -> Result<Self, ArrowError> {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        let all = n_rows <= shown;
        let head = if all { n_rows } else { shown / 2 };
        let tail_from = if all { n_rows } else { n_rows - shown / 2 };
        let mut rows = Vec::new();
        let mut start = 0;
        for batch in batches {
            let batch = batch?;
            let end = start + batch.num_rows();
            if start < head || end > tail_from {
                let wanted = (start..end).filter(|row| *row < head || *row >= tail_from);
                push_rows(&batch, wanted.map(|row| row - start), &mut rows)?;
            }
            start = end;
        }
        let gap = (!all).then_some((head, tail_from - head));
        Ok(Self { names, rows, gap })
    }

    /// Right-aligned columns, as many as fit; the others are named in the last line.
    pub fn text(&self, width: usize) -> String {
        let wide = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.names[column].chars().count()]).max().unwrap_or(0)
        };
        let mut widths = Vec::new();
        let mut used = 0;
        for column in 0..self.names.len() {
            let need = wide(column) + usize::from(column > 0) * 2;
            if used + need > width {
                break;
            }
            used += need;
            widths.push(wide(column));
        }
        let line = |cells: &[String]| {
            let cells = widths.iter().zip(cells).map(|(w, cell)| format!("{cell:>w$}"));
            cells.collect::<Vec<_>>().join("  ")
        };
        if widths.is_empty() {
            return folded("columns: ", &self.names, width).join("\n");
        }
        let mut lines = vec![line(&self.names)];
        for (i, row) in self.rows.iter().enumerate() {
            if let Some((at, left_out)) = self.gap
                && at == i
            {
                lines.push(format!("... {} rows ...", crate::table::thousands(left_out)));
            }
            lines.push(line(row));
        }
        if widths.len() < self.names.len() {
            lines.extend(folded("also: ", &self.names[widths.len()..], width));
        }
        lines.join("\n")
    }

    /// A plain HTML table whose colours follow the page; every cell is escaped.
    pub fn html(&self, title: &str) -> String {
        let mut html = format!(
            "<div style=\"max-width:100%;overflow-x:auto\"><p style=\"margin:.3em 0\">{}</p>\
             <table style=\"border-collapse:collapse\"><thead><tr>",
            escaped(title)
        );
        for name in &self.names {
            html.extend([HEAD, &escaped(name), "</th>"]);
        }
        html.push_str("</tr></thead><tbody>");
        for (i, row) in self.rows.iter().enumerate() {
            if let Some((at, left_out)) = self.gap
                && at == i
            {
                let left_out = crate::table::thousands(left_out);
                let span = self.names.len();
                html += format!("<tr>{GAP}{span}>... {left_out} rows ...</td></tr>").as_str();
            }
            html.push_str("<tr>");
            for cell in row {
                html.extend([CELL, &escaped(cell), "</td>"]);
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div>");
        html
    }
}

/// One line of text as HTML.
pub fn code(text: &str) -> String {
    format!(
        "<code style=\"white-space:pre-wrap;background:none\">{}</code>",
        escaped(&screen(text))
    )
}

/// Text that is safe inside HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Words in lines of at most `width` characters, the first after `lead`.
pub fn folded(lead: &str, words: &[String], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = lead.to_owned();
    for (i, word) in words.iter().enumerate() {
        let comma = if i + 1 < words.len() { ", " } else { "" };
        if line.len() + word.len() + 1 > width {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(lead.len());
        }
        line.push_str(word);
        line.push_str(comma);
    }
    lines.push(line);
    lines
}

fn push_rows(
    batch: &RecordBatch,
    wanted: impl Iterator<Item = usize>,
    rows: &mut Vec<Vec<String>>,
) -> Result<(), ArrowError> {
    let options =
        FormatOptions::default().with_null("-").with_timestamp_format(Some("%Y-%m-%d %H:%M:%S"));
    let columns: Vec<ArrayRef> = batch.columns().iter().map(without_zone).collect();
    let columns = columns.iter().map(|column| ArrayFormatter::try_new(column, &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    for row in wanted {
        let cells = columns.iter().map(|column| column.value(row).try_to_string());
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        rows.push(cells.into_iter().map(|cell| shortened(&cell)).collect());
    }
    Ok(())
}

/// The same instants as UTC clock times: naming a zone needs tables that are not linked here.
pub fn without_zone(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => {
            let instants = column.as_primitive::<TimestampNanosecondType>();
            Arc::new(instants.clone().with_timezone_opt(None::<Arc<str>>))
        }
        _ => Arc::clone(column),
    }
}

/// Midnight times without their clock, numbers with 4 decimals or 4 digits, texts cut to 24
/// characters.
fn shortened(cell: &str) -> String {
    let cell = cell.strip_suffix(" 00:00:00").unwrap_or(cell);
    let decimals = cell.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match cell.parse::<f64>() {
        Ok(number) if decimals > 4 && number != 0.0 && number.abs() < 0.001 => {
            format!("{number:.3e}")
        }
        Ok(number) if decimals > 4 => format!("{number:.4}"),
        _ if cell.chars().count() > 24 => {
            format!("{}..", cell.chars().take(22).collect::<String>())
        }
        _ => cell.to_owned(),
    }
}
