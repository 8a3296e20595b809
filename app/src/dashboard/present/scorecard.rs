//! Words of the scorecards: rows, targets, grades and what moved them, and what the address says about the table.

use rtv_core::filter::PageFilter;
use rtv_core::kpi::{Basis, Kpi, Unit};
use rtv_core::scorecard::{Column, Dimension, Grade, Sort};
use rtv_core::{Error, FieldError, Permission};
use rtv_domain::TenantContext;
use rtv_domain::format::{Format, MISSING, machine};
use rtv_domain::kpi::{Query, Summary};
use rtv_domain::scorecard::{self, Mover, Row, Standing, Subject};
use rtv_domain::target::Aim;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::change;
use crate::dashboard::LinkView;
use crate::dashboard::scorecard::{HeadView, ScoreCell, ScoreRow, ScorecardView, StandingView};

/// So many rows are shown until all are asked for.
const SHOWN: usize = 10;

/// What the address says about the scorecards, beside the filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct View {
    by: Dimension,
    sort: Option<Sort>,
    has_all_rows: bool,
}

impl View {
    /// Names in the address.
    pub(super) const NAMES: [&'static str; 3] = ["by", "sort", "rows"];

    /// Reads the pairs of a query string; wrong values are refused by name.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self, Error> {
        let mut view = Self::default();
        let mut errors: Vec<FieldError> = Vec::new();
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            let parsed = match name.as_str() {
                "by" => value.parse().map(|by| view.by = by),
                "sort" => value.parse().map(|sort| view.sort = Some(sort)),
                "rows" if value == "all" => {
                    view.has_all_rows = true;
                    Ok(())
                }
                "rows" => Err(Error::invalid("rows", "use all, or leave it out.")),
                _ => Ok(()),
            };
            match parsed {
                Err(Error::Invalid(more)) => errors.extend(more),
                Err(other) => return Err(other),
                Ok(()) => {}
            }
        }
        if errors.is_empty() { Ok(view) } else { Err(Error::Invalid(errors)) }
    }

    /// The filter and this as a query string; defaults are left out.
    pub(super) fn query(self, filter: &PageFilter) -> String {
        let mut pairs: Vec<String> = Some(filter.to_query()).into_iter().filter(|query| !query.is_empty()).collect();
        if self.by != Dimension::default() {
            pairs.push(format!("by={}", self.by.key()));
        }
        if let Some(sort) = self.sort {
            pairs.push(format!("sort={}", sort.key()));
        }
        if self.has_all_rows {
            pairs.push("rows=all".into());
        }
        pairs.join("&")
    }

    /// An address with both.
    pub(super) fn link(self, filter: &PageFilter, path: &str) -> String {
        let query = self.query(filter);
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// Asks the domain and words the answer.
pub(super) async fn scorecard(
    ctx: &TenantContext,
    format: &Format,
    filter: &PageFilter,
    view: View,
    asked: &Query,
    summary: &Summary,
) -> Result<ScorecardView, Error> {
    let sort = view.sort.unwrap_or(Sort { column: Column::Figure(asked.metric), is_descending: true });
    let card = scorecard::read(ctx, asked, view.by, sort, &summary.accounts, &summary.campaigns).await?;
    let page = format!("/t/{}/dashboard", ctx.tenant().slug);
    let head = |label: &str, column: Column| {
        let is_sorted = sort.column == column;
        // Names read from A, figures from the greatest; a second press turns the order around.
        let starts_descending = column != Column::Name;
        let next = Sort { column, is_descending: if is_sorted { !sort.is_descending } else { starts_descending } };
        HeadView {
            label: label.into(),
            href: View { sort: Some(next), ..view }.link(filter, &page),
            order: match (is_sorted, sort.is_descending) {
                (false, _) => 0,
                (true, false) => 1,
                (true, true) => -1,
            },
        }
    };
    let words = Words { ctx, format, filter, asked, card_basis: card.basis };
    let all = card.rows.len();
    let shown = if view.has_all_rows { all } else { SHOWN };
    let more = (all > shown).then(|| LinkView {
        label: format!("Show all {} rows", format.count(i64::try_from(all).unwrap_or(i64::MAX))),
        href: View { has_all_rows: true, ..view }.link(filter, &page),
        is_current: false,
    });
    Ok(ScorecardView {
        tabs: Dimension::ALL
            .into_iter()
            // Without campaigns there is nothing to tell apart.
            .filter(|by| *by != Dimension::Campaign || !summary.campaigns.is_empty())
            .map(|by| LinkView {
                label: by.label().into(),
                href: View { by, has_all_rows: false, ..view }.link(filter, &page),
                is_current: by == view.by,
            })
            .collect(),
        subject: head(view.by.label(), Column::Name),
        figures: scorecard::figures(asked.metric)
            .into_iter()
            .map(|kpi| head(kpi.label(), Column::Figure(kpi)))
            .collect(),
        grade: head("Grade", Column::Attainment),
        metric: asked.metric.label().to_lowercase(),
        rules: words.rules(&card),
        total: words.row(card.total),
        rows: card.rows.into_iter().take(shown).map(|row| words.row(row)).collect(),
        more,
        targets: LinkView {
            label: "Targets".into(),
            href: format!("/t/{}/targets", ctx.tenant().slug),
            is_current: false,
        },
    })
}

struct Words<'a> {
    ctx: &'a TenantContext,
    format: &'a Format,
    filter: &'a PageFilter,
    asked: &'a Query,
    card_basis: Basis,
}

impl Words<'_> {
    fn rules(&self, card: &scorecard::Scorecard) -> Vec<String> {
        let grades: Vec<String> = Grade::ALL
            .into_iter()
            .filter(|grade| grade.least_percent() > 0)
            .map(|grade| format!("{} from {}%", grade.label(), grade.least_percent()))
            .collect();
        let mut rules =
            vec![format!("Grades are the share of the target that was reached: {}, else E.", grades.join(", "))];
        if self.asked.metric.is_shared_out() {
            rules.push("A target is set for a month; each day counts as its share of its own month.".into());
        } else {
            rules.push("A target of a rate holds for any period.".into());
        }
        if card.is_running {
            rules.push(match card.over {
                Some(over) => {
                    format!("Target, actual and grade are of the days that are over, {}.", self.format.period(over))
                }
                None => "No day of the period is over, so nothing is graded yet.".into(),
            });
        }
        if self.asked.previous.is_some() {
            rules.push(
                "What moved it is the part that contributed most to the change; of one account, the number of posts or what each brought.".into(),
            );
        }
        rules
    }

    fn row(&self, row: Row) -> ScoreRow {
        let only = |change: fn(&mut PageFilter, &Subject)| {
            let mut filter = PageFilter { metric: None, grain: None, ..self.filter.clone() };
            change(&mut filter, &row.subject);
            filter
        };
        let drill = only(|filter, subject| match subject {
            Subject::Everything => {}
            Subject::Platform(platform) => filter.platforms = vec![*platform],
            Subject::Account(account) => filter.accounts = vec![*account],
            Subject::Campaign(campaign) => filter.campaigns = vec![*campaign],
        });
        let key = match row.subject {
            Subject::Everything => "total".into(),
            Subject::Platform(platform) => platform.key().into(),
            Subject::Account(account) => account.to_string(),
            Subject::Campaign(campaign) => campaign.to_string(),
        };
        ScoreRow {
            key,
            href: Some(drill.link(&format!("/t/{}/posts", self.ctx.tenant().slug))),
            detail: row.platform.map(|platform| platform.label().into()),
            cells: row
                .cells
                .iter()
                .map(|cell| ScoreCell {
                    key: cell.kpi.key().into(),
                    text: cell.value.map_or_else(|| MISSING.into(), |value| self.format.exact(cell.kpi.unit(), value)),
                    exact: cell.value.map(machine).unwrap_or_default(),
                    change: change(self.format, self.asked, cell.kpi, cell.value, cell.previous),
                })
                .collect(),
            standing: self.standing(&row),
            mover: self.mover(&row),
            name: row.name,
        }
    }

    fn standing(&self, row: &Row) -> StandingView {
        let unit = self.asked.metric.unit();
        let exact = |value: Decimal| self.format.exact(unit, value);
        let monthly = |target: Decimal| {
            let monthly = if self.asked.metric.is_shared_out() { " a month" } else { " at any time" };
            format!("of {}{monthly}", exact(target))
        };
        let none = StandingView {
            target: None,
            target_exact: String::new(),
            actual: MISSING.into(),
            actual_exact: String::new(),
            grade: None,
            percent: 0,
            reason: None,
            set: None,
        };
        match row.standing {
            Standing::Graded { target, due, actual, share, grade } => StandingView {
                target: Some((exact(due), monthly(target))),
                target_exact: machine(due),
                actual: exact(actual),
                actual_exact: machine(actual),
                grade: Some((
                    grade.label().into(),
                    grade.word().into(),
                    format!("{}%", self.format.decimal(share * Decimal::ONE_HUNDRED, 0)),
                )),
                percent: (share * Decimal::ONE_HUNDRED)
                    .clamp(Decimal::ZERO, Decimal::ONE_HUNDRED)
                    .round()
                    .to_u32()
                    .unwrap_or(0),
                ..none
            },
            Standing::NothingOver { target } => StandingView {
                target: Some((exact(target), "a month".into())),
                reason: Some("No day is over yet".into()),
                ..none
            },
            Standing::Missing { target } => StandingView {
                target: Some((exact(target), "a month".into())),
                reason: Some(format!("{} is missing", self.asked.metric.label())),
                ..none
            },
            Standing::NotComparable => StandingView {
                reason: Some(match row.subject {
                    Subject::Campaign(_) => "Campaigns have no targets".into(),
                    Subject::Everything | Subject::Platform(_) | Subject::Account(_) => {
                        "The filter leaves out a part of what the target is for".into()
                    }
                }),
                ..none
            },
            Standing::NoTarget => StandingView { reason: Some("No target".into()), set: self.set(row), ..none },
        }
    }

    /// Where those who may set a target for the row do so.
    fn set(&self, row: &Row) -> Option<LinkView> {
        let aim = match row.subject {
            Subject::Everything => Aim::Everything,
            Subject::Platform(platform) => Aim::Platform(platform),
            Subject::Account(account) => Aim::Account(account),
            Subject::Campaign(_) => return None,
        };
        self.ctx.access().grants(Permission::SettingsUpdate).then(|| LinkView {
            label: "Set one".into(),
            href: format!("/t/{}/targets?kpi={}&aim={}", self.ctx.tenant().slug, self.asked.metric.key(), aim.key()),
            is_current: false,
        })
    }

    fn mover(&self, row: &Row) -> String {
        let metric = self.asked.metric;
        let unit = metric.unit();
        let difference = |value: Decimal| self.format.difference(unit, value);
        match &row.mover {
            Some(Mover::Part { name, contribution }) => format!("{name}: {}", difference(*contribution)),
            Some(Mover::Number { posts: (now, before), contribution }) => {
                let word = if now > before { "More" } else { "Fewer" };
                format!(
                    "{word} posts, {} instead of {}: {}",
                    self.format.count(*now),
                    self.format.count(*before),
                    difference(*contribution)
                )
            }
            Some(Mover::Yield { per_post: (now, before), contribution }) => {
                let word = if now > before { "More" } else { "Less" };
                let places = u32::from(unit == Unit::Money) * 2;
                format!(
                    "{word} per post, {} instead of {}: {}",
                    self.format.decimal(*now, places),
                    self.format.decimal(*before, places),
                    difference(*contribution)
                )
            }
            Some(Mover::Sides { numerator, denominator }) => {
                let (above, below) = match metric {
                    Kpi::EngagementRate => ("Engagements", "impressions or reach"),
                    Kpi::Sentiment => ("Sum of scores", "number of scores"),
                    _ => ("Revenue less cost", "cost"),
                };
                format!("{above} {}, {below} {}", self.format.change(*numerator), self.format.change(*denominator))
            }
            None if self.asked.previous.is_none() => "Nothing to compare with".into(),
            None => {
                let cell = row.cell(metric);
                let (value, previous) = (cell.and_then(|cell| cell.value), cell.and_then(|cell| cell.previous));
                match (value, previous) {
                    (Some(value), Some(previous)) if value == previous => "It did not move".into(),
                    (Some(_), None) => "New: nothing before".into(),
                    (Some(_), Some(_)) if self.card_basis == Basis::Period => "No parts to tell apart".into(),
                    (Some(_), Some(_)) => MISSING.into(),
                    (None, _) => format!("{} is missing", metric.label()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn the_view_reads_back_what_it_wrote_beside_the_filter() {
        for query in ["", "by=account", "range=7d&by=campaign&sort=-reach&rows=all", "sort=name"] {
            let pairs = pairs(query);
            let filter = PageFilter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap();
            assert_eq!(View::parse(&pairs).unwrap().query(&filter), query);
        }
    }

    #[test]
    fn wrong_words_are_refused_by_name() {
        match View::parse(&pairs("by=team&sort=likes&rows=7")) {
            Err(Error::Invalid(errors)) => {
                assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["by", "sort", "rows"]);
            }
            other => panic!("{other:?}"),
        }
    }
}
