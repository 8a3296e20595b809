//! The scorecards: a table of platforms, accounts or campaigns with their figures, targets and grades. Tabs and orders are
//! links, so that each view has an address. Runs on the server only.

use leptos::prelude::*;
use rtv_ui::{Card, LinkButton, SegmentLink, Segments, SortHeader, SortOrder, Table};

use crate::dashboard::LinkView;
use crate::dashboard::cards::{ChangeView, Delta};

/// The table and what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorecardView {
    /// What the rows can be.
    pub tabs: Vec<LinkView>,
    /// Heading of the names.
    pub subject: HeadView,
    /// Headings of the figures.
    pub figures: Vec<HeadView>,
    /// Heading of the grades.
    pub grade: HeadView,
    /// The figure that targets, grades and movers are about.
    pub metric: String,
    /// The rows.
    pub rows: Vec<ScoreRow>,
    /// All of them together.
    pub total: ScoreRow,
    /// Where all rows are shown, if some are not.
    pub more: Option<LinkView>,
    /// What is to be known about targets and grades, in sentences.
    pub rules: Vec<String>,
    /// Where targets are set.
    pub targets: LinkView,
}

/// The heading of a column with the order that a press brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadView {
    /// The heading.
    pub label: String,
    /// The address with the table in its order.
    pub href: String,
    /// 1 where the table stands in its order with the least first, −1 with the greatest first, else 0.
    pub order: i8,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// Key of what it is about.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its platform, where it is an account.
    pub detail: Option<String>,
    /// The posts behind it.
    pub href: Option<String>,
    /// Its figures.
    pub cells: Vec<ScoreCell>,
    /// How it stands to its target.
    pub standing: StandingView,
    /// What moved it.
    pub mover: String,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreCell {
    /// Key of the KPI.
    pub key: String,
    /// As people read it.
    pub text: String,
    /// Exact, empty where it is missing.
    pub exact: String,
    /// How it changed.
    pub change: Option<ChangeView>,
}

/// How a row stands to its target.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingView {
    /// The target for the days that are over, and where it comes from.
    pub target: Option<(String, String)>,
    /// The same, exact.
    pub target_exact: String,
    /// What these days brought.
    pub actual: String,
    /// The same, exact.
    pub actual_exact: String,
    /// The letter, its word and the share of the target as people read it.
    pub grade: Option<(String, String, String)>,
    /// The share for the bar, cut to 0 to 100.
    pub percent: u32,
    /// Why there is no grade.
    pub reason: Option<String>,
    /// Where a target is set.
    pub set: Option<LinkView>,
}

fn order(head: &HeadView) -> Option<SortOrder> {
    match head.order {
        1 => Some(SortOrder::Ascending),
        -1 => Some(SortOrder::Descending),
        _ => None,
    }
}

/// The panel.
#[component]
pub fn Scorecard(card: ScorecardView) -> impl IntoView {
    let tabs = card
        .tabs
        .into_iter()
        .map(|tab| SegmentLink { label: tab.label, href: tab.href, current: tab.is_current })
        .collect();
    let subject = card.subject.label.clone();
    let labels: Vec<String> = card.figures.iter().map(|head| head.label.clone()).collect();
    let heads = card
        .figures
        .into_iter()
        .map(|head| view! { <SortHeader order=order(&head) label=head.label href=head.href number=true /> })
        .collect_view();
    let rows = card.rows.into_iter().map(|row| score_row(row, &labels)).collect_view();
    let total = score_row(card.total, &labels);
    let rules = card.rules.into_iter().map(|rule| view! { <li>{rule}</li> }).collect_view();
    view! {
        <Card
            title="Scorecards"
            text=format!("Targets, grades and what moved it are about {}.", card.metric)
            flush=true
            actions=view! {
                <Segments label="Scorecards of" links=tabs />
                <LinkButton href=card.targets.href>{card.targets.label}</LinkButton>
            }
            .into_any()
        >
            <Table caption=format!("Scorecards by {}", subject.to_lowercase()) id="scorecards">
                <thead>
                    <tr>
                        <SortHeader order=order(&card.subject) label=subject href=card.subject.href />
                        {heads}
                        <th scope="col" class="u-number">"Target"</th>
                        <th scope="col" class="u-number">"Actual"</th>
                        <SortHeader order=order(&card.grade) label=card.grade.label href=card.grade.href />
                        <th scope="col">"What moved it"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>{total}</tfoot>
            </Table>
            <div class="c-score__foot">
                {card.more.map(|more| view! { <LinkButton href=more.href small=true>{more.label}</LinkButton> })}
                <ul class="c-score__rules">{rules}</ul>
            </div>
        </Card>
    }
}

fn score_row(row: ScoreRow, labels: &[String]) -> impl IntoView + use<> {
    let name = match row.href {
        Some(href) => view! {
            <a class="c-score__name" href=href>
                {row.name}
                <span class="u-visually-hidden">": see the posts behind it"</span>
            </a>
        }
        .into_any(),
        None => view! { <span>{row.name}</span> }.into_any(),
    };
    let cells = row
        .cells
        .into_iter()
        .zip(labels.to_vec())
        .map(|(cell, label)| {
            view! {
                <td class="u-number" data-label=label data-kpi=cell.key data-value=cell.exact>
                    <span class="c-score__value">
                        <span>{cell.text}</span>
                        {cell.change.map(|change| view! { <Delta change /> })}
                    </span>
                </td>
            }
        })
        .collect_view();
    view! {
        <tr data-row=row.key>
            <th scope="row">
                {name}
                {row.detail.map(|detail| view! { <span class="c-table__detail">{detail}</span> })}
            </th>
            {cells}
            {standing(row.standing)}
            <td data-label="What moved it" class="c-score__mover">{row.mover}</td>
        </tr>
    }
}

fn standing(standing: StandingView) -> impl IntoView {
    let target = match standing.target {
        Some((text, detail)) => view! {
            <span class="c-score__value">
                <span>{text}</span>
                <span class="c-score__detail">{detail}</span>
            </span>
        }
        .into_any(),
        None => view! { <span>"—"</span> }.into_any(),
    };
    let grade = match standing.grade {
        Some((letter, word, share)) => view! {
            <span class="c-score__grade">
                <span class="c-grade" data-grade=letter.clone()>{letter.clone()}</span>
                <span class="c-score__value">
                    <svg class="c-score__bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                        <rect class="c-score__rail" width="100" height="6"></rect>
                        <rect class="c-score__reached" data-grade=letter width=standing.percent height="6"></rect>
                    </svg>
                    <span class="c-score__detail">{format!("{share}, {word}")}</span>
                </span>
            </span>
        }
        .into_any(),
        None => view! {
            <span class="c-score__value">
                <span class="c-score__reason">{standing.reason.unwrap_or_else(|| "—".into())}</span>
                {standing.set.map(|set| view! { <a class="c-score__set" href=set.href>{set.label}</a> })}
            </span>
        }
        .into_any(),
    };
    view! {
        <td class="u-number" data-label="Target" data-cell="target" data-value=standing.target_exact>{target}</td>
        <td class="u-number" data-label="Actual" data-cell="actual" data-value=standing.actual_exact>{standing.actual}</td>
        <td data-label="Grade" data-cell="grade">{grade}</td>
    }
}
