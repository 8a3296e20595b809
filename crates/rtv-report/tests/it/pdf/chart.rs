//! Charts as paths and text, and what becomes of those that cannot be.

use rtv_charts::{ECHARTS_SOURCE, Mark, NumberStyle, Renderer, Role, Series, Theme, TrendChart};
use rtv_core::report::{ChartKind, Filled, FilledContent};
use rtv_report::pdf::{Picture, Pictures};

use super::reader::read;
use super::world::{block, empty, holding, long_table, look, section, small};

/// A month of days as the site draws them.
async fn picture(renderer: &Renderer, title: &str, seed: u32) -> String {
    let values =
        |factor: u32| (0..31_u32).map(|day| Some(f64::from((day * 37 + seed * 11) % 50 + factor))).collect::<Vec<_>>();
    let chart = TrendChart {
        title: title.into(),
        summary: format!("{title} rose."),
        unit: rtv_charts::Unit::Count,
        categories: (1..=31).map(|day| format!("{day} Oct")).collect(),
        series: vec![
            Series { name: "This period".into(), values: values(60), role: Role::Current },
            Series { name: "Before".into(), values: values(40), role: Role::Previous },
        ],
        marks: vec![Mark { index: 12, label: "Autumn blend".into() }],
        numbers: NumberStyle::ENGLISH,
        font_family: "sans-serif".into(),
        no_data: "No data".into(),
    };
    renderer.svg(&chart.option(Theme::Light), 720, 320).await.unwrap()
}

/// A picture that leaves nothing out.
fn only(svg: impl Into<String>) -> Picture {
    Picture { svg: svg.into(), notes: Vec::new() }
}

fn chart() -> FilledContent {
    FilledContent::Chart { kind: ChartKind::Line, table: long_table(31) }
}

#[tokio::test]
async fn a_chart_is_paths_and_text_that_can_be_selected() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    let svg = picture(&renderer, "Reach", 1).await;
    let read = read(&holding(vec![chart()]), &look(), &Pictures::from([(2, only(svg))]));
    assert_eq!(read.written.notes, Vec::<String>::new());
    let images = read.run("pdfimages", &["-list"], &[]);
    assert_eq!(images.lines().count(), 2, "no pixels: {images}");
    let words = read.words();
    for text in ["This period", "Before", "Autumn blend", "1 Oct"] {
        assert!(words.contains(text), "{text:?} is missing in {words}");
    }
    // The lines of both periods: strokes, one of them dashed.
    let drawn = read.run("mutool", &["trace"], &["3"]);
    assert!(drawn.matches("<stroke_path").count() >= 6, "{drawn}");
    assert!(drawn.contains("dash_pattern") || drawn.contains("dash"), "{drawn}");
}

#[tokio::test]
async fn what_a_picture_leaves_out_is_said_below_it_on_its_page() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    let svg = picture(&renderer, "Reach", 1).await;
    let notes = vec!["“Other” holds 9 of 20.".to_owned(), "Shown are the latest 124 of 366.".to_owned()];
    let read = read(&holding(vec![chart()]), &look(), &Pictures::from([(2, Picture { svg, notes: notes.clone() })]));
    let pages = read.pages();
    let page = pages.iter().find(|page| page.contains("This period")).unwrap();
    let drawn = page.find("31 Oct").or_else(|| page.find("1 Oct")).unwrap();
    for note in &notes {
        assert!(page.find(note.as_str()).is_some_and(|at| at > drawn), "{note:?} is not below the picture: {page}");
    }
}

#[test]
fn fills_strokes_clips_opacities_and_gradients_come_through() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200">
        <defs>
            <linearGradient id="even"><stop offset="0" stop-color="#123456"/><stop offset="1" stop-color="#abcdef"/></linearGradient>
            <linearGradient id="fading" x1="0" x2="0" y1="0" y2="1">
                <stop offset="0" stop-color="#24229e" stop-opacity="0.4"/><stop offset="1" stop-color="#24229e" stop-opacity="0"/>
            </linearGradient>
            <clipPath id="half"><rect width="100" height="200"/></clipPath>
        </defs>
        <rect x="10" y="10" width="80" height="50" fill="#ff8000" fill-opacity="0.5"/>
        <rect x="100" y="10" width="80" height="50" fill="url(#even)"/>
        <path d="M200 60 Q240 0 280 60 T360 60 V150 H200 Z" fill="url(#fading)" stroke="#24229e" stroke-width="2"/>
        <g clip-path="url(#half)"><circle cx="100" cy="140" r="40" fill="#008040"/></g>
        <path d="M10 190 H390" stroke="#555" stroke-dasharray="8 4" stroke-linecap="round"/>
        <g opacity="0.3"><text x="200" y="180" transform="rotate(-20 200 180)" font-weight="bold">slanted & bold</text></g>
    </svg>"##
        .replace("& bold", "&amp; bold");
    let read = read(&holding(vec![chart()]), &look(), &Pictures::from([(2, only(svg))]));
    assert_eq!(read.written.notes, Vec::<String>::new());
    let drawn = read.run("mutool", &["trace"], &["3"]);
    for part in ["<fill_shade", "<clip_path", "<clip_mask", "<stroke_path", "alpha=\".5\"", "alpha=\".3\""] {
        assert!(drawn.contains(part), "{part} is missing in {drawn}");
    }
    assert!(read.words().contains("bold"), "{}", read.words());
}

#[test]
fn what_has_no_paths_is_pixels_at_300_dpi_and_told() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200">
        <defs><pattern id="dots" width="8" height="8" patternUnits="userSpaceOnUse"><circle cx="4" cy="4" r="3" fill="#24229e"/></pattern></defs>
        <rect x="20" y="20" width="200" height="100" fill="url(#dots)"/>
        <text x="20" y="180">still text</text>
    </svg>"##;
    let read = read(&holding(vec![chart()]), &look(), &Pictures::from([(2, only(svg))]));
    assert_eq!(
        read.written.notes,
        ["Of the chart “Block 2”, 1 part is drawn as pixels at 300 dpi, because a PDF has no paths for it."]
    );
    let images = read.run("pdfimages", &["-list"], &[]);
    let row: Vec<&str> = images.lines().nth(2).unwrap().split_whitespace().collect();
    let dense = |index: usize| row[index].parse::<u32>().unwrap();
    assert!((298..=302).contains(&dense(12)) && (298..=302).contains(&dense(13)), "{images}");
    assert!(read.words().contains("still text"));
}

#[test]
fn a_chart_without_a_picture_is_its_table_and_says_so() {
    let read = read(&small(), &look(), &Pictures::new());
    assert_eq!(
        read.written.notes[0],
        "The chart “Reach by campaign” is shown as its table, because there is no picture of it."
    );
    let words = read.words();
    assert!(words.contains("Bar chart, shown as its table, because there is no picture of it."), "{words}");
    let broken = super::reader::read(&small(), &look(), &Pictures::from([(10, only("<svg"))]));
    assert!(broken.written.notes[0].contains("its picture could not be read"), "{:?}", broken.written.notes);
}

#[tokio::test]
async fn twelve_charts_on_twenty_pages_stand_whole_on_their_pages() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    let mut pictures = Pictures::new();
    let mut sections = Vec::new();
    for number in 0..12_u32 {
        let id = number * 10;
        pictures.insert(id + 2, only(picture(&renderer, &format!("Chart {number}"), number).await));
        sections.push(section(
            id + 1,
            &format!("Part {number}"),
            vec![
                block(id + 2, &format!("Chart {number}"), chart()),
                block(id + 3, &format!("Table {number}"), FilledContent::Table(long_table(50))),
            ],
        ));
    }
    let filled = Filled { sections, ..empty() };
    let read = read(&filled, &look(), &pictures);
    assert!(read.written.pages >= 20, "{} pages", read.written.pages);
    assert_eq!(read.written.notes, Vec::<String>::new());
    let pages = read.pages();
    for number in 0..12 {
        let title = format!("Chart {number}");
        let own: Vec<&String> =
            pages.iter().skip(2).filter(|page| page.lines().any(|line| line.trim() == title)).collect();
        assert_eq!(own.len(), 1, "{title}");
        assert!(
            own[0].contains("Autumn blend") && own[0].contains("This period"),
            "{title} is parted from its picture"
        );
    }
}
