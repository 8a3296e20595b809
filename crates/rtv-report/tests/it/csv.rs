//! CSV: small files letter for letter, and hostile texts read back by RTV's own import and by another reader.

use core::fmt::Write as _;

use rtv_core::report::{Cell, Filled, FilledContent, Table};
use rtv_import::{OpenOptions, Published, Row};
use rtv_report::csv::{Options, parts, write};

use crate::world;

fn written(table: &Table, options: Options) -> String {
    let mut out = Vec::new();
    let written = write(&mut out, table, options).unwrap();
    assert_eq!((written.rows, written.bytes), (table.rows.len() as u64, out.len() as u64));
    // Equal input gives equal bytes.
    let mut again = Vec::new();
    write(&mut again, table, options).unwrap();
    assert!(out == again);
    String::from_utf8(out).unwrap()
}

/// All files of a report, with line ends that can be seen.
fn files(filled: &Filled, options: Options) -> String {
    let mut all = String::new();
    for part in parts(filled) {
        let text = written(&part.table, options).replace("\r\n", "⏎\n");
        write!(all, "{}. {} (block {:?})\n{text}\n", part.number, part.title, part.block).unwrap();
    }
    all
}

#[test]
fn a_small_report_is_these_files() {
    insta::assert_snapshot!(files(&world::small(), Options::default()));
}

#[test]
fn twenty_rows_of_4812_say_so() {
    insta::assert_snapshot!(files(&world::cut(), Options { raw: true, bom: true }));
}

/// What the text is in a file: NUL has a sign of its own, because no file of text holds it.
fn in_file(cell: &Cell) -> String {
    let Cell::Text(text) = cell else { panic!("{cell:?}") };
    text.replace('\0', "␀")
}

#[test]
fn seventy_thousand_hostile_cells_are_read_back_equal_by_the_import() {
    let mut table = world::hostile();
    assert!(table.rows.len() * table.columns.len() >= 70_000);
    table.of_rows = 90_000;
    for raw in [false, true] {
        for bom in [false, true] {
            let file = written(&table, Options { raw, bom });
            let mut reader = rtv_import::open(file.as_bytes(), OpenOptions::default()).unwrap();
            assert_eq!(reader.mapping().name, "rtv-posts");
            assert_eq!(reader.sniffed().has_guards, !raw);
            for (cells, number) in table.rows.iter().zip(1..) {
                let Some(Ok(Row::Post(post))) = reader.next() else { panic!("row {number} is not read") };
                let [Cell::Instant(at), platform, account, id, text, campaign, revenue] = &cells[..] else { panic!() };
                assert_eq!(post.published, Published::At(*at));
                assert_eq!(post.platform, in_file(platform));
                assert_eq!(post.account_external_id, in_file(account));
                assert_eq!(post.external_id, in_file(id));
                assert_eq!(post.text.as_deref(), Some(&*in_file(text)), "row {number}, raw {raw}");
                assert_eq!(post.campaign.as_deref(), Some(&*in_file(campaign)));
                let expect = if let Cell::Number(value) = revenue { Some(*value) } else { None };
                assert_eq!(post.metrics.revenue.map(|value| value.to_string()), expect.map(|value| value.to_string()));
            }
            // Totals and notice are no posts, and the import says why.
            for first in ["Total,", "\"Showing 10,000 of 90,000 rows.\","] {
                let Some(Ok(Row::Refused(refusal))) = reader.next() else { panic!("{first} is taken for a post") };
                assert!(refusal.raw.starts_with(first), "{}", refusal.raw);
                assert_eq!(refusal.column.as_deref(), Some("platform"));
            }
            assert!(reader.next().is_none());
        }
    }
}

#[test]
fn another_reader_finds_the_same_texts_behind_one_apostrophe() {
    let table = world::hostile();
    let raw = written(&table, Options { raw: true, bom: false });
    let guarded = written(&table, Options::default());
    let rows = |file: &str| -> Vec<csv::StringRecord> {
        // It refuses a file whose records differ in length.
        csv::Reader::from_reader(file.as_bytes()).records().map(Result::unwrap).collect()
    };
    let (raw, guarded) = (rows(&raw), rows(&guarded));
    assert_eq!((raw.len(), guarded.len()), (10_001, 10_001));
    for ((cells, raw), guarded) in table.rows.iter().zip(&raw).zip(&guarded) {
        for column in [1, 2, 3, 4, 5] {
            let text = in_file(&cells[column]);
            assert_eq!(&raw[column], text);
            let expect = if rtv_import::formula::looks_like_formula(&text) { format!("'{text}") } else { text };
            assert_eq!(&guarded[column], expect);
            assert!(!guarded[column].starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']));
        }
    }
    assert_eq!((&raw[10_000][0], &raw[10_000][1]), ("Total", ""));
    let Some(Cell::Number(total)) = table.totals.as_ref().unwrap().last().cloned() else { panic!() };
    assert_eq!(raw[10_000][6], total.to_string());
}

#[test]
fn a_report_as_people_see_it_is_imported_by_what_its_columns_are_called() {
    let filled = world::small();
    let FilledContent::Table(posts) = &filled.sections[0].blocks[4].content else { panic!() };
    let file = written(posts, Options::default());
    let sample = rtv_import::sample(file.as_bytes(), None, None).unwrap();
    assert_eq!(sample.rows[0][1], "=HYPERLINK(\"http://x\",\"y\")");
    let guess = rtv_import::guess(&sample);
    let fields: Vec<Option<&str>> =
        guess.columns.iter().map(|column| column.field.map(rtv_import::Field::key)).collect();
    assert_eq!(fields[..2], [Some("published_at"), Some("text")], "{fields:?}");
}
