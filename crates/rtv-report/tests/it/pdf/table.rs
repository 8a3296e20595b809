//! Tables: complete, headed on every page, none of their columns lost, cut only with a word about it.

use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, Column, FilledContent, Kind, Table};
use rtv_report::pdf::Pictures;

use super::reader::{Read, read};
use super::world::{column, count, format, holding, long_table, look, text};

fn read_table(table: Table) -> Read {
    read(&holding(vec![FilledContent::Table(table)]), &look(), &Pictures::new())
}

fn plain(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    let of_rows = rows.len() as u64;
    Table { columns, rows, totals: None, of_rows, whole: None, notes: Vec::new() }
}

#[test]
fn five_hundred_rows_stand_once_each_below_a_heading_on_every_page() {
    let read = read_table(long_table(500));
    let words = read.words();
    for row in 1..=500 {
        assert_eq!(words.matches(&format!("Campaign no. {row:04} ")).count(), 1, "row {row}");
    }
    let mut of_table = 0;
    for page in read.pages() {
        if page.contains("Campaign no. ") {
            of_table += 1;
            let heading =
                page.lines().find(|line| line.contains("Engagement rate")).unwrap_or_else(|| panic!("{page}"));
            for label in ["Campaign", "Day", "Summed reach", "Revenue"] {
                assert!(heading.contains(label), "{label} is missing in {heading}");
            }
        }
    }
    assert!(of_table >= 10, "{of_table} pages");
    assert!(words.contains("Total 126,878,250"), "the totals row");
}

#[test]
fn each_of_4812_rows_stands_once_in_every_format_and_their_sum_is_the_same() {
    let table = long_table(4_812);
    let numbers = |texts: &str| -> Vec<usize> {
        let mut numbers: Vec<usize> =
            texts.split("Campaign no. ").skip(1).map(|rest| rest[..4].parse().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    };
    let all: Vec<usize> = (1..=4_812).collect();
    let place = table.columns.iter().position(|column| column.key == "reach").unwrap();
    let sum: rust_decimal::Decimal = table
        .rows
        .iter()
        .map(|row| match &row[place] {
            Cell::Number(value) => *value,
            other => panic!("{other:?}"),
        })
        .sum();

    let mut file = Vec::new();
    rtv_report::csv::write(&mut file, &table, rtv_report::csv::Options::default()).unwrap();
    let file = String::from_utf8(file).unwrap();
    assert_eq!(numbers(&file), all);
    // The header, the rows, and the totals.
    assert_eq!(file.matches("\r\n").count(), 1 + 4_812 + usize::from(table.totals.is_some()));

    let filled = holding(vec![FilledContent::Table(table.clone())]);
    let mut workbook = Vec::new();
    rtv_report::xlsx::write(&filled, &format("en-GB"), &mut workbook).unwrap();
    let read = crate::xlsx::read(&workbook);
    let rows = read["sheets"].as_array().unwrap().iter().flat_map(|sheet| sheet["rows"].as_array().unwrap());
    let rows: Vec<_> =
        rows.filter(|row| row[0]["value"].as_str().is_some_and(|text| text.starts_with("Campaign no. "))).collect();
    assert_eq!(numbers(&rows.iter().map(|row| row[0]["value"].as_str().unwrap()).collect::<String>()), all);
    let cells: rust_decimal::Decimal =
        rows.iter().map(|row| row[place]["value"].to_string().parse::<rust_decimal::Decimal>().unwrap()).sum();
    assert_eq!(cells, sum);

    let read = read_table(table);
    assert_eq!(numbers(&read.words()), all);
    let total = format("en-GB").count(rtv_domain::format::whole(sum));
    assert!(read.words().contains(&format!("Total {total}")), "{total}");
}

#[test]
fn figures_stand_below_each_other_to_the_right() {
    let read = read_table(long_table(30));
    let boxes = read.run("pdftotext", &["-bbox"], &["-"]);
    let right_edges = |is_of: &dyn Fn(&str) -> bool| -> Vec<String> {
        boxes
            .lines()
            .filter_map(|line| {
                let word = line.split_once('>')?.1.split_once('<')?.0;
                let edge = line.split_once("xMax=\"")?.1.split_once('"')?.0;
                // A tenth of a point.
                is_of(word).then(|| format!("{:.1}", edge.parse::<f64>().unwrap()))
            })
            .collect()
    };
    let mut rates = right_edges(&|word| word.ends_with('%'));
    assert_eq!(rates.len(), 31, "{rates:?}");
    rates.dedup();
    assert!(rates.len() <= 2, "{rates:?}");
}

#[test]
fn forty_columns_are_all_there_and_the_first_is_repeated() {
    let mut columns = vec![column("campaign", "Campaign", Kind::Text)];
    columns.extend(
        (1..40).map(|index| column(&format!("m{index}"), &format!("Measure {index:02}"), Kind::Number(Unit::Count))),
    );
    let rows = (1..=60_u64)
        .map(|row| {
            let mut cells = vec![Cell::Text(format!("Row {row:02}"))];
            cells.extend((1..40).map(|column| count(1_000_000 * row + column)));
            cells
        })
        .collect();
    let read = read_table(plain(columns, rows));
    let words = read.words();
    for column in 1..40 {
        assert!(words.contains(&format!("{column:02}")), "column {column}");
        for row in [1, 30, 60] {
            let figure = look().format.count(1_000_000 * row + column);
            assert_eq!(words.split(' ').filter(|word| *word == figure).count(), 1, "{figure}");
        }
    }
    let groups = words.matches(" of 40").count();
    assert!(groups >= 3 && words.contains("Columns 1 to "), "{groups}");
    // The first column stands in every group.
    assert_eq!(words.matches("Row 60 ").count(), words.matches("Columns ").count() + words.matches("Column ").count());
    let info = read.run("pdfinfo", &["-f", "1", "-l", "9"], &[]);
    assert!(info.contains("841.89 x 595.276"), "wide tables lie across: {info}");
}

#[test]
fn a_table_is_set_smaller_then_across_before_its_columns_are_parted() {
    let of = |count: usize| {
        let columns = (0..count)
            .map(|index| column(&format!("m{index}"), &format!("M{index}"), Kind::Number(Unit::Money)))
            .collect();
        let row = (0..count).map(|index| Cell::Number(rust_decimal::Decimal::from(123_456 + index))).collect();
        read_table(plain(columns, vec![row]))
    };
    let is_across = |read: &Read| read.run("pdfinfo", &["-f", "1", "-l", "9"], &[]).contains("841.89 x 595.276");
    let sizes = |read: &Read| -> Vec<u32> {
        // Heights of the figures' boxes tell their size.
        let boxes = read.run("pdftotext", &["-bbox"], &["-"]);
        boxes
            .lines()
            .filter(|line| line.contains(">€123,"))
            .filter_map(|line| {
                let value = |name: &str| line.split_once(name)?.1.split_once('"')?.0.parse::<f64>().ok();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few points")]
                let tenths = ((value("yMax=\"")? - value("yMin=\"")?) * 10.0).round() as u32;
                Some(tenths)
            })
            .collect()
    };
    let (few, more, many, most) = (of(6), of(9), of(12), of(30));
    assert!(!is_across(&few) && !is_across(&more) && is_across(&many) && is_across(&most));
    assert!(sizes(&more)[0] < sizes(&few)[0], "{:?} {:?}", sizes(&more), sizes(&few));
    assert!(!many.words().contains("Columns 1 to") && most.words().contains("Columns 1 to"));
    assert_eq!(sizes(&most).len(), 30 + most.words().matches("Column").count() - 1);
}

#[test]
fn a_cell_that_is_higher_than_a_page_goes_on_and_loses_no_word() {
    let words: Vec<String> = (0..4_000).map(|word| format!("w{word:04}")).collect();
    let table = plain(
        vec![column("post", "Post", Kind::Text), column("reach", "Reach", Kind::Number(Unit::Count))],
        vec![
            vec![text("before"), count(1)],
            vec![Cell::Text(words.join(" ")), count(2)],
            vec![text("after"), count(3)],
        ],
    );
    let read = read_table(table);
    let told = read.words();
    let found: Vec<&str> = told.split(' ').filter(|word| word.len() == 5 && word.starts_with('w')).collect();
    let found: Vec<&str> =
        found.into_iter().filter(|word| word[1..].bytes().all(|byte| byte.is_ascii_digit())).collect();
    assert_eq!(found, words);
    let pages = read.pages();
    assert!(pages.iter().filter(|page| page.contains("w0") || page.contains("w3")).all(|page| page.contains("Reach")));
    assert!(pages.last().unwrap().contains("after"));
}

#[test]
fn what_is_cut_is_told_and_the_whole_table_is_linked() {
    let mut table = long_table(20);
    table.of_rows = 4_812;
    // As reports are filled; what the row is called is the format's own word.
    table.totals.as_mut().unwrap()[0] = Cell::Missing;
    table.whole = Some("https://rtv.example/t/acme/reports/rep_1/runs/run_1/tables/2?größe=1".into());
    let read = read_table(table);
    let words = read.words();
    assert!(words.contains("Showing 20 of 4,812 rows. The whole table: https://rtv.example/t/acme/"), "{words}");
    assert!(words.contains("Total of all 4,812 212,730"), "not the sum of the rows that are shown: {words}");
    let links = read.run("mutool", &["show"], &["grep"]);
    assert!(
        links.contains("https://rtv.example/t/acme/reports/rep_1/runs/run_1/tables/2?gr%C3%B6%C3%9Fe=1"),
        "{links}"
    );
}

#[test]
fn no_rows_and_no_columns_are_told() {
    let none =
        plain(vec![column("day", "Day", Kind::Day), column("reach", "Reach", Kind::Number(Unit::Count))], Vec::new());
    let words = read_table(none).words();
    assert!(words.contains("Day Reach No rows in this period."), "{words}");
    let words = read_table(plain(Vec::new(), vec![Vec::new(), Vec::new()])).words();
    assert!(words.contains("This table has no columns."), "{words}");
}
