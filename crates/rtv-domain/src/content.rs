//! Content: what is to be posted, to which accounts, when, and one step of approval. An approval is bound to the SHA-256 of
//! all that leaves and of whom it leaves as; an edit voids it, and what was approved stays to be shown beside what it is now.
//! What became of a content on its way is a delivery (`delivery.rs`). Here it is read and held.
//!
//! | file | what |
//! |---|---|
//! | `write` | a draft as typed, and what it has to be; creating, changing, deleting |
//! | `approval` | submitting, approving and giving back, and what an approval covers |
//! | `load` | many at once, written and approved |

pub mod approval;
pub mod load;
pub mod write;

pub use approval::{LONGEST_NOTE, Snapshot, approval_sha256, approve, give_back, submit, text_sha256};
pub use load::{Load, Loaded, load};
pub use write::{Draft, LONGEST_TEXT, MOST_ACCOUNTS, create, delete, edit, parse_time};

use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, Utc};
use rtv_core::delivery::State;
use rtv_core::{AccountId, CampaignId, ContentId, DeliveryId, Error, Permission, Platform, TenantId, capability};
use uuid::Uuid;

use crate::access::stored;
use crate::context::TenantContext;
use crate::delivery::change::{Batch, Key};
use crate::revision::{Revision, refuse_stale};
use crate::transaction::{Resource, Tx, failed};

/// Rows on one page.
pub const PAGE: i64 = 50;
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
