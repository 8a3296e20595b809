//! The whole: pages in order, their numbers, contents and outline, what the file says about itself.

use lopdf::{Document, Object};
use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::{Cell, Filled, FilledContent, Kind, Table};
use rtv_domain::report::change;
use rtv_report::pdf::{Pictures, write};

use super::reader::read;
use super::world::{column, count, day, empty, format, holding, long_table, look, metric, number, small};

#[test]
fn a_small_report_reads_page_by_page_as_it_was_filled() {
    let read = read(&small(), &look(), &Pictures::new());
    insta::assert_snapshot!(read.told());
    insta::assert_debug_snapshot!(read.written.notes);
}

#[test]
fn figures_are_equal_to_those_of_the_page() {
    for locale in ["en-GB", "en-US", "de-DE", "fr-FR"] {
        let look = rtv_report::pdf::Look { format: format(locale), ..look() };
        let words = read(&small(), &look, &Pictures::new()).words();
        let format = format(locale);
        for (unit, value) in [
            (Unit::Count, "1284321"),
            (Unit::Percent, "0.06618"),
            (Unit::Percent, "0.0251"),
            (Unit::Money, "987654.32"),
            (Unit::Money, "9.25"),
            (Unit::Score, "-0.084"),
            (Unit::Count, "10130"),
        ] {
            let expect = format.exact(unit, number(value));
            // Spaces that hold figures together count as spaces when words are compared.
            let expect = expect.replace(['\u{a0}', '\u{202f}'], " ");
            let words = words.replace(['\u{a0}', '\u{202f}'], " ");
            assert!(words.contains(&expect), "{locale}: {expect:?} is missing in {words}");
        }
    }
}

#[test]
fn a_week_is_worded_as_on_the_page_and_never_beyond_the_period() {
    let weeks = Table {
        columns: vec![column("week", "Week", Kind::Week), column("reach", "Reach", Kind::Number(Unit::Count))],
        rows: ["2026-03-01", "2026-03-02", "2026-03-30"].map(|first| vec![Cell::Day(day(first)), count(1)]).to_vec(),
        of_rows: 3,
        totals: None,
        ..long_table(0)
    };
    let march = Period::new(day("2026-03-01"), day("2026-03-31")).unwrap();
    let filled = Filled { period: march, ..holding(vec![FilledContent::Table(weeks)]) };
    let words = read(&filled, &look(), &Pictures::new()).words();
    for first in ["2026-03-01", "2026-03-02", "2026-03-30"] {
        let expect = format("en-GB").cell(Kind::Week, &Cell::Day(day(first)));
        assert!(words.contains(&expect), "{expect} is missing in {words}");
    }
    for wrong in ["7 Mar", "8 Mar", "5 Apr"] {
        assert!(!words.contains(wrong), "{wrong} is in {words}");
    }
}

#[test]
fn a_change_is_worded_as_on_the_page_by_difference_and_share() {
    let check = |unit, value: Option<&str>, before: Option<&str>, text: &str, words: &str| {
        let metric = metric("Reach", unit, value, before);
        let previous = empty().previous;
        let change = change(&format("en-GB"), &metric, previous).unwrap();
        assert_eq!((change.text.as_str(), change.words.as_str()), (text, words));
        let page = read(&holding(vec![FilledContent::Metric(metric)]), &look(), &Pictures::new()).words();
        let is_there = |part: &str| page.contains(&part.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(is_there(text) && is_there(words), "{text:?} or {words:?} is missing in {page}");
    };
    let when = "in 1 Sep – 30 Sep 2026";
    check(Unit::Count, Some("1090"), Some("970"), "+120 (+12.4%)", &format!("better than 970 {when}"));
    check(Unit::Count, Some("5"), Some("0"), "+5 (new)", &format!("better than 0 {when}"));
    check(Unit::Percent, Some("0.05"), Some("0.06"), "−1.00 pp", &format!("worse than 6.00% {when}"));
    check(Unit::Count, Some("7"), Some("7"), "0 (0.0%)", &format!("the same as 7 {when}"));
    check(Unit::Count, Some("7"), None, "", "no earlier value to compare with");
    // Other days than those of the whole report.
    let mut months = metric("Position", Unit::Count, Some("3"), Some("2"));
    months.compared_with = Some(Period::new(day("2026-04-01"), day("2026-06-30")).unwrap());
    let page = read(&holding(vec![FilledContent::Metric(months)]), &look(), &Pictures::new()).words();
    assert!(page.contains("better than 2 in 1 Apr – 30 Jun 2026"), "{page}");
    // Beyond what a figure holds.
    let mut far = metric("Reach", Unit::Count, Some("79228162514264337593543950335"), Some("-1"));
    assert_eq!(change(&format("en-GB"), &far, None), None);
    far.unit = Unit::Percent;
    assert_eq!(change(&format("en-GB"), &far, None), None);
}

#[test]
fn what_figures_beside_each_other_share_is_said_once_below_them() {
    let figures: Vec<FilledContent> = ["Share", "Position", "Interactions", "Posts"]
        .into_iter()
        .map(|label| {
            let mut figure = metric(label, Unit::Count, Some("3"), Some("2"));
            figure.remarks = vec!["Whole calendar months only: Mar 2026.".into(), format!("{label} is out of 157.")];
            FilledContent::Metric(figure)
        })
        .collect();
    let page = read(&holding(figures), &look(), &Pictures::new()).words();
    assert_eq!(page.matches("Whole calendar months only: Mar 2026.").count(), 1, "{page}");
    let last = page.find("Block 5").unwrap();
    for told in ["Whole calendar months", "Share is out of 157.", "Posts is out of 157."] {
        assert!(page.rfind(told).is_some_and(|at| at > last), "{told:?} is not below the figures: {page}");
    }
}

#[test]
fn every_page_has_its_number_and_what_it_is_of() {
    let read = read(&small(), &look(), &Pictures::new());
    let pages = read.pages();
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("{} of {}", index + 1, pages.len())), "{page}");
        for fact in ["Acme Coffee Roasters", "1 Oct – 31 Oct 2026", "Europe/Berlin", "data as of 1 Nov 2026, 06:12 CET"]
        {
            assert!(page.contains(fact), "page {}: {fact:?} is missing in {page}", index + 1);
        }
    }
}

#[test]
fn title_author_dates_language_and_outline_are_set() {
    let read = read(&small(), &look(), &Pictures::new());
    let info = read.run("pdfinfo", &["-isodates"], &[]);
    for line in [
        "Title:           Monthly performance\n",
        "Subject:         What October brought on all platforms, for the board.\n",
        "Author:          Acme Coffee Roasters\n",
        "CreationDate:    2026-11-01T06:00:00Z\n",
        "Page size:       595.276 x 841.89 pts (A4)\n",
        "PDF version:     1.7\n",
    ] {
        assert!(info.contains(line), "{line:?} is missing in {info}");
    }
    let document = Document::load_mem(&read.bytes).unwrap();
    let language = document.catalog().unwrap().get(b"Lang").unwrap();
    assert_eq!(language.as_str().unwrap(), b"en");
    let outline = read.run("mutool", &["show"], &["outline"]);
    insta::assert_snapshot!(outline);
}

#[test]
fn the_contents_lead_to_the_pages_that_they_name() {
    let read = read(&small(), &look(), &Pictures::new());
    let document = Document::load_mem(&read.bytes).unwrap();
    let pages = document.get_pages();
    let contents = pages[&2];
    let annotations = document.get_dictionary(contents).unwrap().get(b"Annots").unwrap().as_array().unwrap();
    let targets: Vec<u32> = annotations
        .iter()
        .map(|annotation| {
            let action = annotation.as_dict().unwrap().get(b"A").unwrap().as_dict().unwrap();
            let page = action.get(b"D").unwrap().as_array().unwrap()[0].as_reference().unwrap();
            *pages.iter().find(|(_, id)| **id == page).unwrap().0
        })
        .collect();
    let told = read.pages();
    let numbers: Vec<u32> = told[1]
        .lines()
        .skip_while(|line| !line.contains("Contents"))
        .filter_map(|line| line.split_whitespace().last()?.parse().ok())
        .take(targets.len())
        .collect();
    assert_eq!(targets, numbers);
    assert!(targets.len() >= 6, "{targets:?}");
}

#[test]
fn fonts_are_embedded_as_subsets_and_copied_as_unicode() {
    let read = read(&small(), &look(), &Pictures::new());
    let fonts = read.run("pdffonts", &[], &[]);
    let rows: Vec<Vec<&str>> = fonts.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 2, "{fonts}");
    for row in rows {
        // Name, type in three words, encoding, embedded, subset, Unicode.
        assert!(row[0].contains("+RTVReport-"), "{fonts}");
        let end = row.len();
        assert_eq!(&row[end - 5..end - 2], ["yes", "yes", "yes"], "{fonts}");
    }
    assert!(read.words().contains("Καλημέρα, Привет, Łódź: names are written as they are."));
    assert!(read.bytes.len() < 60_000, "{} bytes", read.bytes.len());
}

#[test]
fn equal_reports_are_equal_files_and_different_ones_are_not() {
    let make = |filled| {
        let mut bytes = Vec::new();
        write(&filled, &look(), &Pictures::new(), &mut bytes).unwrap();
        bytes
    };
    let first = make(small());
    assert!(first == make(small()), "the same report made two different files");
    let id = |bytes: &[u8]| {
        let id = Document::load_mem(bytes).unwrap().trailer.get(b"ID").unwrap().clone();
        match &id.as_array().unwrap()[0] {
            Object::String(id, _) => id.clone(),
            other => panic!("{other:?}"),
        }
    };
    let mut other = small();
    other.sections[0].title.push('!');
    assert_ne!(id(&first), id(&make(other)));
}

#[test]
fn an_empty_report_says_so() {
    let read = read(&empty(), &look(), &Pictures::new());
    let told = read.told();
    assert!(told.contains("This report is empty") && told.contains("Nothing has been put into it yet."), "{told}");
    assert_eq!(read.written.notes, Vec::<String>::new());
}

#[test]
fn a_logo_is_shown_and_what_is_none_is_told() {
    // A chequered field, half of it see-through.
    let logo = include_bytes!("logo.png").to_vec();
    let shown = read(&empty(), &rtv_report::pdf::Look { logo: Some(logo), ..look() }, &Pictures::new());
    let images = shown.run("pdfimages", &["-list"], &[]);
    assert_eq!(images.lines().count(), 4, "an image and its mask: {images}");
    assert_eq!(shown.written.notes, Vec::<String>::new());
    // The same as JPEG, which knows nothing of seeing through.
    let logo = include_bytes!("logo.jpg").to_vec();
    let shown = read(&empty(), &rtv_report::pdf::Look { logo: Some(logo), ..look() }, &Pictures::new());
    let images = shown.run("pdfimages", &["-list"], &[]);
    assert_eq!((images.lines().count(), shown.written.notes.len()), (3, 0), "an image: {images}");
    let broken = rtv_report::pdf::Look { logo: Some(b"\xff\xd8\xff\xe0 and no more".to_vec()), ..look() };
    let told = read(&empty(), &broken, &Pictures::new()).written.notes;
    assert!(told.len() == 1 && told[0].starts_with("The logo is not shown"), "{told:?}");
    let mut bomb = include_bytes!("logo.png").to_vec();
    bomb[16..20].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    for (bytes, reason) in [
        (b"GIF89a".to_vec(), "it is neither PNG nor JPEG"),
        (bomb, "its sides are not within 1 to 4096 pixels"),
        (Vec::new(), "it is neither PNG nor JPEG"),
    ] {
        let told = read(&empty(), &rtv_report::pdf::Look { logo: Some(bytes), ..look() }, &Pictures::new());
        assert_eq!(told.written.notes, [format!("The logo is not shown, because it could not be read: {reason}.")]);
    }
}
