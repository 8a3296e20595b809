//! Pictures as they leave the renderer: complete with gaps, lone points and hostile texts, within limits, and none spoiling the next.
#![cfg(feature = "svg")]
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use quick_xml::Reader;
use quick_xml::events::Event;
use rtv_charts::{
    ECHARTS_SOURCE, Limits, Mark, NumberStyle, RenderError, Renderer, Role, Series, Theme, TrendChart, Unit,
};

/// Behaves as its option says, in place of the real library.
const UNRULY: &str = "
    var drawings = 0;
    var echarts = {
        setPlatformAPI() {},
        init: () => ({
            setOption(option) {
                if (option.loop) for (;;) {}
                if (option.eat) for (const all = [];;) all.push(new Array(1e5).fill(1));
                if (option.recurse) (function deeper() { deeper(); })();
                if (option.throw) throw new Error('a fault');
                this.text = option.text ?? `<svg width='${++drawings}'></svg>`;
            },
            renderToSVGString() { return this.text; },
            dispose() {},
        }),
    };
";

fn trend(values: Vec<Option<f64>>) -> TrendChart {
    TrendChart {
        title: "Reach".into(),
        summary: "Reach rose.".into(),
        unit: Unit::Count,
        categories: (0..values.len()).map(|day| format!("day {day}")).collect(),
        series: vec![Series { name: "Reach".into(), values, role: Role::Current }],
        marks: Vec::new(),
        numbers: NumberStyle::ENGLISH,
        font_family: "\"Segoe UI\", sans-serif".into(),
        no_data: "No data".into(),
    }
}

async fn draw(chart: &TrendChart) -> String {
    let renderer = Renderer::start(ECHARTS_SOURCE).unwrap();
    renderer.svg(&chart.option(Theme::Light), 640, 320).await.unwrap()
}

/// Elements in order and all text, as an XML reader understands them.
fn read(svg: &str) -> (Vec<String>, String) {
    let mut reader = Reader::from_str(svg);
    let (mut elements, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    attribute.unwrap();
                }
                elements.push(String::from_utf8(element.name().as_ref().to_vec()).unwrap());
            }
            Event::Text(part) => text.push_str(&part.decode().unwrap()),
            Event::GeneralRef(entity) => text.push_str(match entity.decode().unwrap().as_ref() {
                "lt" => "<",
                "gt" => ">",
                "amp" => "&",
                "quot" => "\"",
                "apos" | "#39" => "'",
                other => panic!("unexpected entity {other}"),
            }),
            Event::Eof => return (elements, text),
            _ => {}
        }
    }
}

/// The path data of the line in the first colour.
fn line(svg: &str) -> &str {
    let path = svg.split("<path ").find(|path| path.contains(r##"stroke="#24229e" stroke-width="2""##)).unwrap();
    path.split('"').nth(1).unwrap()
}

#[tokio::test]
async fn a_picture_carries_title_and_description() {
    let svg = draw(&trend(vec![Some(1.0), Some(2.0)])).await;
    assert!(svg.starts_with(r#"<svg width="640" height="320" xmlns="http://www.w3.org/2000/svg""#), "{svg}");
    assert!(svg.contains("<title>Reach</title><desc>Reach rose.</desc>"));
    assert!(!svg.contains("style"), "inline styles break the content policy");
    read(&svg);
}

#[tokio::test]
async fn a_gap_breaks_the_line() {
    let svg = draw(&trend(vec![Some(1.0), Some(2.0), None, Some(2.0), Some(3.0)])).await;
    assert_eq!(line(&svg).matches('M').count(), 2, "{}", line(&svg));
}

#[tokio::test]
async fn without_values_it_says_so() {
    assert!(read(&draw(&trend(vec![None; 5])).await).1.contains("No data"));
    assert!(read(&draw(&trend(Vec::new())).await).1.contains("No data"));
    let no_series = TrendChart { series: Vec::new(), ..trend(vec![None; 5]) };
    assert!(read(&draw(&no_series).await).1.contains("No data"));
}

#[tokio::test]
async fn one_point_is_a_dot() {
    let svg = draw(&trend(vec![Some(7.0)])).await;
    assert!(svg.contains(r##"fill="#24229e""##), "{svg}");
    assert!(read(&svg).1.contains("day 0"));
}

#[tokio::test]
async fn eighteen_months_of_days_are_drawn_whole() {
    let svg = draw(&trend((0..540).map(|day| Some(f64::from(day % 7))).collect())).await;
    assert_eq!(line(&svg).matches('L').count(), 539);
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let texts = [
        "<script>alert(1)</script>",
        "\"& ' onload=\"x\" ]]>",
        "</text></svg><svg onload='x'>",
        "مرحبا \u{202e}abc",
        "🚀👩‍👩‍👧 e\u{301}",
        "{a}{b0}{x|y} $& $1",
        "\u{0}\u{1b}[31m\u{ffff}",
    ];
    for text in texts {
        let mut chart = trend(vec![Some(1.0), Some(2.0), Some(3.0)]);
        chart.title = text.into();
        chart.summary = text.into();
        chart.categories[0] = text.into();
        chart.series[0].name = text.into();
        chart.series.push(chart.series[0].clone());
        chart.marks = vec![Mark { index: 1, label: text.into() }];
        let (elements, found) = read(&draw(&chart).await);
        assert!(
            elements.iter().all(|element| !matches!(element.as_str(), "script" | "foreignObject" | "a" | "image")),
            "{elements:?}"
        );
        assert_eq!(elements.iter().filter(|element| *element == "svg").count(), 1, "{text}");
        // Title, description, category, both names and the mark; brackets are escaped, braces carry a word joiner.
        let shown: String =
            text.chars().filter(|character| !character.is_control() && *character != '\u{ffff}').take(6).collect();
        let shown = shown.replace('{', "{\u{2060}");
        assert!(found.matches(&shown).count() >= 6, "{shown} in {found}");
    }
}

#[tokio::test]
async fn a_font_name_cannot_leave_its_attribute() {
    let chart = TrendChart { font_family: "\"x\" onload=\"y\"><script>z</script>".into(), ..trend(vec![Some(1.0)]) };
    let (elements, _) = read(&draw(&chart).await);
    assert!(!elements.contains(&"script".to_owned()));
}

#[tokio::test]
async fn a_drawing_that_never_ends_is_stopped_and_the_next_one_succeeds() {
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let renderer = Renderer::start_with(UNRULY, limits).unwrap();
    let started = Instant::now();
    assert_eq!(renderer.svg(r#"{"loop":true}"#, 10, 10).await, Err(RenderError::TimedOut(limits.time)));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(renderer.svg("{}", 10, 10).await.is_ok());
}

#[tokio::test]
async fn a_drawing_that_eats_memory_is_stopped_and_the_next_one_succeeds() {
    let limits = Limits { memory: 16 << 20, ..Limits::default() };
    let renderer = Renderer::start_with(UNRULY, limits).unwrap();
    assert_eq!(renderer.svg(r#"{"eat":true}"#, 10, 10).await, Err(RenderError::OutOfMemory(limits.memory)));
    assert!(renderer.svg("{}", 10, 10).await.is_ok());
}

#[tokio::test]
async fn faults_are_told_and_the_next_one_succeeds() {
    let renderer = Renderer::start(UNRULY).unwrap();
    assert_eq!(renderer.svg(r#"{"throw":true}"#, 10, 10).await, Err(RenderError::Failed("a fault".into())));
    for option in [
        r#"{"recurse":true}"#,
        "not JSON",
        r#"{"text":"<script>x()</script>"}"#,
        r#"{"text":"<svg><script>x()</script></svg>"}"#,
    ] {
        assert!(matches!(renderer.svg(option, 10, 10).await, Err(RenderError::Failed(_))), "{option}");
        assert!(renderer.svg("{}", 10, 10).await.is_ok(), "after {option}");
    }
}

#[tokio::test]
async fn after_a_fault_nothing_is_left_of_the_engine() {
    let renderer = Renderer::start(UNRULY).unwrap();
    let is_first = async |option| renderer.svg(option, 10, 10).await.map(|svg| svg.contains(r#"width="1""#));
    assert_eq!(is_first("{}").await, Ok(true));
    assert_eq!(is_first("{}").await, Ok(false));
    assert!(is_first(r#"{"throw":true}"#).await.is_err());
    assert_eq!(is_first("{}").await, Ok(true));
}

#[tokio::test]
async fn too_many_points_for_the_limits_are_refused_and_the_next_chart_is_drawn() {
    let many = trend((0..12_000).map(|day| Some(f64::from(day % 97))).collect()).option(Theme::Light);
    let few = trend(vec![Some(1.0), Some(2.0)]).option(Theme::Light);
    let memory = Limits { memory: 14 << 20, ..Limits::default() };
    let renderer = Renderer::start_with(ECHARTS_SOURCE, memory).unwrap();
    assert_eq!(renderer.svg(&many, 640, 320).await, Err(RenderError::OutOfMemory(memory.memory)));
    assert!(renderer.svg(&few, 640, 320).await.is_ok());
    let time = Limits { time: Duration::from_millis(1), ..Limits::default() };
    let renderer = Renderer::start_with(ECHARTS_SOURCE, time).unwrap();
    assert_eq!(renderer.svg(&many, 640, 320).await, Err(RenderError::TimedOut(time.time)));
}

#[tokio::test]
async fn too_large_an_option_or_picture_is_refused_at_once() {
    let renderer = Renderer::start(UNRULY).unwrap();
    for (width, height) in [(0, 10), (10, 0), (5000, 10), (10, 5000)] {
        assert_eq!(renderer.svg("{}", width, height).await, Err(RenderError::TooLarge));
    }
    assert_eq!(renderer.svg(&" ".repeat(2 << 20), 10, 10).await, Err(RenderError::TooLarge));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let limits = Limits { time: Duration::from_millis(800), queue: 1, ..Limits::default() };
    let renderer = Renderer::start_with(UNRULY, limits).unwrap();
    assert!(renderer.svg("{}", 10, 10).await.is_ok());
    let ask = |option: &'static str| {
        let renderer = renderer.clone();
        tokio::spawn(async move { renderer.svg(option, 10, 10).await })
    };
    let drawn = ask(r#"{"loop":true}"#);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let waiting = ask("{}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = Instant::now();
    assert_eq!(renderer.svg("{}", 10, 10).await, Err(RenderError::Busy));
    assert!(refused.elapsed() < Duration::from_millis(200));
    assert_eq!(drawn.await.unwrap(), Err(RenderError::TimedOut(limits.time)));
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_library_that_does_not_load_is_told_and_nobody_waits_for_ever() {
    let renderer = Renderer::start("this is no script").unwrap();
    assert!(matches!(renderer.svg("{}", 10, 10).await, Err(RenderError::Failed(_))));
}
