//! The permission catalogue, one list from which pages, API, documentation and tests are made.
//! The text form is `area:verb`. Adding one is adding a line here and following the compiler.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($name:ident = $key:literal, $description:literal;)*) => {
        /// What an actor may do in a tenant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum Permission {
            $(#[doc = $description] $name,)*
        }

        impl Permission {
            /// The whole catalogue, in the order in which people read it.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Text form, `area:verb`.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// What the permission allows, as a phrase.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }
        }

        impl FromStr for Permission {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($key => Ok(Self::$name),)*
                    _ => Err(format!("“{text}” is not a permission; it looks like analytics:read")),
                }
            }
        }
    };
}

permissions! {
    CampaignsCreate = "campaigns:create", "create campaigns";
    CampaignsRead = "campaigns:read", "see campaigns";
    CampaignsUpdate = "campaigns:update", "change campaigns";
    CampaignsDelete = "campaigns:delete", "delete campaigns";
    ContentCreate = "content:create", "write posts";
    ContentRead = "content:read", "see posts";
    ContentUpdate = "content:update", "change posts";
    ContentDelete = "content:delete", "delete posts";
    ContentPublish = "content:publish", "publish posts";
    ApprovalsReview = "approvals:review", "approve or return posts";
    EngagementReply = "engagement:reply", "answer mentions, comments and messages";
    AnalyticsRead = "analytics:read", "see figures and dashboards";
    AnalyticsExport = "analytics:export", "take figures out as files";
    ImportsManage = "imports:manage", "import files and roll imports back";
    CompetitorsManage = "competitors:manage", "keep competitors and their figures";
    ReportsRead = "reports:read", "see reports";
    ReportsManage = "reports:manage", "build and change reports";
    ReportsSchedule = "reports:schedule", "send reports on a schedule";
    SwitchesRead = "switches:read", "see kill switches";
    SwitchesEngage = "switches:engage", "halt";
    SwitchesRelease = "switches:release", "resume what was halted";
    DeliveriesDecide = "deliveries:decide", "decide over deliveries of unknown outcome";
    FlagsRead = "flags:read", "see feature flags";
    FlagsManage = "flags:manage", "change feature flags and rollouts";
    AccountsConnect = "accounts:connect", "connect and disconnect accounts";
    WebhooksManage = "webhooks:manage", "keep webhooks";
    ExportsCreate = "exports:create", "export data";
    AuditRead = "audit:read", "read the audit log";
    AuditExport = "audit:export", "export the audit log";
    ApikeysManage = "apikeys:manage", "create and revoke API keys";
    SecretsManage = "secrets:manage", "store provider keys";
    SettingsRead = "settings:read", "see settings";
    SettingsUpdate = "settings:update", "change settings";
    SsoManage = "sso:manage", "set up single sign-on";
    UsersInvite = "users:invite", "invite people";
    UsersManage = "users:manage", "change and remove people";
    TeamsManage = "teams:manage", "keep teams";
    RolesManage = "roles:manage", "keep custom roles";
    BillingRead = "billing:read", "see plan and use";
    BillingManage = "billing:manage", "change the plan";
}

impl Permission {
    /// The part of the product that it is about: `content` of `content:publish`.
    pub fn area(self) -> &'static str {
        self.key().split(':').next().unwrap_or_default()
    }

    /// Whether it can hold for some accounts and campaigns only. What is about the tenant as a whole, its people, settings,
    /// switches or money, holds for all of it or not at all. The match is exhaustive on purpose.
    pub const fn is_by_resource(self) -> bool {
        match self {
            Self::CampaignsRead
            | Self::CampaignsUpdate
            | Self::CampaignsDelete
            | Self::ContentCreate
            | Self::ContentRead
            | Self::ContentUpdate
            | Self::ContentDelete
            | Self::ContentPublish
            | Self::ApprovalsReview
            | Self::EngagementReply
            | Self::AnalyticsRead
            | Self::AnalyticsExport
            | Self::DeliveriesDecide => true,
            Self::CampaignsCreate
            | Self::ImportsManage
            | Self::CompetitorsManage
            | Self::ReportsRead
            | Self::ReportsManage
            | Self::ReportsSchedule
            | Self::SwitchesRead
            | Self::SwitchesEngage
            | Self::SwitchesRelease
            | Self::FlagsRead
            | Self::FlagsManage
            | Self::AccountsConnect
            | Self::WebhooksManage
            | Self::ExportsCreate
            | Self::AuditRead
            | Self::AuditExport
            | Self::ApikeysManage
            | Self::SecretsManage
            | Self::SettingsRead
            | Self::SettingsUpdate
            | Self::SsoManage
            | Self::UsersInvite
            | Self::UsersManage
            | Self::TeamsManage
            | Self::RolesManage
            | Self::BillingRead
            | Self::BillingManage => false,
        }
    }

    /// Whether it only looks or takes out a copy: what also a suspended tenant may.
    pub const fn only_reads(self) -> bool {
        matches!(
            self,
            Self::CampaignsRead
                | Self::ContentRead
                | Self::AnalyticsRead
                | Self::AnalyticsExport
                | Self::ReportsRead
                | Self::SwitchesRead
                | Self::FlagsRead
                | Self::ExportsCreate
                | Self::AuditRead
                | Self::AuditExport
                | Self::SettingsRead
                | Self::BillingRead
        )
    }

    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// Each of them opens the pages of the team. Who lacks all of them is told the first.
pub const SEES_TEAM: &[Permission] =
    &[Permission::UsersManage, Permission::UsersInvite, Permission::TeamsManage, Permission::RolesManage];

/// Each of them opens the pages of reports: who may build them sees them.
pub const SEES_REPORTS: &[Permission] = &[Permission::ReportsRead, Permission::ReportsManage];

const _: () = assert!(Permission::ALL.len() <= 64, "a set of permissions is one word of 64 bits");

/// A set of permissions, as one word, so that asking it costs nothing. Written as the list of its keys.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Permission>", from = "Vec<Permission>")]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// The whole catalogue.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// What can hold for some accounts and campaigns only.
    pub fn by_resource() -> Self {
        Permission::ALL.iter().copied().filter(|permission| permission.is_by_resource()).collect()
    }

    /// The permissions that the texts name. A word that this version does not know gives nothing: it is left out.
    pub fn of_known<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        keys.into_iter().filter_map(|key| key.parse().ok()).collect()
    }

    /// Whether the permission is in it.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the other one holds all of it.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Those in it, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }

    /// Their keys, in the order of the catalogue.
    pub fn keys(self) -> Vec<String> {
        self.iter().map(|permission| permission.key().to_owned()).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        permissions.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl From<Vec<Permission>> for PermissionSet {
    fn from(permissions: Vec<Permission>) -> Self {
        permissions.into_iter().collect()
    }
}

impl From<PermissionSet> for Vec<Permission> {
    fn from(set: PermissionSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::key)).finish()
    }
}

/// Their keys, one after the other; “nothing” where there is none.
impl fmt::Display for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() { f.write_str("nothing") } else { f.write_str(&self.keys().join(", ")) }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl From<Permission> for String {
    fn from(value: Permission) -> Self {
        value.key().to_owned()
    }
}

impl TryFrom<String> for Permission {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_reads_back_its_key() {
        for permission in Permission::ALL {
            assert_eq!(permission.key().parse(), Ok(*permission));
            assert!(permission.key().split_once(':').is_some());
        }
    }

    #[test]
    fn a_set_holds_what_was_put_into_it_and_nothing_else() {
        let some: PermissionSet = [Permission::BillingManage, Permission::CampaignsCreate].into_iter().collect();
        for permission in Permission::ALL {
            let expect = matches!(permission, Permission::BillingManage | Permission::CampaignsCreate);
            assert_eq!(some.contains(*permission), expect, "{permission}");
        }
        assert_eq!(some.to_string(), "campaigns:create, billing:manage");
        assert_eq!((some.len(), PermissionSet::EMPTY.to_string().as_str()), (2, "nothing"));
        assert!(some.is_within(PermissionSet::all()) && !PermissionSet::all().is_within(some));
        assert_eq!(PermissionSet::all().minus(some).union(some), PermissionSet::all());
        assert_eq!(PermissionSet::all().len() as usize, Permission::ALL.len());
        assert_eq!(serde_json::to_string(&some).unwrap(), r#"["campaigns:create","billing:manage"]"#);
        assert_eq!(PermissionSet::of_known(["content:publish", "moon:land"]).to_string(), "content:publish");
    }

    #[test]
    fn what_only_reads_says_so_in_its_key() {
        for permission in Permission::ALL {
            let verb = permission.key().rsplit(':').next().unwrap();
            let reads = matches!(verb, "read" | "export") || *permission == Permission::ExportsCreate;
            assert_eq!(permission.only_reads(), reads, "{permission}");
        }
    }
}
