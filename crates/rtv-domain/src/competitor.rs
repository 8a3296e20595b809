//! Competitors: brands that a tenant compares itself with, and what is known of them by platform and calendar month. People
//! enter it or take it from a file; what reports make of it stands in `report/competitors.rs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rtv_core::period::Grain;
use rtv_core::{CompetitorId, Error, FieldError, Permission, Platform};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::format::Format;
use crate::transaction::{Resource, Tx, failed, violated};

/// Most competitors of a tenant, removed ones included: more are no comparison that anybody reads.
pub const MOST: usize = 50;

/// Most rows of a file: ten years of fifty competitors on eight platforms come to 48,000.
pub const MOST_ROWS: usize = 50_000;

/// Largest file, in bytes: [`MOST_ROWS`] rows of 80.
pub const MOST_BYTES: usize = 4 * 1_024 * 1_024;

/// Longest name, in characters.
pub const NAME_CHARACTERS: usize = 120;

/// Most refusals of a file that are named at once.
const MOST_NAMED: usize = 20;

/// Columns of a file, of which the last three may be empty or missing, but not all of them.
pub const COLUMNS: [&str; 6] = ["competitor", "platform", "month", "followers", "posts", "interactions"];

/// A competitor in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: CompetitorId,
    /// Name of the brand.
    pub name: String,
    /// Whether it was removed and is compared no more.
    pub is_removed: bool,
    /// Platforms on which something is known of it.
    pub platforms: Vec<Platform>,
    /// First days of the first and the last month of which something is known.
    pub months: Option<(NaiveDate, NaiveDate)>,
}

/// One competitor with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Competitor {
    /// Id.
    pub id: CompetitorId,
    /// Name of the brand.
    pub name: String,
    /// Whether it was removed and is compared no more.
    pub is_removed: bool,
    /// The newest month first, then by platform.
    pub months: Vec<Month>,
}

/// What is known of a competitor on one platform in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// Where.
    pub platform: Platform,
    /// First day of the month.
    pub month: NaiveDate,
    /// What.
    pub figures: Figures,
    /// Who entered it last.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Figures of a month; what is not known is missing, not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// At the end of the month.
    pub followers: Option<i64>,
    /// Published in the month.
    pub posts: Option<i64>,
    /// Reactions, comments and shares of these posts.
    pub interactions: Option<i64>,
}

/// A month as typed.
#[derive(Debug, Clone, Default)]
pub struct NewMonth {
    /// Key or name of the platform.
    pub platform: String,
    /// `2026-10`, or its first day.
    pub month: String,
    /// In the tenant's way of writing; empty is unknown. Likewise the others.
    pub followers: String,
    /// See [`Figures::posts`].
    pub posts: String,
    /// See [`Figures::interactions`].
    pub interactions: String,
}

/// What a file came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Competitors that were not there before.
    pub new_competitors: usize,
    /// Rows of months that were not there before.
    pub new: usize,
    /// Rows that changed what was there.
    pub changed: usize,
    /// Rows that say what is there already.
    pub unchanged: usize,
}

/// All of them, by name; removed ones last.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Listed>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Competitors).await?;
    let rows = sqlx::query!(
        r#"
        select
          competitor.id, competitor.name, competitor.removed_at is not null as "is_removed!",
          array_agg(distinct competitor_month.platform) filter (where competitor_month.platform is not null)
            as "platforms: Vec<String>",
          min(competitor_month.month) as first_month, max(competitor_month.month) as last_month
        from competitor
        left join competitor_month on competitor_month.tenant_id = competitor.tenant_id
          and competitor_month.competitor_id = competitor.id
        group by competitor.tenant_id, competitor.id
        order by competitor.removed_at is not null, lower(competitor.name)
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let mut platforms: Vec<Platform> = Vec::new();
            for platform in row.platforms.unwrap_or_default() {
                platforms.push(stored(platform.parse())?);
            }
            platforms.sort_unstable();
            Ok(Listed {
                id: row.id.into(),
                name: row.name,
                is_removed: row.is_removed,
                platforms,
                months: row.first_month.zip(row.last_month),
            })
        })
        .collect()
}

/// One of them.
pub async fn one(ctx: &TenantContext, id: CompetitorId) -> Result<Competitor, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Competitor(id)).await?;
    let head = sqlx::query!(
        r#"select name, removed_at is not null as "is_removed!" from competitor where id = $1"#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let rows = sqlx::query!(
        r#"
        select platform, month, followers, posts, interactions, changed_by, changed_at
        from competitor_month
        where competitor_id = $1
        order by month desc, platform
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    let mut months = Vec::new();
    for row in rows {
        months.push(Month {
            platform: stored(row.platform.parse())?,
            month: row.month,
            figures: Figures { followers: row.followers, posts: row.posts, interactions: row.interactions },
            changed_by: row.changed_by,
            changed_at: row.changed_at,
        });
    }
    months.sort_by_key(|one| (std::cmp::Reverse(one.month), one.platform));
    Ok(Competitor { id, name: head.name, is_removed: head.is_removed, months })
}

/// Takes up a competitor.
pub async fn add(ctx: &TenantContext, name: &str) -> Result<CompetitorId, Error> {
    let mut tx = ctx.begin(Permission::CompetitorsManage, Resource::Competitors).await?;
    let name = accepted_name(name)?;
    hold(&mut tx).await?;
    refuse_too_many(&mut tx, 1, "name").await?;
    let id = CompetitorId::from(Uuid::now_v7());
    insert(&mut tx, ctx, id, &name).await?;
    tx.audit(Event::new("competitor.add", "competitor", id.to_string()).after(json!({ "name": name }))).await?;
    tx.commit().await?;
    Ok(id)
}

async fn insert(tx: &mut Tx, ctx: &TenantContext, id: CompetitorId, name: &str) -> Result<(), Error> {
    sqlx::query!(
        r#"
        insert into competitor (tenant_id, id, name, created_at, created_by, updated_at, changed_by)
        values (rtv_tenant(), $1, $2, $3, $4, $3, $4)
        "#,
        id.uuid(),
        name,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(|error| taken_or(error, name))?;
    Ok(())
}

fn taken_or(error: sqlx::Error, name: &str) -> Error {
    match violated(&error) {
        Some("competitor_name_unique") => Error::invalid(
            "name",
            format!("there is a competitor “{name}” already; use another name, or bring it back where it was removed."),
        ),
        _ => failed(error),
    }
}

/// Whoever adds competitors waits for whoever does so just now: they are counted, and their months are written one file after the other.
async fn hold(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select id from tenant where id = (select rtv_tenant()) for no key update")
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    Ok(())
}

async fn refuse_too_many(tx: &mut Tx, more: usize, field: &str) -> Result<(), Error> {
    let kept = sqlx::query_scalar!(r#"select count(*) as "count!" from competitor"#)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    if usize::try_from(kept).unwrap_or(usize::MAX).saturating_add(more) > MOST {
        return Err(Error::invalid(field, format!("an organisation compares itself with at most {MOST} others.")));
    }
    Ok(())
}

fn accepted_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARACTERS || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("use 1 to {NAME_CHARACTERS} characters on one line.")));
    }
    Ok(name.to_owned())
}

/// Gives it another name.
pub async fn rename(ctx: &TenantContext, id: CompetitorId, name: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::CompetitorsManage, Resource::Competitor(id)).await?;
    let name = accepted_name(name)?;
    let before = sqlx::query_scalar!("select name from competitor where id = $1 for update", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    sqlx::query!(
        "update competitor set name = $2, updated_at = $3, changed_by = $4, is_sample = false where id = $1",
        id.uuid(),
        name,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(|error| taken_or(error, &name))?;
    let event = Event::new("competitor.rename", "competitor", id.to_string());
    tx.audit(event.before(json!({ "name": before })).after(json!({ "name": name }))).await?;
    tx.commit().await
}

/// Removes it: it is compared no more, and its figures stay.
pub async fn remove(ctx: &TenantContext, id: CompetitorId) -> Result<(), Error> {
    mark(ctx, id, true).await
}

/// Brings a removed one back with its figures.
pub async fn bring_back(ctx: &TenantContext, id: CompetitorId) -> Result<(), Error> {
    mark(ctx, id, false).await
}

async fn mark(ctx: &TenantContext, id: CompetitorId, is_removed: bool) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::CompetitorsManage, Resource::Competitor(id)).await?;
    let name = sqlx::query_scalar!(
        r#"
        update competitor
        set removed_at = case when $2 then $3::timestamptz end, updated_at = $3, changed_by = $4
        where id = $1
        returning name
        "#,
        id.uuid(),
        is_removed,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let action = if is_removed { "competitor.remove" } else { "competitor.bring_back" };
    tx.audit(Event::new(action, "competitor", id.to_string()).after(json!({ "name": name }))).await?;
    tx.commit().await
}

/// Enters a month, or changes what is known of it.
pub async fn set_month(ctx: &TenantContext, id: CompetitorId, new: &NewMonth) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::CompetitorsManage, Resource::Competitor(id)).await?;
    let known = sqlx::query_scalar!("select name from competitor where id = $1", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    let name = known.ok_or(Error::NotFound)?;
    let (platform, month, figures) = read_month(ctx, new).map_err(Error::Invalid)?;
    write(&mut tx, ctx, &[(id, platform, month, figures)]).await?;
    let after = json!({
        "name": name, "platform": platform.key(), "month": written(month), "followers": figures.followers,
        "posts": figures.posts, "interactions": figures.interactions,
    });
    tx.audit(Event::new("competitor.enter", "competitor", id.to_string()).after(after)).await?;
    tx.commit().await
}

/// Takes a month out.
pub async fn remove_month(ctx: &TenantContext, id: CompetitorId, platform: &str, month: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::CompetitorsManage, Resource::Competitor(id)).await?;
    let (Ok(platform), Some(month)) = (platform.parse::<Platform>(), parse_month(month)) else {
        return Err(Error::NotFound);
    };
    let row = sqlx::query!(
        r#"
        delete from competitor_month
        where competitor_id = $1 and platform = $2 and month = $3
        returning followers, posts, interactions
        "#,
        id.uuid(),
        platform.key(),
        month,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let before = json!({
        "platform": platform.key(), "month": written(month), "followers": row.followers, "posts": row.posts,
        "interactions": row.interactions,
    });
    tx.audit(Event::new("competitor.take_out", "competitor", id.to_string()).before(before)).await?;
    tx.commit().await
}

/// `2026-10`.
pub fn written(month: NaiveDate) -> String {
    month.format("%Y-%m").to_string()
}

fn parse_month(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let day = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
    day.parse::<NaiveDate>().ok().filter(|day| day.day() == 1 && (2000..2100).contains(&day.year()))
}

type Row = (Platform, NaiveDate, Figures);

/// Every field that is refused is named at once.
fn read_month(ctx: &TenantContext, new: &NewMonth) -> Result<Row, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let platform = rtv_import::platform_named(&new.platform).and_then(|key| key.parse::<Platform>().ok());
    if platform.is_none() {
        let known = Platform::ALL.map(Platform::key).join(", ");
        refuse("platform", format!("use one of {known}."));
    }
    let month = parse_month(&new.month);
    match month {
        None => refuse("month", "write it like 2026-10.".into()),
        // Its figures would be compared with those of whole months.
        Some(month) if Grain::Month.ceil(month, 0) >= ctx.today() => {
            refuse("month", "it is not over; enter it when it is.".into());
        }
        Some(_) => {}
    }
    let format = Format::of(ctx.tenant());
    let mut count = |field: &str, text: &str| {
        if text.trim().is_empty() {
            return None;
        }
        let limit = rust_decimal::Decimal::from(1_000_000_000_000_i64);
        let value =
            format.read(text).filter(|value| value.fract().is_zero() && !value.is_sign_negative() && *value < limit);
        if value.is_none() {
            refuse(
                field,
                format!("use a whole number, like {}, or leave it empty where it is not known.", format.count(10_000)),
            );
        }
        value.map(crate::format::whole)
    };
    let figures = Figures {
        followers: count("followers", &new.followers),
        posts: count("posts", &new.posts),
        interactions: count("interactions", &new.interactions),
    };
    if errors.is_empty() && figures == Figures::default() {
        let message = "enter at least one of followers, posts and interactions.".into();
        errors.push(FieldError { field: "followers".into(), message });
    }
    match (platform, month) {
        (Some(platform), Some(month)) if errors.is_empty() => Ok((platform, month, figures)),
        _ => Err(errors),
    }
}

/// Writes months; equal ones stay as they are. Gives how many were new and how many changed.
async fn write(
    tx: &mut Tx,
    ctx: &TenantContext,
    rows: &[(CompetitorId, Platform, NaiveDate, Figures)],
) -> Result<(usize, usize), Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0.uuid()).collect();
    let platforms: Vec<String> = rows.iter().map(|row| row.1.key().to_owned()).collect();
    let months: Vec<NaiveDate> = rows.iter().map(|row| row.2).collect();
    let part = |part: fn(&Figures) -> Option<i64>| rows.iter().map(|row| part(&row.3)).collect::<Vec<_>>();
    let (followers, posts, interactions) =
        (part(|one| one.followers), part(|one| one.posts), part(|one| one.interactions));
    let written = sqlx::query_scalar!(
        r#"
        insert into competitor_month (
          tenant_id, competitor_id, platform, month, followers, posts, interactions, changed_at, changed_by
        )
        select rtv_tenant(), new.*, $7, $8
        from unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[]) as new
        on conflict (tenant_id, competitor_id, platform, month) do update
        set
          followers = excluded.followers, posts = excluded.posts, interactions = excluded.interactions,
          changed_at = excluded.changed_at, changed_by = excluded.changed_by, is_sample = false
        where (competitor_month.followers, competitor_month.posts, competitor_month.interactions)
          is distinct from (excluded.followers, excluded.posts, excluded.interactions)
        returning (xmax = 0) as "is_new!"
        "#,
        &ids,
        &platforms,
        &months,
        &followers as &[Option<i64>],
        &posts as &[Option<i64>],
        &interactions as &[Option<i64>],
        ctx.now(),
        ctx.context().actor().label(),
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let new = written.iter().filter(|is_new| **is_new).count();
    Ok((new, written.len() - new))
}

/// The rows of a file of [`COLUMNS`], or all that is wrong with it.
fn read_file(ctx: &TenantContext, content: &[u8]) -> Result<Vec<(String, Row)>, Error> {
    let refused = |message: String| Error::invalid("file", message);
    if content.is_empty() {
        return Err(refused("choose a file.".into()));
    }
    let file = rtv_import::whole(content, MOST_ROWS).map_err(|error| refused(error.to_string()))?;
    if file.has_more {
        return Err(refused(format!("it has more than {MOST_ROWS} rows; split it.")));
    }
    let place = |name: &str| file.header.iter().position(|one| one.trim().eq_ignore_ascii_case(name));
    let missing: Vec<&str> = COLUMNS[..3].iter().copied().filter(|name| place(name).is_none()).collect();
    if !missing.is_empty() || COLUMNS[3..].iter().all(|name| place(name).is_none()) {
        return Err(refused(format!(
            "its first row has to name the columns {}; found: {}.",
            COLUMNS.join(", "),
            file.header.join(", ")
        )));
    }
    let places = COLUMNS.map(place);
    let mut errors: Vec<FieldError> = Vec::new();
    let mut seen: BTreeMap<(String, Platform, NaiveDate), usize> = BTreeMap::new();
    let mut rows: Vec<(String, Row)> = Vec::new();
    for (index, row) in file.rows.iter().enumerate() {
        // The header is the first line for people.
        let line = index + 2;
        let mut refuse = |message: String| {
            errors.push(FieldError { field: "file".into(), message: format!("Line {line}: {message}") });
        };
        let cells = match row {
            Ok(cells) => cells,
            Err(reason) => {
                refuse(reason.clone());
                continue;
            }
        };
        let cell =
            |column: usize| places[column].and_then(|place| cells.get(place)).map_or("", |text| text.trim()).to_owned();
        let Ok(name) = accepted_name(&cell(0)) else {
            refuse(format!("competitor: use 1 to {NAME_CHARACTERS} characters."));
            continue;
        };
        let new =
            NewMonth { platform: cell(1), month: cell(2), followers: cell(3), posts: cell(4), interactions: cell(5) };
        match read_month(ctx, &new) {
            Ok(month) => match seen.insert((name.to_lowercase(), month.0, month.1), line) {
                Some(before) => refuse(format!("it is about the same month as line {before}; leave one out.")),
                None => rows.push((name, month)),
            },
            Err(of_row) => {
                for error in of_row {
                    refuse(format!("{}: {}", error.field, error.message));
                }
            }
        }
    }
    if !errors.is_empty() {
        let more = errors.len().saturating_sub(MOST_NAMED);
        errors.truncate(MOST_NAMED);
        if more > 0 {
            errors.push(FieldError { field: "file".into(), message: format!("And {more} more. Nothing was taken.") });
        }
        return Err(Error::Invalid(errors));
    }
    Ok(rows)
}

/// Takes a file of [`COLUMNS`], all of it or, where a row is refused, nothing. Competitors that are not there yet are taken up.
pub async fn upload(ctx: &TenantContext, content: &[u8]) -> Result<Taken, Error> {
    let mut tx = ctx.begin(Permission::CompetitorsManage, Resource::Competitors).await?;
    let rows = read_file(ctx, content)?;
    hold(&mut tx).await?;
    let known = sqlx::query!(r#"select id, name, removed_at is not null as "is_removed!" from competitor"#)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    // Nobody would see what is taken for those.
    let asked: BTreeSet<String> = rows.iter().map(|(name, _)| name.to_lowercase()).collect();
    let removed = known.iter().filter(|row| row.is_removed && asked.contains(&row.name.to_lowercase()));
    let removed: Vec<FieldError> = removed
        .map(|row| FieldError {
            field: "file".into(),
            message: format!("“{}” was removed; bring it back first, or leave its lines out.", row.name),
        })
        .collect();
    if !removed.is_empty() {
        return Err(Error::Invalid(removed));
    }
    let mut ids: BTreeMap<String, CompetitorId> =
        known.into_iter().map(|row| (row.name.to_lowercase(), row.id.into())).collect();
    let mut new_names: BTreeSet<String> = BTreeSet::new();
    let unknown: Vec<&String> = rows
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !ids.contains_key(&name.to_lowercase()) && new_names.insert(name.to_lowercase()))
        .collect();
    let mut taken = Taken { new_competitors: unknown.len(), ..Taken::default() };
    if !unknown.is_empty() {
        refuse_too_many(&mut tx, unknown.len(), "file").await?;
    }
    for name in unknown {
        let id = CompetitorId::from(Uuid::now_v7());
        insert(&mut tx, ctx, id, name).await?;
        ids.insert(name.to_lowercase(), id);
    }
    let rows: Vec<_> = rows
        .iter()
        .filter_map(|(name, (platform, month, figures))| {
            ids.get(&name.to_lowercase()).map(|id| (*id, *platform, *month, *figures))
        })
        .collect();
    (taken.new, taken.changed) = write(&mut tx, ctx, &rows).await?;
    taken.unchanged = rows.len() - taken.new - taken.changed;
    let after = json!({
        "new_competitors": taken.new_competitors, "new": taken.new, "changed": taken.changed,
        "unchanged": taken.unchanged,
    });
    tx.audit(Event::new("competitor.upload", "competitor", "all").after(after)).await?;
    tx.commit().await?;
    Ok(taken)
}
