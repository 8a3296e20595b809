//! What the description becomes: the whole option as snapshots, and the promises that matter one by one.

#![allow(clippy::unwrap_used)]

use rtv_charts::{Mark, NumberStyle, Role, Series, Theme, TrendChart, Unit};
use serde_json::{Value, json};

fn series(name: &str, role: Role, values: &[Option<f64>]) -> Series {
    Series { name: name.into(), values: values.to_vec(), role }
}

fn trend(series: Vec<Series>) -> TrendChart {
    let days = series.first().map_or(0, |series| series.values.len());
    TrendChart {
        title: "Reach a day".into(),
        summary: "Reach rose 12.4%.".into(),
        unit: Unit::Count,
        categories: (1..=days).map(|day| format!("{day} Nov")).collect(),
        series,
        marks: Vec::new(),
        numbers: NumberStyle::ENGLISH,
        font_family: "\"Segoe UI\", sans-serif".into(),
        no_data: "No data in this period".into(),
    }
}

fn compared() -> TrendChart {
    TrendChart {
        marks: vec![Mark { index: 1, label: "Q4 launch".into() }],
        ..trend(vec![
            series("This period", Role::Current, &[Some(12_000.0), Some(18_500.0), None, Some(9_000.0)]),
            series("Previous", Role::Previous, &[Some(11_000.0), Some(12_000.0), Some(13_000.0), Some(14_000.0)]),
        ])
    }
}

fn option(chart: &TrendChart, theme: Theme) -> Value {
    serde_json::from_str(&chart.option(theme)).unwrap()
}

#[test]
fn a_comparison_is_written_as_before() {
    insta::assert_json_snapshot!("comparison_light", option(&compared(), Theme::Light));
}

#[test]
fn a_dark_chart_in_german_money_is_written_as_before() {
    let chart = TrendChart { unit: Unit::Money("€".into()), numbers: NumberStyle::GERMAN, ..compared() };
    insta::assert_json_snapshot!("money_german_dark", option(&chart, Theme::Dark));
}

#[test]
fn a_chart_without_values_is_written_as_before() {
    let chart = trend(vec![series("This period", Role::Current, &[None, None])]);
    insta::assert_json_snapshot!("no_values", option(&chart, Theme::Light));
}

#[test]
fn a_missing_value_is_a_gap_and_never_zero() {
    let chart = trend(vec![series("Reach", Role::Current, &[Some(5.0), None, Some(f64::NAN), Some(0.0)])]);
    let option = option(&chart, Theme::Light);
    let values: Vec<&Value> =
        option["series"][0]["data"].as_array().unwrap().iter().map(|point| &point["value"]).collect();
    assert_eq!(values, [&json!(5.0), &Value::Null, &Value::Null, &json!(0.0)]);
    assert_eq!(option["series"][0]["connectNulls"], json!(false));
    assert_eq!(option["series"][0]["data"][1]["name"], json!("2 Nov\nReach: —"));
}

#[test]
fn a_series_that_is_too_short_ends_in_gaps_and_one_too_long_is_cut() {
    let mut chart = trend(vec![
        series("A", Role::Current, &[Some(1.0), Some(2.0), Some(3.0)]),
        series("B", Role::Previous, &[Some(1.0)]),
        series("C", Role::Previous, &[Some(1.0); 9]),
    ]);
    chart.unit = Unit::Ratio;
    let option = option(&chart, Theme::Light);
    for series in option["series"].as_array().unwrap() {
        assert_eq!(series["data"].as_array().unwrap().len(), 3);
    }
    assert_eq!(option["series"][1]["data"][2]["value"], Value::Null);
}

#[test]
fn the_previous_period_is_dashed_grey_and_the_current_one_the_first_colour() {
    let option = option(&compared(), Theme::Light);
    assert_eq!(option["series"][0]["lineStyle"]["color"], json!("#24229e"));
    assert_eq!(option["series"][0]["lineStyle"]["type"], json!("solid"));
    assert_eq!(option["series"][1]["lineStyle"]["color"], json!("#878c99"));
    assert_eq!(option["series"][1]["lineStyle"]["type"], json!([4, 4]));
}

#[test]
fn no_two_current_lines_share_colour_and_dash() {
    let lines = ["A", "B", "C", "D", "E"].map(|name| series(name, Role::Current, &[Some(1.0), Some(2.0)]));
    let option = option(&trend(lines.to_vec()), Theme::Dark);
    let mut looks: Vec<String> = option["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| format!("{}{}", series["lineStyle"]["color"], series["lineStyle"]["type"]))
        .collect();
    looks.sort();
    looks.dedup();
    assert_eq!(looks.len(), 5);
}

#[test]
fn counts_start_at_zero() {
    let chart = trend(vec![series("Reach", Role::Current, &[Some(980.0), Some(1020.0)])]);
    assert_eq!(option(&chart, Theme::Light)["yAxis"][0]["min"], json!(0.0));
}

#[test]
fn the_labels_stand_at_the_gridlines() {
    for unit in [Unit::Count, Unit::Percent, Unit::Score, Unit::Money("$".into())] {
        let chart = TrendChart { unit, ..trend(vec![series("A", Role::Current, &[Some(-0.3), Some(0.9)])]) };
        let option = option(&chart, Theme::Light);
        let axis = &option["yAxis"][0];
        let number = |key: &str| axis[key].as_f64().unwrap();
        let gridlines = ((number("max") - number("min")) / number("interval")).round() + 1.0;
        let labels = option["yAxis"][1]["data"].as_array().unwrap().len();
        assert!((f64::from(u32::try_from(labels).unwrap()) - gridlines).abs() < 1e-9, "{option}");
    }
}

#[test]
fn a_lone_point_between_gaps_is_a_dot() {
    let chart = trend(vec![series("A", Role::Current, &[None, Some(4.0), None, Some(1.0), Some(2.0)])]);
    let option = option(&chart, Theme::Light);
    let points = option["series"][0]["markPoint"]["data"].as_array().unwrap();
    assert_eq!(points.len(), 1);
    assert_eq!(points[0]["coord"], json!([1, 4.0]));
}

#[test]
fn a_mark_where_nothing_is_known_or_beyond_the_end_is_left_out() {
    let mut chart = compared();
    chart.marks = vec![Mark { index: 2, label: "gap".into() }, Mark { index: 40, label: "beyond".into() }];
    let text = chart.option(Theme::Light);
    let option: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(option["series"][0]["markLine"]["data"], json!([]));
    assert!(!text.contains("beyond"));
}

#[test]
fn of_marks_too_near_to_each_other_the_first_keeps_its_text() {
    let mut chart = trend(vec![series("A", Role::Current, &[Some(1.0); 30])]);
    chart.marks = [10, 12, 25].map(|index| Mark { index, label: format!("post {index}") }).to_vec();
    let option = option(&chart, Theme::Light);
    let texts: Vec<&Value> =
        option["series"][0]["markLine"]["data"].as_array().unwrap().iter().map(|pair| &pair[0]["name"]).collect();
    assert_eq!(texts, ["post 10", "post 25"]);
    assert_eq!(option["series"][0]["markPoint"]["data"].as_array().unwrap().len(), 3, "every mark keeps its ring");
}

#[test]
fn the_option_holds_no_script() {
    let hostile = "#*#*#*#function(){alert(1)}#*#*#*#";
    let mut chart = compared();
    chart.series[0].name = hostile.into();
    chart.categories[0] = hostile.into();
    // Plain JSON: whatever a text says, it stays a text. charming's own marks for raw script would have been unwrapped.
    let option = option(&chart, Theme::Light);
    assert_eq!(option["xAxis"]["data"][0], json!("#*#*#*#function(){\u{2060}alert(1)}#*#*#*#"));
    assert_eq!(option["tooltip"]["formatter"], json!("names"));
    assert_eq!(option["tooltip"]["renderMode"], json!("richText"));
}
