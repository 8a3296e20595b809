//! The card of one key figure and the line drawn in it. The page hands in finished words and paths: formatting,
//! judging and drawing are not done here.

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

/// A finished sparkline in a box of [`Sparkline::WIDTH`] by [`Sparkline::HEIGHT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sparkline {
    /// The path of the line; a missing value is a gap in it.
    pub line: String,
    /// The path of the area under it.
    pub area: String,
    /// A path of no length where the last value stands, if that one is still growing.
    pub running: Option<String>,
    /// What it shows, for those who do not see it.
    pub text: String,
}

impl Sparkline {
    /// Width of the box.
    pub const WIDTH: f64 = 120.0;
    /// Height of the box.
    pub const HEIGHT: f64 = 32.0;
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
    sparkline: Option<Sparkline>,
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
    let sentence = change.sentence.clone();
    view! {
        <p class="c-kpi__change">
            {delta(change)}
            <span class="c-kpi__sentence">{sentence}</span>
        </p>
    }
    .into_any()
}

/// A change by its size alone, for a row of a table; its sentence is read to those who do not see the arrow.
#[component]
pub fn KpiDelta(
    /// The change.
    change: KpiChange,
) -> impl IntoView {
    let sentence = change.sentence.clone();
    view! {
        <span class="c-kpi__change">
            {delta(change)}
            <span class="u-visually-hidden">{sentence}</span>
        </span>
    }
    .into_any()
}

fn delta(change: KpiChange) -> impl IntoView {
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
        <span class="c-kpi__delta" data-judgement=judgement>
            <Icon name=icon />
            <span class="u-visually-hidden">{moved}</span>
            <span>{change.text}</span>
        </span>
    }
    .into_any()
}

fn sparkline_picture(sparkline: Sparkline) -> impl IntoView {
    let view_box = format!("0 0 {:.0} {:.0}", Sparkline::WIDTH, Sparkline::HEIGHT);
    // Strokes with round ends keep their shape where the box is stretched; a circle would not.
    let running = sparkline.running.map(|place| {
        view! {
            <path class="c-kpi__spark-rim" d=place.clone() vector-effect="non-scaling-stroke"></path>
            <path class="c-kpi__spark-hole" d=place vector-effect="non-scaling-stroke"></path>
        }
    });
    view! {
        <svg
            class="c-kpi__spark"
            viewBox=view_box
            preserveAspectRatio="none"
            role="img"
            aria-label=sparkline.text
            focusable="false"
        >
            <path class="c-kpi__spark-area" d=sparkline.area></path>
            <path class="c-kpi__spark-line" d=sparkline.line vector-effect="non-scaling-stroke"></path>
            {running}
        </svg>
    }
    .into_any()
}
