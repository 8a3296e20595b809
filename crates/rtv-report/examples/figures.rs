//! Measures how long a long table takes as CSV and as XLSX, and its first 470 rows as PDF, and the most memory that it took, the table itself
//! included.
//!
//! `figures [ROWS] [CONNECTION]`: 100,000 rows of ten columns (two texts, a day, seven figures) unless another number is given. Each format is
//! written by a process of its own, three times; the best time counts. With the connection string of a PostgreSQL, psql loads the same file into a
//! temporary table and copies it out as CSV, so that both wrote the same bytes on the same machine: `figures 100000 "host=… dbname=…"`.

use std::env::{args, current_exe};
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate};
use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::{Cell, Column, Filled, FilledBlock, FilledContent, FilledSection, Kind, Table};
use rtv_core::{Plan, TenantId, TenantStatus};
use rtv_domain::context::Tenant;
use rtv_domain::format::Format;
use rtv_report::pdf::{self, Look, Pictures};
use rtv_report::{csv, xlsx};
use rust_decimal::Decimal;

/// How often each is written.
const TRIES: usize = 3;

/// Rows of the table as PDF: a few pages more than twenty of reportlab's.
const PDF_ROWS: u32 = 470;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = args().skip(1).collect();
    let rows = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    match arguments.first().map(String::as_str) {
        Some("csv") => measured("CSV", rows, |filled, file| {
            for part in csv::parts(filled) {
                csv::write(&mut *file, &part.table, csv::Options::default())?;
            }
            Ok(())
        }),
        Some("xlsx") => measured("XLSX", rows, |filled, file| {
            xlsx::write(filled, &format()?, file)?;
            Ok(())
        }),
        Some("pdf") => measured("PDF", rows, |filled, file| {
            let look = Look { format: format()?, hue: 200.0, logo: None, fonts: Vec::new() };
            pdf::write(filled, &look, &Pictures::new(), file)?;
            Ok(())
        }),
        _ => {
            for (name, rows) in [("csv", rows), ("xlsx", rows), ("pdf", PDF_ROWS)] {
                let status = Command::new(current_exe()?).args([name, &rows.to_string()]).status()?;
                if !status.success() {
                    return Err(format!("{name} failed: {status}").into());
                }
            }
            match arguments.iter().find(|argument| argument.parse::<u32>().is_err()) {
                Some(connection) => beside_copy(rows, connection),
                None => Ok(()),
            }
        }
    }
}

/// Writes to a file that is thrown away, and says how long that took.
fn measured(name: &str, rows: u32, write: impl Fn(&Filled, &mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let filled = report(table(rows));
    let path = std::env::temp_dir().join(format!("rtv-figures-{}", std::process::id()));
    let mut best = f64::INFINITY;
    for _ in 0..TRIES {
        let mut file = BufWriter::new(File::create(&path)?);
        let started = Instant::now();
        write(&filled, &mut file)?;
        file.flush()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    let bytes = fs::metadata(&path)?.len();
    fs::remove_file(&path)?;
    let peak = fs::read_to_string("/proc/self/status")?
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned());
    println!("{name}: {rows} rows, {bytes} bytes, {best:.3} s (best of {TRIES}), peak memory {peak}");
    Ok(())
}

/// Has PostgreSQL write the same rows as CSV.
fn beside_copy(rows: u32, connection: &str) -> Result<()> {
    let table = table(rows);
    let path = std::env::temp_dir().join(format!("rtv-figures-{}.csv", std::process::id()));
    let started = Instant::now();
    csv::write(File::create(&path)?, &table, csv::Options { raw: true, bom: false })?;
    let ours = started.elapsed().as_secs_f64();
    let theirs = copy_times(&path, connection);
    fs::remove_file(&path)?;
    let theirs = theirs?.into_iter().fold(f64::INFINITY, f64::min);
    println!("COPY … TO STDOUT of the same rows: {theirs:.3} s; CSV has {:.2} of its speed", theirs / ours);
    Ok(())
}

fn copy_times(path: &Path, connection: &str) -> Result<Vec<f64>> {
    let columns: Vec<String> = (0..7).map(|number| format!("figure_{number} numeric")).collect();
    let mut script = format!(
        "create temporary table report (post text, campaign text, day date, {});\n\
         \\copy report from '{}' with (format csv, header)\n\\timing on\n",
        columns.join(", "),
        path.display()
    );
    for _ in 0..TRIES {
        script += "\\copy report to '/dev/null' with (format csv, header)\n";
    }
    let mut psql = Command::new("psql")
        .args(["--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", connection])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    psql.stdin.take().ok_or("psql takes no input")?.write_all(script.as_bytes())?;
    let output = psql.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("psql failed: {}", output.status).into());
    }
    let times = String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok())
        .map(|milliseconds| milliseconds / 1_000.0)
        .collect();
    Ok(times)
}

fn table(rows: u32) -> Table {
    let column = |key: &str, label: &str, kind| Column { key: key.into(), label: label.into(), kind };
    let count = Kind::Number(Unit::Count);
    let first = NaiveDate::from_ymd_opt(2014, 1, 1).unwrap_or_default();
    let number = |row: u32, factor: u32, scale| {
        Cell::Number(Decimal::new(i64::from(row) * i64::from(factor) % 9_999_991, scale))
    };
    Table {
        columns: vec![
            column("post", "Post", Kind::Text),
            column("campaign", "Campaign", Kind::Text),
            column("day", "Day", Kind::Day),
            column("reach", "Summed reach", count),
            column("impressions", "Impressions", count),
            column("engagements", "Engagements", count),
            column("clicks", "Clicks", count),
            column("engagement_rate", "Engagement rate", Kind::Number(Unit::Percent)),
            column("sentiment", "Average sentiment", Kind::Number(Unit::Score)),
            column("revenue", "Revenue", Kind::Number(Unit::Money)),
        ],
        rows: (0..rows)
            .map(|row| {
                vec![
                    Cell::Text(format!("Post {row}: “Grüße aus Köln”, {} 😀 and where to find it", row % 97)),
                    Cell::Text(format!("Campaign {}", row % 113)),
                    Cell::Day(first + Days::new(u64::from(row % 3_650))),
                    number(row, 7_919, 0),
                    number(row, 15_485, 0),
                    number(row, 104, 0),
                    number(row, 31, 0),
                    number(row, 6_151, 7),
                    number(row, 769, 7),
                    number(row, 12_289, 2),
                ]
            })
            .collect(),
        totals: None,
        of_rows: rows.into(),
        whole: None,
        notes: Vec::new(),
    }
}

fn report(table: Table) -> Filled {
    let day = |day: u32| NaiveDate::from_ymd_opt(2026, 3, day).unwrap_or_default();
    let block = FilledBlock { id: 2, title: "Posts".into(), content: FilledContent::Table(table) };
    Filled {
        name: "Figures".into(),
        description: String::new(),
        tenant: "Acme".into(),
        period: Period::new(day(1), day(31)).unwrap_or_else(|_| unreachable!("a month in order")),
        previous: None,
        zone: chrono_tz::Europe::Berlin,
        filters: Vec::new(),
        as_of: None,
        made_at: DateTime::UNIX_EPOCH,
        version: None,
        sections: vec![FilledSection { id: 1, title: String::new(), blocks: vec![block] }],
        meanings: Vec::new(),
        notes: Vec::new(),
    }
}

fn format() -> Result<Format> {
    Ok(Format::of(&Tenant {
        id: TenantId::OPERATOR,
        slug: "acme".parse()?,
        name: "Acme".into(),
        plan: Plan::Free,
        status: TenantStatus::Active,
        status_reason: None,
        is_house: false,
        zone: chrono_tz::Europe::Berlin,
        locale: "en-GB".into(),
        currency: "EUR".into(),
        week_start: 0,
        brand: None,
        has_sample_data: false,
        mfa_required: false,
        session_timeout: rtv_domain::session::IDLE,
        ip_ranges: Vec::new(),
        over_limits: Vec::new(),
        is_sandbox: false,
        logo: None,
    }))
}
