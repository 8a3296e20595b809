//! Workbooks, read by openpyxl, which shares no line with their writer. The script that runs it installs it where it is missing.

use core::fmt::Write as _;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, ChartKind, Filled, FilledContent, Kind};
use rtv_report::xlsx::{Written, write};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::world;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn bytes(filled: &Filled) -> (Vec<u8>, Written) {
    let mut out = Vec::new();
    let written = write(filled, &world::format(), &mut out).unwrap();
    (out, written)
}

/// What openpyxl finds in the workbook.
pub(crate) fn read(workbook: &[u8]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xlsx");
    std::fs::write(&path, workbook).unwrap();
    let output = Command::new(project().join("scripts/openpyxl"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/read_workbook.py"))
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each sheet as lines of cells, so that a difference can be read.
fn shown(workbook: &Value) -> String {
    let mut text = String::new();
    for key in ["title", "company", "created"] {
        writeln!(text, "{key}: {}", workbook[key].as_str().unwrap_or_default()).unwrap();
    }
    for sheet in workbook["sheets"].as_array().unwrap() {
        write!(text, "\n== {}", sheet["name"].as_str().unwrap()).unwrap();
        for key in ["frozen", "filter", "charts", "links", "scales"] {
            write!(text, " | {key} {}", sheet[key]).unwrap();
        }
        text += "\n";
        for row in sheet["rows"].as_array().unwrap() {
            let cells: Vec<String> = row.as_array().unwrap().iter().map(shown_cell).collect();
            text += cells.join(" | ").trim_end_matches([' ', '|']);
            text += "\n";
        }
    }
    text
}

fn shown_cell(cell: &Value) -> String {
    let Some(cell) = cell.as_object() else { return String::new() };
    let mark = |key: &str, mark: &str| if cell[key] == true { mark.to_owned() } else { String::new() };
    let format = match cell["format"].as_str().unwrap() {
        "General" => String::new(),
        format => format!(" [{format}]"),
    };
    format!("{}{}{}{format}", mark("quoted", "'"), cell["value"], mark("bold", "*"))
}

fn sheet<'a>(workbook: &'a Value, name: &str) -> &'a Value {
    workbook["sheets"].as_array().unwrap().iter().find(|sheet| sheet["name"] == name).unwrap()
}

#[test]
fn a_small_report_is_this_workbook() {
    let filled = world::small();
    let (workbook, written) = bytes(&filled);
    assert_eq!(written.notes, Vec::<String>::new());
    assert_eq!(written.sheets.len(), 3 + 8);
    insta::assert_snapshot!(shown(&read(&workbook)));
    // Equal reports give equal bytes.
    assert!(workbook == bytes(&filled).0);
}

#[test]
fn twenty_rows_of_4812_say_so_and_lead_to_all() {
    let (workbook, _) = bytes(&world::cut());
    insta::assert_snapshot!(shown(&read(&workbook)));
}

#[test]
fn what_a_chart_of_excels_leaves_out_is_said_above_it() {
    let columns = vec![
        world::column("platform", "Platform", Kind::Text),
        world::column("reach", "Reach", Kind::Number(Unit::Count)),
        world::column("reach_previous", "Reach, previous", Kind::Number(Unit::Count)),
    ];
    let mut table = world::table(columns, vec![vec![world::text("X"), world::number("10"), world::number("9")]]);
    table.of_rows = 5;
    let told = |kind| {
        let filled =
            world::report(vec![world::block(2, "Shares", FilledContent::Chart { kind, table: table.clone() })]);
        let (workbook, written) = bytes(&filled);
        let read = read(&workbook);
        (sheet(&read, "Shares")["rows"][0].to_string(), written.notes)
    };
    let words = "Earlier values are not drawn; they stand in the cells. Showing 1 of 5 rows.";
    let (header, notes) = told(ChartKind::StackedBar);
    assert!(header.contains(&format!("Shares: {words}")), "{header}");
    assert_eq!(notes, [format!("The chart of “Shares”: {words}")]);
    // Of shares the same is said as of their picture.
    let words =
        "The period compared with is not drawn in this kind of chart. Showing 1 of 5. Shares are of what is shown.";
    let (header, notes) = told(ChartKind::Pie);
    assert!(header.contains(&format!("Shares: {words}")), "{header}");
    assert_eq!(notes, [format!("The chart of “Shares”: {words}")]);
    // Bars of both periods stand beside each other.
    assert_eq!(told(ChartKind::Bar).1, ["The chart of “Shares”: Showing 1 of 5 rows."]);
}

#[test]
fn slices_of_excels_are_those_of_the_picture() {
    let columns = || {
        vec![
            world::column("platform", "Platform", Kind::Text),
            world::column("reach", "Reach", Kind::Number(Unit::Count)),
        ]
    };
    let named = ["A", "B", "C", "D", "E", "F", "G", "H", "I"].into_iter().zip((1..=9).rev());
    let mut rows: Vec<Vec<Cell>> =
        named.map(|(name, tens)| vec![world::text(name), world::number(&format!("{tens}0"))]).collect();
    rows.push(vec![world::text("J"), world::number("-5")]);
    for kind in [ChartKind::Pie, ChartKind::Donut] {
        let table = world::table(columns(), rows.clone());
        let filled = world::report(vec![world::block(2, "Shares", FilledContent::Chart { kind, table })]);
        let (workbook, written) = bytes(&filled);
        let read = read(&workbook);
        let sheet = sheet(&read, "Shares");
        // Seven of their own, and one for the two that are smaller; what is below zero is no share.
        let slices: Vec<(&str, f64)> = (1..=8_usize)
            .map(|row| &sheet["rows"][row])
            .map(|row| (row[3]["value"].as_str().unwrap(), row[4]["value"].as_f64().unwrap()))
            .collect();
        let expected = [
            ("A", 90.0),
            ("B", 80.0),
            ("C", 70.0),
            ("D", 60.0),
            ("E", 50.0),
            ("F", 40.0),
            ("G", 30.0),
            ("Other", 30.0),
        ];
        assert_eq!(slices, expected);
        assert!(sheet["rows"][9][3].is_null(), "{}", sheet["rows"][9]);
        assert!(sheet["charts"][0].as_str().unwrap().ends_with("!$E$2:$E$9"), "{}", sheet["charts"]);
        assert_eq!((&sheet["rows"][10][0]["value"], &sheet["rows"][10][1]["value"]), (&"J".into(), &(-5).into()));
        let words = "Not above zero and therefore without a slice: J (−5). “Other” holds 2 of 9.";
        assert!(sheet["rows"][0].to_string().contains(&format!("Shares: {words}")), "{}", sheet["rows"][0]);
        assert_eq!(written.notes, [format!("The chart of “Shares”: {words}")]);
    }
}

#[test]
fn areas_below_zero_are_lines_in_excel_too() {
    let drawn = |value: &str| {
        let columns = vec![
            world::column("platform", "Platform", Kind::Text),
            world::column("reach", "Reach", Kind::Number(Unit::Count)),
            world::column("clicks", "Clicks", Kind::Number(Unit::Count)),
        ];
        let rows = vec![
            vec![world::text("X"), world::number("5"), world::number("3")],
            vec![world::text("Y"), world::number("6"), world::number(value)],
        ];
        let chart = FilledContent::Chart { kind: ChartKind::Area, table: world::table(columns, rows) };
        let (workbook, written) = bytes(&world::report(vec![world::block(2, "Areas", chart)]));
        let read = read(&workbook);
        (sheet(&read, "Areas")["charts"][0].as_str().unwrap().to_owned(), written.notes)
    };
    let (above, notes) = drawn("4");
    assert!(above.starts_with("AreaChart stacked: "), "{above}");
    assert_eq!(notes, Vec::<String>::new());
    let (below, notes) = drawn("-4");
    assert!(below.starts_with("LineChart standard: "), "{below}");
    assert_eq!(
        notes,
        ["The chart of “Areas”: Values below zero cannot lie on each other, so they are drawn as lines."]
    );
}

/// What of a text a workbook holds.
fn in_workbook(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\t' | '\n' | '\r' => letter,
            '\0'..='\u{1f}' | '\u{fffe}' => '\u{fffd}',
            _ => letter,
        })
        .collect()
}

#[test]
fn seventy_thousand_hostile_cells_are_strings_and_no_formula() {
    let mut table = world::hostile();
    // A sheet's name and a label are texts of people too.
    table.columns[5].label = "=1+1".into();
    let filled = world::report(vec![world::block(2, "='[x]y'!A1", FilledContent::Table(table.clone()))]);
    let (workbook, written) = bytes(&filled);
    assert_eq!(written.sheets, ["Report", "=' x y'!A1"]);
    assert_eq!(written.rows, 10_000);
    let replaced = "“='[x]y'!A1”: \u{fffd} stands for control characters that a workbook cannot hold, in ";
    let cut = "“='[x]y'!A1”: Excel holds 32,767 characters in a cell; 3 cells had more and end with “(cut, …)”. The CSV has the whole text.";
    assert!(written.notes[0].starts_with(replaced), "{:?}", written.notes);
    assert_eq!(written.notes[1..], [cut]);

    let read = read(&workbook);
    assert_eq!(read["formulas"], 0);
    assert_eq!(read["external_links"], 0);
    let sheet = sheet(&read, &written.sheets[1]);
    let rows = sheet["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 10_002);
    assert_eq!(rows[0][5]["value"], "=1+1");
    assert_eq!(rows[0][0]["value"], "published_at (Europe/Berlin)");
    for (cells, read) in table.rows.iter().zip(&rows[1..]) {
        for (column, cell) in cells.iter().enumerate() {
            let found = &read[column];
            match cell {
                Cell::Missing => assert!(found.is_null(), "{found}"),
                Cell::Text(text) => {
                    assert_eq!((&found["type"], &found["quoted"]), (&"s".into(), &true.into()), "{found}");
                    let found = found["value"].as_str().unwrap();
                    let expect = in_workbook(text);
                    if expect.encode_utf16().count() <= 32_767 {
                        assert_eq!(found, expect);
                    } else {
                        assert!(found.encode_utf16().count() <= 32_767);
                        let (kept, end) = found.rsplit_once(" … ").unwrap();
                        assert!(expect.starts_with(kept) && kept.len() > 32_000, "{} kept", kept.len());
                        assert!(
                            end.starts_with("(cut, ") && end.ends_with(" characters; whole text in the CSV)"),
                            "{end}"
                        );
                    }
                }
                Cell::Instant(at) => {
                    let local = at.with_timezone(&chrono_tz::Europe::Berlin).format("%Y-%m-%dT%H:%M:%S").to_string();
                    assert_eq!((&found["type"], &found["value"]), (&"d".into(), &local.into()));
                }
                Cell::Number(value) => {
                    assert_eq!(found["type"], "n");
                    let nearest: f64 = value.to_string().parse().unwrap();
                    assert_eq!(found["value"].as_f64().unwrap().to_bits(), nearest.to_bits());
                }
                Cell::Day(_) | Cell::Ordinal(_) => panic!("there is none"),
            }
        }
    }
    let Some(Cell::Number(total)) = table.totals.unwrap().last().cloned() else { panic!() };
    let last = &rows[10_001];
    assert_eq!((&last[0]["value"], &last[0]["bold"]), (&"Total".into(), &true.into()));
    assert_eq!(last[6]["value"].as_f64(), Some(total.to_string().parse().unwrap()));
}

#[test]
fn a_table_that_is_longer_than_a_sheet_goes_on_in_the_next() {
    const ROWS: u32 = 1_048_600;
    let rows = (0..ROWS).map(|row| vec![Cell::Number(Decimal::from(row))]).collect();
    let mut table = world::table(vec![world::column("reach", "Reach", Kind::Number(Unit::Count))], rows);
    table.totals = Some(vec![Cell::Number(Decimal::from(u64::from(ROWS) * u64::from(ROWS - 1) / 2))]);
    let filled = world::report(vec![
        world::block(2, "All", FilledContent::Table(table)),
        world::block(3, "all (2)", FilledContent::Table(world::table(Vec::new(), Vec::new()))),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.xlsx");
    let written = write(&filled, &world::format(), &mut File::create(&path).unwrap()).unwrap();
    assert_eq!(written.sheets, ["Report", "All", "All (2)", "all (2) (2)"]);
    assert_eq!(
        written.notes,
        ["“All” has 1,048,600 rows, more than a sheet holds: it goes on from “All” to “All (2)”."]
    );
    let output = Command::new(project().join("scripts/openpyxl"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/count_rows.py"))
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Each sheet has the header; the totals stand on the last one.
    assert_eq!(counted["All"]["first"], "Reach");
    assert_eq!(counted["All (2)"]["first"], "Reach");
    let rows = counted["All"]["rows"].as_u64().unwrap() + counted["All (2)"]["rows"].as_u64().unwrap();
    assert!(counted["All"]["rows"].as_u64().unwrap() <= 1_048_576);
    assert_eq!(rows, u64::from(ROWS) + 2 + 1);
    let sum = counted["All"]["sum"].as_f64().unwrap() + counted["All (2)"]["sum"].as_f64().unwrap();
    assert_eq!(sum.to_bits(), (f64::from(ROWS) * f64::from(ROWS - 1)).to_bits());
}
