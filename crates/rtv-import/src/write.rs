//! Writing rows as CSV: refused ones to be looked at and mended, posts in the form of the `rtv-posts` mapping.

use std::io::{self, Write};

use crate::{
    mapping::{EXPORT_COLUMNS, Metric},
    row::{PostRow, Refusal},
};

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

fn without_formula(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() }
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
