//! Every kind as the real library draws it, in both themes and three widths: a whole document, with every name in it or said to be left
//! out, with gaps for what is missing, and with hostile texts as texts.

use quick_xml::Reader;
use quick_xml::events::Event;
use rtv_charts::{Along, ECHARTS_SOURCE, Renderer, ReportChart, Theme};
use rtv_core::report::{Cell, ChartKind, Kind};

use crate::specimen::{self, chart, column, count, day, known, number, text, whole};

const WIDTHS: [u32; 3] = [320, 640, 1_040];
const ELEMENTS: [&str; 15] = [
    "svg",
    "title",
    "desc",
    "g",
    "defs",
    "clipPath",
    "linearGradient",
    "stop",
    "rect",
    "path",
    "circle",
    "polyline",
    "polygon",
    "text",
    "tspan",
];

/// A picture as an XML reader understands it.
struct Picture {
    /// Text of each text element.
    texts: Vec<String>,
    /// Elements with their attributes.
    elements: Vec<(String, Vec<(String, String)>)>,
}

impl Picture {
    fn has(&self, text: &str) -> bool {
        self.texts.iter().any(|one| one == text)
    }

    fn filled(&self, colour: &str) -> usize {
        let has =
            |attributes: &[(String, String)]| attributes.iter().any(|(key, value)| key == "fill" && value == colour);
        self.elements.iter().filter(|(_, attributes)| has(attributes)).count()
    }
}

fn read(svg: &str) -> Picture {
    let mut reader = Reader::from_str(svg);
    let (mut elements, mut texts, mut open) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                    (key, String::from_utf8(attribute.value.to_vec()).unwrap())
                });
                let attributes: Vec<(String, String)> = attributes.collect();
                if matches!(name.as_str(), "text" | "title" | "desc") {
                    open = Some(String::new());
                }
                elements.push((name, attributes));
            }
            Event::Text(part) => {
                if let Some(open) = &mut open {
                    open.push_str(&part.decode().unwrap());
                }
            }
            Event::GeneralRef(entity) => {
                let entity = entity.decode().unwrap();
                let meant = match entity.as_ref() {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    "apos" | "#39" => "'",
                    other => panic!("unexpected entity {other}"),
                };
                if let Some(open) = &mut open {
                    open.push_str(meant);
                }
            }
            Event::End(element) if matches!(element.name().as_ref(), b"text" | b"title" | b"desc") => {
                texts.extend(open.take());
            }
            Event::Eof => return Picture { texts, elements },
            _ => {}
        }
    }
}

/// Whether the name, or as much of it as there was room for, stands in the picture.
fn is_found(picture: &Picture, name: &str) -> bool {
    picture.texts.iter().any(|text| {
        text == name || text.strip_suffix('…').is_some_and(|start| start.chars().count() > 5 && name.starts_with(start))
    })
}

#[tokio::test]
async fn every_kind_is_drawn_with_every_name_in_both_themes_and_all_widths() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    for (what, chart) in specimen::all() {
        for theme in [Theme::Light, Theme::Dark] {
            let option = chart.option(theme);
            for width in WIDTHS {
                let svg = renderer.svg(&option, width, chart.height(width)).await.unwrap();
                let picture = read(&svg);
                let at = format!("{what}, {theme:?}, {width} px");
                assert!(picture.has(&chart.title) && picture.has(&chart.summary), "{at}: no title or description");
                for (element, attributes) in &picture.elements {
                    assert!(ELEMENTS.contains(&element.as_str()), "{at}: {element}");
                    let has = |key: &str| attributes.iter().any(|(name, _)| name == key);
                    assert!(
                        element != "text" || (has("fill") && has("font-size")),
                        "{at}: a text without ink or size: {attributes:?}"
                    );
                    assert!(!has("filter") && !has("style"), "{at}: {element} {attributes:?}");
                }
                // Of times some are named, and the first is among them.
                let is_time = chart.along == Along::Time;
                let categories = if is_time { &chart.categories[..1] } else { &chart.categories[..] };
                let is_alone = chart.series.len() == 1
                    || matches!(chart.kind, ChartKind::Pie | ChartKind::Donut | ChartKind::Funnel);
                let series = if is_alone { &[] } else { &chart.series[..] };
                let categories = categories.iter().filter(|_| chart.kind != ChartKind::HeatMap);
                for name in categories.chain(series.iter().map(|one| &one.name)) {
                    assert!(is_found(&picture, name), "{at}: {name} is not among {:?}", picture.texts);
                }
            }
        }
    }
}

#[tokio::test]
async fn no_text_reaches_beyond_the_picture() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    for (what, chart) in specimen::all() {
        let option = chart.option(Theme::Light);
        for width in WIDTHS {
            let height = chart.height(width);
            let picture = read(&renderer.svg(&option, width, height).await.unwrap());
            for (element, attributes) in picture.elements.iter().filter(|(element, _)| element == "text") {
                let value =
                    |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
                let number = |key: &str| value(key).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
                let moved = value("transform").map(place).unwrap_or_default();
                let (x, y) = (number("x") + moved.0, number("y") + moved.1);
                assert!((-1.0..=f64::from(width) + 1.0).contains(&x), "{what}, {width} px: {element} {attributes:?}");
                assert!((-1.0..=f64::from(height) + 1.0).contains(&y), "{what}, {width} px: {element} {attributes:?}");
            }
        }
    }
}

/// Where `translate(x y)` or `matrix(a,b,c,d,x,y)` puts the origin.
fn place(transform: &str) -> (f64, f64) {
    let inside = transform.split(['(', ')']).nth(1).unwrap_or_default();
    let numbers: Vec<f64> = inside.split([',', ' ']).filter_map(|part| part.parse().ok()).collect();
    match numbers.as_slice() {
        [.., x, y] => (*x, *y),
        _ => (0.0, 0.0),
    }
}

async fn draw(chart: &ReportChart, width: u32) -> Picture {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    read(&renderer.svg(&chart.option(Theme::Light), width, chart.height(width)).await.unwrap())
}

#[tokio::test]
async fn a_missing_value_is_a_gap_in_a_line_and_no_bar() {
    let columns = || vec![column("day", "Day", Kind::Day), count("reach", "Summed reach")];
    let rows = |third: Option<i64>| {
        let values = [Some(4), Some(2), third, Some(3), Some(5)];
        values.iter().zip(1..).map(|(value, at)| vec![day(at), known(*value)]).collect::<Vec<_>>()
    };
    let line = draw(&chart(ChartKind::Line, "A", &whole(columns(), rows(None))), 640).await;
    let path = line.elements.iter().find_map(|(element, attributes)| {
        let has = |key: &str, wanted: &str| attributes.iter().any(|(name, value)| name == key && value == wanted);
        (element == "path" && has("stroke", "#24229e") && has("fill", "none"))
            .then(|| attributes.iter().find(|(name, _)| name == "d").unwrap().1.clone())
    });
    assert_eq!(path.unwrap().matches('M').count(), 2);
    for (third, bars) in [(None, 4), (Some(0), 5), (Some(1), 5)] {
        let bar = draw(&chart(ChartKind::Bar, "A", &whole(columns(), rows(third))), 640).await;
        assert_eq!(bar.filled("#24229e"), bars, "{third:?}");
    }
}

#[tokio::test]
async fn a_lying_bar_of_which_nothing_is_known_is_a_dash_and_zero_is_a_zero() {
    let picture = draw(&chart(ChartKind::Bar, "A", &specimen::campaigns(false)), 640).await;
    assert!(picture.has("—") && picture.has("0"), "{:?}", picture.texts);
}

#[tokio::test]
async fn a_heat_map_has_hollow_cells_where_nothing_is_known() {
    let chart = chart(ChartKind::HeatMap, "A", &specimen::hours());
    let picture = draw(&chart, 640).await;
    let hollow = picture.elements.iter().filter(|(element, attributes)| {
        let has = |key: &str, wanted: &str| attributes.iter().any(|(name, value)| name == key && value == wanted);
        element == "path" && has("stroke", "#dee1e7") && (has("fill", "none") || has("fill", "transparent"))
    });
    // One of them in the legend.
    assert_eq!(hollow.count(), 7 * 6 + 1);
    assert!(picture.has("Not known"));
    for weekday in ["Mon", "Sun"] {
        assert!(picture.has(weekday), "{:?}", picture.texts);
    }
}

#[tokio::test]
async fn without_values_each_kind_says_so() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    for (what, filled) in specimen::all() {
        let mut empty = filled.clone();
        for series in &mut empty.series {
            series.values.fill(None);
        }
        let bare = ReportChart { categories: Vec::new(), series: Vec::new(), ..filled };
        for chart in [empty, bare] {
            for width in WIDTHS {
                let picture =
                    read(&renderer.svg(&chart.option(Theme::Dark), width, chart.height(width)).await.unwrap());
                assert!(picture.has("No values in this period."), "{what}: {:?}", picture.texts);
                assert!(picture.texts.len() == 3, "{what}: {:?}", picture.texts);
            }
        }
    }
}

#[tokio::test]
async fn a_table_without_rows_or_columns_says_so() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    for kind in ChartKind::ALL {
        for table in [whole(Vec::new(), Vec::new()), whole(specimen::days_compared().columns, Vec::new())] {
            let chart = chart(*kind, "A", &table);
            let picture = read(&renderer.svg(&chart.option(Theme::Light), 640, chart.height(640)).await.unwrap());
            assert!(picture.has("No values in this period."), "{kind}: {:?}", picture.texts);
        }
    }
}

#[tokio::test]
async fn hostile_names_stay_texts() {
    let long = "x".repeat(300);
    let hostile = [
        "<script>alert(1)</script>",
        "\"& ' onload=\"x\" ]]>",
        "</text></svg><svg onload='x'>",
        "مرحبا \u{202e}abc",
        "🚀👩‍👩‍👧 e\u{301}",
        "{a}{b0}{x|y} $& $1",
        "\u{0}\u{1b}[31m\u{ffff}",
        long.as_str(),
        "",
    ];
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    for (what, filled) in specimen::all() {
        for name in hostile {
            let mut chart = filled.clone();
            chart.title = name.into();
            chart.summary = name.into();
            chart.unknown = name.into();
            for text in
                chart.categories.iter_mut().take(2).chain(chart.series.iter_mut().take(2).map(|one| &mut one.name))
            {
                *text = name.into();
            }
            for width in [320, 1_040] {
                let svg = renderer.svg(&chart.option(Theme::Light), width, chart.height(width)).await.unwrap();
                let picture = read(&svg);
                let strangers: Vec<&str> = picture
                    .elements
                    .iter()
                    .map(|(element, _)| element.as_str())
                    .filter(|element| !ELEMENTS.contains(element))
                    .collect();
                assert!(strangers.is_empty(), "{what}, {name}: {strangers:?}");
                assert_eq!(
                    picture.elements.iter().filter(|(element, _)| element == "svg").count(),
                    1,
                    "{what}, {name}"
                );
                let handlers = picture
                    .elements
                    .iter()
                    .flat_map(|(_, attributes)| attributes)
                    .any(|(key, _)| key.starts_with("on"));
                assert!(!handlers, "{what}, {name}");
            }
        }
    }
}

#[tokio::test]
async fn one_value_is_drawn_in_every_kind() {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    let one =
        whole(vec![column("day", "Day", Kind::Day), count("reach", "Summed reach")], vec![vec![day(1), number(7)]]);
    let hour = whole(specimen::hours().columns, vec![vec![Cell::Ordinal(2), Cell::Ordinal(9), number(7)]]);
    let step = whole(vec![count("reach", "Summed reach")], vec![vec![number(7)]]);
    let name = whole(
        vec![column("platform", "Platform", Kind::Text), count("reach", "Summed reach")],
        vec![vec![text("X"), number(7)]],
    );
    for (kind, table) in [
        (ChartKind::Line, &one),
        (ChartKind::Area, &one),
        (ChartKind::Bar, &one),
        (ChartKind::StackedBar, &one),
        (ChartKind::Bar, &name),
        (ChartKind::Pie, &name),
        (ChartKind::Donut, &name),
        (ChartKind::HeatMap, &hour),
        (ChartKind::Funnel, &step),
    ] {
        let chart = chart(kind, "A", table);
        let picture = read(&renderer.svg(&chart.option(Theme::Light), 640, 300).await.unwrap());
        assert!(picture.filled("#24229e") > 0, "{kind}: {:?}", picture.elements);
    }
}
