//! The crate as its users see it: both real files against a naive computation, a table of bad input, and writing what reading gives.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, Read},
    path::PathBuf,
};

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use rtv_import::{
    DateOrder, Delimiter, Draft, Encoding, Field, ImportError, Mapping, OpenOptions, PostMetrics, PostRow, Published,
    Question, Reader, Refusal, Row, guess, open, open_seekable, sample, write_posts, write_refused_rows,
};
use rust_decimal::Decimal;

const LIVE_SELLERS: &str = "facebook_live_sellers_th.csv";
const COSMETICS: &str = "facebook_cosmetics_brand_2014.csv";

/// The real files lie beside the checkout; a clone elsewhere does not have them.
fn real_file(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let read = std::fs::read_to_string(&path);
    if read.is_err() {
        eprintln!("SKIPPED: the real data file {name} is not there, so this test proves nothing ({})", path.display());
    }
    read.ok()
}

fn in_zone(zone: &str) -> OpenOptions {
    OpenOptions { zone: Some(zone.parse().unwrap()), ..OpenOptions::default() }
}

fn read_all<R: Read>(reader: &mut Reader<R>) -> (Vec<PostRow>, Vec<Refusal>) {
    let (mut posts, mut refusals) = (Vec::new(), Vec::new());
    for row in reader {
        match row.unwrap() {
            Row::Post(post) => posts.push(post),
            Row::Refused(refusal) => refusals.push(refusal),
        }
    }
    (posts, refusals)
}

fn read_posts(input: &[u8], options: OpenOptions) -> Vec<PostRow> {
    let (posts, refusals) = read_all(&mut open(input, options).unwrap());
    assert_eq!(refusals, []);
    posts
}

fn error_of(input: &[u8], options: OpenOptions) -> ImportError {
    match open(input, options) {
        Err(error) => error,
        Ok(reader) => reader.filter_map(Result::err).last().expect("an error"),
    }
}

#[test]
fn the_live_sellers_file_is_read_as_a_naive_computation_reads_it() {
    let Some(text) = real_file(LIVE_SELLERS) else {
        return;
    };
    let mut reader = open(text.as_bytes(), in_zone("Asia/Bangkok")).unwrap();
    assert_eq!(reader.mapping().name, "facebook-live-sellers");
    assert_eq!((reader.sniffed().encoding, reader.sniffed().delimiter), ("UTF-8", Delimiter::Comma));
    assert!(reader.unmapped_columns().is_empty());
    let (posts, refusals) = read_all(&mut reader);
    assert_eq!((posts.len(), refusals), (7050, vec![]));
    assert_eq!((reader.rows_read(), reader.bytes_read()), (7050, text.len() as u64));
    assert!(reader.sha256().is_some());

    let mut naive: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    let mut naive_months: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let sums = naive.entry(cells[0].split('_').next().unwrap()).or_default();
        for (sum, column) in sums.iter_mut().zip([5, 3, 4]) {
            *sum += cells[column].parse::<i64>().unwrap();
        }
        let mut date = cells[2].split(' ').next().unwrap().split('/');
        let (month, _, year) = (date.next().unwrap(), date.next(), date.next().unwrap());
        *naive_months.entry(format!("{year}-{month:0>2}")).or_default() += 1;
    }
    let mut read: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    let mut read_months: BTreeMap<String, usize> = BTreeMap::new();
    let zone: Tz = "Asia/Bangkok".parse().unwrap();
    for post in &posts {
        let sums = read.entry(&post.account_external_id).or_default();
        for (sum, count) in sums.iter_mut().zip([post.metrics.reactions, post.metrics.comments, post.metrics.shares]) {
            *sum += count.unwrap();
        }
        let Published::At(time) = post.published else { panic!("{post:?}") };
        *read_months.entry(time.with_timezone(&zone).format("%Y-%m").to_string()).or_default() += 1;
        assert_eq!(
            (&*post.platform, post.metrics.reach, post.metrics.impressions, post.metrics.clicks),
            ("facebook", None, None, None)
        );
    }
    assert_eq!(read, naive);
    assert_eq!(read_months, naive_months);
    assert_eq!(read.len(), 9);
    let total = |index: usize| read.values().map(|sums| sums[index]).sum::<i64>();
    assert_eq!([total(0), total(1), total(2)], [1_622_326, 1_581_710, 282_159]);
    assert_eq!(posts.iter().map(|post| &post.external_id).collect::<BTreeSet<_>>().len(), 6997);

    // 4/22/2018 6:00 in Bangkok, which is seven hours ahead of UTC.
    let first = &posts[0];
    assert_eq!(first.published, Published::At(Utc.with_ymd_and_hms(2018, 4, 21, 23, 0, 0).unwrap()));
    assert_eq!((first.row_number, first.kind.as_deref()), (1, Some("video")));
    assert_eq!(first.external_id, "246675545449582_1649696485147474");
}

#[test]
fn the_cosmetics_file_is_read_with_empty_cells_missing_and_the_month_only() {
    let Some(text) = real_file(COSMETICS) else { return };
    let mut reader = open(text.as_bytes(), OpenOptions::default()).unwrap();
    assert_eq!(
        (&*reader.mapping().name, reader.sniffed().delimiter),
        ("facebook-cosmetics-2014", Delimiter::Semicolon)
    );
    assert!(reader.unmapped_columns().is_empty());
    let (posts, refusals) = read_all(&mut reader);
    assert_eq!((posts.len(), refusals), (500, vec![]));
    for (line, post) in text.lines().skip(1).zip(&posts) {
        let cells: Vec<&str> = line.split(';').collect();
        let naive = [7, 8, 16, 15, 17, 11]
            .map(|column: usize| (!cells[column].is_empty()).then(|| cells[column].parse::<i64>().unwrap()));
        let metrics = &post.metrics;
        assert_eq!(
            [metrics.reach, metrics.impressions, metrics.reactions, metrics.comments, metrics.shares, metrics.clicks],
            naive,
            "{line}"
        );
        assert_eq!(post.published, Published::Month { year: 2014, month: cells[3].parse().unwrap() });
        assert_eq!(post.kind.as_deref(), Some(&*cells[1].to_lowercase()));
        assert_eq!(
            (&*post.account_external_id, post.account_name.as_deref()),
            ("cosmetics-brand-2014", Some("Cosmetics brand 2014"))
        );
    }
    // Row 112 of the file has no comments and no shares; row 121 has two likes and no shares.
    assert_eq!(
        (posts[111].metrics.comments, posts[111].metrics.reactions, posts[111].metrics.shares),
        (Some(0), None, None)
    );
    assert_eq!(posts.iter().filter(|post| post.metrics.shares.is_none()).count(), 4);
    assert_eq!(posts.iter().map(|post| &post.external_id).collect::<BTreeSet<_>>().len(), 500);

    let other = OpenOptions { account_external_id: Some("my-page".to_owned()), ..OpenOptions::default() };
    let again = read_posts(text.as_bytes(), other);
    assert_eq!((&*again[0].account_external_id, again[0].account_name.as_deref()), ("my-page", None));
    assert_eq!(again[0].external_id, posts[0].external_id);
}

#[test]
fn the_live_sellers_file_is_guessed_as_its_mapping_reads_it() {
    let Some(text) = real_file(LIVE_SELLERS) else { return };
    let found = sample(text.as_bytes(), None, None).unwrap();
    let guess = guess(&found);
    assert_eq!(guess.builtin.as_ref().map(|mapping| &*mapping.name), Some("facebook-live-sellers"));
    let fields: Vec<&str> = guess.columns.iter().map(|column| column.field.map_or("-", Field::key)).collect();
    let expect = ["post_id", "kind", "published_at", "comments", "shares", "reactions", "-", "-", "-", "-", "-", "-"];
    assert_eq!(fields, expect);
    assert!(guess.draft.account_from_post_id);
    assert_eq!(guess.draft.date_order, Some(DateOrder::MonthFirst));
    let asked: Vec<&str> = guess.questions.iter().map(Question::field).collect();
    assert_eq!(asked, ["zone", "platform"]);

    let zone = Some("Asia/Bangkok".parse().unwrap());
    let draft = Draft { platform: Some("facebook".to_owned()), zone, ..Draft::from_guess(&guess) };
    let by_hand = read_posts(text.as_bytes(), draft.open_options(&found.sniffed.header).unwrap());
    assert_eq!(by_hand, read_posts(text.as_bytes(), in_zone("Asia/Bangkok")));
}

const COSMETICS_HEADER: &str = "Page_T_Likes;Type;Category;Month;Weekday;Hour;Paid;T_Reach;T_Impression;Engaged_Users;Consumers;Consumption;\
    LP_Impression;LP_Reach;LP_Engage_With_Post;comment;like;share;T_Interactions\n";

#[test]
fn rows_without_an_id_are_known_again_whatever_their_order_and_that_of_the_columns() {
    let row = |reach: u32| format!("1;Photo;2;12;4;3;0;{reach};5091;178;109;159;3078;1640;119;4;79;17;100\n");
    let ids = |input: &str| -> Vec<String> {
        read_posts(input.as_bytes(), OpenOptions::default()).into_iter().map(|post| post.external_id).collect()
    };
    let forth = ids(&[COSMETICS_HEADER, &row(1), &row(2), &row(1)].concat());
    let back = ids(&[COSMETICS_HEADER, &row(1), &row(1), &row(2)].concat());
    assert_eq!((&forth[0], &forth[1], &forth[2]), (&back[0], &back[2], &back[1]));
    assert_eq!(forth[2], forth[0].replace("-1", "-2"));
    assert!(forth[0].starts_with("row-") && forth[0].len() == 4 + 24 + 2, "{}", forth[0]);

    let turned: String = [COSMETICS_HEADER, &row(1)]
        .concat()
        .lines()
        .map(|line| line.split(';').rev().collect::<Vec<_>>().join(";") + "\n")
        .collect();
    assert_eq!(ids(&turned), forth[..1]);
}

/// One row in RTV's own form, with `text` as its text.
fn with_text(text: &str) -> String {
    format!("platform,account_id,post_id,published_at,text\nfacebook,1,2,2026-03-01T09:30:00Z,{text}\n")
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn every_encoding_is_detected_and_said_and_gives_the_same_posts() {
    let text = with_text("Café für 5 €, Señor").replace("Café für 5 €, Señor", "\"Café für 5 €, Señor\"");
    let expect = read_posts(text.as_bytes(), OpenOptions::default());
    assert_eq!(expect[0].text.as_deref(), Some("Café für 5 €, Señor"));
    let (western, _, had_errors) = encoding_rs::WINDOWS_1252.encode(&text);
    assert!(!had_errors);
    let check = |input: &[u8], encoding: &str, had_bom: bool| {
        let mut reader = open(input, OpenOptions::default()).unwrap();
        assert_eq!((reader.sniffed().encoding, reader.sniffed().had_bom), (encoding, had_bom));
        assert_eq!(read_all(&mut reader), (expect.clone(), vec![]), "{encoding}");
    };
    check(text.as_bytes(), "UTF-8", false);
    check(format!("\u{FEFF}{text}").as_bytes(), "UTF-8 with BOM", true);
    check(&utf16(&format!("\u{FEFF}{text}"), u16::to_le_bytes), "UTF-16LE", true);
    check(&utf16(&format!("\u{FEFF}{text}"), u16::to_be_bytes), "UTF-16BE", true);
    check(&utf16(&text, u16::to_le_bytes), "UTF-16LE", false);
    check(&utf16(&text, u16::to_be_bytes), "UTF-16BE", false);
    check(&western, "windows-1252", false);
}

#[test]
fn western_text_is_recognised_from_one_letter_or_from_many() {
    for text in [
        "é",
        "€",
        "ü",
        "ñ",
        "Café",
        "naïve – “quoted” …",
        "Grüße aus München, schöne Straße",
        "¿Qué tal, señor? Mañana será otro día",
        "Ça va? Où est l’hôtel? Là-bas, près de l’église",
        "Smørrebrød på Ærø, blåbærsyltetøy",
    ] {
        let (input, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        let input = [with_text("").trim_end().as_bytes(), b"\"", &*input, b"\"\n"].concat();
        let mut reader = open(&*input, OpenOptions::default()).unwrap();
        assert_eq!(reader.sniffed().encoding, "windows-1252", "{text}");
        assert_eq!(read_all(&mut reader).0[0].text.as_deref(), Some(text));
    }
}

#[test]
fn an_encoding_that_is_not_read_is_named_unless_the_caller_knows_better() {
    for (encoding, text) in [
        (encoding_rs::WINDOWS_874, "ขายเสื้อผ้าแฟชั่นราคาถูก ส่งฟรีทั่วประเทศ"),
        (encoding_rs::WINDOWS_1251, "Скидки на всю косметику до конца недели"),
        (encoding_rs::SHIFT_JIS, "新しい化粧品の発売のお知らせです。"),
    ] {
        let (input, _, _) = encoding.encode(text);
        let input = [with_text("").trim_end().as_bytes(), &*input, b"\n"].concat();
        let error = open(&*input, OpenOptions::default()).unwrap_err();
        assert!(matches!(error, ImportError::UnsupportedEncoding { guess } if guess == encoding.name()), "{error}");
        let stated = OpenOptions { encoding: Some(Encoding::Windows1252), ..OpenOptions::default() };
        assert_eq!(open(&*input, stated).unwrap().sniffed().encoding, "windows-1252");
    }
}

#[test]
fn an_encoding_that_shows_only_late_is_found_when_the_file_can_be_read_twice() {
    let mut text = with_text("plain");
    while text.len() < 200_000 {
        text.push_str("facebook,1,2,2026-03-01T09:30:00Z,plain\n");
    }
    text.push_str("facebook,1,2,2026-03-01T09:30:00Z,Café\n");
    let (input, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    let mut reader = open_seekable(io::Cursor::new(&*input), OpenOptions::default()).unwrap();
    assert_eq!(reader.sniffed().encoding, "windows-1252");
    let (posts, refusals) = read_all(&mut reader);
    assert_eq!((posts.last().unwrap().text.as_deref(), refusals), (Some("Café"), vec![]));
    let mut reader = open_seekable(io::Cursor::new(&text), OpenOptions::default()).unwrap();
    assert_eq!((reader.sniffed().encoding, read_all(&mut reader).0.len()), ("UTF-8", posts.len()));

    // Read only once, the row is refused rather than guessed at.
    let (_, refusals) = read_all(&mut open(&*input, OpenOptions::default()).unwrap());
    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].reason.contains("byte E9") && refusals[0].raw.ends_with("Caf\\xE9"), "{:?}", refusals[0]);
}

#[test]
fn every_separator_and_line_end_gives_the_same_posts() {
    let text = with_text("a");
    let expect = read_posts(text.as_bytes(), OpenOptions::default());
    for (separator, delimiter) in [(",", Delimiter::Comma), (";", Delimiter::Semicolon), ("\t", Delimiter::Tab)] {
        for line_end in ["\n", "\r\n", "\r"] {
            let input = text.replace(',', separator).replace('\n', line_end) + line_end + line_end;
            let mut reader = open(input.as_bytes(), OpenOptions::default()).unwrap();
            assert_eq!(reader.sniffed().delimiter, delimiter);
            assert_eq!(read_all(&mut reader), (expect.clone(), vec![]), "{input:?}");
        }
    }
    let without_line_end = text.trim_end();
    assert_eq!(read_posts(without_line_end.as_bytes(), OpenOptions::default()), expect);
}

#[test]
fn a_cell_that_looks_like_a_formula_is_text_and_stays_as_it_is() {
    for text in ["=1+1", "+49 30", "-2", "@SUM(A1)", "=HYPERLINK(\"\"x\"\")", "  spaces  ", "two\nlines"] {
        let posts = read_posts(with_text(&format!("\"{text}\"")).as_bytes(), OpenOptions::default());
        assert_eq!(posts[0].text.as_deref(), Some(&*text.replace("\"\"", "\"")));
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let check = |input: &[u8], expect: &str| {
        let message = error_of(input, in_zone("Asia/Bangkok")).to_string();
        assert!(message.contains(expect), "{message}");
    };
    let header = with_text("").lines().next().unwrap().to_owned();
    check(b"", "is empty");
    check(b"\xEF\xBB\xBF\r\n\n", "is empty");
    check(header.as_bytes(), "a header of 5 columns and no row");
    check(format!("{header}\r\n\r\n").as_bytes(), "a header of 5 columns and no row");
    check(b"PK\x03\x04rest", "an Excel workbook (XLSX)");
    check(b"\xD0\xCF\x11\xE0rest", "an old Excel workbook");
    check(b"\xFF\xFE\0\0a\0\0\0", "UTF-32");
    check(b"a,b\0\0,c\n1,2,3\n", "cell 2 cannot be read. It contains a NUL byte");
    check(b"a,b,c\n1,2,3\n", "No built-in mapping fits the file's columns: a, b, c.");
    check(
        format!("{header},kind, kind \n").as_bytes(),
        "\"kind\" stands twice in the header, as column 6 and column 7",
    );
    check(format!("{header}\na,\"b").as_bytes(), "opens in row 1 (line 2 of the file) is never closed");
    check(b"platform,\"account_id\n", "opens in row 0 (line 1 of the file)");
    check(",".repeat(9_999).as_bytes(), "more than 1000 columns");
    check(format!("\"{}\"", "x".repeat(2_000_000)).as_bytes(), "Cell 1 is longer than 1048576 bytes");

    let named = |name| OpenOptions { mapping: Mapping::builtin(name), ..in_zone("Asia/Bangkok") };
    let message = error_of(b"platform,account_id,post_id\n1,2,3\n", named("rtv-posts")).to_string();
    assert!(
        message.contains("needs the column \"published_at\"") && message.contains("platform, account_id, post_id"),
        "{message}"
    );

    let account =
        |account: &str| OpenOptions { account_external_id: Some(account.to_owned()), ..OpenOptions::default() };
    assert!(matches!(error_of(with_text("").as_bytes(), account("x")), ImportError::AccountNotAccepted { .. }));
    assert!(matches!(error_of(COSMETICS_HEADER.as_bytes(), account(" ")), ImportError::BadAccount { .. }));
}

const LIVE_HEADER: &str = "status_id,status_type,status_published,num_comments,num_shares,num_reactions\n";

#[test]
fn local_times_need_a_zone_and_the_message_names_the_option() {
    let input = format!("{LIVE_HEADER}1_2,photo,4/22/2018 6:00,1,2,3\n");
    let message = error_of(input.as_bytes(), OpenOptions::default()).to_string();
    assert!(message.contains("--zone") && message.contains("\"status_published\""), "{message}");
}

#[test]
fn a_time_that_stands_twice_is_the_earlier_one_and_a_skipped_one_is_refused() {
    let read = |time: &str| {
        let input = format!("{LIVE_HEADER}1_2,photo,{time},1,2,3\n");
        read_all(&mut open(input.as_bytes(), in_zone("Europe/Berlin")).unwrap())
    };
    // Clocks go back from 03:00 to 02:00 on 2018-10-28: the earlier 02:30 is still two hours ahead of UTC.
    assert_eq!(
        read("10/28/2018 2:30").0[0].published,
        Published::At(Utc.with_ymd_and_hms(2018, 10, 28, 0, 30, 0).unwrap())
    );
    // They go forward from 02:00 to 03:00 on 2018-03-25.
    let (posts, refusals) = read("3/25/2018 2:30");
    assert_eq!((posts.len(), refusals[0].column.as_deref()), (0, Some("status_published")));
    assert!(
        refusals[0].reason.contains("\"3/25/2018 2:30\"") && refusals[0].reason.contains("exists in Europe/Berlin"),
        "{}",
        refusals[0].reason
    );
}

#[test]
fn a_bad_cell_refuses_its_row_with_column_value_and_what_would_be_accepted() {
    let check = |column: &str, value: &str, expect: &str| {
        let mut cells = BTreeMap::from([
            ("platform", "facebook"),
            ("account_id", "1"),
            ("post_id", "2"),
            ("published_at", "2026-03-01T09:30:00Z"),
            ("reach", "1"),
        ]);
        cells.insert(column, value);
        let mut input = Vec::new();
        let mut writer = csv::Writer::from_writer(&mut input);
        writer.write_record(cells.keys()).unwrap();
        writer.write_record(cells.values()).unwrap();
        drop(writer);
        let (posts, refusals) = read_all(&mut open(&*input, OpenOptions::default()).unwrap());
        assert_eq!((posts.len(), refusals.len()), (0, 1), "{column} {value:?}");
        let refusal = &refusals[0];
        assert_eq!((refusal.row_number, refusal.column.as_deref()), (1, Some(column)));
        assert!(
            refusal.reason.contains(&format!("\"{column}\"")) && refusal.reason.contains(expect),
            "{}",
            refusal.reason
        );
    };
    let count = "a whole number from 0 to 9223372036854775807";
    for value in ["-1", "9223372036854775808", "1.5", "1,000", "1 000", "many", "NaN", "+1", "0x10", "٣"] {
        check("reach", value, count);
        check("reach", value, &format!("\"{value}\""));
    }
    for value in ["-1", "1,50", "1.", ".5", "1e3", "99999999999999999999999999999999", "€5", "1.2.3"] {
        check("revenue", value, "an amount from 0");
        check("cost", value, "such as 1250.50");
    }
    for value in ["1.01", "-2", "NaN", "inf", "good"] {
        check("sentiment", value, "a number from -1 to 1");
    }
    for value in [
        "2026-03-01",
        "2026-03-01T09:30:00",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "2026-13",
        "1999-12",
        "2100-01",
        "26-03",
        "+026-03",
        "yesterday",
    ] {
        check("published_at", value, "such as 2026-03-01T09:30:00Z");
    }
    check("published_at", "", "is empty; accepted is");
    for value in ["", "Facebook", "face book", "x\u{301}"] {
        check("platform", value, "lower-case letters");
    }
    for column in ["account_id", "post_id", "kind", "campaign", "account_name"] {
        check(column, &"x".repeat(256), "one line of 1 to 255 characters");
        check(column, "a\nb", "one line");
    }
    check("post_id", " ", "is empty");
    check("reach", &"9".repeat(500), &format!("\"{}…\"", "9".repeat(80)));
    check("reach", "\u{1b}[2J", "\"\\u{1b}[2J\"");
}

#[test]
fn a_bad_row_is_refused_and_the_rows_around_it_are_read() {
    let good = "facebook,1,2,2026-03-01T09:30:00Z,ok\n";
    let check = |row: &[u8], column: Option<&str>, expect: &str, raw: &str| {
        let input = [with_text("Zürich").as_bytes(), row, b"\n", good.as_bytes()].concat();
        let (posts, refusals) = read_all(&mut open(&*input, OpenOptions::default()).unwrap());
        assert_eq!((posts.len(), posts[1].row_number, refusals.len()), (2, 3, 1));
        assert_eq!((refusals[0].row_number, refusals[0].column.as_deref(), &*refusals[0].raw), (2, column, raw));
        assert!(refusals[0].reason.contains(expect), "{}", refusals[0].reason);
    };
    check(b"facebook,1,2", None, "has 3 cells, the header has 5", "facebook,1,2");
    check(
        b"facebook,1,2,2026-03-01T09:30:00Z,a,b",
        None,
        "has 6 cells, the header has 5",
        "facebook,1,2,2026-03-01T09:30:00Z,a,b",
    );
    check(b",,,,", None, "All cells of the row are empty", ",,,,");
    check(
        b"facebook,1,2,2026-03-01T09:30:00Z,a\0b",
        Some("text"),
        "a NUL byte",
        "facebook,1,2,2026-03-01T09:30:00Z,a\\x00b",
    );
    check(
        b"facebook,1,2,2026-03-01T09:30:00Z,Caf\xE9",
        Some("text"),
        "byte E9, which is not valid in UTF-8",
        "facebook,1,2,2026-03-01T09:30:00Z,Caf\\xE9",
    );
    check(
        b"facebook,1,2,2026-03-01T09:30:00Z,\"a\"b",
        Some("text"),
        "must be doubled",
        "facebook,1,2,2026-03-01T09:30:00Z,a",
    );
    let many = "x,".repeat(9_999) + "x";
    let kept = "x,".repeat(999) + "x";
    check(many.as_bytes(), None, "more than 1000 columns", &kept);
}

#[test]
fn mixed_encodings_in_a_western_file_refuse_the_rows_that_differ() {
    let (western, _, _) = encoding_rs::WINDOWS_1252.encode("Grüße aus München, schöne Straße, Äpfel und Öl für später");
    let start = with_text("a");
    let input = [
        start.as_bytes(),
        b"facebook,1,2,2026-03-01T09:30:00Z,\"",
        &*western,
        b"\"\nfacebook,1,2,2026-03-01T09:30:00Z,",
        "Café".as_bytes(),
        b"\nfacebook,1,2,2026-03-01T09:30:00Z,\x81\n",
    ]
    .concat();
    let mut reader = open(&*input, OpenOptions::default()).unwrap();
    assert_eq!(reader.sniffed().encoding, "windows-1252");
    let (posts, refusals) = read_all(&mut reader);
    assert_eq!((posts.len(), refusals.len()), (2, 2));
    assert!(
        refusals[0].reason.contains("encoded as UTF-8 although the rest of the file is Windows-1252"),
        "{}",
        refusals[0].reason
    );
    assert!(refusals[1].reason.contains("byte 81, which has no meaning in Windows-1252"), "{}", refusals[1].reason);
}

#[test]
fn a_broken_character_in_a_utf16_file_refuses_its_row() {
    let mut input = utf16(&with_text("a"), u16::to_le_bytes);
    input.extend(utf16("facebook,1,2,2026-03-01T09:30:00Z,", u16::to_le_bytes));
    input.extend(0xD800u16.to_le_bytes());
    input.extend(utf16("x\nfacebook,1,2,2026-03-01T09:30:00Z,😀\n", u16::to_le_bytes));
    let (posts, refusals) = read_all(&mut open(&*input, OpenOptions::default()).unwrap());
    assert_eq!((posts.len(), posts[1].text.as_deref()), (2, Some("😀")));
    assert!(refusals[0].reason.contains("not valid in UTF-16LE") && refusals[0].row_number == 2, "{:?}", refusals[0]);
}

/// Gives an odd number of bytes at a time.
struct Slow<'a>(&'a [u8]);
impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1001);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn a_large_utf16_file_is_read_across_the_borders_of_its_chunks() {
    let mut text = with_text("a");
    for number in 0..20_000 {
        writeln!(text, "facebook,1,{number},2026-03-01T09:30:00Z,ขาย 😀 {number}").unwrap();
    }
    let input = utf16(&text, u16::to_be_bytes);
    let (posts, refusals) = read_all(&mut open(Slow(&input), OpenOptions::default()).unwrap());
    assert_eq!((posts.len(), refusals.len()), (20_001, 0));
    assert_eq!(posts[20_000].text.as_deref(), Some("ขาย 😀 19999"));
}

#[test]
fn columns_that_the_mapping_does_not_know_are_told() {
    let input = "platform,account_id,post_id,published_at,mood,\nfacebook,1,2,2026-03,good,\n";
    let reader = open(input.as_bytes(), OpenOptions::default()).unwrap();
    assert_eq!(reader.unmapped_columns(), ["mood", ""]);
}

#[test]
fn a_failing_sender_is_an_error_and_not_the_end_of_the_file() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the line is cut"))
        }
    }
    let long = with_text(&"x".repeat(100_000));
    let mut reader = open(long.as_bytes().chain(Failing), OpenOptions::default()).unwrap();
    assert!(matches!(reader.next(), Some(Ok(Row::Post(_)))));
    assert!(matches!(reader.next(), Some(Err(ImportError::Io(_)))));
    assert!(reader.next().is_none() && reader.sha256().is_none());
}

#[test]
fn equal_content_has_an_equal_digest_and_any_difference_another() {
    let read = |input: &str| read_posts(input.as_bytes(), OpenOptions::default()).remove(0).content_digest;
    let header = "platform,account_id,post_id,published_at,kind,text,campaign,reach,revenue,sentiment\n";
    let plain = read(&format!("{header}facebook,1,2,2026-03-01T09:30:00Z,photo,a,b,1,1.5,0\n"));
    let same = format!("{header}facebook, 1 ,2,2026-03-01T11:30:00+02:00,Photo,a,b,01,1.50,-0\n");
    assert_eq!(read(&same), plain);
    assert_eq!(read(&same.replace(',', ";")), plain);
    for (from, to) in [
        (",a,b,", ",ab,,"),
        (",a,b,", ",,ab,"),
        (",01,", ",2,"),
        (",01,", ",,"),
        ("1.50", "1.51"),
        ("Photo", "video"),
        ("+02:00", "+01:00"),
        (",-0", ","),
    ] {
        let other = same.replacen(from, to, 1);
        assert_ne!(other, same);
        assert_ne!(read(&other), plain, "{from} → {to}");
    }
}

/// Texts with everything that CSV has to quote.
fn label() -> impl Strategy<Value = String> {
    "[a-zA-Zé€ก😀=+@,;\"'][a-zA-Zé€ก😀=+@,;\"' -]{0,20}[a-zé,\"]"
}

prop_compose! {
    fn metrics()(
        counts in prop::array::uniform7(prop::option::of(0..=i64::MAX)),
        revenue in prop::option::of(0..=i64::MAX),
        cost in prop::option::of(0..=i64::MAX),
        scale in 0u32..10,
        sentiment in prop::option::of(-1.0..=1.0f64),
    ) -> PostMetrics {
        let [reach, impressions, reactions, comments, shares, clicks, conversions] = counts;
        PostMetrics {
            reach, impressions, reactions, comments, shares, clicks, conversions,
            revenue: revenue.map(|amount| Decimal::new(amount, scale)),
            cost: cost.map(|amount| Decimal::new(amount, 2)),
            sentiment,
        }
    }
}

prop_compose! {
    fn post()(
        platform in "[a-z][a-z0-9_-]{0,10}",
        account_external_id in label(),
        account_name in prop::option::of(label()),
        external_id in label(),
        kind in prop::option::of("[a-z]{1,8}"),
        text in prop::option::of("[a-zA-Zé€ก😀=+@,;\"' \r\n\t-]{1,60}"),
        campaign in prop::option::of(label()),
        published in prop_oneof![
            (946_684_800_000_000i64..4_102_444_800_000_000).prop_map(|time| Published::At(DateTime::from_timestamp_micros(time).unwrap())),
            (2000..2100i32, 1..=12u32).prop_map(|(year, month)| Published::Month { year, month }),
        ],
        metrics in metrics(),
    ) -> PostRow {
        PostRow {
            row_number: 0, platform, account_external_id, account_name, external_id, kind, text, campaign, published, metrics,
            content_digest: [0; 32],
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(posts in prop::collection::vec(post(), 1..8)) {
        let posts: Vec<PostRow> = posts
            .into_iter()
            .zip(1..)
            .map(|(post, row_number)| PostRow { row_number, content_digest: post.compute_content_digest(), ..post })
            .collect();
        let mut written = Vec::new();
        write_posts(&mut written, &posts).unwrap();
        let mut reader = open(&*written, OpenOptions::default()).unwrap();
        prop_assert_eq!(&reader.mapping().name, "rtv-posts");
        let (read, refusals) = read_all(&mut reader);
        prop_assert_eq!(refusals, []);
        prop_assert_eq!(read, posts);
    }
}

const GUARDED_HEADER: &str = "platform,account_id,post_id,published_at,text,\"campaign\"\n";

#[test]
fn guards_are_taken_off_where_the_header_says_that_there_are_some() {
    let row = |id: &str, text: &str, campaign: &str| format!("x,1,{id},2026-03,{text},{campaign}\n");
    let guarded = [
        GUARDED_HEADER,
        &row("'-5", "'=1+1", "'@spring"),
        &row("b", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"", "'tis"),
        &row("c", "''=1", "''tis"),
        &row("d", "\"' \n=1\"", "' =1"),
    ]
    .concat();
    let posts = read_posts(guarded.as_bytes(), OpenOptions::default());
    let read: Vec<(&str, &str, &str)> = posts
        .iter()
        .map(|post| (&*post.external_id, post.text.as_deref().unwrap(), post.campaign.as_deref().unwrap()))
        .collect();
    assert_eq!(
        read,
        [
            ("-5", "=1+1", "@spring"),
            ("b", "=HYPERLINK(\"http://x\",\"y\")", "'tis"),
            ("c", "'=1", "''tis"),
            // A label is read without the spaces around it, with and without a guard.
            ("d", " \n=1", "=1"),
        ]
    );

    // The same rows in a file that does not say so: the apostrophes are people's own.
    let own = guarded.replace("\"campaign\"", "campaign");
    let posts = read_posts(own.as_bytes(), OpenOptions::default());
    assert_eq!((&*posts[0].external_id, posts[0].text.as_deref()), ("'-5", Some("'=1+1")));
    assert!(!open(own.as_bytes(), OpenOptions::default()).unwrap().sniffed().has_guards);
}

#[test]
fn a_row_that_is_refused_and_mended_keeps_its_texts() {
    let file = [GUARDED_HEADER, "x,1,a,never,'=1+1,\n"].concat();
    let mut reader = open(file.as_bytes(), OpenOptions::default()).unwrap();
    assert!(reader.sniffed().has_guards && reader.sniffed().sentence().contains("taken off"));
    let (header, delimiter) = (reader.sniffed().header.clone(), reader.sniffed().delimiter);
    let (_, refusals) = read_all(&mut reader);
    assert_eq!(refusals[0].raw, "x,1,a,never,=1+1,");
    let mut written = Vec::new();
    write_refused_rows(&mut written, &header, delimiter, &refusals).unwrap();
    let mended = String::from_utf8(written).unwrap().replace("never", "2026-03");
    let (posts, _) = read_all(&mut open(mended.as_bytes(), OpenOptions::default()).unwrap());
    assert_eq!(posts[0].text.as_deref(), Some("=1+1"));
}

#[test]
fn the_sample_that_is_guessed_from_has_no_guards_either() {
    let file = [GUARDED_HEADER, "x,1,a,2026-03,'=1+1,'@spring\n"].concat();
    let sample = sample(file.as_bytes(), None, None).unwrap();
    assert_eq!(sample.rows[0][4..], ["=1+1", "@spring"]);
}
