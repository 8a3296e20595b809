//! From the domain's competitors to the rows and fields that people read. Runs on the server only.

use rtv_core::{Error, Permission, Platform};
use rtv_domain::TenantContext;
use rtv_domain::competitor::{self, COLUMNS, MOST_ROWS, Month, NAME_CHARACTERS, written};
use rtv_domain::format::Format;

use crate::competitor::list::{CompetitorRow, Competitors, ListForm};
use crate::competitor::one::{CompetitorView, MonthForm, MonthRow};
use crate::dashboard::ChoiceView;
use crate::page::Flash;

/// All of them.
pub(super) async fn list(ctx: &TenantContext, flash: Option<&Flash>) -> Result<Competitors, Error> {
    let format = Format::of(ctx.tenant());
    let rows = competitor::list(ctx).await?.into_iter().map(|one| CompetitorRow {
        id: one.id.to_string(),
        name: one.name,
        is_removed: one.is_removed,
        platforms: one.platforms.iter().map(|platform| platform.label()).collect::<Vec<_>>().join(", "),
        months: one.months.map(|(first, last)| {
            if first == last {
                format.month(first)
            } else {
                format!("{} to {}", format.month(first), format.month(last))
            }
        }),
    });
    let form = ctx.access().grants(Permission::CompetitorsManage).then(|| ListForm {
        name: flash.and_then(|flash| flash.value("name")).unwrap_or_default(),
        name_characters: NAME_CHARACTERS,
        columns: COLUMNS.join(", "),
        most: format!("{} rows", format.count(i64::try_from(MOST_ROWS).unwrap_or(i64::MAX))),
    });
    Ok(Competitors {
        rows: rows.collect(),
        form,
        errors: flash.map(|flash| flash.errors.clone()).unwrap_or_default(),
        needed: Permission::CompetitorsManage.key().into(),
    })
}

/// One of them; its form shows what was typed, or the month that the address asks to change.
pub(super) async fn one(
    ctx: &TenantContext,
    id: &str,
    pairs: &[(String, String)],
    flash: Option<&Flash>,
) -> Result<CompetitorView, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let one = competitor::one(ctx, id).await?;
    let format = Format::of(ctx.tenant());
    let form = ctx.access().grants(Permission::CompetitorsManage).then(|| form(&one, pairs, flash, &format));
    Ok(CompetitorView {
        id: one.id.to_string(),
        months: one.months.iter().map(|month| row(month, &format)).collect(),
        name: one.name,
        is_removed: one.is_removed,
        form,
        errors: flash.map(|flash| flash.errors.clone()).unwrap_or_default(),
    })
}

fn row(month: &Month, format: &Format) -> MonthRow {
    let figure = |value: Option<i64>| match value {
        Some(value) => (format.count(value), value.to_string()),
        None => ("—".to_owned(), String::new()),
    };
    let figures = month.figures;
    MonthRow {
        key: (written(month.month), month.platform.key().into()),
        month: format.month(month.month),
        platform: month.platform.label().into(),
        figures: [figure(figures.followers), figure(figures.posts), figure(figures.interactions)],
        changed: format!("{} by {}", format.instant(month.changed_at), month.changed_by),
    }
}

fn form(one: &competitor::Competitor, pairs: &[(String, String)], flash: Option<&Flash>, format: &Format) -> MonthForm {
    let typed = |name: &str| flash.and_then(|flash| flash.value(name));
    let asked =
        |name: &str| typed(name).or_else(|| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()));
    let (platform, month) = (asked("platform"), asked("month"));
    let stored = one
        .months
        .iter()
        .find(|stored| Some(stored.platform.key()) == platform.as_deref() && Some(written(stored.month)) == month);
    let figure = |name: &str, of: fn(&competitor::Figures) -> Option<i64>| {
        let stored = || stored.and_then(|stored| of(&stored.figures)).map(|value| format.count(value));
        typed(name).or_else(stored).unwrap_or_default()
    };
    let networks = Platform::ALL.into_iter().filter(|platform| *platform != Platform::Sandbox);
    MonthForm {
        platforms: networks
            .map(|one| ChoiceView {
                value: one.key().into(),
                label: one.label().into(),
                is_chosen: Some(one.key()) == platform.as_deref(),
            })
            .collect(),
        month: month.unwrap_or_default(),
        followers: figure("followers", |figures| figures.followers),
        posts: figure("posts", |figures| figures.posts),
        interactions: figure("interactions", |figures| figures.interactions),
        name: typed("name").unwrap_or_else(|| one.name.clone()),
    }
}
