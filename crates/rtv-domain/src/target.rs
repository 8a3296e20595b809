//! Targets: what a tenant wants to reach of a KPI in a calendar month, for everything, a platform or an account. A target
//! of something that adds up is shared out over the days of a period; a rate is wanted at any time. Grades come from here
//! too, so that every page and report judges alike.

use chrono::{Datelike, NaiveDate};
use rtv_core::kpi::{Kpi, Unit};
use rtv_core::period::{Grain, Period};
use rtv_core::scorecard::Grade;
use rtv_core::{AccountId, Error, FieldError, Permission, Platform, TargetId};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::account::{self, Account};
use crate::audit::Event;
use crate::context::TenantContext;
use crate::format::{Format, machine};
use crate::transaction::{Resource, Tx, failed, violated};

/// What a target is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Everything of the tenant.
    Everything,
    /// One platform.
    Platform(Platform),
    /// One account.
    Account(AccountId),
}

impl Aim {
    /// As forms write it: `all`, the key of a platform, or the id of an account.
    pub fn key(self) -> String {
        match self {
            Self::Everything => "all".into(),
            Self::Platform(platform) => platform.key().into(),
            Self::Account(account) => account.to_string(),
        }
    }

    fn parse(text: &str, accounts: &[Account]) -> Option<Self> {
        if text == "all" {
            return Some(Self::Everything);
        }
        if let Ok(platform) = text.parse::<Platform>() {
            return Some(Self::Platform(platform));
        }
        let id = text.parse::<AccountId>().ok()?;
        accounts.iter().any(|account| account.id == id).then_some(Self::Account(id))
    }
}

/// A target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Id.
    pub id: TargetId,
    /// Of what.
    pub kpi: Kpi,
    /// For what.
    pub aim: Aim,
    /// Wanted in a calendar month; of a rate, at any time.
    pub amount: Decimal,
}

/// All targets and what they may be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// By KPI in the order of the catalogue, everything first, then platforms, then accounts by name.
    pub targets: Vec<Target>,
    /// All accounts of the tenant.
    pub accounts: Vec<Account>,
}

/// A target as typed.
#[derive(Debug, Clone, Default)]
pub struct NewTarget {
    /// Key of the KPI.
    pub kpi: String,
    /// Key of the aim.
    pub aim: String,
    /// Amount in the tenant's way of writing; of a rate in percent.
    pub amount: String,
}

/// All targets of the tenant.
pub async fn list(ctx: &TenantContext) -> Result<Listing, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Targets).await?;
    let accounts = account::read(&mut tx).await?;
    let mut targets = read(&mut tx, None).await?;
    tx.rollback().await?;
    let place = |aim: Aim| match aim {
        Aim::Everything => (0, 0),
        Aim::Platform(platform) => (1, Platform::ALL.iter().position(|one| *one == platform).unwrap_or(0)),
        Aim::Account(id) => (2, accounts.iter().position(|account| account.id == id).unwrap_or(0)),
    };
    targets.sort_by_key(|target| (target.kpi, place(target.aim)));
    Ok(Listing { targets, accounts })
}

/// Targets of one KPI or of all.
pub(crate) async fn read(tx: &mut Tx, kpi: Option<Kpi>) -> Result<Vec<Target>, Error> {
    let rows = sqlx::query!(
        "select id, kpi, platform, account_id, amount from target where $1::text is null or kpi = $1",
        kpi.map(Kpi::key)
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let aim = match (row.platform, row.account_id) {
                (Some(platform), _) => Aim::Platform(stored(platform.parse())?),
                (None, Some(account)) => Aim::Account(account.into()),
                (None, None) => Aim::Everything,
            };
            Ok(Target { id: row.id.into(), kpi: stored(row.kpi.parse())?, aim, amount: row.amount.normalize() })
        })
        .collect()
}

/// Sets a target, or changes the one that the same aim has for the KPI. Every field that is refused is named at once.
pub async fn set(ctx: &TenantContext, new: &NewTarget) -> Result<Target, Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Targets).await?;
    let accounts = account::read(&mut tx).await?;
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let kpi = new.kpi.parse::<Kpi>().map_err(|_| refuse("kpi", "choose a figure from the list.".into())).ok();
    let aim = Aim::parse(&new.aim, &accounts);
    if aim.is_none() {
        refuse("aim", "choose everything, a platform or an account from the list.".into());
    }
    let amount = kpi.and_then(|kpi| {
        parse_amount(&Format::of(ctx.tenant()), kpi, &new.amount).map_err(|message| refuse("amount", message)).ok()
    });
    let (Some(kpi), Some(aim), Some(amount)) = (kpi, aim, amount) else {
        return Err(Error::Invalid(errors));
    };
    let (platform, account) = match aim {
        Aim::Everything => (None, None),
        Aim::Platform(platform) => (Some(platform.key()), None),
        Aim::Account(account) => (None, Some(account.uuid())),
    };
    let before = sqlx::query_scalar!(
        r#"
        select amount
        from target
        where kpi = $1 and platform is not distinct from $2 and account_id is not distinct from $3
        for update
        "#,
        kpi.key(),
        platform,
        account
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let id: TargetId = sqlx::query_scalar!(
        r#"
        insert into target (tenant_id, id, kpi, platform, account_id, amount, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        on conflict on constraint target_scope_unique do update set amount = excluded.amount, updated_at = excluded.updated_at
        returning id
        "#,
        ctx.tenant().id.uuid(),
        Uuid::now_v7(),
        kpi.key(),
        platform,
        account,
        amount,
        ctx.now(),
    )
    .fetch_one(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        // The account went between being read and being aimed at.
        Some("target_account") => Error::invalid("aim", "choose an account from the list."),
        _ => failed(error),
    })?
    .into();
    let mut event = Event::new("target.set", "target", id.to_string())
        .after(json!({ "kpi": kpi.key(), "aim": aim.key(), "amount": machine(amount) }));
    if let Some(before) = before {
        event = event.before(json!({ "kpi": kpi.key(), "aim": aim.key(), "amount": machine(before) }));
    }
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(Target { id, kpi, aim, amount })
}

/// Removes a target.
pub async fn remove(ctx: &TenantContext, id: TargetId) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::SettingsUpdate, Resource::Target(id)).await?;
    let row = sqlx::query!("delete from target where id = $1 returning kpi, platform, account_id, amount", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    let aim = row.platform.or_else(|| row.account_id.map(|account| AccountId::from(account).to_string()));
    let before = json!({ "kpi": row.kpi, "aim": aim.unwrap_or_else(|| "all".into()), "amount": machine(row.amount) });
    tx.audit(Event::new("target.remove", "target", id.to_string()).before(before)).await?;
    tx.commit().await
}

/// The amount that was typed, or what would be accepted.
fn parse_amount(format: &Format, kpi: Kpi, text: &str) -> Result<Decimal, String> {
    let typed = format.read(text).filter(|amount| *amount > Decimal::ZERO);
    let whole = format.count(10_000);
    let part = format.decimal(Decimal::new(25, 1), 1);
    let limit = Decimal::from(1_000_000_000_000_i64);
    match kpi.unit() {
        Unit::Count => typed
            .filter(|amount| amount.fract().is_zero() && *amount < limit)
            .ok_or_else(|| format!("use a whole number above 0, like {whole}.")),
        Unit::Money => typed
            .filter(|amount| amount.scale() <= 3 && amount.round_dp(2) == *amount && *amount < limit)
            .ok_or_else(|| format!("use an amount above 0 with at most two decimals, like {whole}.")),
        Unit::Percent => typed
            .filter(|amount| *amount <= Decimal::ONE_HUNDRED && amount.round_dp(4) == *amount)
            .map(|amount| amount / Decimal::ONE_HUNDRED)
            .ok_or_else(|| format!("use percent above 0 and at most 100, like {part}.")),
        Unit::Score => {
            typed.filter(|amount| *amount <= Decimal::ONE && amount.round_dp(6) == *amount).ok_or_else(|| {
                format!("use a score above 0 and at most 1, like {}.", format.decimal(Decimal::new(3, 1), 1))
            })
        }
        Unit::Multiple => typed
            .filter(|amount| *amount < limit && amount.round_dp(6) == *amount)
            .ok_or_else(|| format!("use a number above 0, like {part}.")),
    }
}

/// What a target is for the days of a period: each day has its share of its own month, so a whole month has the whole
/// amount and 28 days of a November 28 ÷ 30 of it. A rate stays what it is.
pub fn for_days(kpi: Kpi, amount: Decimal, period: Period) -> Decimal {
    if !kpi.is_shared_out() {
        return amount;
    }
    let mut share = Decimal::ZERO;
    let mut day = period.from();
    while day <= period.to() {
        let end = Grain::Month.ceil(day, 0);
        let last = end.min(period.to());
        share += Decimal::from((last - day).num_days() + 1) / Decimal::from(end.day());
        match last.succ_opt() {
            Some(next) => day = next,
            None => break,
        }
    }
    (amount * share).round_dp(6)
}

/// The days of a period that are over when today is `today`; `None` while its first day is still running.
pub fn days_over(period: Period, today: NaiveDate) -> Option<Period> {
    if period.to() < today {
        return Some(period);
    }
    Period::new(period.from(), today.pred_opt()?).ok()
}

/// The share of the target that was reached, where more is better; where less is better, the target's share of what came.
/// 1 is all of it.
pub fn attainment(kpi: Kpi, actual: Decimal, target: Decimal) -> Option<Decimal> {
    let (numerator, denominator) = if kpi.up_is_good() == Some(false) { (target, actual) } else { (actual, target) };
    crate::kpi::ratio(numerator, denominator)
}

/// The grade of an attainment.
pub fn grade(attainment: Decimal) -> Grade {
    Grade::ALL
        .into_iter()
        .find(|grade| attainment * Decimal::ONE_HUNDRED >= Decimal::from(grade.least_percent()))
        .unwrap_or(Grade::E)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str) -> Period {
        Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_target_is_shared_out_over_the_days_of_its_months() {
        let check = |from: &str, to: &str, expect: &str| {
            let got = for_days(Kpi::Engagements, Decimal::from(10_000), period(from, to));
            assert_eq!(got.round_dp(2), expect.parse::<Decimal>().unwrap(), "{from} to {to}");
        };
        check("2026-11-01", "2026-11-28", "9333.33");
        check("2026-11-01", "2026-11-30", "10000");
        check("2026-02-01", "2026-02-28", "10000");
        check("2024-02-01", "2024-02-14", "4827.59");
        check("2026-01-01", "2026-12-31", "120000");
        // 15 of 31 days of January and 14 of 28 of February.
        check("2026-01-17", "2026-02-14", "9838.71");
        check("2026-11-30", "2026-11-30", "333.33");
        let rate: Decimal = "0.045".parse().unwrap();
        assert_eq!(
            for_days(Kpi::EngagementRate, rate, period("2026-11-01", "2026-11-07")),
            rate,
            "a rate is no amount"
        );
    }

    #[test]
    fn only_days_that_are_over_count() {
        let november = period("2026-11-01", "2026-11-30");
        let today = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(days_over(november, today("2026-12-01")), Some(november));
        assert_eq!(days_over(november, today("2026-11-30")), Some(period("2026-11-01", "2026-11-29")));
        assert_eq!(days_over(november, today("2026-11-02")), Some(period("2026-11-01", "2026-11-01")));
        assert_eq!(days_over(november, today("2026-11-01")), None);
        assert_eq!(days_over(november, today("2026-10-01")), None, "it has not begun");
    }

    #[test]
    fn a_grade_is_the_share_of_the_target_that_was_reached() {
        for (share, expect) in [
            ("1.2", Grade::A),
            ("1", Grade::A),
            ("0.9999", Grade::B),
            ("0.9", Grade::B),
            ("0.75", Grade::C),
            ("0.5", Grade::D),
            ("0.4999", Grade::E),
            ("0", Grade::E),
            ("-3", Grade::E),
        ] {
            assert_eq!(grade(share.parse().unwrap()), expect, "{share}");
        }
        assert_eq!(attainment(Kpi::Reach, Decimal::from(3), Decimal::from(4)), Some("0.75".parse().unwrap()));
    }
}
