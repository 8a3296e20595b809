//! Texts that break things elsewhere: everything stays valid, nothing is lost without a word.

use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, Filled, FilledContent, Kind, Meaning, Table};
use rtv_report::pdf::{Look, Picture, Pictures};
use rust_decimal::Decimal;

use super::reader::read;
use super::world::{block, column, empty, holding, look, metric, section};

/// Debian's DejaVu Sans, which `make setup` installs for the browser tests; it has Arabic, Hebrew and Georgian.
const DEJAVU: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

fn hostile_texts() -> Vec<String> {
    vec![
        String::new(),
        " ".into(),
        "\u{0}\u{1}\u{1b}[31m\u{7f}\u{9b}".into(),
        "x".repeat(40_000),
        "ü".repeat(3_000),
        format!("e{}", "\u{301}".repeat(2_000)),
        "مرحبا بالعالم \u{202e}abc\u{202c} שלום".into(),
        "\u{2028}\u{2029}\r\n\r\t\u{b}\u{c}".into(),
        "🚀👩‍👩‍👧‍👦🇩🇪".into(),
        "日本語のテキスト、改行。".repeat(40),
        "हिन्दी ไทย ဗမာ ខ្មែរ".into(),
        "(\\) <</Type>> endstream endobj %PDF".into(),
        "=HYPERLINK(\"http://x\") @handle -5".into(),
        "\u{fffd}\u{fffe}\u{ffff}\u{10ffff}".into(),
        "a\u{a0}b\u{202f}c\u{2007}d\u{ad}e\u{200b}f".into(),
        "\n".repeat(300),
        "ﷺﷺﷺ ﬁ ǅ ẞ".into(),
    ]
}

#[test]
fn hostile_texts_everywhere_leave_a_valid_file() {
    for hostile in hostile_texts() {
        let table = Table {
            columns: vec![column("post", &hostile, Kind::Text), column("reach", &hostile, Kind::Number(Unit::Money))],
            rows: vec![
                vec![Cell::Text(hostile.clone()), Cell::Number(Decimal::MAX)],
                // Shorter and longer than it should be, and of the wrong kind.
                vec![Cell::Ordinal(255)],
                vec![Cell::Day(chrono::NaiveDate::MAX), Cell::Text(hostile.clone()), Cell::Missing],
                vec![Cell::Instant(chrono::DateTime::<chrono::Utc>::MIN_UTC), Cell::Number(Decimal::MIN)],
            ],
            totals: Some(vec![Cell::Missing, Cell::Missing]),
            of_rows: u64::MAX,
            whole: Some(hostile.clone()),
            notes: vec![hostile.clone()],
        };
        let mut figure = metric(&hostile, Unit::Count, Some("79228162514264337593543950335"), Some("-1"));
        figure.note = Some(hostile.clone());
        let filled = Filled {
            name: hostile.clone(),
            tenant: hostile.clone(),
            description: hostile.clone(),
            filters: vec![hostile.clone()],
            sections: vec![section(
                1,
                &hostile,
                vec![
                    block(2, &hostile, FilledContent::Text(hostile.clone())),
                    block(3, &hostile, FilledContent::Metric(figure)),
                    block(4, &hostile, FilledContent::Table(table.clone())),
                    block(5, &hostile, FilledContent::Chart { kind: rtv_core::report::ChartKind::Line, table }),
                    block(6, &hostile, FilledContent::Refused(hostile.clone())),
                ],
            )],
            meanings: vec![Meaning { label: hostile.clone(), definition: hostile.clone() }],
            notes: vec![hostile.clone()],
            ..empty()
        };
        let look = Look { hue: f64::NAN, fonts: vec![hostile.clone().into_bytes()], ..look() };
        let pictures = Pictures::from([(5, Picture { svg: hostile.clone(), notes: vec![hostile] })]);
        read(&filled, &look, &pictures);
    }
}

#[test]
fn forty_thousand_letters_without_a_space_are_all_there() {
    let text: String = ('a'..='z').cycle().take(40_000).collect();
    let read = read(&holding(vec![FilledContent::Text(text.clone())]), &look(), &Pictures::new());
    // Words of the header and footer stand between pages.
    let found: usize = read
        .pages()
        .iter()
        .flat_map(|page| page.lines())
        .map(str::trim)
        .filter(|line| line.len() > 60 && line.bytes().all(|byte| byte.is_ascii_lowercase()))
        .map(str::len)
        .sum();
    assert!(found > 39_900 && found <= 40_000, "{found}");
}

#[test]
fn letters_that_no_font_has_are_told_by_name_and_number() {
    let text = "Launch 🚀🚀 in 東京 \u{0}";
    let read = read(&holding(vec![FilledContent::Text(text.into())]), &look(), &Pictures::new());
    assert_eq!(
        read.written.notes,
        [
            "In 5 places a box (\u{fffd}) stands for letters that no font has: U+0000, 京 (U+4EAC), 東 (U+6771), 🚀 (U+1F680). Name a font that has them, and make the report again."
        ]
    );
    let words = read.words();
    assert!(words.contains("Launch \u{fffd}\u{fffd} in \u{fffd}\u{fffd} \u{fffd}"), "{words}");
    assert!(words.contains("In 5 places a box"), "the file says so itself: {words}");
}

#[test]
fn an_operators_font_gives_what_the_shipped_one_lacks() {
    let fonts = vec![std::fs::read(DEJAVU).unwrap()];
    let text = "Arabic مرحبا بالعالم, Hebrew שלום, Georgian გამარჯობა.";
    let look = Look { fonts, ..look() };
    let read = read(&holding(vec![FilledContent::Text(text.into())]), &look, &Pictures::new());
    assert_eq!(read.written.notes, Vec::<String>::new());
    let words = read.words();
    for part in ["Georgian გამარჯობა", "שלום"] {
        assert!(words.contains(part), "{part:?} is missing in {words}");
    }
    // Arabic letters are copied as letters, joined or not.
    for letter in "مرحبالعا".chars() {
        assert!(words.contains(letter), "{letter:?} is missing in {words}");
    }
    let fonts = read.run("pdffonts", &[], &[]);
    assert!(fonts.contains("+Operator-1"), "{fonts}");
    assert!(read.bytes.len() < 80_000, "a subset: {} bytes", read.bytes.len());
}

#[test]
fn a_file_that_is_no_font_is_told() {
    let look = Look { fonts: vec![b"not a font".to_vec()], ..look() };
    let read = read(&holding(vec![FilledContent::Text("Text".into())]), &look, &Pictures::new());
    assert_eq!(read.written.notes, ["Font 1 of the operator's was not used: it is no TrueType or OpenType font."]);
}

#[test]
fn marks_stand_on_their_letters() {
    // Decomposed on purpose: the shaper puts the letter together, or the mark above it.
    let text = "Cafe\u{301} x\u{302}y Ελλα\u{301}δα";
    let read = read(&holding(vec![FilledContent::Text(text.into())]), &look(), &Pictures::new());
    assert_eq!(read.written.notes, Vec::<String>::new());
    let words = read.words();
    assert!(words.contains("Café") || words.contains("Cafe\u{301}"), "{words}");
    assert!(words.contains("x\u{302}y"), "{words}");
}
