//! Scopes as people, programs and the database name them.

use rtv_core::{AccountId, Action, CampaignId, Error, Platform, Scope, Slug, TenantId};
use uuid::Uuid;

use crate::access::stored;
use crate::context::Context;
use crate::kill_switch::{Side, owner};
use crate::transaction::{StaffPermission, Tx, failed};

/// A scope as typed in a form, an address, a command or a request: what is left out means all. Inside a tenant the tenant goes
/// without saying.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeWords {
    /// “Global, everything”: cleaning up included. Of the operator alone.
    pub everything: bool,
    /// Slug of the tenant.
    pub tenant: Option<String>,
    /// Key of the platform.
    pub platform: Option<String>,
    /// Key of the action.
    pub action: Option<String>,
    /// Id of the account.
    pub account: Option<String>,
    /// Id of the campaign.
    pub campaign: Option<String>,
}

/// What a scope is about, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Named {
    /// Slug of the tenant.
    pub tenant_slug: Option<Slug>,
    /// Its name.
    pub tenant_name: Option<String>,
    /// The platform; for an account the one that it is on.
    pub platform: Option<Platform>,
    /// Name of the account.
    pub account: Option<String>,
    /// Name of the campaign.
    pub campaign: Option<String>,
}

/// Parses a scope, and looks up whose it is. What does not exist here: [`Error::NotFound`]; what is written wrongly:
/// [`Error::Invalid`] naming `tenant`, `platform`, `action`, `account`, `campaign` or `everything`.
pub async fn find_scope(side: Side<'_>, words: &ScopeWords) -> Result<Scope, Error> {
    let parsed = Parsed::of(words)?;
    let tenant = match (side, &parsed.tenant) {
        (Side::Tenant(ctx), Some(slug)) if *slug != ctx.tenant().slug => return Err(Error::NotFound),
        (Side::Tenant(ctx), _) => {
            if words.everything {
                return Err(Error::invalid("everything", "only the operator halts everything"));
            }
            Some(ctx.tenant().id)
        }
        (Side::Operator(ctx), Some(slug)) => Some(tenant_id(ctx, slug).await?),
        (Side::Operator(ctx), None) => match parsed.owned() {
            Some(row) => Some(owner_of(ctx, &row).await?),
            None => None,
        },
    };
    Ok(match (parsed.account, parsed.campaign, tenant) {
        (Some(account), _, Some(tenant)) => Scope::Account { tenant, account },
        (_, Some(campaign), Some(tenant)) => Scope::Campaign { tenant, campaign },
        _ if words.everything => Scope::Everything,
        (_, _, tenant) => Scope::Part { tenant, platform: parsed.platform, action: parsed.action },
    })
}

async fn tenant_id(ctx: &Context, slug: &Slug) -> Result<TenantId, Error> {
    let mut tx = ctx.begin_switches(StaffPermission::SwitchesRead, None).await?;
    let id = sqlx::query_scalar!("select id from tenant where slug = $1", slug.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    Ok(id.into())
}

/// Whose account or campaign it is.
async fn owner_of(ctx: &Context, row: &str) -> Result<TenantId, Error> {
    let mut tx = ctx.begin_switches(StaffPermission::SwitchesRead, None).await?;
    let id = sqlx::query_scalar!("select tenant_id from kill_switch where scope = $1", row)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?
        .ok_or(Error::NotFound)?;
    tx.rollback().await?;
    Ok(id.into())
}

#[derive(Debug, PartialEq, Eq)]
struct Parsed {
    tenant: Option<Slug>,
    platform: Option<Platform>,
    action: Option<Action>,
    account: Option<AccountId>,
    campaign: Option<CampaignId>,
}

impl Parsed {
    fn of(words: &ScopeWords) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let parsed = Self {
            tenant: field("tenant", words.tenant.as_deref(), &mut errors),
            platform: field("platform", words.platform.as_deref(), &mut errors),
            action: field("action", words.action.as_deref(), &mut errors),
            account: field("account", words.account.as_deref(), &mut errors),
            campaign: field("campaign", words.campaign.as_deref(), &mut errors),
        };
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        let is_part = parsed.platform.is_some() || parsed.action.is_some();
        if words.everything && (is_part || parsed.tenant.is_some() || parsed.owned().is_some()) {
            return Err(Error::invalid("everything", "everything is everything: leave the other choices out"));
        }
        if parsed.account.is_some() && (is_part || parsed.campaign.is_some()) {
            return Err(Error::invalid("account", "an account is halted as a whole: leave the other choices out"));
        }
        if parsed.campaign.is_some() && is_part {
            return Err(Error::invalid("campaign", "a campaign is halted as a whole: leave the other choices out"));
        }
        Ok(parsed)
    }

    /// The row of an account or a campaign.
    fn owned(&self) -> Option<String> {
        match (self.account, self.campaign) {
            (Some(account), _) => Some(format!("account:{}", account.uuid())),
            (None, Some(campaign)) => Some(format!("campaign:{}", campaign.uuid())),
            (None, None) => None,
        }
    }
}

fn field<T>(name: &str, text: Option<&str>, errors: &mut Vec<rtv_core::FieldError>) -> Option<T>
where
    T: core::str::FromStr<Err: core::fmt::Display>,
{
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            errors.push(rtv_core::FieldError { field: name.into(), message: error.to_string() });
            None
        }
    }
}

/// The name of a switch's row inside its tenant, as `kill_switch.scope` has it.
pub(crate) fn row(scope: &Scope) -> String {
    let part = |platform: Option<Platform>, action: Option<Action>| {
        format!("part:{}:{}", platform.map_or("*", Platform::key), action.map_or("*", Action::key))
    };
    match *scope {
        Scope::Everything => "everything".into(),
        Scope::Drill => "drill".into(),
        Scope::Part { platform, action, .. } => part(platform, action),
        Scope::Account { account, .. } => format!("account:{}", account.uuid()),
        Scope::Campaign { campaign, .. } => format!("campaign:{}", campaign.uuid()),
    }
}

/// A scope out of the columns of a row.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) tenant_id: Uuid,
    pub(crate) kind: String,
    pub(crate) platform: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) campaign_id: Option<Uuid>,
}

impl Columns {
    pub(crate) fn scope(self) -> Result<Scope, Error> {
        let tenant = super::tenant_of(self.tenant_id);
        let platform = self.platform.map(|text| stored(text.parse())).transpose()?;
        let action = self.action.map(|text| stored(text.parse())).transpose()?;
        match (self.kind.as_str(), tenant, self.account_id, self.campaign_id) {
            ("everything", ..) => Ok(Scope::Everything),
            ("drill", ..) => Ok(Scope::Drill),
            ("part", tenant, ..) => Ok(Scope::Part { tenant, platform, action }),
            ("account", Some(tenant), Some(account), _) => Ok(Scope::Account { tenant, account: account.into() }),
            ("campaign", Some(tenant), _, Some(campaign)) => Ok(Scope::Campaign { tenant, campaign: campaign.into() }),
            (kind, ..) => {
                tracing::error!(kind, "a kill switch is of a kind that this version does not know");
                Err(Error::Internal)
            }
        }
    }

    /// The columns of a scope, for what looks rows up by the rule of `rtv_switch_covers`.
    pub(crate) fn of(scope: &Scope) -> Self {
        let mut columns = Self {
            tenant_id: owner(scope.tenant()).uuid(),
            kind: kind(scope).into(),
            platform: None,
            action: None,
            account_id: None,
            campaign_id: None,
        };
        match *scope {
            Scope::Everything | Scope::Drill => {}
            Scope::Part { platform, action, .. } => {
                columns.platform = platform.map(|platform| platform.key().to_owned());
                columns.action = action.map(|action| action.key().to_owned());
            }
            Scope::Account { account, .. } => columns.account_id = Some(account.uuid()),
            Scope::Campaign { campaign, .. } => columns.campaign_id = Some(campaign.uuid()),
        }
        columns
    }
}

pub(crate) const fn kind(scope: &Scope) -> &'static str {
    match scope {
        Scope::Everything => "everything",
        Scope::Drill => "drill",
        Scope::Part { .. } => "part",
        Scope::Account { .. } => "account",
        Scope::Campaign { .. } => "campaign",
    }
}

/// The label of a scope in metrics: few values, whatever is halted.
pub const fn label(scope: &Scope) -> &'static str {
    match scope {
        Scope::Everything => "everything",
        Scope::Drill => "drill",
        Scope::Account { .. } => "account",
        Scope::Campaign { .. } => "campaign",
        Scope::Part { tenant: None, platform: None, action: None } => "global",
        Scope::Part { tenant: None, platform: Some(_), action: None } => "platform",
        Scope::Part { tenant: None, platform: None, action: Some(_) } => "action",
        Scope::Part { tenant: Some(_), platform: None, action: None } => "tenant",
        Scope::Part { .. } => "combination",
    }
}

/// All labels, so that a gauge that is zero is told as zero.
pub const LABELS: [&str; 8] =
    ["everything", "global", "platform", "action", "tenant", "account", "campaign", "combination"];

/// What people call a scope, and what whoever releases it types: `Acme / LinkedIn / Publish`, `Everything`, `Global`.
pub fn name(scope: &Scope, named: &Named) -> String {
    let mut parts: Vec<String> = named.tenant_name.clone().into_iter().collect();
    match scope {
        Scope::Everything => return "Everything".into(),
        Scope::Drill => return "Drill".into(),
        Scope::Part { platform, action, .. } => {
            parts.extend(platform.map(|platform| platform.label().to_owned()));
            parts.extend(action.map(|action| action.label().to_owned()));
            if parts.is_empty() {
                return "Global".into();
            }
        }
        Scope::Account { .. } => parts.extend(named.account.clone()),
        Scope::Campaign { .. } => parts.extend(named.campaign.clone()),
    }
    parts.join(" / ")
}

/// Whether what was typed is the name. Case and spaces beside it do not matter.
pub(crate) fn is_name(typed: &str, name: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(typed) == plain(name)
}

/// The names in a scope.
pub(crate) async fn names(tx: &mut Tx, scope: &Scope) -> Result<Named, Error> {
    let Some(tenant) = scope.tenant() else {
        let platform = match scope {
            Scope::Part { platform, .. } => *platform,
            Scope::Everything | Scope::Drill | Scope::Account { .. } | Scope::Campaign { .. } => None,
        };
        return Ok(Named { platform, ..Named::default() });
    };
    let columns = Columns::of(scope);
    let row = sqlx::query!(
        r#"
        select
          tenant.slug, tenant.name, account.name as "account?", account.platform as "account_platform?",
          campaign.name as "campaign?"
        from tenant
        left join account on account.tenant_id = tenant.id and account.id = $2
        left join campaign on campaign.tenant_id = tenant.id and campaign.id = $3
        where tenant.id = $1
        "#,
        tenant.uuid(),
        columns.account_id,
        columns.campaign_id,
    )
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?
    .ok_or(Error::NotFound)?;
    let platform = row.account_platform.or(columns.platform);
    Ok(Named {
        tenant_slug: Some(stored(row.slug.parse())?),
        tenant_name: Some(row.name),
        platform: platform.map(|text| stored(text.parse())).transpose()?,
        account: row.account,
        campaign: row.campaign,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(platform: &str, action: &str, account: &str, everything: bool) -> ScopeWords {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ScopeWords {
            everything,
            platform: some(platform),
            action: some(action),
            account: some(account),
            ..ScopeWords::default()
        }
    }

    #[test]
    fn a_scope_that_is_written_wrongly_names_the_field() {
        let check = |words: ScopeWords, expect: Option<&str>| match (Parsed::of(&words), expect) {
            (Ok(_), None) => {}
            (Err(Error::Invalid(errors)), Some(field)) => assert_eq!(errors[0].field, field, "{words:?}"),
            (found, expect) => panic!("{words:?}: {found:?}, expected {expect:?}"),
        };
        let account = "acc_0000000000000000000000000000002a";
        check(words("x", "publish", "", false), None);
        check(words("", "", account, false), None);
        check(words(" ", "", "", false), None);
        check(words("", "", "", true), None);
        check(words("myspace", "", "", false), Some("platform"));
        check(words("", "dance", "", false), Some("action"));
        check(words("", "", "acc_7", false), Some("account"));
        check(words("x", "", account, false), Some("account"));
        check(words("x", "", "", true), Some("everything"));
    }

    #[test]
    fn a_scope_reads_back_from_its_columns() {
        let tenant = TenantId::from(Uuid::from_u128(7));
        let mut scopes = vec![
            Scope::Everything,
            Scope::Drill,
            Scope::Account { tenant, account: Uuid::from_u128(8).into() },
            Scope::Campaign { tenant, campaign: Uuid::from_u128(9).into() },
        ];
        for of in [None, Some(tenant)] {
            for platform in Platform::ALL.map(Some).into_iter().chain([None]) {
                for action in Action::ALL.map(Some).into_iter().chain([None]) {
                    scopes.push(Scope::Part { tenant: of, platform, action });
                }
            }
        }
        for scope in scopes {
            assert_eq!(Columns::of(&scope).scope().unwrap(), scope);
            assert!(scope == Scope::Drill || LABELS.contains(&label(&scope)), "{scope:?}");
        }
    }

    #[test]
    fn what_is_typed_to_release_is_the_name_whatever_its_case() {
        let named = Named { tenant_name: Some("Acme".into()), ..Named::default() };
        let scope = Scope::Part {
            tenant: Some(Uuid::from_u128(7).into()),
            platform: Some(Platform::LinkedIn),
            action: Some(Action::Publish),
        };
        let name = name(&scope, &named);
        assert_eq!(name, "Acme / LinkedIn / Publish");
        assert!(is_name("  acme / linkedin /  publish", &name));
        assert!(!is_name("acme / linkedin", &name) && !is_name("", &name));
        assert_eq!(super::name(&Scope::GLOBAL, &Named::default()), "Global");
    }
}
