//! `/api/v1/kpis`: the figures of a period, as the dashboard shows them.

use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::filter::PageFilter;
use rtv_core::kpi::Unit;
use rtv_core::period::{Compare, Period};
use rtv_core::{Error, Kpi};
use rtv_domain::kpi::{self, Figure, Filter, Query};
use rtv_domain::{TenantContext, team};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;

/// Days, both inclusive, in the tenant's zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Period", example = json!({ "from": "2026-10-25", "to": "2026-11-21" }))]
pub struct PeriodObject {
    from: NaiveDate,
    to: NaiveDate,
}

impl From<Period> for PeriodObject {
    fn from(period: Period) -> Self {
        Self { from: period.from(), to: period.to() }
    }
}

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Money", example = json!({ "amount": "12.34", "currency": "EUR" }))]
pub struct Money {
    /// The exact amount.
    amount: String,
    /// ISO 4217 code.
    currency: String,
}

impl Money {
    /// An amount in the tenant's currency.
    pub fn of(amount: Decimal, currency: &str) -> Self {
        Self { amount: amount.normalize().to_string(), currency: currency.into() }
    }
}

/// A number, or an amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(title = "KpiValue")]
pub enum KpiValue {
    /// A whole number of things.
    Count(i64),
    /// A share, a score or a multiple.
    Number(f64),
    /// An amount.
    Money(Money),
}

impl KpiValue {
    fn of(unit: Unit, value: Decimal, currency: &str) -> Option<Self> {
        match unit {
            Unit::Count => value.to_i64().map(Self::Count),
            Unit::Percent | Unit::Score | Unit::Multiple => value.to_f64().map(Self::Number),
            Unit::Money => Some(Self::Money(Money::of(value, currency))),
        }
    }
}

/// How much of what was asked for reports a figure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Coverage", example = json!({ "platforms": 3, "of_platforms": 4, "posts": 812, "of_posts": 900 }))]
pub struct CoverageObject {
    /// Platforms that report it.
    platforms: usize,
    /// Platforms with posts in the period.
    of_platforms: usize,
    /// Posts that report it; under the basis `period` days of posts.
    posts: i64,
    /// Posts in the period; under the basis `period` days of posts.
    of_posts: i64,
}

/// One figure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Kpi", example = json!({
    "key": "impressions", "unit": "count", "value": 1_204_331, "previous": 1_100_204, "change": 0.094_643_358,
    "coverage": { "platforms": 3, "of_platforms": 4, "posts": 812, "of_posts": 900 }, "basis": "lifetime", "missing_reason": null
}))]
pub struct KpiObject {
    /// Its key.
    key: String,
    /// `count`, `percent` (0.125 is 12.5 %), `score` (−1 to +1), `money` or `multiple`.
    unit: String,
    /// The exact value; null where it is missing, which is never zero.
    value: Option<KpiValue>,
    /// The exact value of the comparison period.
    previous: Option<KpiValue>,
    /// The relative change, 0.1 for a tenth more; of shares and scores the difference. Null where there is nothing to compare with.
    change: Option<f64>,
    /// How much of what was asked for reports it.
    coverage: CoverageObject,
    /// `period`: what happened in the period; `lifetime`: totals to date of what was published in it.
    basis: String,
    /// Why there is no value.
    missing_reason: Option<String>,
}

/// The figures of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Kpis")]
pub struct KpisObject {
    /// The days that were asked for.
    period: PeriodObject,
    /// The days that they are compared with.
    previous: Option<PeriodObject>,
    /// When the facts changed last; null where there are none.
    as_of: Option<DateTime<Utc>>,
    /// All figures, in the order of the dashboard.
    kpis: Vec<KpiObject>,
}

/// Which days, accounts and campaigns. For the description alone: what is asked is read by [`PageFilter`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct FilterParams {
    /// Which days; 28d if left out.
    #[param(pattern = "^(7d|28d|90d|mtd|qtd|ytd|yesterday|last-week|last-month|last-quarter|last-year|custom)$")]
    range: Option<String>,
    /// First day, with the range custom.
    #[param(format = "date")]
    from: Option<String>,
    /// Last day, with the range custom.
    #[param(format = "date")]
    to: Option<String>,
    /// Platforms; may repeat. All if left out.
    platform: Option<Vec<String>>,
    /// Ids of accounts; may repeat. All if left out.
    account: Option<Vec<String>>,
    /// Ids of campaigns, or `none` for posts of none; may repeat. Everything if left out.
    campaign: Option<Vec<String>>,
    /// Ids of teams; may repeat. What one of them is responsible for; everything if left out.
    team: Option<Vec<String>>,
}

/// What the days are compared with.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct CompareParams {
    /// What the days are compared with; previous if left out.
    #[param(pattern = "^(previous|weekday|year|none)$")]
    compare: Option<String>,
}

/// What the address asks for.
pub fn filter(caller: &Caller) -> Result<PageFilter, Error> {
    PageFilter::parse(caller.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The tenant as the teams of the filter look at it.
pub async fn narrowed(caller: &Caller, filter: &PageFilter) -> Result<TenantContext, Error> {
    if filter.teams.is_empty() {
        return Ok(caller.ctx().clone());
    }
    let choices = team::choices(caller.ctx()).await?;
    Ok(team::narrow(caller.ctx(), &choices, &filter.teams)?.ctx)
}

/// The accounts and campaigns that a filter means.
pub fn covered(filter: &PageFilter) -> Filter {
    Filter {
        platforms: filter.platforms.clone(),
        accounts: filter.accounts.clone(),
        campaigns: filter.campaigns.clone(),
    }
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Percent => "percent",
        Unit::Score => "score",
        Unit::Money => "money",
        Unit::Multiple => "multiple",
    }
}

/// As the dashboard reckons it: shares and scores by their difference, everything else relatively. From nothing to something is
/// no number.
fn change(kpi: Kpi, value: Option<Decimal>, previous: Option<Decimal>) -> Option<f64> {
    let (value, previous) = (value?, previous?);
    let difference = value - previous;
    let change = match kpi.unit() {
        Unit::Percent | Unit::Score => difference,
        Unit::Count | Unit::Money | Unit::Multiple if previous.is_zero() && value.is_zero() => Decimal::ZERO,
        Unit::Count | Unit::Money | Unit::Multiple => difference.checked_div(previous.abs())?,
    };
    change.round_dp(9).to_f64()
}

impl KpiObject {
    fn of(figure: Figure, currency: &str) -> Self {
        let kpi = figure.kpi;
        let value = |value: Option<Decimal>| value.and_then(|value| KpiValue::of(kpi.unit(), value, currency));
        Self {
            key: kpi.key().into(),
            unit: unit(kpi.unit()).into(),
            value: value(figure.value),
            previous: value(figure.previous),
            change: change(kpi, figure.value, figure.previous),
            coverage: CoverageObject {
                platforms: figure.coverage.platforms,
                of_platforms: figure.coverage.of_platforms,
                posts: figure.coverage.posts,
                of_posts: figure.coverage.of_posts,
            },
            basis: figure.basis.key().into(),
            missing_reason: figure.missing,
        }
    }
}

async fn read(ctx: &TenantContext, filter: &PageFilter) -> Result<KpisObject, Error> {
    let period = filter.period(ctx.today(), ctx.tenant().week_start)?;
    let compare: Compare = filter.compare;
    let previous = compare.period(period);
    let query = Query {
        period,
        previous,
        filter: covered(filter),
        metric: filter.metric.unwrap_or(Kpi::Impressions),
        grain: None,
    };
    let summary = kpi::summary(ctx, &query).await?;
    let currency = &ctx.tenant().currency;
    Ok(KpisObject {
        period: period.into(),
        previous: previous.map(PeriodObject::from),
        as_of: summary.as_of,
        kpis: summary.figures.into_iter().map(|figure| KpiObject::of(figure, currency)).collect(),
    })
}

/// Figures of a period
///
/// The same figures as on the dashboard, with what they count and what they lack. Needs analytics:read.
#[utoipa::path(get, path = "/api/v1/kpis", tag = "Figures", operation_id = "getKpis", params(FilterParams, CompareParams),
    responses((status = 200, description = "The figures.", body = KpisObject)))]
pub async fn list(caller: Caller) -> Response {
    let found = async {
        let filter = filter(&caller)?;
        read(&narrowed(&caller, &filter).await?, &filter).await
    };
    caller.answer(found.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_ratio_and_of_shares_a_difference() {
        let check = |kpi, value: &str, previous: &str, expect: Option<f64>| {
            assert_eq!(change(kpi, value.parse().ok(), previous.parse().ok()), expect, "{kpi:?} {value} {previous}");
        };
        check(Kpi::Impressions, "110", "100", Some(0.1));
        check(Kpi::Impressions, "0", "0", Some(0.0));
        check(Kpi::Impressions, "5", "0", None);
        check(Kpi::EngagementRate, "0.06", "0.04", Some(0.02));
        check(Kpi::FollowerGrowth, "-5", "-10", Some(0.5));
        check(Kpi::Revenue, "5", "x", None);
    }

    #[test]
    fn values_are_exact() {
        let check = |unit, value: &str, expect: &str| {
            let value = KpiValue::of(unit, value.parse().unwrap(), "EUR").unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), expect);
        };
        check(Unit::Count, "9007199254740993", "9007199254740993");
        check(Unit::Percent, "0.061234567891", "0.061234567891");
        check(Unit::Money, "12.3400", r#"{"amount":"12.34","currency":"EUR"}"#);
    }
}
