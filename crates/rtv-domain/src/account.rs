//! Connected profiles. They come into being by imports, or when somebody connects one with its token; only a connected one can
//! be posted to.
//!
//! The token is sealed for tenant, account, account of the platform and version, so that a row that was swapped does not open.
//! It is kept only after the platform has said whose it is, and RTV asks again before it sends.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures::future::BoxFuture;
use rtv_core::kpi::Basis;
use rtv_core::{AccountId, Error, Limit, Permission, Platform, TenantId, capability};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::access::stored;
use crate::audit::Event;
use crate::context::TenantContext;
use crate::limit;
use crate::transaction::{Resource, Tx, failed};
use crate::vault::{Purpose, Vault};

/// So long the platform's word holds whose a token is.
pub const VERIFIED_FOR: TimeDelta = TimeDelta::minutes(10);
/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 8_192;

/// A connected profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Id.
    pub id: AccountId,
    /// Its network.
    pub platform: Platform,
    /// The network's own id of it.
    pub external_id: String,
    /// Name for people.
    pub name: String,
    /// How its figures arrive.
    pub basis: Basis,
    /// Last day for which daily gains have arrived; `None` where only totals are known.
    pub figures_until: Option<NaiveDate>,
}

/// All accounts of the tenant, by platform and name.
pub async fn list(ctx: &TenantContext) -> Result<Vec<Account>, Error> {
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Accounts).await?;
    let accounts = read(&mut tx).await?;
    tx.rollback().await?;
    Ok(accounts)
}

pub(crate) async fn read(tx: &mut Tx) -> Result<Vec<Account>, Error> {
    let rows = sqlx::query!(
        "select id, platform, external_id, name, basis, figures_until from account order by platform, name, id"
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            Ok(Account {
                id: row.id.into(),
                platform: stored(row.platform.parse())?,
                external_id: row.external_id,
                name: row.name,
                basis: stored(row.basis.parse())?,
                figures_until: row.figures_until,
            })
        })
        .collect()
}

/// Whose a token is, as the platform says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The platform's own id of the account.
    pub remote_id: String,
    /// Its name there.
    pub name: String,
}

/// Why a platform did not say whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It knows no such token, or does not take it any more.
    Refused(String),
    /// It gave no usable answer.
    Unavailable(String),
    /// RTV does not speak with this platform.
    Unsupported,
}

/// The platforms, as far as connecting an account needs them. What really asks them lives outside of this crate.
pub trait Networks: Send + Sync {
    /// Whose token it is.
    fn who_am_i<'a>(&'a self, platform: Platform, token: &'a SecretString) -> BoxFuture<'a, Result<Profile, Trouble>>;
}

/// How the connection of an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// The platform has said whose its token is, and has not said otherwise since.
    Connected,
    /// The platform does not take the token any more, or it is somebody else's.
    Broken,
    /// There is no token: figures come by imports.
    Disconnected,
}

impl ConnectionState {
    /// Words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connected => "Connected",
            Self::Broken => "Does not work",
            Self::Disconnected => "Not connected",
        }
    }
}

/// An account with its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The account.
    pub account: AccountId,
    /// Its platform.
    pub platform: Platform,
    /// Its name.
    pub name: String,
    /// The platform's own id of it.
    pub remote_id: String,
    /// Its name there, where it is connected.
    pub remote_name: Option<String>,
    /// How the connection stands.
    pub state: ConnectionState,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// When the platform last said whose the token is.
    pub verified_at: Option<DateTime<Utc>>,
    /// Since when it is connected.
    pub connected_at: Option<DateTime<Utc>>,
    /// Who connected it.
    pub connected_by: Option<String>,
    /// Counts tokens; a form to disconnect carries it.
    pub version: Option<i64>,
    /// Whether RTV can publish to its platform at all.
    pub can_publish: bool,
}

/// All accounts with their connections, by platform and name.
pub async fn connections(ctx: &TenantContext) -> Result<Vec<Connection>, Error> {
    let mut tx = ctx
        .begin_to_read(
            &[Permission::AccountsConnect, Permission::ContentRead, Permission::AnalyticsRead],
            Resource::Accounts,
        )
        .await?;
    let rows = sqlx::query!(
        r#"
        select
          account.id, account.platform, account.name, account.external_id, account_connection.remote_name as "remote_name?",
          account_connection.problem as "problem?", account_connection.verified_at as "verified_at?",
          account_connection.connected_at as "connected_at?", account_connection.connected_by as "connected_by?",
          account_connection.token_version as "token_version?"
        from account
        left join account_connection
          on account_connection.tenant_id = account.tenant_id and account_connection.account_id = account.id
        order by account.platform, lower(account.name), account.id
        "#
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    rows.into_iter()
        .map(|row| {
            let platform: Platform = stored(row.platform.parse())?;
            let state = match (&row.token_version, &row.problem) {
                (None, _) => ConnectionState::Disconnected,
                (Some(_), Some(_)) => ConnectionState::Broken,
                (Some(_), None) => ConnectionState::Connected,
            };
            Ok(Connection {
                account: row.id.into(),
                platform,
                name: row.name,
                remote_id: row.external_id,
                remote_name: row.remote_name,
                state,
                problem: row.problem,
                verified_at: row.verified_at,
                connected_at: row.connected_at,
                connected_by: row.connected_by,
                version: row.token_version,
                can_publish: capability::of(platform).can_publish,
            })
        })
        .collect()
}

/// Connects an account with its token. Whose it is the platform says, and nobody else: the account comes into being here, or a
/// new token takes the place of the one that it had.
pub async fn connect(
    ctx: &TenantContext,
    vault: &Vault,
    networks: &dyn Networks,
    platform: Platform,
    token: &SecretString,
) -> Result<AccountId, Error> {
    may_connect(ctx).await?;
    let length = token.expose_secret().trim().len();
    if length == 0 || length > LONGEST_TOKEN {
        return Err(Error::invalid("token", "paste the token that the network gives for this account."));
    }
    let token = SecretString::from(token.expose_secret().trim());
    refuse_platform(ctx, platform)?;
    let profile = networks.who_am_i(platform, &token).await.map_err(|trouble| refusal(platform, trouble))?;
    keep(ctx, vault, platform, &profile, &token).await
}

/// Refuses who may not connect, before anything of a form is looked at and before a network is asked.
pub async fn may_connect(ctx: &TenantContext) -> Result<(), Error> {
    ctx.begin(Permission::AccountsConnect, Resource::Accounts).await?.rollback().await
}

fn refuse_platform(ctx: &TenantContext, platform: Platform) -> Result<(), Error> {
    match crate::content::obstacle(ctx.tenant().is_sandbox, platform) {
        Some(why) => Err(Error::invalid("platform", why)),
        None => Ok(()),
    }
}

fn refusal(platform: Platform, trouble: Trouble) -> Error {
    let name = platform.label();
    match trouble {
        Trouble::Refused(why) => Error::invalid("token", format!("{name} does not take it: {why}")),
        Trouble::Unsupported => Error::invalid("platform", format!("RTV cannot publish to {name} yet.")),
        Trouble::Unavailable(why) => {
            Error::Unavailable(format!("{name} did not answer ({why}). Nothing was changed. Try again in a moment."))
        }
    }
}

async fn keep(
    ctx: &TenantContext,
    vault: &Vault,
    platform: Platform,
    profile: &Profile,
    token: &SecretString,
) -> Result<AccountId, Error> {
    let mut tx = ctx.begin(Permission::AccountsConnect, Resource::Accounts).await?;
    let tenant = ctx.tenant().id;
    let found = sqlx::query_scalar!(
        "select id from account where platform = $1 and external_id = $2 for update",
        platform.key(),
        profile.remote_id
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    let account = match found {
        Some(id) => AccountId::from(id),
        None => {
            let id = AccountId::from(Uuid::now_v7());
            sqlx::query!(
                "insert into account (tenant_id, id, platform, external_id, name, created_at) values ($1, $2, $3, $4, $5, $6)",
                tenant.uuid(),
                id.uuid(),
                platform.key(),
                profile.remote_id,
                profile.name,
                ctx.now(),
            )
            .execute(tx.connection())
            .await
            .map_err(failed)?;
            limit::refuse_over(&mut tx, tenant, &[Limit::Platforms]).await?;
            id
        }
    };
    let before =
        sqlx::query_scalar!("select token_version from account_connection where account_id = $1", account.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(failed)?;
    let version = before.unwrap_or(0) + 1;
    let sealed = vault.seal_bound(
        Purpose::Token,
        &bound(tenant, account, &profile.remote_id, version),
        token.expose_secret().as_bytes(),
    )?;
    sqlx::query!(
        r#"
        insert into account_connection (
          tenant_id, account_id, sealed_token, token_version, remote_id, remote_name, verified_at, verified_version,
          connected_at, connected_by
        )
        values ($1, $2, $3, $4, $5, $6, $7, $4, $7, $8)
        on conflict on constraint account_connection_key do update
        set
          sealed_token = excluded.sealed_token, token_version = excluded.token_version, remote_id = excluded.remote_id,
          remote_name = excluded.remote_name, verified_at = excluded.verified_at, verified_version = excluded.verified_version,
          problem = null, problem_at = null, connected_at = excluded.connected_at, connected_by = excluded.connected_by
        "#,
        tenant.uuid(),
        account.uuid(),
        sealed,
        version,
        profile.remote_id,
        profile.name,
        ctx.now(),
        ctx.context().actor().label(),
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    crate::delivery::sweep::release_of_token(&mut tx, ctx, account).await?;
    let event = Event::new("account.connect", "account", account.to_string()).after(
        json!({ "platform": platform, "remote_id": profile.remote_id, "name": profile.name, "token_version": version }),
    );
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(account)
}

/// What a token is sealed for.
fn bound(tenant: TenantId, account: AccountId, remote_id: &str, version: i64) -> Vec<u8> {
    [tenant.uuid().as_bytes(), account.uuid().as_bytes(), &version.to_be_bytes()[..], remote_id.as_bytes()].concat()
}

/// A token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedToken {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) remote_id: String,
    pub(crate) version: i64,
    pub(crate) sealed: Vec<u8>,
    pub(crate) verified_at: DateTime<Utc>,
    pub(crate) verified_version: i64,
}

impl SealedToken {
    /// Opens it. One that was moved here from another row, or changed, does not open: [`Error::Internal`].
    pub fn open(&self, vault: &Vault) -> Result<SecretString, Error> {
        let owner = bound(self.tenant, self.account, &self.remote_id, self.version);
        let token = vault.open_bound(Purpose::Token, &owner, &self.sealed)?;
        String::from_utf8(token).map(SecretString::from).map_err(|_| Error::Internal)
    }

    /// Whether the platform has said within the last ten minutes that this version is of the account that was approved.
    pub fn is_verified(&self, now: DateTime<Utc>) -> bool {
        self.verified_version == self.version && self.verified_at > now - VERIFIED_FOR
    }

    /// Names the token in what a worker remembers.
    pub const fn name(&self) -> (AccountId, i64) {
        (self.account, self.version)
    }
}

async fn token_of(tx: &mut Tx, tenant: TenantId, account: AccountId) -> Result<SealedToken, Error> {
    let row = sqlx::query!(
        r#"
        select sealed_token, token_version, remote_id, verified_at, verified_version
        from account_connection
        where tenant_id = $1 and account_id = $2
        "#,
        tenant.uuid(),
        account.uuid()
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    Ok(SealedToken {
        tenant,
        account,
        remote_id: row.remote_id,
        version: row.token_version,
        sealed: row.sealed_token,
        verified_at: row.verified_at,
        verified_version: row.verified_version,
    })
}

/// Asks the platform now whose the token is, and keeps what it says. An answer that names another account is a problem of the
/// connection and no error of who asked.
pub async fn verify(
    ctx: &TenantContext,
    vault: &Vault,
    networks: &dyn Networks,
    account: AccountId,
) -> Result<Option<String>, Error> {
    let mut tx = ctx.begin(Permission::AccountsConnect, Resource::Account(account)).await?;
    let token = token_of(&mut tx, ctx.tenant().id, account).await?;
    let platform = sqlx::query_scalar!("select platform from account where id = $1", account.uuid())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    let platform: Platform = stored(platform.parse())?;
    let answer = networks.who_am_i(platform, &token.open(vault)?).await;
    let problem = match &answer {
        Ok(profile) => problem_of(&token, profile),
        Err(Trouble::Refused(why)) => Some(format!("{} does not take the token: {why}", platform.label())),
        Err(trouble) => return Err(refusal(platform, trouble.clone())),
    };
    let mut tx = ctx.begin(Permission::AccountsConnect, Resource::Account(account)).await?;
    write_verdict(&mut tx, &token, problem.as_deref()).await?;
    let event = Event::new("account.verify", "account", account.to_string())
        .after(json!({ "problem": problem, "token_version": token.version }));
    tx.audit(event).await?;
    tx.commit().await?;
    Ok(problem)
}

/// What is wrong with a token that the platform says is of that profile.
pub(crate) fn problem_of(token: &SealedToken, profile: &Profile) -> Option<String> {
    (profile.remote_id != token.remote_id).then(|| {
        format!(
            "The token is of another account: the network says {} ({}), and {} is connected.",
            profile.name, profile.remote_id, token.remote_id
        )
    })
}

/// Keeps what the platform said of a token, unless there is another one by now.
pub(crate) async fn write_verdict(tx: &mut Tx, token: &SealedToken, problem: Option<&str>) -> Result<(), Error> {
    let now = tx.now();
    sqlx::query!(
        r#"
        update account_connection
        set
          verified_at = case when $4::text is null then $5 else verified_at end,
          verified_version = case when $4::text is null then $3 else verified_version end,
          problem = $4,
          problem_at = case when $4::text is null then null else $5 end
        where tenant_id = $1 and account_id = $2 and token_version = $3
        "#,
        token.tenant.uuid(),
        token.account.uuid(),
        token.version,
        problem,
        now,
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    Ok(())
}

/// Forgets the token of an account. What is scheduled for it is held when its time comes.
pub async fn disconnect(ctx: &TenantContext, account: AccountId, version: &str) -> Result<(), Error> {
    let mut tx = ctx.begin(Permission::AccountsConnect, Resource::Account(account)).await?;
    let token = token_of(&mut tx, ctx.tenant().id, account).await?;
    if version.parse() != Ok(token.version) {
        return Err(Error::Conflict(
            "Its connection was changed in the meantime. Nothing was changed. Look at it again.".into(),
        ));
    }
    sqlx::query!("delete from account_connection where account_id = $1", account.uuid())
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let before = json!({ "remote_id": token.remote_id, "token_version": token.version });
    tx.audit(Event::new("account.disconnect", "account", account.to_string()).before(before)).await?;
    tx.commit().await
}
