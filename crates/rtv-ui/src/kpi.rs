//! The card of one key figure and the line drawn in it. The page hands in finished words: formatting and
//! judging are not done here.

use std::fmt::Write as _;

use leptos::prelude::*;

use crate::{Icon, IconName, Words};

/// Where a figure moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It rose.
    Up,
    /// It fell.
    Down,
    /// It stayed.
    Flat,
    /// There was nothing before.
    New,
}

/// Whether the movement is good, which is another question than its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Good.
    Better,
    /// Bad.
    Worse,
    /// Neither.
    Neutral,
}

/// How a figure compares with the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KpiChange {
    /// The size: "+12.4%", "+2.0 pp", "new".
    pub text: String,
    /// Where it moved; shown as an arrow.
    pub direction: Direction,
    /// Whether that is good; shown as a colour, and told by the first word of `sentence`.
    pub judgement: Judgement,
    /// In words: "better than 1,024 in the previous period".
    pub sentence: String,
}

/// The outline of a sparkline in a box of [`SparkPath::WIDTH`] by [`SparkPath::HEIGHT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparkPath {
    /// The path of the line.
    pub line: String,
    /// The path of the area under it.
    pub area: String,
}

impl SparkPath {
    /// Width of the box.
    pub const WIDTH: f64 = 120.0;
    /// Height of the box.
    pub const HEIGHT: f64 = 32.0;

    /// Draws evenly spaced values from the least to the greatest. A missing value leaves a gap and is never
    /// drawn as zero. `None` where fewer than two values stand side by side, since there is no line then.
    pub fn through(values: &[Option<f64>]) -> Option<Self> {
        const MARGIN: f64 = 2.0;
        let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
        let least = known().fold(f64::INFINITY, f64::min);
        let greatest = known().fold(f64::NEG_INFINITY, f64::max);
        let spread = greatest - least;
        #[expect(clippy::cast_precision_loss, reason = "a drawing has far fewer points than a mantissa has values")]
        let step = Self::WIDTH / (values.len().max(2) - 1) as f64;

        let mut drawn = Self { line: String::new(), area: String::new() };
        let mut stretch: Vec<(f64, f64)> = Vec::new();
        let mut x = 0.0;
        for value in values {
            match value.filter(|value| value.is_finite()) {
                Some(value) => {
                    let share = if spread > 0.0 { (value - least) / spread } else { 0.5 };
                    stretch.push((x, share.mul_add(-(2.0f64.mul_add(-MARGIN, Self::HEIGHT)), Self::HEIGHT - MARGIN)));
                }
                None => drawn.take(&mut stretch),
            }
            x += step;
        }
        drawn.take(&mut stretch);
        (!drawn.line.is_empty()).then_some(drawn)
    }

    /// Adds one unbroken stretch of points and empties it.
    fn take(&mut self, stretch: &mut Vec<(f64, f64)>) {
        if let [(first, _), .., (last, _)] = stretch.as_slice() {
            let mut line = String::new();
            for (index, (x, y)) in stretch.iter().enumerate() {
                let command = if index == 0 { 'M' } else { 'L' };
                // Writing to a string cannot fail.
                let _ = write!(line, "{command}{x:.1} {y:.1}");
            }
            let floor = Self::HEIGHT;
            let _ = write!(self.area, "{line}L{last:.1} {floor:.0}L{first:.1} {floor:.0}Z");
            self.line.push_str(&line);
        }
        stretch.clear();
    }
}

/// The grid of the key figures, with a heading that only screen readers need.
#[component]
pub fn KpiGrid(
    /// The heading.
    #[prop(into, default = "Key figures".into())]
    title: String,
    /// The [`KpiCard`]s.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="c-kpi-grid" aria-labelledby="key-figures">
            <h2 class="u-visually-hidden" id="key-figures">{title}</h2>
            <div class="c-kpi-grid__cards">{children()}</div>
        </section>
    }
    .into_any()
}

/// One key figure: what it is, how much, how it moved, what it rests on. The figure is a link to the posts
/// behind it and the whole card its target.
///
/// `data-kpi` and `data-value` carry the key and the exact figure for tests and scripts; `data-value` is empty
/// while the figure is missing.
#[component]
pub fn KpiCard(
    /// The key of the catalogue: `reach`.
    #[prop(into)]
    key: String,
    /// The label.
    #[prop(into)]
    label: String,
    /// The definition, one sentence.
    #[prop(into)]
    definition: String,
    /// The figure as it is shown: "1.28M". Ignored while `missing` says why there is none.
    #[prop(optional, into)]
    value: Words,
    /// The exact figure: "1284003".
    #[prop(optional, into)]
    exact: Words,
    /// The posts behind it.
    #[prop(optional, into)]
    href: Words,
    /// How it compares; without it nothing is said about a change.
    #[prop(default = None)]
    change: Option<KpiChange>,
    /// Why there is no figure. Shown alone: what a figure would rest on helps nobody then.
    #[prop(optional, into)]
    missing: Words,
    /// Who reports it: "4 of 6 platforms".
    #[prop(optional, into)]
    coverage: Words,
    /// Over what it is counted: "lifetime", "period".
    #[prop(optional, into)]
    basis: Words,
    /// A remark: "Summed reach, not people".
    #[prop(optional, into)]
    note: Words,
    /// The line drawn under it.
    #[prop(default = None)]
    sparkline: Option<SparkPath>,
) -> impl IntoView {
    let label_id = format!("kpi-{key}");
    let missing = missing.into_option();
    let is_missing = missing.is_some();
    let exact = exact.into_option().filter(|_| !is_missing).unwrap_or_default();
    let shown = value.into_option().filter(|_| !is_missing);

    let figure = match (shown, href.into_option()) {
        (Some(shown), Some(href)) => view! {
            <a class="c-kpi__link" href=href>
                <data value=exact.clone()>{shown}</data>
                <span class="u-visually-hidden">{format!(" {label}: see the posts behind it")}</span>
            </a>
        }
        .into_any(),
        (Some(shown), None) => view! { <data value=exact.clone()>{shown}</data> }.into_any(),
        (None, _) => view! {
            <span aria-hidden="true">"—"</span>
            <span class="u-visually-hidden">"No figure"</span>
        }
        .into_any(),
    };
    let reason = missing.map(|missing| view! { <p class="c-kpi__reason">{missing}</p> });
    let change = change.filter(|_| !is_missing).map(change_line);
    let sparkline = sparkline.filter(|_| !is_missing).map(sparkline_picture);
    // The reason says all there is to say about a figure that is not there.
    let remarks =
        [basis, coverage, note].into_iter().filter(|_| !is_missing).filter_map(Words::into_option).collect::<Vec<_>>();
    let foot = (!remarks.is_empty()).then(|| {
        let remarks = remarks.into_iter().map(|remark| view! { <li>{remark}</li> }).collect_view();
        view! { <ul class="c-kpi__foot">{remarks}</ul> }
    });

    view! {
        <article
            class="c-kpi"
            data-kpi=key
            data-value=exact
            data-state=is_missing.then_some("missing")
            aria-labelledby=label_id
        >
            <div class="c-kpi__head">
                <h3 class="c-kpi__label" id=label_id.clone()>{label.clone()}</h3>
                <details class="c-kpi__about" name="kpi-about">
                    <summary class="c-kpi__ask">
                        <Icon name=IconName::Info />
                        <span class="u-visually-hidden">{format!("What is {label}?")}</span>
                    </summary>
                    <p class="c-kpi__definition">{definition}</p>
                </details>
            </div>
            <p class="c-kpi__figure">{figure}</p>
            {reason}
            {change}
            {sparkline}
            {foot}
        </article>
    }
    .into_any()
}

fn change_line(change: KpiChange) -> impl IntoView {
    let icon = match change.direction {
        Direction::Up => IconName::ArrowUp,
        Direction::Down => IconName::ArrowDown,
        Direction::Flat => IconName::Flat,
        Direction::New => IconName::New,
    };
    let moved = match change.direction {
        Direction::Up => "Up: ",
        Direction::Down => "Down: ",
        Direction::Flat | Direction::New => "",
    };
    let judgement = match change.judgement {
        Judgement::Better => "better",
        Judgement::Worse => "worse",
        Judgement::Neutral => "neutral",
    };
    view! {
        <p class="c-kpi__change">
            <span class="c-kpi__delta" data-judgement=judgement>
                <Icon name=icon />
                <span class="u-visually-hidden">{moved}</span>
                <span>{change.text}</span>
            </span>
            <span class="c-kpi__sentence">{change.sentence}</span>
        </p>
    }
    .into_any()
}

fn sparkline_picture(path: SparkPath) -> impl IntoView {
    let view_box = format!("0 0 {:.0} {:.0}", SparkPath::WIDTH, SparkPath::HEIGHT);
    view! {
        <svg class="c-kpi__spark" viewBox=view_box preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <path class="c-kpi__spark-area" d=path.area></path>
            <path class="c-kpi__spark-line" d=path.line vector-effect="non-scaling-stroke"></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_runs_from_the_least_at_the_bottom_to_the_greatest_at_the_top() {
        let path = SparkPath::through(&[Some(0.0), Some(10.0)]).unwrap();
        assert_eq!(path.line, "M0.0 30.0L120.0 2.0");
        assert_eq!(path.area, "M0.0 30.0L120.0 2.0L120.0 32L0.0 32Z");
    }

    #[test]
    fn a_missing_value_leaves_a_gap() {
        let path = SparkPath::through(&[Some(1.0), Some(2.0), None, Some(3.0), Some(1.0)]).unwrap();
        assert_eq!(path.line.matches('M').count(), 2);
    }

    #[test]
    fn an_even_course_is_a_line_in_the_middle() {
        let path = SparkPath::through(&[Some(5.0), Some(5.0)]).unwrap();
        assert_eq!(path.line, "M0.0 16.0L120.0 16.0");
    }

    #[test]
    fn one_value_or_none_draws_nothing() {
        assert_eq!(SparkPath::through(&[]), None);
        assert_eq!(SparkPath::through(&[Some(1.0)]), None);
        assert_eq!(SparkPath::through(&[Some(1.0), None, Some(f64::NAN)]), None);
    }
}
