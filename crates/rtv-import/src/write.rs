//! Writing rows as CSV: refused ones to be looked at and mended, posts in the form of the `rtv-posts` mapping.

use std::io::{self, Write};

use crate::{
    formula::without_formula,
    mapping::{EXPORT_COLUMNS, Metric},
    record::{Fed, Parser, Record},
    row::{CUT_MARK, PostRow, Refusal},
    sniff::Delimiter,
};

/// Columns that [`write_refused_rows`] adds. A digest of a row passes over them, so that a mended row counts as the row it was.
pub(crate) const REFUSED_COLUMNS: [&str; 2] = ["rtv_row", "rtv_reason"];

/// Writes refused rows with the columns `row`, `column`, `reason` and `raw`. The file is made to be opened in a spreadsheet, so a value that one
/// would take for a formula gets a leading `'`.
pub fn write_refusals<'a>(output: impl Write, refusals: impl IntoIterator<Item = &'a Refusal>) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(["row", "column", "reason", "raw"])?;
    for refusal in refusals {
        writer.write_record([
            &refusal.row_number.to_string(),
            &without_formula(refusal.column.as_deref().unwrap_or_default()),
            &without_formula(&refusal.reason),
            &without_formula(&refusal.raw),
        ])?;
    }
    writer.flush()
}

/// Writes refused rows as they stood, under the file's own header and with its separator, after the columns `rtv_row` and `rtv_reason`: once
/// mended, the file can be imported again with the same mapping. It is UTF-8 with a mark, so that a spreadsheet shows letters right. Rows whose text was
/// too long to keep, or that have another number of cells, are written as one cell, which has to be mended by hand. Cells stand as they are,
/// also those that a spreadsheet takes for a formula: the rows are to be imported and not to be changed on the way.
pub fn write_refused_rows<'a>(
    mut output: impl Write,
    header: &[String],
    delimiter: Delimiter,
    refusals: impl IntoIterator<Item = &'a Refusal>,
) -> io::Result<()> {
    output.write_all("\u{FEFF}".as_bytes())?;
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).flexible(true).from_writer(output);
    writer.write_record(REFUSED_COLUMNS.into_iter().chain(header.iter().map(String::as_str)))?;
    let mut record = Record::default();
    for refusal in refusals {
        writer.write_field(refusal.row_number.to_string())?;
        writer.write_field(&refusal.reason)?;
        let is_whole = !refusal.raw.ends_with(CUT_MARK) && parse(&refusal.raw, delimiter, &mut record);
        if is_whole && record.len() == header.len() {
            writer.write_record(record.cells())?;
        } else {
            writer.write_record([&refusal.raw])?;
        }
    }
    writer.flush()
}

/// Reads one row; false if it is not exactly one.
fn parse(raw: &str, delimiter: Delimiter, record: &mut Record) -> bool {
    record.clear();
    let mut parser = Parser::new(delimiter.byte());
    let (used, fed) = parser.feed(raw.as_bytes(), record);
    let is_closed = fed == Fed::Record || parser.finish(record).unwrap_or(false);
    is_closed && used == raw.len() && record.fault().is_none()
}

/// Writes posts with the columns of the `rtv-posts` mapping; reading them with it gives the same posts. Values stand as they are.
pub fn write_posts<'a>(output: impl Write, posts: impl IntoIterator<Item = &'a PostRow>) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(EXPORT_COLUMNS.into_iter().chain(Metric::ALL.map(Metric::key)))?;
    for post in posts {
        let published = post.published.to_export();
        let texts = [
            &post.platform,
            &post.account_external_id,
            post.account_name.as_deref().unwrap_or_default(),
            &post.external_id,
            &published,
            post.kind.as_deref().unwrap_or_default(),
            post.text.as_deref().unwrap_or_default(),
            post.campaign.as_deref().unwrap_or_default(),
        ];
        for text in texts {
            writer.write_field(text)?;
        }
        for metric in Metric::ALL {
            writer.write_field(figure(post, metric))?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

fn figure(post: &PostRow, metric: Metric) -> String {
    let metrics = &post.metrics;
    let count = |count: Option<i64>| count.map(|count| count.to_string());
    match metric {
        Metric::Reach => count(metrics.reach),
        Metric::Impressions => count(metrics.impressions),
        Metric::Reactions => count(metrics.reactions),
        Metric::Comments => count(metrics.comments),
        Metric::Shares => count(metrics.shares),
        Metric::Clicks => count(metrics.clicks),
        Metric::Conversions => count(metrics.conversions),
        Metric::Revenue => metrics.revenue.map(|amount| amount.to_string()),
        Metric::Cost => metrics.cost.map(|amount| amount.to_string()),
        Metric::Sentiment => metrics.sentiment.map(|sentiment| sentiment.to_string()),
    }
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_rows_are_written_so_that_a_spreadsheet_runs_no_formula() {
        let refusal = Refusal {
            row_number: 7,
            column: Some("reach".to_owned()),
            reason: "Column \"reach\" is wrong.".to_owned(),
            raw: "=HYPERLINK(1),\"a\nb\"".to_owned(),
        };
        let mut output = Vec::new();
        write_refusals(&mut output, [&refusal, &Refusal { column: None, raw: "1,2".to_owned(), ..refusal.clone() }])
            .unwrap();
        let rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(&*output)
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(rows[0], ["row", "column", "reason", "raw"]);
        assert_eq!(rows[1], ["7", "reach", "Column \"reach\" is wrong.", "'=HYPERLINK(1),\"a\nb\""]);
        assert_eq!(rows[2], ["7", "", "Column \"reach\" is wrong.", "1,2"]);
    }
}
