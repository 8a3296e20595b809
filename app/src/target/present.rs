//! From the domain's targets to the rows and choices that people read. Runs on the server only.

use rtv_core::kpi::{Kpi, Unit};
use rtv_core::period::Range;
use rtv_core::scorecard::Grade;
use rtv_core::{Error, Permission, Platform};
use rtv_domain::TenantContext;
use rtv_domain::account::Account;
use rtv_domain::format::{Format, machine};
use rtv_domain::target::{self, Aim, Target};
use rust_decimal::Decimal;

use crate::dashboard::ChoiceView;
use crate::page::Flash;
use crate::target::list::{FormView, TargetRow, Targets};

/// Asks the domain and words the answer. The form shows what was typed, or what the address asks to set.
pub(super) async fn targets(
    ctx: &TenantContext,
    pairs: &[(String, String)],
    flash: Option<&Flash>,
) -> Result<Targets, Error> {
    let listing = target::list(ctx).await?;
    let format = Format::of(ctx.tenant());
    let period = Range::Last28.period(ctx.today(), ctx.tenant().week_start, None)?;
    let name = |aim: Aim| match aim {
        Aim::Everything => "Everything".to_owned(),
        Aim::Platform(platform) => platform.label().to_owned(),
        Aim::Account(id) => {
            listing.accounts.iter().find(|account| account.id == id).map_or_else(String::new, account_name)
        }
    };
    let rows = listing
        .targets
        .iter()
        .map(|target| TargetRow {
            id: target.id.to_string(),
            kpi: target.kpi.key().into(),
            kpi_label: target.kpi.label().into(),
            aim: target.aim.key(),
            aim_label: name(target.aim),
            amount: amount(&format, target),
            exact: machine(target.amount),
            example: target.kpi.is_shared_out().then(|| {
                let due = target::for_days(target.kpi, target.amount, period);
                format!("{} for {}", format.exact(target.kpi.unit(), due), format.period(period))
            }),
        })
        .collect();
    let form = ctx.access().grants(Permission::SettingsUpdate).then(|| form(pairs, flash, &listing.accounts, &format));
    Ok(Targets {
        rows,
        form,
        errors: flash.map(|flash| flash.errors.clone()).unwrap_or_default(),
        needed: Permission::SettingsUpdate.key().into(),
        has_accounts: !listing.accounts.is_empty(),
        rules: rules(),
    })
}

fn amount(format: &Format, target: &Target) -> String {
    let amount = format.exact(target.kpi.unit(), target.amount);
    if target.kpi.is_shared_out() { format!("{amount} a month") } else { format!("{amount} at any time") }
}

fn account_name(account: &Account) -> String {
    format!("{} · {}", account.name, account.platform.label())
}

fn form(pairs: &[(String, String)], flash: Option<&Flash>, accounts: &[Account], format: &Format) -> FormView {
    let asked = |name: &str| {
        flash
            .and_then(|flash| flash.value(name))
            .or_else(|| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    };
    let chosen_kpi = asked("kpi").and_then(|key| key.parse::<Kpi>().ok()).unwrap_or(Kpi::Engagements);
    let chosen_aim = asked("aim").unwrap_or_else(|| Aim::Everything.key());
    let mut platforms: Vec<Platform> = accounts.iter().map(|account| account.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    let choice = |aim: Aim, label: String| ChoiceView { is_chosen: aim.key() == chosen_aim, value: aim.key(), label };
    FormView {
        kpis: Kpi::ALL
            .into_iter()
            .map(|kpi| ChoiceView {
                value: kpi.key().into(),
                label: match kpi.unit() {
                    Unit::Percent => format!("{} (in %)", kpi.label()),
                    Unit::Count | Unit::Score | Unit::Money | Unit::Multiple => kpi.label().into(),
                },
                is_chosen: kpi == chosen_kpi,
            })
            .collect(),
        aims: [choice(Aim::Everything, "Everything".into())]
            .into_iter()
            .chain(platforms.into_iter().map(|one| choice(Aim::Platform(one), format!("All of {}", one.label()))))
            .chain(accounts.iter().map(|account| choice(Aim::Account(account.id), account_name(account))))
            .collect(),
        amount: flash.and_then(|flash| flash.value("amount")).unwrap_or_default(),
        amount_hint: format!(
            "A month, like {}; rates at any time, in percent like {}.",
            format.count(10_000),
            format.decimal(Decimal::new(45, 1), 1)
        ),
    }
}

fn rules() -> Vec<(String, String)> {
    let grades = Grade::ALL.into_iter().map(|grade| {
        let share = if grade == Grade::E {
            format!("under {}% of the target", Grade::D.least_percent())
        } else {
            format!("at least {}% of the target", grade.least_percent())
        };
        (grade.label().to_owned(), format!("{share}: {}", grade.word()))
    });
    grades.collect()
}
