//! Invitations into a tenant, by mail. An invitation names an address and a role, a built-in or a custom one, that its author may
//! give away; its link
//! holds for seven days, for that address alone, and once. Links that were used, that expired, that were revoked or never
//! existed answer alike.

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Email, Error, FieldError, GivenRole, InvitationId, Limit, Permission, Role, Slug, TenantId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::{Event, Outcome};
use crate::context::{Access, Actor, Context, TenantContext};
use crate::effective_access::NamedRole;
use crate::limit;
use crate::mail::{Kind, Letter, Outbox};
use crate::password::{self, Passwords};
use crate::profile::parse_name;
use crate::roster::{Roster, Turn, columns, given};
use crate::sign_in::{self, Verified};
use crate::token::{self, TokenHash};
use crate::transaction::{Resource, Tx, failed, violated};

/// How long a link holds.
pub const HOLDS: TimeDelta = TimeDelta::days(7);
/// The least time between two mails of one invitation.
const BETWEEN_MAILS: TimeDelta = TimeDelta::minutes(1);
/// Mails of one invitation.
const MAILS_EACH: i32 = 10;
/// Mails of all invitations of a tenant within an hour.
const MAILS_PER_HOUR: i64 = 100;

/// An invitation that was not accepted or revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Id.
    pub id: InvitationId,
    /// For whom.
    pub email: Email,
    /// What they become.
    pub role: GivenRole,
    /// Its name.
    pub role_name: String,
    /// Who invites.
    pub inviter: String,
    /// When the newest mail was written.
    pub sent_at: DateTime<Utc>,
    /// When its link ends.
    pub expires_at: DateTime<Utc>,
    /// Whether that is over.
    pub is_expired: bool,
}

/// An invitation as typed.
#[derive(Debug, Clone, Default)]
pub struct NewInvitation {
    /// Address.
    pub email: String,
    /// Key of a built-in role, or id of a custom one.
    pub role: String,
}

/// The roles that the actor may give away: those that hold nothing that the actor lacks. Owners are made by owners alone,
/// whatever somebody else holds. The built-in ones come first.
pub fn roles(access: &Access, roster: &Roster) -> Vec<NamedRole> {
    let mut custom: Vec<NamedRole> = roster.roles.keys().map(|id| roster.named(GivenRole::Custom(*id))).collect();
    custom.sort_by_cached_key(|role| (role.name.to_lowercase(), role.role));
    Role::ALL
        .into_iter()
        .map(NamedRole::built_in)
        .chain(custom)
        .filter(|role| !role.role.is_owner() || access.is_owner())
        .filter(|role| role.permissions.is_within(access.everywhere()))
        .collect()
}

/// Open invitations, the newest first; those that expired are among them, so that they can be sent again.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Invitation>, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::UsersInvite], Resource::Invitations).await?;
    let rows = sqlx::query!(
        r#"
        select
          invitation.id, invitation.email, invitation.role, invitation.role_id, custom_role.name as "role_name?",
          invitation.inviter_name, invitation.sent_at, invitation.expires_at
        from invitation
        left join custom_role
          on custom_role.tenant_id = invitation.tenant_id and custom_role.id = invitation.role_id
        where invitation.accepted_at is null and invitation.revoked_at is null
        order by invitation.created_at desc, invitation.id desc
        limit 500
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let role = offered(&row.role, row.role_id, row.role_name)?;
            open(ctx, row.id, &row.email, role, row.inviter_name, (row.sent_at, row.expires_at))
        })
        .collect()
}

/// Open invitations for programs: the newest first, those after one of them, at most so many.
pub async fn list_some(ctx: &TenantContext, after: Option<InvitationId>, limit: i64) -> Result<Vec<Invitation>, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::UsersInvite], Resource::Invitations).await?;
    let rows = sqlx::query!(
        r#"
        select
          invitation.id, invitation.email, invitation.role, invitation.role_id, custom_role.name as "role_name?",
          invitation.inviter_name, invitation.sent_at, invitation.expires_at
        from invitation
        left join custom_role
          on custom_role.tenant_id = invitation.tenant_id and custom_role.id = invitation.role_id
        where invitation.accepted_at is null and invitation.revoked_at is null and ($1::uuid is null or invitation.id < $1)
        order by invitation.id desc
        limit $2
        "#,
        after.map(InvitationId::uuid),
        limit,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let role = offered(&row.role, row.role_id, row.role_name)?;
            open(ctx, row.id, &row.email, role, row.inviter_name, (row.sent_at, row.expires_at))
        })
        .collect()
}

/// One open invitation.
pub async fn one(ctx: &TenantContext, id: InvitationId) -> Result<Invitation, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::UsersInvite], Resource::Invitation(id)).await?;
    let row = lock(&mut tx, id).await?;
    tx.rollback().await?;
    let role = row.role()?;
    open(ctx, id.uuid(), &row.email, role, row.inviter_name, (row.sent_at, row.expires_at))
}

/// The role of an invitation with its name.
fn offered(role: &str, id: Option<Uuid>, name: Option<String>) -> Result<(GivenRole, String), Error> {
    let role = given(role, id)?;
    let name = match role {
        GivenRole::BuiltIn(role) => role.label().to_owned(),
        GivenRole::Custom(_) => name.unwrap_or_default(),
    };
    Ok((role, name))
}

/// A role within a sentence: built-in ones are words of ours, custom ones names.
fn in_words(role: GivenRole, name: &str) -> String {
    match role {
        GivenRole::BuiltIn(role) => role.label().to_lowercase(),
        GivenRole::Custom(_) => format!("“{name}”"),
    }
}

fn open(
    ctx: &TenantContext,
    id: Uuid,
    email: &str,
    (role, role_name): (GivenRole, String),
    inviter: String,
    (sent_at, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Invitation, Error> {
    Ok(Invitation {
        id: id.into(),
        email: stored(email.parse())?,
        role,
        role_name,
        inviter,
        sent_at,
        expires_at,
        is_expired: expires_at <= ctx.now(),
    })
}

/// A role as typed, among those that there are: one of others is none.
fn typed_role(text: &str, roster: &Roster) -> Result<GivenRole, String> {
    match text.parse::<GivenRole>()? {
        GivenRole::Custom(id) if !roster.roles.contains_key(&id) => Err("choose a role from the list.".into()),
        role => Ok(role),
    }
}

/// Invites an address. Every field that is refused is named at once. Who makes an owner must have proved a moment ago that it
/// is them.
pub async fn invite(ctx: &TenantContext, outbox: &Outbox, new: &NewInvitation) -> Result<Invitation, Error> {
    // Roles stand still in this turn, and so does what the actor holds.
    let Turn { mut tx, roster, access, .. } = Turn::begin(ctx, Permission::UsersInvite, Resource::Invitations).await?;
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
    let email = new.email.parse::<Email>().map_err(|message| refuse("email", message)).ok();
    let allowed = roles(&access, &roster);
    let role = typed_role(&new.role, &roster).map_err(|message| refuse("role", message)).ok();
    let beyond = role.filter(|role| allowed.iter().all(|one| one.role != *role));
    if beyond.is_some() {
        let names: Vec<String> = allowed.iter().map(|role| in_words(role.role, &role.name)).collect();
        refuse("role", format!("nobody can give away what they do not hold; use {}.", names.join(", ")));
    }
    let (Some(email), Some(role), true) = (email, role, errors.is_empty()) else {
        tx.rollback().await?;
        if let Some(role) = beyond {
            record_refusal(ctx, "invitation.create", "new", &roster.named(role)).await?;
        }
        return Err(Error::Invalid(errors));
    };
    let role = roster.named(role);
    if role.role.is_owner() {
        ctx.context().require_fresh()?;
    }
    refuse_too_many(ctx, &mut tx).await?;
    let is_member = sqlx::query_scalar!(
        r#"
        select exists (
          select 1
          from membership
          join app_user on app_user.id = membership.user_id
          where membership.tenant_id = $1 and app_user.email = $2
        ) as "exists!"
        "#,
        ctx.tenant().id.uuid(),
        email.as_str()
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if is_member {
        return Err(Error::invalid("email", format!("{email} is a member already.")));
    }
    // One that has expired makes room for a new one.
    sqlx::query!(
        r#"
        update invitation
        set revoked_at = $2
        where email = $1 and accepted_at is null and revoked_at is null and expires_at <= $2
        "#,
        email.as_str(),
        ctx.now(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let id = InvitationId::from(Uuid::now_v7());
    let (token, hash) = token::generate();
    let inviter = match ctx.context().actor() {
        Actor::Person(person) => person.name.clone(),
        other => other.label(),
    };
    let expires_at = ctx.now() + HOLDS;
    let (key, custom) = columns(role.role);
    sqlx::query!(
        r#"
        insert into invitation (
          tenant_id, id, email, role, role_id, token_hash, invited_by, inviter_name, created_at, sent_at, expires_at
        )
        values ($1, $2, $3, $4, $10, $5, $6, $7, $8, $8, $9)
        "#,
        ctx.tenant().id.uuid(),
        id.uuid(),
        email.as_str(),
        key,
        &hash.bytes()[..],
        ctx.context().actor().user_id().map(UserId::uuid),
        inviter,
        ctx.now(),
        expires_at,
        custom,
    )
    .execute(tx.connection())
    .await
    .map_err(|error| match violated(&error) {
        Some("invitation_open_unique") => {
            Error::invalid("email", format!("{email} is invited already; send that invitation again instead."))
        }
        _ => failed(error),
    })?;
    limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::Users]).await?;
    let letter = letter(ctx, outbox, &email, &in_words(role.role, &role.name), &inviter, &token);
    outbox.write(&mut tx, Some(ctx.tenant().id), letter, ctx.now()).await?;
    let after = json!({ "email": email, "role": role.recorded(), "expires_at": expires_at });
    tx.audit(Event::new("invitation.create", "invitation", id.to_string()).after(after)).await?;
    tx.commit().await?;
    let (role, role_name) = (role.role, role.name);
    Ok(Invitation { id, email, role, role_name, inviter, sent_at: ctx.now(), expires_at, is_expired: false })
}

/// Records that somebody tried to give more than they hold. Their own transaction has ended.
async fn record_refusal(ctx: &TenantContext, action: &'static str, id: &str, role: &NamedRole) -> Result<(), Error> {
    let detail = format!("{} holds more than the actor does", role.recorded());
    ctx.record(Event::new(action, "invitation", id.to_owned()).outcome(Outcome::Denied).detail(detail)).await
}

/// Writes another mail with a new link that holds for seven days from now; the link before it is useless from now on.
pub async fn send_again(ctx: &TenantContext, outbox: &Outbox, id: InvitationId) -> Result<Email, Error> {
    let Turn { mut tx, roster, access, .. } =
        Turn::begin(ctx, Permission::UsersInvite, Resource::Invitation(id)).await?;
    let row = lock(&mut tx, id).await?;
    let (role, role_name) = row.role()?;
    let role_words = in_words(role, &role_name);
    if roles(&access, &roster).iter().all(|one| one.role != role) {
        tx.rollback().await?;
        record_refusal(ctx, "invitation.send", &id.to_string(), &roster.named(role)).await?;
        return Err(Error::Conflict(format!(
            "This invitation makes somebody {role_words}. Nobody can give away what they do not hold; ask who does to send it again."
        )));
    }
    let pause = row.sent_at + BETWEEN_MAILS - ctx.now();
    if pause > TimeDelta::zero() {
        return Err(Error::Limit {
            message: "This invitation was sent a moment ago.".into(),
            seconds: u32::try_from(pause.num_seconds().max(1)).unwrap_or(60),
        });
    }
    if row.sent_count >= MAILS_EACH {
        return Err(Error::Conflict(format!(
            "This invitation was sent {MAILS_EACH} times. Check the address with the person; then revoke it and invite them anew."
        )));
    }
    refuse_too_many(ctx, &mut tx).await?;
    let email: Email = stored(row.email.parse())?;
    let (token, hash) = token::generate();
    let expires_at = ctx.now() + HOLDS;
    sqlx::query!(
        "update invitation set token_hash = $2, sent_at = $3, sent_count = sent_count + 1, expires_at = $4 where id = $1",
        id.uuid(),
        &hash.bytes()[..],
        ctx.now(),
        expires_at,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    // One that had expired takes a place again.
    limit::refuse_over(&mut tx, ctx.tenant().id, &[Limit::Users]).await?;
    let letter = letter(ctx, outbox, &email, &role_words, &row.inviter_name, &token);
    outbox.write(&mut tx, Some(ctx.tenant().id), letter, ctx.now()).await?;
    let event = Event::new("invitation.send", "invitation", id.to_string())
        .before(json!({ "expires_at": row.expires_at }))
        .after(json!({ "email": email, "expires_at": expires_at }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(email)
}

/// Takes an invitation back: its link is useless from now on. That goes on also where nothing changes otherwise.
pub async fn revoke(ctx: &TenantContext, id: InvitationId) -> Result<Email, Error> {
    let mut tx = ctx.begin_to_stop(Permission::UsersInvite, Resource::Invitation(id)).await?;
    let row = lock(&mut tx, id).await?;
    sqlx::query!("update invitation set revoked_at = $2 where id = $1", id.uuid(), ctx.now())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let before = json!({ "email": row.email, "role": row.role()?.1, "expires_at": row.expires_at });
    tx.audit(Event::new("invitation.revoke", "invitation", id.to_string()).before(before)).await?;
    limit::look_again(ctx, &mut tx).await?;
    tx.commit().await?;
    stored(row.email.parse())
}

struct Row {
    email: String,
    role: String,
    role_id: Option<Uuid>,
    role_name: Option<String>,
    inviter_name: String,
    sent_at: DateTime<Utc>,
    sent_count: i32,
    expires_at: DateTime<Utc>,
}

impl Row {
    fn role(&self) -> Result<(GivenRole, String), Error> {
        offered(&self.role, self.role_id, self.role_name.clone())
    }
}

/// An open invitation of the tenant, held against others until the transaction ends.
async fn lock(tx: &mut Tx, id: InvitationId) -> Result<Row, Error> {
    sqlx::query_as!(
        Row,
        r#"
        select
          invitation.email, invitation.role, invitation.role_id, custom_role.name as "role_name?", invitation.inviter_name,
          invitation.sent_at, invitation.sent_count, invitation.expires_at
        from invitation
        left join custom_role
          on custom_role.tenant_id = invitation.tenant_id and custom_role.id = invitation.role_id
        where invitation.id = $1 and invitation.accepted_at is null and invitation.revoked_at is null
        for update of invitation
        "#,
        id.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)
}

/// A tenant must not become a way to send mail to the whole world. Whoever counts holds the tenant's row, so that parallel
/// requests count one after the other.
async fn refuse_too_many(ctx: &TenantContext, tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select id from tenant where id = $1 for no key update", ctx.tenant().id.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let sent = sqlx::query_scalar!(
        r#"select count(*) as "count!" from invitation where sent_at > $1"#,
        ctx.now() - TimeDelta::hours(1)
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    if sent >= MAILS_PER_HOUR {
        return Err(Error::Limit {
            message: format!("This organisation has sent {sent} invitations within the last hour, which is the most."),
            seconds: 3_600,
        });
    }
    Ok(())
}

fn letter(
    ctx: &TenantContext,
    outbox: &Outbox,
    email: &Email,
    role: &str,
    inviter: &str,
    token: &SecretString,
) -> Letter {
    let tenant = &ctx.tenant().name;
    let link = outbox.link(&format!("/invite/{}", token.expose_secret()));
    Letter {
        kind: Kind::Invitation,
        to: email.clone(),
        subject: format!("{inviter} invites you to {tenant} on RTV"),
        text: SecretString::from(format!(
            "Hello,\n\n{inviter} invites you to {tenant} on RTV, as {role}.\n\nTo accept, open this link within seven days:\n\n{link}\n\n\
             The link is for {email} and works once. If you do not expect it, do nothing.\n"
        )),
    }
}

/// What somebody is invited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Name of the tenant.
    pub tenant: String,
    /// Its slug.
    pub slug: Slug,
    /// What they become.
    pub role: GivenRole,
    /// The role within a sentence.
    pub role_words: String,
    /// For whom.
    pub email: Email,
    /// Who invites.
    pub inviter: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Whether the address has an account, which then accepts.
    pub has_account: bool,
}

struct Found {
    id: InvitationId,
    tenant: TenantId,
    offer: Offer,
}

/// What a link offers. Used, expired, revoked and unknown links: [`Error::NotFound`].
pub async fn look(ctx: &Context, token: &str) -> Result<Offer, Error> {
    Ok(find(ctx, TokenHash::of(token)).await?.offer)
}

async fn find(ctx: &Context, token: TokenHash) -> Result<Found, Error> {
    let mut tx = ctx.begin_invitation(token, None, None).await?;
    let row = sqlx::query!(
        r#"
        select
          invitation.id, invitation.tenant_id, invitation.email, invitation.role, invitation.role_id,
          custom_role.name as "role_name?", invitation.inviter_name, invitation.expires_at, tenant.name as tenant_name, tenant.slug as tenant_slug,
          exists (select 1 from app_user where app_user.email = invitation.email) as "has_account!"
        from invitation
        join tenant on tenant.id = invitation.tenant_id
        left join custom_role
          on custom_role.tenant_id = invitation.tenant_id and custom_role.id = invitation.role_id
        where invitation.token_hash = $1 and invitation.accepted_at is null and invitation.revoked_at is null
          and invitation.expires_at > $2 and tenant.status in ('pending', 'active')
        "#,
        &token.bytes()[..],
        ctx.now(),
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    let (role, role_name) = offered(&row.role, row.role_id, row.role_name)?;
    Ok(Found {
        id: row.id.into(),
        tenant: row.tenant_id.into(),
        offer: Offer {
            tenant: row.tenant_name,
            slug: stored(row.tenant_slug.parse())?,
            role_words: in_words(role, &role_name),
            role,
            email: stored(row.email.parse())?,
            inviter: row.inviter_name,
            expires_at: row.expires_at,
            has_account: row.has_account,
        },
    })
}

/// Accepts as the person who is signed in, whose address must be that of the invitation.
pub async fn accept(ctx: &Context, token: &str) -> Result<Offer, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    let token = TokenHash::of(token);
    let found = find(ctx, token).await?;
    if person.email != found.offer.email {
        return Err(Error::Conflict(format!(
            "This invitation is for {}, and you are signed in as {}. Sign out and sign in with that address, or ask for an invitation of your own.",
            found.offer.email, person.email
        )));
    }
    let mut tx = ctx.begin_invitation(token, Some(found.tenant), Some(person.id)).await?;
    join(ctx, &mut tx, &found, person.id, false).await?;
    tx.commit().await?;
    Ok(found.offer)
}

/// Accepts as somebody who has no account yet, who gets one with that name and password. The answer signs in.
pub async fn accept_as_new(
    ctx: &Context,
    passwords: &Passwords,
    token: &str,
    name: &str,
    password: &SecretString,
) -> Result<(Offer, Verified), Error> {
    let token = TokenHash::of(token);
    let found = find(ctx, token).await?;
    let email = found.offer.email.clone();
    if found.offer.has_account {
        return Err(has_account(&email));
    }
    let local = email.as_str().split('@').next().unwrap_or_default();
    let mut errors = Vec::new();
    let mut keep = |error: Error| match error {
        Error::Invalid(more) => {
            errors.extend(more);
            Ok(())
        }
        other => Err(other),
    };
    let parsed = match parse_name(name) {
        Ok(name) => Some(name),
        Err(error) => {
            keep(error)?;
            None
        }
    };
    if let Err(error) = password::refuse_weak(password, &[local, name]) {
        keep(error)?;
    }
    let (Some(name), true) = (parsed, errors.is_empty()) else { return Err(Error::Invalid(errors)) };
    let hash = passwords.hash(password).await?;
    let user = UserId::from(Uuid::now_v7());
    let mut tx = ctx.begin_invitation(token, Some(found.tenant), Some(user)).await?;
    let new = crate::user::NewPerson { id: user, email: &email, name: &name, hash: &hash, is_sample: false };
    crate::user::insert(&mut tx, new, ctx.now()).await.map_err(|error| match error {
        Error::Conflict(_) => has_account(&email),
        other => other,
    })?;
    join(ctx, &mut tx, &found, user, true).await?;
    tx.commit().await?;
    let verified = Verified {
        user,
        email,
        name,
        is_sample: false,
        needs_code: false,
        renewed_hash: None,
        counters: Vec::new(),
        forgiven: Vec::new(),
        act: sign_in::SIGN_IN,
        how: "invitation",
        last_tenant: Some(found.offer.slug.to_string()),
    };
    Ok((found.offer, verified))
}

fn has_account(email: &Email) -> Error {
    Error::Conflict(format!("{email} has an account already. Sign in with it, and accept then."))
}

/// Marks the invitation as accepted, which only one of several attempts can do, and makes the person a member.
async fn join(ctx: &Context, tx: &mut Tx, found: &Found, user: UserId, is_new: bool) -> Result<(), Error> {
    let taken = sqlx::query!(
        r#"
        update invitation
        set accepted_at = $2, accepted_by = $3
        where id = $1 and accepted_at is null and revoked_at is null and expires_at > $2
        "#,
        found.id.uuid(),
        ctx.now(),
        user.uuid(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    if taken == 0 {
        return Err(Error::NotFound);
    }
    // Who became a member by another way in the meantime keeps the role that they have.
    let (key, custom) = columns(found.offer.role);
    let joined = sqlx::query!(
        r#"
        insert into membership (tenant_id, user_id, role, role_id, created_at)
        values ($1, $2, $3, $5, $4)
        on conflict on constraint membership_key do nothing
        "#,
        found.tenant.uuid(),
        user.uuid(),
        key,
        ctx.now(),
        custom,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?
    .rows_affected();
    limit::refuse_over(tx, found.tenant, &[Limit::Users]).await?;
    let after = json!({
        "email": found.offer.email, "role": found.offer.role, "user": user, "is_new": is_new, "joined": joined == 1,
    });
    tx.audit(Event::new("invitation.accept", "invitation", found.id.to_string()).after(after)).await
}
