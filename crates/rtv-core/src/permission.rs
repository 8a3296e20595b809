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
}
