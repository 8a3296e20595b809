//! An import as a page does it: sample, guess, draft, preview, and the refused rows as a file to mend. Files are bytes as they would be sent.
#![allow(clippy::unwrap_used, missing_docs)]
#![allow(clippy::too_many_lines)] // Tables of cases.

use std::{fmt::Write as _, io};

use chrono::{DateTime, TimeZone, Utc};
use rtv_import::{
    DateOrder, Delimiter, Draft, DraftColumn, Encoding, Field, Guess, ImportError, Mapping, Metric, NumberStyle,
    OpenOptions, PREVIEW_ROWS, PostRow, Published, Question, Refusal, Row, SAMPLE_ROWS, guess, open, preview, sample,
    sample_seekable, write_refused_rows,
};
use rust_decimal::Decimal;

fn guess_of(file: impl AsRef<[u8]>) -> Guess {
    guess(&sample(file.as_ref(), None, None).unwrap())
}

fn fields(guess: &Guess) -> Vec<&'static str> {
    guess.columns.iter().map(|column| column.field.map_or("-", Field::key)).collect()
}

fn asked(guess: &Guess) -> Vec<&'static str> {
    guess.questions.iter().map(Question::field).collect()
}

fn header_of(file: impl AsRef<[u8]>) -> Vec<String> {
    sample(file.as_ref(), None, None).unwrap().sniffed.header
}

fn read(file: impl AsRef<[u8]>, options: OpenOptions) -> (Vec<PostRow>, Vec<Refusal>) {
    let (mut posts, mut refusals) = (Vec::new(), Vec::new());
    for row in open(file.as_ref(), options).unwrap() {
        match row.unwrap() {
            Row::Post(post) => posts.push(post),
            Row::Refused(refusal) => refusals.push(refusal),
        }
    }
    (posts, refusals)
}

fn at(text: &str) -> Published {
    Published::At(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

/// What a person answers who knows the file.
fn answered(mut draft: Draft) -> Draft {
    draft.platform = draft.platform.or_else(|| {
        (!draft.columns.iter().any(|column| column.field == Some(Field::Platform))).then(|| "facebook".to_owned())
    });
    if !draft.account_from_post_id && !draft.columns.iter().any(|column| column.field == Some(Field::AccountId)) {
        draft.account_id.get_or_insert_with(|| "page-1".to_owned());
    }
    draft.date_order.get_or_insert(DateOrder::DayFirst);
    draft.numbers.get_or_insert(NumberStyle::DecimalPoint);
    if !draft.times_have_offset {
        draft.zone.get_or_insert("Europe/Berlin".parse().unwrap());
    }
    draft
}

const EXPORT: &str = "Network;Page Name;Post ID;Posted;Message;Post Type;Views;Likes;Comments;Spend (EUR);Engagement rate;Mood\n\
    Facebook;Shop;p-1;31.12.2025 18:30;Happy new year;Photo;1.234;12;3;1.250,50;3%;good\n\
    Instagram;Shop;p-2;01.02.2026 09:00;=HYPERLINK(\"http://x\");Video;n/a;7;0;;2%;bad\n";

#[test]
fn an_export_is_guessed_with_reasons_and_stored_as_it_was_guessed() {
    let guess = guess_of(EXPORT);
    assert_eq!(
        fields(&guess),
        [
            "platform",
            "account_id",
            "post_id",
            "published_at",
            "text",
            "kind",
            "impressions",
            "reactions",
            "comments",
            "cost",
            "-",
            "-"
        ]
    );
    // The 31st settles the order, 1.234 views and 1.250,50 the style; nobody but a person knows the zone.
    assert_eq!(asked(&guess), ["zone"]);
    assert_eq!(guess.draft.date_order, Some(DateOrder::DayFirst));
    assert_eq!(guess.draft.numbers, Some(NumberStyle::DecimalComma));
    let reason = |column: usize| guess.columns[column].reason.as_str();
    assert!(reason(1).contains("the name stands for the id"), "{}", reason(1));
    assert!(reason(3).contains("the values are dates"), "{}", reason(3));
    assert!(reason(10).contains("A ratio"), "{}", reason(10));
    assert!(reason(11).contains("The name is not known"), "{}", reason(11));
    assert_eq!(guess.columns[6].examples, ["1.234", "n/a"]);
    assert!(guess.notes.iter().any(|note| note.contains("\"n/a\"")), "{:?}", guess.notes);

    let draft = answered(Draft::from_guess(&guess));
    let (posts, refusals) = read(EXPORT, draft.open_options(&header_of(EXPORT)).unwrap());
    assert_eq!(refusals, []);
    let post = &posts[0];
    assert_eq!(
        (&*post.platform, &*post.account_external_id, &*post.external_id, post.published),
        ("facebook", "Shop", "p-1", at("2025-12-31T17:30:00Z"))
    );
    assert_eq!((post.metrics.impressions, post.metrics.cost), (Some(1234), Some(Decimal::new(125_050, 2))));
    assert_eq!((&*posts[1].platform, posts[1].metrics.impressions, posts[1].metrics.cost), ("instagram", None, None));
    assert_eq!(posts[1].text.as_deref(), Some("=HYPERLINK(\"http://x\")"));
}

#[test]
fn every_encoding_separator_and_mark_is_said_and_gives_the_same_guess_and_posts() {
    let text = EXPORT.replace("Happy new year", "\"Café für 5 €, Señor; ja\"");
    let semicolon: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(b';')
        .from_reader(text.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let expect = {
        let draft = answered(guess_of(&text).draft);
        read(&text, draft.open_options(&header_of(&text)).unwrap())
    };
    assert_eq!((expect.0.len(), expect.1.len()), (2, 0));
    assert_eq!(expect.0[0].text.as_deref(), Some("Café für 5 €, Señor; ja"));
    let mut checked = 0;
    for delimiter in Delimiter::ALL {
        for line_end in ["\n", "\r\n"] {
            let mut writer = csv::WriterBuilder::new()
                .delimiter(delimiter.byte())
                .terminator(csv::Terminator::Any(b'\n'))
                .from_writer(Vec::new());
            for row in &semicolon {
                writer.write_record(row).unwrap();
            }
            let file = String::from_utf8(writer.into_inner().unwrap()).unwrap().replace('\n', line_end);
            let wide = |to_bytes: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
                let mark = if mark { "\u{FEFF}" } else { "" };
                mark.encode_utf16().chain(file.encode_utf16()).flat_map(to_bytes).collect()
            };
            let (western, _, had_errors) = encoding_rs::WINDOWS_1252.encode(&file);
            assert!(!had_errors);
            for (bytes, encoding, read_as) in [
                (file.clone().into_bytes(), "UTF-8", Encoding::Utf8),
                (format!("\u{FEFF}{file}").into_bytes(), "UTF-8 with BOM", Encoding::Utf8),
                (wide(u16::to_le_bytes, true), "UTF-16LE", Encoding::Utf16Le),
                (wide(u16::to_le_bytes, false), "UTF-16LE", Encoding::Utf16Le),
                (wide(u16::to_be_bytes, true), "UTF-16BE", Encoding::Utf16Be),
                (wide(u16::to_be_bytes, false), "UTF-16BE", Encoding::Utf16Be),
                (western.to_vec(), "windows-1252", Encoding::Windows1252),
            ] {
                let sample = sample(&*bytes, None, None).unwrap();
                assert_eq!((sample.sniffed.encoding, sample.sniffed.read_as), (encoding, read_as));
                assert_eq!(sample.sniffed.delimiter, delimiter, "{encoding}");
                let sentence = sample.sniffed.sentence();
                assert!(sentence.contains(encoding) && sentence.contains(delimiter.key()), "{sentence}");
                let options = answered(guess(&sample).draft).open_options(&sample.sniffed.header).unwrap();
                assert_eq!(read(&bytes, options.clone()), expect, "{encoding} with {delimiter:?}");
                // A person who states what is true changes nothing.
                let stated = OpenOptions { encoding: Some(read_as), delimiter: Some(delimiter), ..options };
                assert_eq!(read(&bytes, stated), expect, "{encoding} with {delimiter:?}, stated");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 42);
}

#[test]
fn an_order_of_day_and_month_that_fits_both_ways_is_asked_and_never_guessed() {
    use DateOrder::{DayFirst, MonthFirst, YearFirst};
    let check = |dates: &[&str], expect: Option<DateOrder>, question: Option<&str>| {
        let file: String = ["id,date,likes\n".to_owned()]
            .into_iter()
            .chain(dates.iter().enumerate().map(|(index, date)| format!("{index},\"{date}\",1\n")))
            .collect();
        let guess = guess_of(&file);
        assert_eq!(guess.draft.date_order, expect, "{dates:?}");
        let sentence = guess.questions.iter().find(|question| question.field() == "date_order").map(Question::sentence);
        match question {
            Some(part) => assert!(sentence.as_ref().unwrap().contains(part), "{sentence:?}"),
            None => assert_eq!(sentence, None, "{dates:?}"),
        }
    };
    check(&["03/04/2026", "05/06/2026"], None, Some("fit both: 03/04/2026, 05/06/2026"));
    check(&["03/03/2026"], None, Some("the day or the month"));
    check(&["03/04/2026", "13/04/2026"], Some(DayFirst), None);
    check(&["03/04/2026", "04/13/2026 10:00"], Some(MonthFirst), None);
    check(&["13/04/2026", "04/13/2026"], None, Some("some only the other: 13/04/2026, 04/13/2026"));
    check(&["2026-04-03", "Mar 4, 2026"], Some(YearFirst), None);
    // One date in two hundred settles it.
    let mut dates = vec!["03/04/2026"; SAMPLE_ROWS];
    dates[SAMPLE_ROWS - 1] = "04/30/2026";
    check(&dates, Some(MonthFirst), None);
}

#[test]
fn a_later_row_that_contradicts_the_order_is_refused_with_the_reason() {
    let file = "id,date,likes\n1,25/03/2026,1\n2,03/25/2026,1\n3,31/04/2026,1\n4,2026-03-25,1\n";
    let draft = answered(guess_of("id,date,likes\n1,25/03/2026,1\n").draft);
    let (posts, refusals) = read(file, draft.open_options(&header_of(file)).unwrap());
    assert_eq!(posts.iter().map(|post| post.row_number).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(posts[0].published, posts[1].published);
    let reason = &refusals[0].reason;
    assert_eq!((refusals[0].row_number, refusals[0].column.as_deref()), (2, Some("date")));
    assert!(reason.contains("\"03/25/2026\"") && reason.contains("the month would be above 12"), "{reason}");
    assert!(refusals[1].reason.contains("\"31/04/2026\"; accepted is a date with the day first"), "{:?}", refusals[1]);

    let year_first = Draft { date_order: Some(DateOrder::YearFirst), ..draft };
    let (posts, refusals) = read(file, year_first.open_options(&header_of(file)).unwrap());
    assert_eq!((posts.len(), refusals.len()), (1, 3));
    assert!(refusals[0].reason.contains("which of the numbers is the day was not stated"), "{}", refusals[0].reason);
}

#[test]
fn a_style_of_numbers_that_fits_both_ways_is_asked_and_one_figure_settles_it() {
    use NumberStyle::{DecimalComma, DecimalPoint, Unambiguous};
    let check = |rows: &[(&str, &str)], expect: Option<NumberStyle>, question: Option<&str>| {
        let file: String = ["id,date,likes,revenue\n".to_owned()]
            .into_iter()
            .chain(
                rows.iter()
                    .enumerate()
                    .map(|(index, (likes, revenue))| format!("{index},2026-03-01,\"{likes}\",\"{revenue}\"\n")),
            )
            .collect();
        let guess = guess_of(&file);
        assert_eq!(guess.draft.numbers, expect, "{rows:?}");
        let sentence = guess.questions.iter().find(|question| question.field() == "numbers").map(Question::sentence);
        match question {
            Some(part) => assert!(sentence.as_ref().unwrap().contains(part), "{sentence:?}"),
            None => assert_eq!(sentence, None, "{rows:?}"),
        }
    };
    check(&[("1", "2")], Some(Unambiguous), None);
    check(&[("1", "1.234"), ("2", "5.678")], None, Some("in \"revenue\"? The first rows fit both: 1.234, 5.678"));
    check(&[("1", "1.234"), ("2", "5.6")], Some(DecimalPoint), None);
    check(&[("1", "1.234"), ("2", "5,6")], Some(DecimalComma), None);
    // A count has no decimals, so its thousands settle the amounts as well.
    check(&[("1,234", "1.234")], Some(DecimalPoint), None);
    check(&[("1.234", "1.234")], Some(DecimalComma), None);
    check(&[("1,5", "2")], Some(Unambiguous), None);
    check(&[("1", "1.5"), ("1", "1,5")], None, Some("some only the other: 1.5, 1,5"));
}

#[test]
fn an_amount_that_could_mean_two_numbers_is_refused_where_nothing_was_settled() {
    let file = "id,date,revenue\n1,2026-03-01,2\n2,2026-03-01,1.234\n3,2026-03-01,2.5\n";
    let draft = answered(guess_of("id,date,revenue\n1,2026-03-01,2\n").draft);
    assert_eq!(draft.numbers, Some(NumberStyle::Unambiguous));
    let (posts, refusals) = read(file, draft.open_options(&header_of(file)).unwrap());
    assert_eq!(posts.iter().map(|post| post.row_number).collect::<Vec<_>>(), [1, 3]);
    assert!(refusals[0].reason.contains("could mean two numbers"), "{}", refusals[0].reason);
}

#[test]
fn a_zone_is_asked_for_local_times_only() {
    let check = |date: &str, needs_zone: bool, expect: Published| {
        let file = format!("id,date\n1,\"{date}\"\n");
        let guess = guess_of(&file);
        assert_eq!(asked(&guess).contains(&"zone"), needs_zone, "{date}");
        let draft = answered(guess.draft);
        assert_eq!(draft.to_mapping(&header_of(&file)).unwrap().needs_zone(), needs_zone);
        assert_eq!(read(&file, draft.open_options(&header_of(&file)).unwrap()).0[0].published, expect, "{date}");
    };
    check("2026-03-01T09:30:00Z", false, at("2026-03-01T09:30:00Z"));
    check("2026-03-01 09:30 +0200", false, at("2026-03-01T07:30:00Z"));
    check("2026-03", false, Published::Month { year: 2026, month: 3 });
    check("2026-03-01 09:30", true, at("2026-03-01T08:30:00Z"));
    check("Mar 1, 2026 9:30 PM", true, at("2026-03-01T20:30:00Z"));
    // Only the day: noon in the stated zone.
    check("2026-03-01", true, at("2026-03-01T11:00:00Z"));
    assert!(guess_of("id,date\n1,2026-03-01\n").notes.iter().any(|note| note.contains("12:00")));

    // A row without offset in a file of times with one.
    let file = "id,date\n1,2026-03-01T09:30:00Z\n2,2026-03-01T09:30:00\n";
    let draft = answered(guess_of("id,date\n1,2026-03-01T09:30:00Z\n").draft);
    let (_, refusals) = read(file, draft.open_options(&header_of(file)).unwrap());
    assert!(refusals[0].reason.contains("as the other rows do"), "{}", refusals[0].reason);
    // And a time with offset in a file of local ones is taken at its word.
    let draft = answered(guess_of("id,date\n1,2026-03-01T09:30:00\n").draft);
    let (posts, _) = read(file, draft.open_options(&header_of(file)).unwrap());
    assert_eq!((posts[0].published, posts[1].published), (at("2026-03-01T09:30:00Z"), at("2026-03-01T08:30:00Z")));
}

#[test]
fn a_time_of_day_in_a_column_of_its_own_is_found_and_joined() {
    let file = "id,Date,Uhrzeit,likes\n1,31/12/2025,6:30 PM,1\n2,01/01/2026,,1\n3,02/01/2026,soon,1\n";
    let first = "id,Date,Uhrzeit,likes\n1,31/12/2025,6:30 PM,1\n";
    let guess = guess_of(first);
    assert_eq!(fields(&guess), ["post_id", "published_at", "published_time", "reactions"]);
    let (posts, refusals) = read(file, answered(guess.draft).open_options(&header_of(file)).unwrap());
    assert_eq!(posts[0].published, at("2025-12-31T17:30:00Z"));
    assert_eq!(posts[1].published, at("2026-01-01T11:00:00Z"));
    assert_eq!(refusals[0].column.as_deref(), Some("Uhrzeit"));
    assert!(refusals[0].reason.contains("a time of day, such as 18:30"), "{}", refusals[0].reason);
    // "time" is the date where its values are dates.
    assert_eq!(fields(&guess_of("id,time\n1,2015-09-30 18:42 +0000\n")), ["post_id", "published_at"]);
}

#[test]
fn what_the_file_does_not_say_is_asked_or_said() {
    let file = "date,text,likes\n2026-03-01T09:30:00Z,hello,3\n2026-03-01T09:30:00Z,hello,3\n";
    let guess = guess_of(file);
    assert_eq!(asked(&guess), ["platform", "account"]);
    assert!(guess.notes.iter().any(|note| note.contains("No column has the posts' ids")), "{:?}", guess.notes);
    let errors = guess.draft.to_mapping(&header_of(file)).unwrap_err();
    assert_eq!(errors.iter().map(|error| &*error.field).collect::<Vec<_>>(), ["platform", "account"]);
    let mut draft = guess.draft;
    draft.platform = Some("x".to_owned());
    draft.account_id = Some("42".to_owned());
    draft.account_name = Some("Shop".to_owned());
    let mapping = draft.to_mapping(&header_of(file)).unwrap();
    assert!(mapping.lacks.iter().any(|lack| lack.contains("known again by its content")), "{:?}", mapping.lacks);
    assert!(mapping.lacks.iter().any(|lack| lack.contains("missing rather than 0: reach")), "{:?}", mapping.lacks);
    let (posts, _) = read(file, draft.open_options(&header_of(file)).unwrap());
    assert_eq!((&*posts[0].account_external_id, posts[0].account_name.as_deref()), ("42", Some("Shop")));
    assert!(posts[0].external_id.starts_with("row-") && posts[0].external_id != posts[1].external_id);

    // No date at all.
    let guess = guess_of("id,likes\na,3\n");
    assert_eq!(asked(&guess), ["columns", "platform", "account"]);
    assert!(guess.questions[0].sentence().contains("Which column holds the date?"));
}

#[test]
fn a_platform_is_suggested_from_addresses_and_never_answered() {
    let check = |link: &str, expect: Option<&str>| {
        let guess = guess_of(format!("link,date,text\n{link},2026-03-01,see https://x.com/a\n"));
        let suggestion = expect.map(str::to_owned);
        assert!(guess.questions.contains(&Question::Platform { suggestion }), "{:?}", guess.questions);
        assert_eq!(guess.draft.platform, None);
        assert_eq!(fields(&guess)[0], "post_id");
    };
    check("https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000001", Some("linkedin"));
    check("https://x.com/shop/status/1", Some("x"));
    check("https://twitter.com/shop/status/1", Some("x"));
    check("https://example.com/1", None);
}

#[test]
fn ids_that_name_their_page_give_the_account() {
    let file = "status_id,Seite,status_published,num_likes\n246_1,Shop,4/22/2018 6:00,3\n246_2,Shop,4/23/2018 6:00,3\n";
    let guess = guess_of(file);
    assert_eq!(fields(&guess), ["post_id", "-", "published_at", "reactions"]);
    assert_eq!(asked(&guess), ["zone", "platform"]);
    let (posts, _) = read(file, answered(guess.draft).open_options(&header_of(file)).unwrap());
    assert_eq!((&*posts[0].account_external_id, &*posts[0].external_id), ("246", "246_1"));
}

#[test]
fn usual_headers_of_six_languages_mean_the_same_fields() {
    let expect = ["published_at", "text", "kind", "impressions", "reach", "reactions", "comments", "shares", "clicks"];
    for header in [
        "Publish time,Message,Post type,Impressions,Reach,Reactions,Comments,Shares,Total clicks",
        "published_at,text,kind,impressions,reach,reactions,comments,shares,clicks",
        "Created date,Post title,Content Type,Impressions,Reach,Likes,Comments,Reposts,Clicks",
        "Posted,Post Message,Type,Lifetime Post Total Impressions,Lifetime Post Total Reach,Likes,Comments,Shares,Link Clicks",
        "Veröffentlicht am,Nachricht,Beitragstyp,Impressionen,Reichweite,Reaktionen,Kommentare,Geteilte Inhalte,Klicks",
        "Date de publication,Texte,Type de publication,Vues,Couverture,Réactions,Commentaires,Partages,Clics",
        "Fecha de publicación,Texto,Tipo de publicación,Visualizaciones,Alcance,Reacciones,Comentarios,Compartidos,Clics",
        "Data de publicação,Texto,Tipo de publicação,Visualizações,Alcance,Reações,Comentários,Compartilhamentos,Cliques",
        "Data di pubblicazione,Testo,Tipo di post,Impressioni,Copertura,Reazioni,Commenti,Condivisioni,Clic",
        "Publicatiedatum,Tekst,Berichttype,Weergaven,Bereik,Vind-ik-leuks,Opmerkingen,Gedeeld,Klikken",
    ] {
        let guess = guess_of(format!("{header}\n2026-03-01 10:00,hello,photo,1,2,3,4,5,6\n"));
        assert_eq!(fields(&guess), expect, "{header}");
    }
}

#[test]
fn a_name_is_not_believed_against_its_values_and_the_better_of_two_columns_wins() {
    let file = "id,date,Reach,Likes,Reactions,Paid Reach\n1,2026-03-01,high,1,2,5\n2,2026-03-01,low,1,2,5\n";
    let guess = guess_of(file);
    assert_eq!(fields(&guess), ["post_id", "published_at", "-", "-", "reactions", "-"]);
    let reason = |column: usize| guess.columns[column].reason.as_str();
    assert!(reason(2).contains("The name says Reach, but values such as \"high\""), "{}", reason(2));
    assert!(reason(3).contains("\"Reactions\" is taken"), "{}", reason(3));
    // Repeated in every row, it is no id of posts.
    let guess = guess_of("id,date,likes\n7,2026-03-01,1\n7,2026-03-02,1\n7,2026-03-03,1\n");
    assert_eq!(fields(&guess)[0], "-");
    assert!(guess.columns[0].reason.contains("no ids of posts"), "{}", guess.columns[0].reason);
}

#[test]
fn columns_in_an_unknown_language_are_found_by_their_values() {
    let guess = guess_of("päivä,verkko,tunnus\n2026-03-01,Facebook,12_34\n2026-03-02,LinkedIn,12_35\n");
    assert_eq!(fields(&guess), ["published_at", "platform", "post_id"]);
    assert!(guess.columns[0].reason.contains("The values are dates"), "{}", guess.columns[0].reason);
    // Crosses are no posts on X.
    assert_eq!(fields(&guess_of("date,paid\n2026-03-01,x\n")), ["published_at", "-"]);
}

#[test]
fn an_id_that_a_spreadsheet_rounded_is_refused_and_said() {
    let file = "Post ID,date\n1.22158E+17,2026-03-01\n122158000000000001,2026-03-01\n";
    let guess = guess_of(file);
    assert!(guess.notes.iter().any(|note| note.contains("rounded ids")), "{:?}", guess.notes);
    let (posts, refusals) = read(file, answered(guess.draft).open_options(&header_of(file)).unwrap());
    assert_eq!((posts.len(), refusals.len()), (1, 1));
    assert!(refusals[0].reason.contains("a spreadsheet has shortened"), "{}", refusals[0].reason);
}

#[test]
fn a_draft_names_everything_that_is_wrong_with_it_at_once() {
    let header: Vec<String> = ["id", "date", "likes", "hearts", "page", ""].map(str::to_owned).to_vec();
    let sound = Draft {
        columns: vec![
            DraftColumn { column: "id".to_owned(), field: Some(Field::PostId) },
            DraftColumn { column: "date".to_owned(), field: Some(Field::PublishedAt) },
            DraftColumn { column: "likes".to_owned(), field: Some(Field::Metric(Metric::Reactions)) },
            DraftColumn { column: "hearts".to_owned(), field: None },
            DraftColumn { column: "page".to_owned(), field: None },
            DraftColumn { column: String::new(), field: None },
        ],
        platform: Some("facebook".to_owned()),
        account_id: Some("1".to_owned()),
        date_order: Some(DateOrder::DayFirst),
        zone: Some("Asia/Bangkok".parse().unwrap()),
        numbers: Some(NumberStyle::DecimalPoint),
        ..Draft::default()
    };
    sound.open_options(&header).unwrap();
    let check = |change: &dyn Fn(&mut Draft), expect: &[(&str, &str)]| {
        let mut draft = sound.clone();
        change(&mut draft);
        let errors = draft.open_options(&header).unwrap_err();
        assert_eq!(errors.len(), expect.len(), "{errors:?}");
        for (error, (field, part)) in errors.iter().zip(expect) {
            assert!(error.field == *field && error.message.contains(part), "{error:?}");
        }
    };
    check(&|draft| draft.columns[1].field = None, &[("columns", "Choose Published at")]);
    check(
        &|draft| draft.columns[3].field = Some(Field::Metric(Metric::Reactions)),
        &[("column-3", "\"likes\", \"hearts\" are to be imported as Reactions, which takes one column")],
    );
    check(&|draft| draft.columns[5].field = Some(Field::Text), &[("column-5", "Column 6 has no name")]);
    check(
        &|draft| draft.columns[0].column = "post id".to_owned(),
        &[("column-0", "no column \"post id\", which is to be imported as Post id")],
    );
    check(&|draft| draft.platform = None, &[("platform", "State the platform")]);
    check(&|draft| draft.platform = Some("Face book".to_owned()), &[("platform", "\"Face book\" is no platform")]);
    check(
        &|draft| draft.columns[4].field = Some(Field::Platform),
        &[("platform", "from the column \"page\" and stated for the whole file as well")],
    );
    check(&|draft| draft.account_id = Some(" ".to_owned()), &[("account", "State the account")]);
    check(
        &|draft| {
            draft.account_id = None;
            draft.account_name = Some("Shop".to_owned());
        },
        &[("account", "State the account"), ("account", "State the id as well")],
    );
    check(&|draft| draft.columns[4].field = Some(Field::AccountId), &[("account", "comes from two places")]);
    check(&|draft| draft.account_from_post_id = true, &[("account", "comes from two places")]);
    check(&|draft| draft.columns[4].field = Some(Field::AccountName), &[("column-4", "Choose Account id for it")]);
    check(&|draft| draft.account_id = Some("x".repeat(256)), &[("account", "one line of 1 to 255 characters")]);
    check(
        &|draft| {
            draft.account_id = None;
            draft.account_from_post_id = true;
            draft.columns[0].field = None;
        },
        &[("account", "no column is chosen for them")],
    );
    check(&|draft| draft.date_order = None, &[("date_order", "the dates of \"date\"")]);
    check(&|draft| draft.zone = None, &[("zone", "State the zone")]);
    check(&|draft| draft.numbers = None, &[("numbers", "is 1.234 more than a thousand")]);
    check(
        &|draft| {
            draft.date_order = None;
            draft.numbers = None;
            draft.platform = None;
            draft.zone = None;
        },
        &[("platform", ""), ("date_order", ""), ("numbers", ""), ("zone", "")],
    );
    // Written by hand: the same column twice.
    check(
        &|draft| {
            draft.columns[3] = DraftColumn { column: "date".to_owned(), field: Some(Field::Text) };
        },
        &[("columns", "uses the column \"date\" for two fields")],
    );
    // Without figures nothing has to be known about them.
    let mut draft = sound.clone();
    draft.columns[2].field = None;
    draft.numbers = None;
    draft.to_mapping(&header).unwrap();
}

#[test]
fn a_saved_draft_fits_another_file_with_the_same_columns_and_names_those_it_lacks() {
    let draft = answered(guess_of(EXPORT).draft);
    let saved = serde_json::to_string(&draft).unwrap();
    let loaded: Draft = serde_json::from_str(&saved).unwrap();
    assert_eq!(loaded, draft);
    assert!(saved.contains("\"field\":\"published_at\"") && saved.contains("\"zone\":\"Europe/Berlin\""), "{saved}");

    // The same columns in another order, and a new one.
    let other = "New;Likes;Network;Page Name;Post ID;Posted;Message;Post Type;Views;Comments;Spend (EUR)\n\
                 x;12;Facebook;Shop;p-9;31.12.2025 18:30;Hi;Photo;1.234;3;1\n";
    let header = header_of(other);
    let fitted = loaded.fit(&header);
    assert_eq!(
        fitted.columns.iter().map(|column| &column.column).collect::<Vec<_>>(),
        header.iter().collect::<Vec<_>>()
    );
    assert_eq!(fitted.columns[0].field, None);
    let (posts, refusals) = read(other, fitted.open_options(&header).unwrap());
    assert_eq!((&*posts[0].external_id, posts[0].metrics.reactions, refusals.len()), ("p-9", Some(12), 0));

    // A file without two of them: they are named, and kept in the form.
    let poorer = "Network;Page Name;Post ID;Posted\nFacebook;Shop;p-9;31.12.2025 18:30\n";
    let header = header_of(poorer);
    let missing = ["Message", "Post Type", "Views", "Likes", "Comments", "Spend (EUR)"];
    assert_eq!(loaded.missing_columns(&header), missing);
    let fitted = loaded.fit(&header);
    assert_eq!(fitted.columns.len(), 4 + missing.len());
    let errors = fitted.to_mapping(&header).unwrap_err();
    assert_eq!(errors.len(), missing.len());
    assert!(errors[2].message.contains("The file has no column \"Views\""), "{:?}", errors[2]);
    assert_eq!(errors[2].field, "column-6");

    assert!(serde_json::from_str::<Draft>("{\"columns\":[],\"surprise\":1}").is_err());
    assert!(serde_json::from_str::<Draft>("{\"columns\":[{\"column\":\"a\",\"field\":\"age\"}]}").is_err());
}

#[test]
fn a_guess_can_be_kept_as_json() {
    let json = serde_json::to_value(guess_of(EXPORT)).unwrap();
    assert_eq!(json["columns"][3]["field"], "published_at");
    assert_eq!(json["questions"][0]["question"], "zone");
    let keys: Vec<serde_json::Value> =
        Field::all().into_iter().map(|field| serde_json::to_value(field).unwrap()).collect();
    assert_eq!(keys[0], "published_at");
}

#[test]
fn a_preview_shows_the_first_rows_as_they_will_be_stored_refused_ones_with_their_reason() {
    let mut file = "platform,account_id,post_id,published_at,reach\n".to_owned();
    for number in 0..50 {
        let reach = if number == 3 { "many" } else { "7" };
        writeln!(file, "facebook,1,{number},2026-03-01T09:30:00Z,{reach}").unwrap();
    }
    let shown = preview(file.as_bytes(), OpenOptions::default()).unwrap();
    assert_eq!((shown.rows.len(), shown.mapping.name.as_str()), (PREVIEW_ROWS, "rtv-posts"));
    assert!(shown.stopped.is_none() && shown.unmapped_columns.is_empty());
    let Row::Refused(refusal) = &shown.rows[3] else { panic!("{:?}", shown.rows[3]) };
    assert!(refusal.row_number == 4 && refusal.reason.contains("\"many\""), "{refusal:?}");

    let open_quote =
        "platform,account_id,post_id,published_at,text\nfacebook,1,2,2026-03,a\nfacebook,1,3,2026-03,\"b\n";
    let shown = preview(open_quote.as_bytes(), OpenOptions::default()).unwrap();
    assert_eq!(shown.rows.len(), 1);
    assert!(matches!(shown.stopped, Some(ImportError::UnclosedQuote { row: 2, line: 3 })), "{:?}", shown.stopped);
    // The sample of the same file says so before a preview is asked for.
    assert!(matches!(sample(open_quote.as_bytes(), None, None), Err(ImportError::UnclosedQuote { row: 2, line: 3 })));
}

#[test]
fn a_wrong_separator_is_noticed_and_the_right_one_named() {
    let file = EXPORT.as_bytes();
    let error = sample(file, None, Some(Delimiter::Comma)).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("one column") && message.contains("With a comma") && message.contains("semicolon"),
        "{message}"
    );
    assert_eq!(error.field(), "delimiter");
    let options = OpenOptions { delimiter: Some(Delimiter::Tab), ..OpenOptions::default() };
    assert!(matches!(open(file, options), Err(ImportError::WrongDelimiter { columns: 12, .. })));
    // Stated against the detection, where both are possible.
    let both = "a;b,c\n1;2,3\n";
    assert_eq!(header_of(both), ["a;b", "c"]);
    let stated = sample(both.as_bytes(), None, Some(Delimiter::Semicolon)).unwrap();
    assert_eq!(stated.sniffed.header, ["a", "b,c"]);
    let error = sample("id|date|likes\n1|2026-03-01|2\n".as_bytes(), None, None).unwrap_err().to_string();
    assert!(error.contains("separated by |, which is not read"), "{error}");
}

#[test]
fn lines_above_the_header_are_passed_over_and_said() {
    let check = |file: &str, above: usize, delimiter: Delimiter, header: &[&str]| {
        let sample = sample(file.as_bytes(), None, None).unwrap();
        assert_eq!((sample.sniffed.notes_above, sample.sniffed.delimiter), (above, delimiter), "{file:?}");
        assert_eq!(sample.sniffed.header, header, "{file:?}");
        assert_eq!(sample.rows.len(), 1, "{file:?}");
    };
    let header = ["id", "date", "likes"];
    check("id,date,likes\n1,2026-03-01,2\n", 0, Delimiter::Comma, &header);
    check("Posts of the last month\nid,date,likes\n1,2026-03-01,2\n", 1, Delimiter::Comma, &header);
    check("\"Posts, of the last month\",,\nid,date,likes\n1,2026-03-01,2\n", 1, Delimiter::Comma, &header);
    check("Posts;;\nAll of them;;\nid;date;likes\n1;2026-03-01;2\n", 2, Delimiter::Semicolon, &header);
    check("sep=;\nid;date;likes\n1;2026-03-01;2\n", 1, Delimiter::Semicolon, &header);
    check("sep=,\r\nid,date,likes\r\n1,2026-03-01,2\r\n", 1, Delimiter::Comma, &header);
    // A long text with the other separator in it does not make a note of the header.
    let text = "a;".repeat(30);
    check(&format!("id,date,likes\n{text},2026-03-01,2\n"), 0, Delimiter::Comma, &header);
    // A header of one column stays one, whatever follows.
    check("id\n1\n", 0, Delimiter::Comma, &["id"]);
    let file = "Posts\nid,date,likes\n1,2026-03-01T10:00:00Z,2\n2,2026-03-01T10:00:00Z,many\n";
    let draft = answered(guess_of("Posts\nid,date,likes\n1,2026-03-01T10:00:00Z,2\n").draft);
    let (posts, refusals) = read(file, draft.open_options(&header_of(file)).unwrap());
    assert_eq!((posts[0].row_number, refusals[0].row_number), (1, 2));
}

#[test]
fn refused_rows_are_written_so_that_they_can_be_mended_and_imported() {
    let file = "post_id;published_at;text;reach;platform;account_id\n\
                1;2026-03-01T09:30:00Z;\"a; \"\"b\"\"\nc\";7;facebook;1\n\
                2;2026-03-01T09:30:00Z;\"a; \"\"b\"\"\nc\";many;facebook;1\n\
                3;2026-03-01;=1+1;7;facebook;1\n\
                4;2026-03-01T09:30:00Z;x;7;facebook\n";
    let (posts, refusals) = read(file, OpenOptions::default());
    assert_eq!((posts.len(), refusals.len()), (1, 3));
    let mut written = Vec::new();
    write_refused_rows(&mut written, &header_of(file), Delimiter::Semicolon, &refusals).unwrap();
    let text = String::from_utf8(written).unwrap();
    assert!(text.starts_with("\u{FEFF}rtv_row;rtv_reason;post_id;published_at;"), "{text}");
    let mended = text.replace(";many;", ";8;").replace(";2026-03-01;", ";2026-03-02T00:00:00Z;");
    let (again, refusals) = read(&mended, OpenOptions::default());
    assert_eq!(again.len(), 2);
    assert_eq!((again[0].text.as_deref(), again[0].metrics.reach), (posts[0].text.as_deref(), Some(8)));
    assert_eq!(again[1].text.as_deref(), Some("=1+1"));
    // The row with a cell too few stands there whole, to be mended by hand.
    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].raw.contains("4;2026-03-01T09:30:00Z;x;7;facebook"), "{:?}", refusals[0]);
}

#[test]
fn a_mended_row_without_an_id_counts_as_the_row_it_was() {
    let row = |likes: &str| format!("2026-03-01T09:30:00Z,hello,{likes}\n");
    let draft = answered(guess_of(format!("date,text,likes\n{}", row("1"))).draft);
    let header: Vec<String> = ["date", "text", "likes"].map(str::to_owned).to_vec();
    let options = draft.open_options(&header).unwrap();
    let whole = read(format!("date,text,likes\n{}", row("3")), options.clone()).0;
    let refusals = read(format!("date,text,likes\n{}", row("three")), options.clone()).1;
    let mut written = Vec::new();
    write_refused_rows(&mut written, &header, Delimiter::Comma, &refusals).unwrap();
    let mended = String::from_utf8(written).unwrap().replace(",three", ",3");
    assert_eq!(read(mended, options).0[0].external_id, whole[0].external_id);
}

#[test]
fn hostile_files_get_a_clear_answer_already_from_the_sample() {
    let check = |file: &[u8], expect: &str| {
        let message = sample_seekable(io::Cursor::new(file), None, None).unwrap_err().to_string();
        assert!(message.contains(expect), "{message}");
    };
    check(b"", "is empty");
    check(b"id,date,likes\n", "a header of 3 columns and no row");
    check(b"id,date,\"likes\n1,2,3\n", "opens in row 0 (line 1 of the file)");
    check(b"a,a\n1,2\n", "\"a\" stands twice");
    check(b"a\0b,c\n1,2\n", "NUL byte");
    check("x,".repeat(9_999).as_bytes(), "more than 1000 columns");
    check(format!("{}\n1\n", "x".repeat(10 << 20)).as_bytes(), "Cell 1 is longer than 1048576 bytes");
    check(b"PK\x03\x04", "XLSX");
    check(
        format!("id,date\n1,2026-03-01\n2,\"{}", "x\n".repeat(1 << 20)).as_bytes(),
        "opens in row 2 (line 3 of the file)",
    );

    // Rows that cannot be read are counted, and the rest is still guessed from.
    let file = [
        b"id,date,likes\n1,2026-03-01,2\n2,2026-03-01,\0\n3,2026-03-01\n4,2026-03-01,Caf\xE9\n5,\"".to_vec(),
        vec![b'y'; 10 << 20],
        b"\",2\n".to_vec(),
    ]
    .concat();
    let file = [b"\xEF\xBB\xBF".to_vec(), file].concat();
    let sample = sample(&*file, None, None).unwrap();
    assert_eq!((sample.rows.len(), sample.unreadable_rows), (1, 4));
    assert!(guess(&sample).notes[0].contains("4 of the first rows cannot be read"), "{:?}", guess(&sample).notes);
    // Long cells are cut: a thousand columns of a megabyte would be a gigabyte.
    let long = format!("id,date,text\n1,2026-03-01,{}\n", "é".repeat(500_000));
    let sample = rtv_import::sample(long.as_bytes(), None, None).unwrap();
    assert_eq!(sample.rows[0][2].len(), 1024);
}

#[test]
fn an_encoding_that_shows_only_late_is_found_in_the_sample_of_a_file_on_disk() {
    let mut text = "id,date,text\n".to_owned();
    while text.len() < 100_000 {
        text.push_str("1,2026-03-01,plain\n");
    }
    text.push_str("2,2026-03-01,Café\n");
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    let sample = sample_seekable(io::Cursor::new(&*bytes), None, None).unwrap();
    assert_eq!(sample.sniffed.read_as, Encoding::Windows1252);
    assert_eq!(sample.rows.len(), SAMPLE_ROWS);
}

/// The files of networks, as public programs that read them have them in their tests.
#[test]
fn the_exports_of_networks_are_recognised_and_read() {
    let check = |file: &str, mapping: &str, account: Option<&str>| -> PostRow {
        let guess = guess_of(file);
        let builtin = guess.builtin.clone().unwrap();
        assert_eq!(builtin.name, mapping);
        assert!(builtin.source.starts_with("From documentation"), "{}", builtin.source);
        assert_eq!(builtin.requires_account(), account.is_some());
        let options = OpenOptions {
            zone: Some("America/New_York".parse().unwrap()),
            account_external_id: account.map(str::to_owned),
            ..OpenOptions::default()
        };
        if account.is_some() {
            let without = OpenOptions { account_external_id: None, ..options.clone() };
            assert!(matches!(open(file.as_bytes(), without), Err(ImportError::AccountRequired)));
        }
        let reader = open(file.as_bytes(), options.clone()).unwrap();
        assert_eq!(reader.unmapped_columns(), <[String; 0]>::default(), "{mapping}");
        let (mut posts, refusals) = read(file, options);
        assert_eq!((posts.len(), refusals), (1, vec![]));
        posts.remove(0)
    };
    let post = check(
        "Post id,Date,Post text,Post Link,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,Replies,Reposts,Profile visits,Detail Expands,URL Clicks,Hashtag Clicks,Permalink Clicks\n\
         2074000000000000001,\"Tue, Jul 14, 2026\",Hello,https://x.com/shop/status/2074000000000000001,\"122,978\",12,300,0,9,0,4,5,129,200,66,0,0\n",
        "x-content",
        Some("shop"),
    );
    assert_eq!((&*post.platform, &*post.account_external_id, &*post.external_id), ("x", "shop", "2074000000000000001"));
    assert_eq!(post.published, Published::At(Utc.with_ymd_and_hms(2026, 7, 14, 16, 0, 0).unwrap()));
    assert_eq!(
        (post.metrics.impressions, post.metrics.shares, post.metrics.clicks),
        (Some(122_978), Some(5), Some(66))
    );

    let post = check(
        "\"Tweet id\",\"Tweet permalink\",\"Tweet text\",\"time\",\"impressions\",\"engagements\",\"engagement rate\",\"retweets\",\"replies\",\"likes\",\"user profile clicks\",\"url clicks\",\"hashtag clicks\",\"detail expands\",\"permalink clicks\"\n\
         \"649293177409679360\",\"https://twitter.com/a/status/649293177409679360\",\"Hi\",\"2015-09-30 18:42 +0000\",\"424.0\",\"3.0\",\"0.007\",\"1.0\",\"2.0\",\"3.0\",\"4.0\",\"-\",\"6.0\",\"7.0\",\"8.0\"\n",
        "x-tweet-activity",
        Some("a"),
    );
    assert_eq!(post.published, at("2015-09-30T18:42:00Z"));
    assert_eq!((post.metrics.impressions, post.metrics.clicks, post.metrics.reactions), (Some(424), None, Some(3)));

    let post = check(
        "\"Engagement metrics for individual posts, by day\",,,,,,,,,,,,,,,,,,,\n\
         Post title,Post link,Post type,Campaign name,Posted by,Created date,Campaign start date,Campaign end date,Audience,Impressions,Views,Offsite Views,Clicks,Click through rate (CTR),Likes,Comments,Reposts,Follows,Engagement rate,Content Type\n\
         We finished,https://www.linkedin.com/feed/update/urn:li:activity:7300000000000000001,Organic,,Erik,07/02/2026,,,All followers,410,,,12,0.029,20,2,1,,0.085,Image\n",
        "linkedin-page-posts",
        Some("acme"),
    );
    assert_eq!(post.published, at("2026-07-02T16:00:00Z"));
    assert_eq!((post.kind.as_deref(), post.campaign, post.metrics.clicks), (Some("image"), None, Some(12)));

    let post = check(
        "\u{FEFF}Post ID,Page ID,Page name,Title,Description,Duration (sec),Publish time,Permalink,Post type,Date,Views,Reach,\"Reactions, Comments and Shares\",Reactions,Comments,Shares,Total clicks\n\
         122158000000000001,61571,Agncy,Build local tools,,45,09/27/2026 18:30,https://www.facebook.com/reel/1,Reels,Lifetime,\"1,250\",980,9,5,3,1,40\n",
        "meta-facebook-content",
        None,
    );
    assert_eq!((&*post.account_external_id, post.account_name.as_deref()), ("61571", Some("Agncy")));
    assert_eq!((post.published, post.metrics.impressions), (at("2026-09-27T22:30:00Z"), Some(1250)));

    let post = check(
        "Post ID,Account ID,Account username,Account name,Description,Duration (sec),Publish time,Permalink,Post type,Date,Views,Reach,Likes,Shares,Follows,Comments,Saves\n\
         18011,1784,shop,The Shop,Chair test,44,10/03/2026 08:31,https://www.instagram.com/reel/DAbc/,IG reel,Lifetime,\"12,400\",9100,85,4,2,7,11\n",
        "meta-instagram-content",
        None,
    );
    assert_eq!(
        (&*post.platform, post.account_name.as_deref(), post.metrics.reactions),
        ("instagram", Some("shop"), Some(85))
    );
}

#[test]
fn rtvs_own_export_is_guessed_as_what_it_is() {
    let mut columns =
        vec!["platform", "account_id", "account_name", "post_id", "published_at", "kind", "text", "campaign"];
    columns.extend(Metric::ALL.map(Metric::key));
    let file = format!(
        "{}\nfacebook,1,Shop,2,2026-03-01T09:30:00Z,photo,hi,spring,1,2,3,4,5,6,7,8.50,9,0.5\n",
        columns.join(",")
    );
    let guess = guess_of(&file);
    assert_eq!(guess.builtin.as_ref().map(|mapping| &*mapping.name), Some("rtv-posts"));
    assert_eq!(fields(&guess), columns);
    assert_eq!(guess.questions, []);
    let (posts, _) = read(&file, guess.draft.open_options(&header_of(&file)).unwrap());
    let (expect, _) = read(&file, OpenOptions { mapping: Mapping::builtin("rtv-posts"), ..OpenOptions::default() });
    assert_eq!(posts, expect);
}
