//! Writing content: a draft as typed, what it has to be, and creating, changing and deleting. An edit voids every approval.

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use rtv_core::delivery::{Event, State};
use rtv_core::{AccountId, CampaignId, ContentId, Error, FieldError, Permission, Platform, capability};
use serde_json::json;
use uuid::Uuid;

use super::{hold, is_editable, obstacle, read_choices};
use crate::audit;
use crate::context::TenantContext;
use crate::delivery::{GRACE, as_conflict};
use crate::transaction::{Resource, Tx, failed};

/// The longest text that any platform takes, in characters.
pub const LONGEST_TEXT: usize = 100_000;
/// The most accounts of one content.
pub const MOST_ACCOUNTS: usize = 50;
/// How far ahead something can be scheduled.
pub(super) const FARTHEST: TimeDelta = TimeDelta::days(730);

/// A content as typed.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// A link that is put below it; empty for none.
    pub link: String,
    /// Ids of accounts.
    pub accounts: Vec<String>,
    /// When, like `2026-11-25T09:00` in the tenant's zone, or with an offset as in RFC 3339.
    pub scheduled_at: String,
    /// Id of a campaign; empty for none.
    pub campaign: String,
    /// The version that the form was made from; not asked of a new one.
    pub version: String,
}

/// A time as typed in a zone, or with an offset.
pub fn parse_time(zone: Tz, text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc).trunc_subsecs(6));
    }
    let time = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .ok_or("use a day and a time like 2026-11-25T09:00")?;
    match zone.from_local_datetime(&time) {
        LocalResult::Single(time) => Ok(time.with_timezone(&Utc)),
        LocalResult::None => Err(format!(
            "there is no {} on that day in {}: the clocks go forward; choose another time",
            time.format("%H:%M"),
            zone.name()
        )),
        LocalResult::Ambiguous(..) => Err(format!(
            "{} comes twice on that day in {}: the clocks go back; choose another time, or add the offset like 2026-10-25T02:30:00+01:00",
            time.format("%H:%M"),
            zone.name()
        )),
    }
}

/// A draft that was found to be in order.
struct Checked {
    text: String,
    link: Option<String>,
    accounts: Vec<(AccountId, Platform)>,
    scheduled_at: DateTime<Utc>,
    campaign: Option<CampaignId>,
}

/// Judges a draft as typed; every field that is refused is named at once.
async fn check(tx: &mut Tx, ctx: &TenantContext, draft: &Draft) -> Result<Checked, Error> {
    let choices = read_choices(tx, ctx).await?;
    let mut errors: Vec<FieldError> = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let text = draft.text.replace("\r\n", "\n").trim().to_owned();
    if text.is_empty() {
        refuse("text", "write what is to be posted.".into());
    } else if text.chars().count() > LONGEST_TEXT {
        refuse("text", format!("use at most {LONGEST_TEXT} characters."));
    } else if text.contains('\0') {
        refuse("text", "it has a character that no platform takes (NUL); remove it.".into());
    }
    let link = Some(draft.link.trim().to_owned()).filter(|link| !link.is_empty());
    if let Some(link) = &link
        && !is_link(link)
    {
        refuse("link", "use an address that begins with https:// or http:// and has no spaces.".into());
    }
    let mut accounts: Vec<(AccountId, Platform)> = Vec::new();
    for typed in draft.accounts.iter().filter(|typed| !typed.is_empty()) {
        let known = typed.parse::<AccountId>().ok();
        match choices.accounts.iter().find(|choice| Some(choice.id) == known) {
            None => refuse("account", "choose accounts from the list.".into()),
            Some(choice) if accounts.iter().any(|(id, _)| *id == choice.id) => {}
            Some(choice) => accounts.push((choice.id, choice.platform)),
        }
    }
    if draft.accounts.iter().all(String::is_empty) {
        refuse("account", "choose at least one account.".into());
    } else if accounts.len() > MOST_ACCOUNTS {
        refuse("account", format!("choose at most {MOST_ACCOUNTS} accounts."));
    }
    let mut platforms: Vec<Platform> = accounts.iter().map(|(_, platform)| *platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    for platform in platforms {
        if let Some(why) = obstacle(ctx.tenant().is_sandbox, platform) {
            refuse("account", why);
        } else if let Err(why) = capability::validate(platform, &text, link.as_deref(), 0)
            && !text.is_empty()
        {
            refuse("text", why);
        }
    }
    let now = ctx.now();
    let scheduled_at = match parse_time(ctx.tenant().zone, &draft.scheduled_at) {
        Ok(time) if time < now - GRACE => {
            refuse("scheduled_at", "this time is over; choose one that is to come.".into());
            None
        }
        Ok(time) if time > now + FARTHEST => {
            refuse("scheduled_at", "choose a time within two years.".into());
            None
        }
        Ok(time) => Some(time),
        Err(why) => {
            refuse("scheduled_at", format!("{why}."));
            None
        }
    };
    let campaign = match draft.campaign.as_str() {
        "" => None,
        typed => {
            let known = typed.parse::<CampaignId>().ok();
            let found = choices.campaigns.iter().find(|(id, _)| Some(*id) == known).map(|(id, _)| *id);
            if found.is_none() {
                refuse("campaign", "choose a campaign from the list, or none.".into());
            }
            found
        }
    };
    match scheduled_at {
        Some(scheduled_at) if errors.is_empty() => Ok(Checked { text, link, accounts, scheduled_at, campaign }),
        _ => Err(Error::Invalid(errors)),
    }
}

pub(super) fn is_link(link: &str) -> bool {
    let host = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).unwrap_or_default();
    link.chars().count() <= 2_000
        && !host.is_empty()
        && !host.starts_with('/')
        && !link.chars().any(|one| one.is_whitespace() || one.is_control())
}

/// Writes a new content with a delivery for each of its accounts.
pub async fn create(ctx: &TenantContext, draft: &Draft) -> Result<ContentId, Error> {
    let mut tx = ctx.begin(Permission::ContentCreate, Resource::Contents).await?;
    let checked = check(&mut tx, ctx, draft).await?;
    let id = ContentId::from(Uuid::now_v7());
    let by = ctx.context().actor().label();
    sqlx::query!(
        r#"
        insert into content (
          tenant_id, id, campaign_id, body, link, created_at, created_by_id, created_by, updated_at, changed_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $6, $8)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        checked.campaign.map(CampaignId::uuid),
        checked.text,
        checked.link,
        ctx.now(),
        ctx.context().actor().user_id().map(rtv_core::UserId::uuid),
        by,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    add_deliveries(&mut tx, ctx, id, &checked, &checked.accounts, State::Draft).await?;
    let event = audit::Event::new("content.create", "content", id.to_string()).after(described(&checked, 1));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(id)
}

async fn add_deliveries(
    tx: &mut Tx,
    ctx: &TenantContext,
    content: ContentId,
    checked: &Checked,
    accounts: &[(AccountId, Platform)],
    state: State,
) -> Result<(), Error> {
    for (account, platform) in accounts {
        sqlx::query!(
            r#"
            insert into delivery (
              tenant_id, id, content_id, account_id, campaign_id, platform, state, scheduled_at, due_at, created_at, updated_at
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $9)
            "#,
            ctx.tenant().id.uuid(),
            Uuid::now_v7(),
            content.uuid(),
            account.uuid(),
            checked.campaign.map(CampaignId::uuid),
            platform.key(),
            state.key(),
            checked.scheduled_at,
            ctx.now(),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(())
}

fn described(checked: &Checked, version: i64) -> serde_json::Value {
    let accounts: Vec<String> = checked.accounts.iter().map(|(id, _)| id.to_string()).collect();
    json!({
        "text": checked.text, "link": checked.link, "accounts": accounts, "scheduled_at": checked.scheduled_at,
        "campaign": checked.campaign, "version": version,
    })
}

/// Changes a content. Every approval of it is void then. What has left, or is leaving, cannot be changed any more.
pub async fn edit(ctx: &TenantContext, id: ContentId, draft: &Draft) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ContentUpdate, Resource::Content(id)).await?;
    let (before, mut batch) = hold(&mut tx, ctx, id, &draft.version).await?;
    if let Some(row) = batch.rows.iter().find(|row| row.standing.may_be_out || !is_editable(row.standing.state)) {
        let name =
            before.destinations.iter().find(|one| one.id == row.key.delivery).map(|one| one.account_name.as_str());
        return Err(Error::Conflict(format!(
            "It has left, or is leaving right now, for {}: what has left cannot be edited. Nothing was changed. Make a new post for what is to be different.",
            name.unwrap_or("one of its accounts")
        )));
    }
    let checked = check(&mut tx, ctx, draft).await?;
    for place in 0..batch.rows.len() {
        if batch.rows[place].standing.state != State::Dropped {
            batch.apply(place, Event::Edit, "edited", None).map_err(as_conflict)?;
        }
        let row = batch.change(place);
        row.scheduled_at = checked.scheduled_at;
        row.due_at = checked.scheduled_at;
    }
    batch.write(&mut tx).await?;
    let kept: Vec<Uuid> = checked.accounts.iter().map(|(account, _)| account.uuid()).collect();
    let gone = sqlx::query!(
        "select 1 as one from delivery where content_id = $1 and account_id <> all($2) and attempt_no > 0",
        id.uuid(),
        &kept
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    if gone.is_some() {
        return Err(Error::invalid(
            "account",
            "an account that RTV has tried to send to stays, so that its history does; drop its delivery instead.",
        ));
    }
    sqlx::query!("delete from delivery where content_id = $1 and account_id <> all($2)", id.uuid(), &kept)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let known: Vec<AccountId> = before.destinations.iter().map(|one| one.account).collect();
    let new: Vec<(AccountId, Platform)> =
        checked.accounts.iter().copied().filter(|(account, _)| !known.contains(account)).collect();
    let state =
        if before.destinations.iter().all(|one| one.state == State::Draft) { State::Draft } else { State::InReview };
    add_deliveries(&mut tx, ctx, id, &checked, &new, state).await?;
    sqlx::query!(
        "update delivery set campaign_id = $2 where content_id = $1 and campaign_id is distinct from $2",
        id.uuid(),
        checked.campaign.map(CampaignId::uuid),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let version = before.revision.version + 1;
    sqlx::query!(
        r#"
        update content
        set body = $2, link = $3, campaign_id = $4, version = $5, updated_at = $6, changed_by = $7
        where id = $1
        "#,
        id.uuid(),
        checked.text,
        checked.link,
        checked.campaign.map(CampaignId::uuid),
        version,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let was = Checked {
        text: before.text,
        link: before.link,
        accounts: before.destinations.iter().map(|one| (one.account, one.platform)).collect(),
        scheduled_at: before.scheduled_at,
        campaign: before.campaign.map(|(id, _)| id),
    };
    let event = audit::Event::new("content.edit", "content", id.to_string())
        .before(described(&was, before.revision.version))
        .after(described(&checked, version));
    tx.audit(event).await?;
    tx.commit().await
}

/// Deletes a content of which nothing was ever tried.
pub async fn delete(ctx: &TenantContext, id: ContentId, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ContentDelete, Resource::Content(id)).await?;
    let (content, batch) = hold(&mut tx, ctx, id, version).await?;
    let is_untouched = |state| matches!(state, State::Draft | State::InReview | State::Approved);
    if batch.rows.iter().any(|row| row.standing.attempt > 0 || !is_untouched(row.standing.state)) {
        return Err(Error::Conflict(
            "It has a place in the queue or a history, which stays. Nothing was changed. Drop its deliveries instead."
                .into(),
        ));
    }
    sqlx::query!("delete from content where id = $1", id.uuid()).execute(tx.connection()).await.map_err(failed)?;
    let before = json!({ "text": content.text, "link": content.link, "scheduled_at": content.scheduled_at });
    tx.audit(audit::Event::new("content.delete", "content", id.to_string()).before(before)).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_is_read_in_the_zone_of_the_tenant() {
        let zone = chrono_tz::Europe::Berlin;
        let check = |text: &str, expect: &str| assert_eq!(parse_time(zone, text).unwrap(), at(expect), "{text}");
        check("2026-11-25T09:00", "2026-11-25T08:00:00Z");
        check("2026-07-25 09:00", "2026-07-25T07:00:00Z");
        check("2026-11-25T09:00:30", "2026-11-25T08:00:30Z");
        check("2026-11-25T09:00:00+05:00", "2026-11-25T04:00:00Z");
        let refused = |text: &str, part: &str| {
            let why = parse_time(zone, text).unwrap_err();
            assert!(why.contains(part), "{why}");
        };
        refused("2026-03-29T02:30", "there is no 02:30");
        refused("2026-10-25T02:30", "02:30 comes twice");
        refused("tomorrow", "2026-11-25T09:00");
    }

    #[test]
    fn a_link_is_an_address_of_the_web() {
        for wrong in ["a.example", "https://", "https:///x", "https://a b", "javascript:alert(1)"] {
            assert!(!is_link(wrong), "{wrong}");
        }
        assert!(is_link("https://a.example/b?c=d"));
    }
}
