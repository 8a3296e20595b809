//! Content: what is to be posted, to which accounts, when, and one step of approval. An approval is bound to the SHA-256 of
//! all that leaves and of whom it leaves as; an edit voids it, and what was approved stays to be shown beside what it is now.
//! What became of a content on its way is a delivery (`delivery.rs`).

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use rtv_core::delivery::{Event, State};
use rtv_core::{
    AccountId, CampaignId, ContentId, DeliveryId, Error, FieldError, Limit, Permission, Platform, TenantId, capability,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::access::stored;
use crate::audit;
use crate::context::TenantContext;
use crate::delivery::change::{Approval, Batch, Key};
use crate::delivery::{GRACE, as_conflict};
use crate::limit;
use crate::revision::{Revision, refuse_stale};
use crate::transaction::{Resource, Tx, failed, violated};

/// Rows on one page.
pub const PAGE: i64 = 50;
/// The longest text that any platform takes, in characters.
pub const LONGEST_TEXT: usize = 100_000;
/// The most accounts of one content.
pub const MOST_ACCOUNTS: usize = 50;
/// The longest note of a reviewer, in characters.
pub const LONGEST_NOTE: usize = 1_000;
/// How far ahead something can be scheduled.
const FARTHEST: TimeDelta = TimeDelta::days(730);

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

/// What a list is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    /// With a delivery in this state.
    pub state: Option<State>,
    /// With a delivery to this account.
    pub account: Option<AccountId>,
    /// Of this campaign.
    pub campaign: Option<CampaignId>,
    /// Where the page starts.
    pub after: Option<Cursor>,
}

/// The last row of the page before; newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(ContentId);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "start from the first page; this place is not known".to_owned())
    }
}

/// A delivery as its content shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Id.
    pub id: DeliveryId,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// Its platform.
    pub platform: Platform,
    /// Where it stands.
    pub state: State,
    /// When it is meant to go out.
    pub scheduled_at: DateTime<Utc>,
    /// Whether the account has a token that works.
    pub is_connected: bool,
    /// Whether it may be at the platform.
    pub may_be_out: bool,
    /// How many attempts there were.
    pub attempts: i32,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: ContentId,
    /// The text.
    pub text: String,
    /// The campaign.
    pub campaign: Option<(CampaignId, String)>,
    /// Who wrote it.
    pub author: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Why a reviewer gave it back.
    pub returned: Option<Returned>,
    /// Where it goes.
    pub destinations: Vec<Destination>,
}

impl Listed {
    /// Where the one of its deliveries stands that has the farthest to go.
    pub fn state(&self) -> State {
        state_of(&self.destinations)
    }
}

fn state_of(destinations: &[Destination]) -> State {
    destinations.iter().map(|one| one.state).min().unwrap_or(State::Draft)
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The rows, newest first.
    pub items: Vec<Listed>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
    /// Whether there is any content at all that the person may see.
    pub has_any: bool,
}

/// That a reviewer gave a content back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub note: String,
}

/// What was approved, as it is kept beside the approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The text.
    pub text: String,
    /// The link.
    pub link: Option<String>,
    /// When.
    pub scheduled_at: DateTime<Utc>,
    /// The account's name.
    pub account: String,
    /// The platform's own id of it.
    pub remote_id: String,
    /// Who approved it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// How an account can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Id.
    pub id: AccountId,
    /// Name.
    pub name: String,
    /// Platform.
    pub platform: Platform,
    /// Why nothing can be published to it, if so.
    pub obstacle: Option<String>,
}

/// What a new content can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Accounts by platform and name.
    pub accounts: Vec<Choice>,
    /// Campaigns by name.
    pub campaigns: Vec<(CampaignId, String)>,
}

/// How long a text is where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// The platform.
    pub platform: Platform,
    /// Its length by the platform's own count.
    pub count: usize,
    /// The most that the platform takes.
    pub most: usize,
}

/// What a person can do with a content now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Possible {
    /// Change it.
    pub edit: bool,
    /// Ask for approval.
    pub submit: bool,
    /// Approve it or give it back.
    pub review: bool,
    /// Delete it.
    pub delete: bool,
}

/// One content with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Id.
    pub id: ContentId,
    /// The text.
    pub text: String,
    /// The link below it.
    pub link: Option<String>,
    /// The campaign.
    pub campaign: Option<(CampaignId, String)>,
    /// When it is meant to go out: of the first of its deliveries.
    pub scheduled_at: DateTime<Utc>,
    /// Who wrote it.
    pub author: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Where it stands in its life.
    pub revision: Revision,
    /// Why a reviewer gave it back.
    pub returned: Option<Returned>,
    /// Where it goes.
    pub destinations: Vec<Destination>,
    /// What was approved last of each delivery, also where an edit has voided it.
    pub approved: Vec<(DeliveryId, Snapshot)>,
    /// How long it is on each of its platforms.
    pub lengths: Vec<Length>,
    /// What the person can do.
    pub possible: Possible,
}

impl Content {
    /// Where the one of its deliveries stands that has the farthest to go.
    pub fn state(&self) -> State {
        state_of(&self.destinations)
    }
}

/// SHA-256 of a text as a platform gets it.
pub fn text_sha256(composed: &str) -> [u8; 32] {
    Sha256::digest(composed.as_bytes()).into()
}

/// What an approval covers: the text, the link, the time and the account, by the platform's own id. Each part carries its
/// length, so that no two different contents are written alike.
pub fn approval_sha256(
    text: &str,
    link: Option<&str>,
    scheduled_at: DateTime<Utc>,
    platform: Platform,
    remote_id: &str,
) -> [u8; 32] {
    let mut digest = Sha256::new();
    let time = scheduled_at.timestamp_micros().to_string();
    for part in ["rtv approval 1", text, link.unwrap_or_default(), &time, platform.key(), remote_id] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
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

/// What a content can be made of.
pub async fn choices(ctx: &TenantContext) -> Result<Choices, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::ContentRead, Permission::ContentCreate], Resource::Contents).await?;
    let choices = read_choices(&mut tx, ctx).await?;
    tx.rollback().await?;
    Ok(choices)
}

async fn read_choices(tx: &mut Tx, ctx: &TenantContext) -> Result<Choices, Error> {
    let rows = sqlx::query!(
        r#"
        select
          account.id, account.name, account.platform,
          account_connection.account_id is not null as "is_connected!", account_connection.problem as "problem?"
        from account
        left join account_connection
          on account_connection.tenant_id = account.tenant_id and account_connection.account_id = account.id
        order by account.platform, lower(account.name), account.id
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let accounts = rows
        .into_iter()
        .map(|row| {
            let platform: Platform = stored(row.platform.parse())?;
            let obstacle =
                obstacle(ctx.tenant().is_sandbox, platform).or_else(|| match (row.is_connected, row.problem) {
                    (false, _) => Some("It is not connected.".to_owned()),
                    (true, problem) => problem,
                });
            Ok(Choice { id: row.id.into(), name: row.name, platform, obstacle })
        })
        .collect::<Result<_, Error>>()?;
    let campaigns = crate::campaign::read(tx).await?.into_iter().map(|one| (one.id, one.name)).collect();
    Ok(Choices { accounts, campaigns })
}

/// Why nothing is published to a platform at all.
pub(crate) fn obstacle(is_sandbox: bool, platform: Platform) -> Option<String> {
    if is_sandbox && platform != Platform::Sandbox {
        return Some("The organisation is in sandbox mode, in which nothing goes to other networks.".into());
    }
    (!capability::of(platform).can_publish).then(|| format!("RTV cannot publish to {} yet.", platform.label()))
}

/// All content, newest first, a page at a time.
pub async fn list(ctx: &TenantContext, query: &Query) -> Result<Listing, Error> {
    list_some(ctx, query, PAGE).await
}

/// The same, at most so many.
pub async fn list_some(ctx: &TenantContext, query: &Query, limit: i64) -> Result<Listing, Error> {
    let mut tx = ctx.begin(Permission::ContentRead, Resource::Contents).await?;
    let rows = sqlx::query!(
        r#"
        select
          content.id, content.body, content.campaign_id, campaign.name as "campaign_name?", content.created_by,
          content.created_at, content.updated_at, content.returned_note, content.returned_at, content.returned_by
        from content
        left join campaign on campaign.tenant_id = content.tenant_id and campaign.id = content.campaign_id
        where ($1::uuid is null or content.id < $1)
          and ($2::uuid is null or content.campaign_id = $2)
          and (
            ($3::text is null and $4::uuid is null)
            or exists (
              select 1
              from delivery
              where delivery.tenant_id = content.tenant_id
                and delivery.content_id = content.id
                and ($3::text is null or delivery.state = $3)
                and ($4::uuid is null or delivery.account_id = $4)
            )
          )
        order by content.id desc
        limit $5
        "#,
        query.after.map(|after| after.0.uuid()),
        query.campaign.map(CampaignId::uuid),
        query.state.map(State::key),
        query.account.map(AccountId::uuid),
        limit + 1,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut destinations = destinations(&mut tx, &ids).await?;
    let has_any = !rows.is_empty()
        || sqlx::query_scalar!(r#"select exists (select 1 from content) as "has_any!""#)
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
    tx.rollback().await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    let items: Vec<Listed> = rows
        .into_iter()
        .take(limit)
        .map(|row| Listed {
            id: row.id.into(),
            text: row.body,
            campaign: row.campaign_id.map(CampaignId::from).zip(row.campaign_name),
            author: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            returned: returned(row.returned_by, row.returned_at, row.returned_note),
            destinations: destinations
                .extract_if(.., |(content, _)| *content == row.id)
                .map(|(_, destination)| destination)
                .collect(),
        })
        .collect();
    let next = items.last().filter(|_| has_more).map(|last| Cursor(last.id));
    Ok(Listing { items, next, has_any })
}

fn returned(by: Option<String>, at: Option<DateTime<Utc>>, note: Option<String>) -> Option<Returned> {
    Some(Returned { by: by?, at: at?, note: note.unwrap_or_default() })
}

async fn destinations(tx: &mut Tx, contents: &[Uuid]) -> Result<Vec<(Uuid, Destination)>, Error> {
    let rows = sqlx::query!(
        r#"
        select
          delivery.content_id, delivery.id, delivery.account_id, account.name, delivery.platform, delivery.state,
          delivery.scheduled_at, delivery.may_be_out, delivery.attempt_no,
          account_connection.account_id is not null and account_connection.problem is null as "is_connected!"
        from delivery
        join account on account.tenant_id = delivery.tenant_id and account.id = delivery.account_id
        left join account_connection
          on account_connection.tenant_id = delivery.tenant_id and account_connection.account_id = delivery.account_id
        where delivery.content_id = any($1)
        order by delivery.scheduled_at, account.platform, lower(account.name), delivery.id
        "#,
        contents
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let destination = Destination {
                id: row.id.into(),
                account: row.account_id.into(),
                account_name: row.name,
                platform: stored(row.platform.parse())?,
                state: stored(row.state.parse())?,
                scheduled_at: row.scheduled_at,
                is_connected: row.is_connected,
                may_be_out: row.may_be_out,
                attempts: row.attempt_no,
            };
            Ok((row.content_id, destination))
        })
        .collect()
}

/// One content. Of what the person may not see there is nothing: [`Error::NotFound`].
pub async fn one(ctx: &TenantContext, id: ContentId) -> Result<Content, Error> {
    let mut tx = ctx.begin(Permission::ContentRead, Resource::Content(id)).await?;
    let content = read(&mut tx, ctx, id).await?;
    tx.rollback().await?;
    Ok(content)
}

async fn read(tx: &mut Tx, ctx: &TenantContext, id: ContentId) -> Result<Content, Error> {
    let row = sqlx::query!(
        r#"
        select
          content.body, content.link, content.campaign_id, campaign.name as "campaign_name?", content.version,
          content.created_at, content.created_by, content.updated_at, content.changed_by,
          content.returned_note, content.returned_at, content.returned_by
        from content
        left join campaign on campaign.tenant_id = content.tenant_id and campaign.id = content.campaign_id
        where content.id = $1
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let destinations: Vec<Destination> =
        destinations(tx, &[id.uuid()]).await?.into_iter().map(|(_, destination)| destination).collect();
    let approved = sqlx::query!(
        r#"
        select id, approved_snapshot as "snapshot!"
        from delivery
        where content_id = $1 and approved_snapshot is not null
        order by id
        "#,
        id.uuid()
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?
    .into_iter()
    .map(|row| Ok((row.id.into(), stored(serde_json::from_value(row.snapshot))?)))
    .collect::<Result<_, Error>>()?;
    let composed = capability::compose(&row.body, row.link.as_deref());
    let mut platforms: Vec<Platform> = destinations.iter().map(|one| one.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    let lengths = platforms
        .into_iter()
        .map(|platform| {
            let can = capability::of(platform);
            Length { platform, count: can.length(&composed), most: can.most }
        })
        .collect();
    let holds = |permission| ctx.access().grants_somewhere(permission) && ctx.read_only().is_none();
    let all = |states: &[State]| !destinations.is_empty() && destinations.iter().all(|one| states.contains(&one.state));
    let is_still_here = destinations.iter().all(|one| !one.may_be_out && is_editable(one.state));
    let possible = Possible {
        edit: is_still_here && holds(Permission::ContentUpdate),
        submit: destinations.iter().any(|one| one.state == State::Draft) && holds(Permission::ContentUpdate),
        review: destinations.iter().any(|one| one.state == State::InReview)
            && (holds(Permission::ApprovalsReview) || holds(Permission::ContentPublish)),
        delete: (destinations.is_empty() || all(&[State::Draft, State::InReview, State::Approved]))
            && destinations.iter().all(|one| one.attempts == 0)
            && holds(Permission::ContentDelete),
    };
    Ok(Content {
        id,
        text: row.body,
        link: row.link,
        campaign: row.campaign_id.map(CampaignId::from).zip(row.campaign_name),
        scheduled_at: destinations.first().map_or(row.created_at, |one| one.scheduled_at),
        author: row.created_by,
        created_at: row.created_at,
        revision: Revision { version: row.version, updated_at: row.updated_at, changed_by: Some(row.changed_by) },
        returned: returned(row.returned_by, row.returned_at, row.returned_note),
        destinations,
        approved,
        lengths,
        possible,
    })
}

/// Whether an edit may still change it.
const fn is_editable(state: State) -> bool {
    matches!(
        state,
        State::Draft
            | State::InReview
            | State::Approved
            | State::Scheduled
            | State::Held
            | State::Missed
            | State::Rejected
            | State::Dropped
    )
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

fn is_link(link: &str) -> bool {
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

/// Locks a content and its deliveries, in this order everywhere.
async fn hold(tx: &mut Tx, ctx: &TenantContext, id: ContentId, seen: &str) -> Result<(Content, Batch), Error> {
    sqlx::query!("select id from content where id = $1 for update", id.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    let content = read(tx, ctx, id).await?;
    refuse_stale(tx, ctx, seen, &content.revision, ("content", &id.to_string())).await?;
    let keys: Vec<Key> = content.destinations.iter().map(|one| key(ctx.tenant().id, one.id)).collect();
    let batch = Batch::hold(tx, &keys, ctx.context().actor().label()).await?;
    Ok((content, batch))
}

fn key(tenant: TenantId, delivery: DeliveryId) -> Key {
    Key { tenant, delivery }
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

/// Asks for approval.
pub async fn submit(ctx: &TenantContext, id: ContentId, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::ContentUpdate, Resource::Content(id)).await?;
    let (content, mut batch) = hold(&mut tx, ctx, id, version).await?;
    let drafts: Vec<usize> = places(&batch, State::Draft);
    if drafts.is_empty() {
        return Err(Error::Conflict("It was submitted already, or is on its way. Nothing was changed.".into()));
    }
    for place in drafts {
        batch.apply(place, Event::Submit, "submitted", None).map_err(as_conflict)?;
    }
    batch.write(&mut tx).await?;
    sqlx::query!(
        "update content set returned_note = null, returned_at = null, returned_by = null where id = $1",
        id.uuid()
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = audit::Event::new("content.submit", "content", id.to_string())
        .after(json!({ "seen_version": content.revision.version }));
    tx.audit(event).await?;
    tx.commit().await
}

fn places(batch: &Batch, state: State) -> Vec<usize> {
    (0..batch.rows.len()).filter(|place| batch.rows[*place].standing.state == state).collect()
}

/// Who may review: by the right to approve, or by the one to publish.
fn reviewing(ctx: &TenantContext) -> Permission {
    let holds = |permission| ctx.access().grants_somewhere(permission);
    if !holds(Permission::ApprovalsReview) && holds(Permission::ContentPublish) {
        Permission::ContentPublish
    } else {
        Permission::ApprovalsReview
    }
}

/// Approves a content exactly as the version says, and puts its deliveries into the queue. The plan's posts of the month are
/// reserved in the same transaction: [`Error::PlanLimit`] and nothing is approved if there are too many.
pub async fn approve(ctx: &TenantContext, id: ContentId, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(reviewing(ctx), Resource::Content(id)).await?;
    let (content, mut batch) = hold(&mut tx, ctx, id, version).await?;
    let waiting = places(&batch, State::InReview);
    if waiting.is_empty() {
        return Err(Error::Conflict("It does not wait for approval any more. Nothing was changed.".into()));
    }
    let accounts: Vec<Uuid> = waiting.iter().map(|place| batch.rows[*place].account.uuid()).collect();
    let connections = sqlx::query!(
        "select account_id, remote_id from account_connection where account_id = any($1) and problem is null",
        &accounts
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let now = ctx.now();
    let by = ctx.context().actor().label();
    let by_id = ctx.context().actor().user_id().map(rtv_core::UserId::uuid);
    let mut hashes = Vec::new();
    for place in waiting {
        let row = &batch.rows[place];
        let destination = content.destinations.iter().find(|one| one.id == row.key.delivery).ok_or(Error::Internal)?;
        let name = &destination.account_name;
        if let Some(why) = obstacle(ctx.tenant().is_sandbox, destination.platform) {
            return Err(Error::invalid("account", format!("{name}: {why}")));
        }
        let connection =
            connections.iter().find(|one| one.account_id == row.account.uuid()).ok_or_else(|| {
                Error::invalid(
                    "account",
                    format!("{name} is not connected, so nobody can say as whom this would go out; connect it first, under Accounts."),
                )
            })?;
        if row.scheduled_at < now - GRACE {
            return Err(Error::invalid("scheduled_at", "its time is over; edit it and choose one that is to come."));
        }
        let sha256 = approval_sha256(
            &content.text,
            content.link.as_deref(),
            row.scheduled_at,
            destination.platform,
            &connection.remote_id,
        );
        let snapshot = Snapshot {
            text: content.text.clone(),
            link: content.link.clone(),
            scheduled_at: row.scheduled_at,
            account: name.clone(),
            remote_id: connection.remote_id.clone(),
            by: by.clone(),
            at: now,
        };
        hashes.push(json!({ "delivery": row.key.delivery, "sha256": hex::encode(sha256) }));
        batch.apply(place, Event::Approve, "approved", None).map_err(as_conflict)?;
        batch.change(place).approval = Some(Approval {
            version: content.revision.version,
            sha256: sha256.to_vec(),
            remote_id: connection.remote_id.clone(),
            at: now,
            by_id,
            by: by.clone(),
            snapshot: serde_json::to_value(&snapshot).ok(),
        });
        batch.apply(place, Event::Schedule, "scheduled", None).map_err(as_conflict)?;
    }
    batch.write(&mut tx).await?;
    limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::PostsPerMonth]).await?;
    let event = audit::Event::new("content.approve", "content", id.to_string())
        .after(json!({ "seen_version": content.revision.version, "deliveries": hashes }));
    tx.audit(event).await?;
    tx.commit().await
}

/// Gives a content back to its author, with a reason.
pub async fn give_back(ctx: &TenantContext, id: ContentId, version: &str, note: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(reviewing(ctx), Resource::Content(id)).await?;
    let note = note.trim();
    if note.is_empty() || note.chars().count() > LONGEST_NOTE {
        return Err(Error::invalid(
            "note",
            format!("say what is to be different, in at most {LONGEST_NOTE} characters."),
        ));
    }
    let (content, mut batch) = hold(&mut tx, ctx, id, version).await?;
    let waiting = places(&batch, State::InReview);
    if waiting.is_empty() {
        return Err(Error::Conflict("It does not wait for approval any more. Nothing was changed.".into()));
    }
    for place in waiting {
        batch.apply(place, Event::Return, "given back", Some(note.to_owned())).map_err(as_conflict)?;
    }
    batch.write(&mut tx).await?;
    sqlx::query!(
        "update content set returned_note = $2, returned_at = $3, returned_by = $4 where id = $1",
        id.uuid(),
        note,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let event = audit::Event::new("content.return", "content", id.to_string())
        .detail(note)
        .after(json!({ "seen_version": content.revision.version }));
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

/// One content for one account as a program loads many.
#[derive(Debug, Clone, Deserialize)]
pub struct Load {
    /// The account.
    pub account: AccountId,
    /// The text.
    pub text: String,
    /// The link.
    #[serde(default)]
    pub link: Option<String>,
    /// When.
    pub scheduled_at: DateTime<Utc>,
    /// The campaign.
    #[serde(default)]
    pub campaign: Option<CampaignId>,
}

/// What became of one of them.
#[derive(Debug, Clone, Serialize)]
pub struct Loaded {
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its content.
    pub content: ContentId,
    /// Its account.
    pub account: AccountId,
    /// The platform's id of the account, which the approval covers.
    pub remote_account: String,
    /// SHA-256 of the text as the platform gets it.
    pub content_sha256: String,
    /// When.
    pub scheduled_at: DateTime<Utc>,
}

/// Writes, approves and schedules many contents at once, each for one account, in one transaction: all of them or none. The
/// same rules hold as for [`create`] and [`approve`]; who does it holds both permissions.
#[expect(clippy::too_many_lines, reason = "it is a few statements and their rows")]
pub async fn load(ctx: &TenantContext, all: &[Load]) -> Result<Vec<Loaded>, Error> {
    let mut tx = ctx.begin(Permission::ContentCreate, Resource::Contents).await?;
    if !ctx.access().grants(Permission::ContentPublish) {
        return Err(Error::Forbidden(Permission::ContentPublish));
    }
    let accounts = sqlx::query!(
        r#"
        select account.id, account.platform, account.name, account_connection.remote_id
        from account
        join account_connection
          on account_connection.tenant_id = account.tenant_id and account_connection.account_id = account.id
        where account_connection.problem is null
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let (now, by) = (ctx.now(), ctx.context().actor().label());
    let mut loaded = Vec::with_capacity(all.len());
    let (mut platforms, mut hashes, mut snapshots) = (Vec::new(), Vec::new(), Vec::new());
    for (place, one) in all.iter().enumerate() {
        let refuse = |field: &str, why: String| Error::invalid(format!("line {}: {field}", place + 1), why);
        let account = accounts
            .iter()
            .find(|account| account.id == one.account.uuid())
            .ok_or_else(|| refuse("account", "there is no such connected account.".into()))?;
        let platform: Platform = stored(account.platform.parse())?;
        let scheduled_at = one.scheduled_at.trunc_subsecs(6);
        let sent = capability::compose(&one.text, one.link.as_deref());
        if one.text.trim().is_empty() || one.text.contains('\0') {
            return Err(refuse("text", "write what is to be posted.".into()));
        }
        if one.link.as_deref().is_some_and(|link| !is_link(link)) {
            return Err(refuse("link", "use an address that begins with https:// or http://.".into()));
        }
        if let Some(why) = obstacle(ctx.tenant().is_sandbox, platform) {
            return Err(refuse("account", why));
        }
        capability::validate(platform, &one.text, one.link.as_deref(), 0).map_err(|why| refuse("text", why))?;
        if scheduled_at < now - GRACE || scheduled_at > now + FARTHEST {
            return Err(refuse("scheduled_at", "use a time from now to two years ahead.".into()));
        }
        hashes
            .push(approval_sha256(&one.text, one.link.as_deref(), scheduled_at, platform, &account.remote_id).to_vec());
        snapshots.push(json!(Snapshot {
            text: one.text.clone(),
            link: one.link.clone(),
            scheduled_at,
            account: account.name.clone(),
            remote_id: account.remote_id.clone(),
            by: by.clone(),
            at: now,
        }));
        platforms.push(platform.key().to_owned());
        loaded.push(Loaded {
            delivery: Uuid::now_v7().into(),
            content: Uuid::now_v7().into(),
            account: one.account,
            remote_account: account.remote_id.clone(),
            content_sha256: hex::encode(text_sha256(&sent)),
            scheduled_at,
        });
    }
    let contents: Vec<Uuid> = loaded.iter().map(|one| one.content.uuid()).collect();
    let campaigns: Vec<Option<Uuid>> = all.iter().map(|one| one.campaign.map(CampaignId::uuid)).collect();
    let texts: Vec<String> = all.iter().map(|one| one.text.clone()).collect();
    let links: Vec<Option<String>> = all.iter().map(|one| one.link.clone()).collect();
    sqlx::query!(
        r#"
        insert into content (
          tenant_id, id, campaign_id, body, link, created_at, created_by_id, created_by, updated_at, changed_by
        )
        select $1, new.id, new.campaign_id, new.body, new.link, $6, $7, $8, $6, $8
        from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as new (id, campaign_id, body, link)
        "#,
        ctx.tenant().id.uuid(),
        &contents,
        &campaigns as _,
        &texts,
        &links as _,
        now,
        ctx.context().actor().user_id().map(rtv_core::UserId::uuid),
        by,
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("content_campaign") => Error::invalid("campaign", "there is no such campaign."),
        _ => failed(error),
    })?;
    sqlx::query!(
        r#"
        with added as (
          insert into delivery (
            tenant_id, id, content_id, account_id, campaign_id, platform, state, scheduled_at, due_at, submitted_at, submitted_by,
            approved_version, approved_sha256, approved_remote_id, approved_at, approved_by_id, approved_by, approved_snapshot,
            created_at, updated_at
          )
          select
            $1, new.id, new.content_id, new.account_id, new.campaign_id, new.platform, 'scheduled', new.scheduled_at,
            new.scheduled_at, $11, $12, 1, new.sha256, new.remote_id, $11, $13, $12, new.snapshot, $11, $11
          from unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::bytea[], $9::text[], $10::jsonb[]
          ) as new (id, content_id, account_id, campaign_id, platform, scheduled_at, sha256, remote_id, snapshot)
          returning tenant_id, id
        )
        insert into delivery_event (tenant_id, delivery_id, id, at, what, from_state, to_state, attempt_no, who)
        select tenant_id, id, gen_random_uuid(), $11, 'scheduled', 'draft', 'scheduled', 0, $12
        from added
        "#,
        ctx.tenant().id.uuid(),
        &loaded.iter().map(|one| one.delivery.uuid()).collect::<Vec<_>>(),
        &contents,
        &loaded.iter().map(|one| one.account.uuid()).collect::<Vec<_>>(),
        &campaigns as _,
        &platforms,
        &loaded.iter().map(|one| one.scheduled_at).collect::<Vec<_>>(),
        &hashes,
        &loaded.iter().map(|one| one.remote_account.clone()).collect::<Vec<_>>(),
        &snapshots,
        now,
        by,
        ctx.context().actor().user_id().map(rtv_core::UserId::uuid),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::PostsPerMonth]).await?;
    let event = audit::Event::new("content.load", "content", "many").after(json!({ "contents": all.len() }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_approval_covers_each_part_of_what_leaves() {
        let hash = |text: &str, link: Option<&str>, time: &str, remote: &str| {
            approval_sha256(text, link, at(time), Platform::Sandbox, remote)
        };
        let base = hash("a", None, "2026-11-25T09:00:00Z", "7");
        assert_eq!(base, hash("a", None, "2026-11-25T09:00:00Z", "7"));
        for other in [
            hash("b", None, "2026-11-25T09:00:00Z", "7"),
            hash("a", Some("https://a.example"), "2026-11-25T09:00:00Z", "7"),
            hash("a", None, "2026-11-25T09:00:01Z", "7"),
            hash("a", None, "2026-11-25T09:00:00Z", "8"),
            approval_sha256("a", None, at("2026-11-25T09:00:00Z"), Platform::X, "7"),
        ] {
            assert_ne!(base, other);
        }
        // What ends one part does not begin the next.
        assert_ne!(
            hash("ab", Some("c"), "2026-11-25T09:00:00Z", "7"),
            hash("a", Some("bc"), "2026-11-25T09:00:00Z", "7")
        );
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
